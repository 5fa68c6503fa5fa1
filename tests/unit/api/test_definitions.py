"""What the annotation of a definition may say, and what is answered to the rest."""

from __future__ import annotations

import pytest

from cn2.api import definitions
from cn2.api.definitions import PATH, Block


def test_all_keys() -> None:
    intent, errors = definitions.read(
        """{"ipamV4Subnet": "172.16.10.0/24", "ipamV4Gateway": "172.16.10.254",
            "ipamV6Subnet": "2001:db8::/64", "routeTargetList": ["target:1:2", "target:1:2"],
            "importRouteTargetList": [], "fabricSNAT": true, "rpf": "disable",
            "virtualNetworkProperties": {"forwardingMode": "l3", "more": 1},
            "ipamv4subnet": "x", "podNetwork": true, "exportRouteTargetList": null}"""
    )
    assert errors == []
    assert intent.blocks == {
        "v4": Block("172.16.10.0/24", "172.16.10.254"),
        "v6": Block("2001:db8::/64", "2001:db8::1"),
    }
    assert intent.lists == {"routeTargetList": ["target:1:2"]}
    assert intent.switches == {"fabricSNAT": True}
    assert intent.properties == {"forwardingMode": "l3", "rpf": "disable"}
    assert intent.unknown == ("ipamv4subnet", "podNetwork", "virtualNetworkProperties.more")
    assert "ipamv4subnet (did you mean ipamV4Subnet?), podNetwork, " in definitions.unknown_text(
        intent.unknown
    )


@pytest.mark.parametrize(
    ("text", "field", "detail"),
    [
        ("{", "", "is not valid JSON: Expecting property name"),
        ("[]", "", "must be a JSON object"),
        ("[" * 100000, "", "too many levels"),
        ('{"rpf": NaN}', "", "NaN is no number"),
        ('{"rpf": "enable", "rpf": "disable"}', "", "has the key 'rpf' twice"),
        ('{"ipamV4Subnet": 17}', "ipamV4Subnet", "must be a string, not integer"),
        ('{"ipamV4Subnet": "172.16.10.0"}', "ipamV4Subnet", "is not a CIDR"),
        ('{"ipamV4Subnet": "172.16.10.5/24"}', "ipamV4Subnet", "the network is 172.16.10.0/24"),
        ('{"ipamV4Subnet": "fd00::/64"}', "ipamV4Subnet", "belongs into ipamV6Subnet"),
        ('{"ipamV6Subnet": "10.0.0.0/8"}', "ipamV6Subnet", "belongs into ipamV4Subnet"),
        ('{"ipamV4Subnet": "224.0.0.0/24"}', "ipamV4Subnet", "no interface can have"),
        ('{"ipamV4Gateway": "10.0.0.1"}', "ipamV4Gateway", "needs ipamV4Subnet"),
        (
            '{"ipamV4Subnet": "10.0.0.0/24", "ipamV4Gateway": "10.0.0.255"}',
            "ipamV4Gateway",
            "is the broadcast address",
        ),
        (
            '{"ipamV4Subnet": "10.0.0.0/24", "ipamV4Gateway": "10.0.0.x"}',
            "ipamV4Gateway",
            "is not an IP address",
        ),
        ('{"routeTargetList": "target:1:2"}', "routeTargetList", "must be a list of strings"),
        ('{"routeTargetList": [1]}', "routeTargetList[0]", "must be a string, not integer"),
        ('{"routeTargetList": ["1:2"]}', "routeTargetList[0]", "not of the form target:A:B"),
        ('{"fabricSNAT": "yes"}', "fabricSNAT", "must be true or false, not string"),
        (
            '{"fabricForwarding": true, "isProviderNetwork": true}',
            "fabricForwarding",
            "together with isProviderNetwork",
        ),
        ('{"forwardingMode": "l7"}', "forwardingMode", 'supported values: "l2_l3", "l2", "l3"'),
        ('{"virtualNetworkProperties": []}', "virtualNetworkProperties", "must be an object"),
        (
            '{"virtualNetworkProperties": {"rpf": {}}}',
            "virtualNetworkProperties.rpf",
            'supported values: "enable", "disable"',
        ),
        (
            '{"rpf": "enable", "virtualNetworkProperties": {"rpf": "disable"}}',
            "rpf",
            "is disable in virtualNetworkProperties",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, field: str, detail: str) -> None:
    _, errors = definitions.read(text)
    assert [error.field for error in errors] == [f"{PATH}.{field}" if field else PATH]
    assert detail in errors[0].message
    with pytest.raises(ValueError) as said:
        definitions.parse(text)
    assert str(said.value).startswith(f"{field or definitions.ANNOTATION}: ")


def test_everything_wrong_is_said_at_once() -> None:
    _, errors = definitions.read('{"ipamV4Subnet": "x", "fabricSNAT": 1, "rpf": 2}')
    assert len(errors) == 3


def test_of_many_unknown_keys_some_are_named() -> None:
    text = definitions.unknown_text([*(f"key{number}" for number in range(30)), "x"])

    assert text.endswith(": " + ", ".join(f"key{number}" for number in range(10)) + " and 21 more")
    assert len(definitions.unknown_text(["x" * 10**6])) < 500
