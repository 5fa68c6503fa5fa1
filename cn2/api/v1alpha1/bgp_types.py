"""Types that BGPRouter and BGPAsAService share (cn2-api.md chapter 2)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.access import items, text
from cn2.api.checks import forbidden
from cn2.api.kind import FieldError, Object
from cn2.api.schema_checks import required
from cn2.api.v1alpha1.shared import struct

MAX_AS_NUMBER = 0xFFFFFFFF
MAX_HOLD_TIME = 65535
MAX_LOOP_COUNT = 16
MAX_KEY_ID = 63

ADDRESS_FAMILIES = (
    "inet",
    "inet-labeled",
    "inet-vpn",
    "e-vpn",
    "erm-vpn",
    "route-target",
    "inet6",
    "inet-mvpn",
    "inet6-vpn",
)
TUNNELS = ("gre", "mpls", "udp", "vxlan")

AS_NUMBER = s.integer("AS number.", bits=64, minimum=0, maximum=MAX_AS_NUMBER)
HOLD_TIME = s.integer(
    "Seconds without a message after which the session is given up; 0 means 90.",
    minimum=0,
    maximum=MAX_HOLD_TIME,
)
LOOP_COUNT = s.integer(
    "How often the own AS may stand in a path.", minimum=0, maximum=MAX_LOOP_COUNT
)
FAMILIES = s.object(
    "Address families; all when the list is empty.",
    {"family": s.array(s.string(enum=ADDRESS_FAMILIES), "Names of address families.")},
)
_KEY = s.object(
    "",
    {
        "keyId": s.integer("Number of the key.", minimum=0, maximum=MAX_KEY_ID),
        "key": s.string("The key."),
    },
)
AUTHENTICATION = struct(
    "Authentication of the session.",
    {
        "keyType": s.string("Kind of key.", enum=("", "md5")),
        "keyItems": s.array(_KEY, "Keys; one is used."),
    },
)


def authentication(path: str, given: Object) -> list[FieldError]:
    """Errors unless there is exactly one key where keys are asked for."""
    keys = items(given, "keyItems")
    if not given.get("keyType"):
        return [required(f"{path}.keyType")] if keys else []
    if not keys or not text(keys[0], "key"):
        return [required(f"{path}.keyItems[0].key")]
    return [forbidden(f"{path}.keyItems[1]", "only one key is supported")] if keys[1:] else []


_FAMILY_ATTRIBUTES = s.object(
    "Attributes of one address family.",
    {
        "addressFamily": s.string("The family.", enum=ADDRESS_FAMILIES),
        "loopCount": LOOP_COUNT,
        "prefixLimit": s.object(
            "How many prefixes the peer may send.",
            {
                "idleTimeout": s.integer("Seconds to stay down.", minimum=0, maximum=86400),
                "maximum": s.integer("Number of prefixes.", minimum=0),
            },
        ),
        "defaultTunnelEncap": s.array(
            s.string(enum=TUNNELS), "Encapsulation where the peer names none; for inet-vpn only."
        ),
    },
)

SESSION_FIELDS = {
    "bgpRouter": s.string("The end that the attributes are for; both when empty."),
    "adminDown": s.boolean("Keep the session down."),
    "passive": s.boolean("Wait for the peer to connect."),
    "asOverride": s.boolean("Replace the peer's AS in paths by the own one."),
    "holdTime": HOLD_TIME,
    "loopCount": LOOP_COUNT,
    "localAutonomousSystem": AS_NUMBER,
    "addressFamilies": FAMILIES,
    "authData": AUTHENTICATION,
    "familyAttributes": s.array(_FAMILY_ATTRIBUTES, "Attributes by address family."),
    "privateAsAction": s.string(
        "What happens to private AS numbers in paths.",
        enum=("", "remove", "remove-all", "replace-all"),
    ),
    "routeOriginOverride": s.object(
        "Sets the origin of routes.",
        {
            "originOverride": s.boolean("Set it."),
            "origin": s.string("The origin.", enum=("IGP", "EGP", "INCOMPLETE")),
        },
    ),
}
SESSION_ATTRIBUTES = s.object("Attributes of a BGP session.", SESSION_FIELDS)

ROUTER_REFERENCE_ATTRIBUTES = struct(
    "Attributes of the sessions with that router.",
    {
        "session": s.array(
            s.object(
                "",
                {"sessionAttributes": s.array(SESSION_ATTRIBUTES, "One common set of attributes.")},
            ),
            "One session.",
        )
    },
)
