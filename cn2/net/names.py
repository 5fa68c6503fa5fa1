"""Names and label values that CN2 computes from other names (cn2-api.md 3.3 to 3.6).

Two hashes are in use. SHA3-224 in hexadecimal makes label keys and values out of an object's
identity; FNV-1a (32 bit) over the parts joined by nothing makes the eight hexadecimal digits at
the end of object names. Published values of both are in tests/unit/net/name_vectors.json.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

BACK_REFERENCE_PREFIX = "back-reference.core.juniper.net/"
PARENT_LABEL = "core.juniper.net/parent"
MAX_LABEL_VALUE = 63

_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193
_SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_REMEMBERED = 8192
"""Every write of an object asks for the hashes of all that it refers to."""


def fnv1a32_number(*parts: str) -> int:
    """FNV-1a, 32 bit, over the UTF-8 bytes of the parts joined by nothing."""
    value = _FNV_OFFSET
    for byte in "".join(parts).encode():
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return value


def fnv1a32(*parts: str) -> str:
    """The suffix of a name: `fnv1a32_number` as eight hexadecimal digits."""
    return f"{fnv1a32_number(*parts):08x}"


def safe_letters(number: int) -> str:
    """A number in letters that make no words (Kubernetes' SafeEncodeString of its digits)."""
    return "".join(_SAFE_ALPHABET[ord(digit) % len(_SAFE_ALPHABET)] for digit in str(number))


def sha3_224(text: str) -> str:
    """56 hexadecimal digits."""
    return hashlib.sha3_224(text.encode()).hexdigest()


def virtual_machine_name(cluster: str, namespace: str, pod: str) -> str:
    """The VirtualMachine of a pod."""
    return f"{cluster}-{pod}-{fnv1a32(cluster, namespace, pod)}"


def interface_name(namespace: str, pod: str, network: str, index: int) -> str:
    """The VirtualMachineInterface of a pod; index 0 is the default pod network."""
    return f"{pod}-{fnv1a32(namespace, pod, network, str(index))}"


def pod_address_name(
    cluster: str,
    namespace: str,
    pod: str,
    network_namespace: str,
    network: str,
    index: int,
    family: str,
) -> str:
    """The InstanceIP of one family (`v4` or `v6`) of one interface of a pod."""
    suffix = fnv1a32(cluster, namespace, pod, network_namespace, network, str(index), family)
    return f"{cluster}-{pod}-{suffix}"


def service_address_name(
    cluster: str, namespace: str, service: str, family: str = "v4", role: str = "ClusterIP"
) -> str:
    """The InstanceIP and FloatingIP of a service; role is `ClusterIP` or `LoadBalancer`."""
    return f"{cluster}-{service}-{fnv1a32(cluster, namespace, service, family, role)}"


def back_reference_text(kind: str, namespace: str, name: str) -> str:
    """What a back-reference label is made of: `Kind_namespace_name` or `Kind_name`."""
    return "_".join((kind, namespace, name) if namespace else (kind, name))


@lru_cache(maxsize=_REMEMBERED)
def back_reference(kind: str, namespace: str, name: str) -> tuple[str, str]:
    """The label (key, value) that an object carries for a reference to `kind namespace/name`.

    The key holds the hash of the whole text; the value is the text cut to what a label may be.
    """
    text = back_reference_text(kind, namespace, name)
    value = text[:MAX_LABEL_VALUE]
    while value and not value[-1].isalnum():
        value = value[:-1]
    return BACK_REFERENCE_PREFIX + sha3_224(text), value


@lru_cache(maxsize=_REMEMBERED)
def parent_label_value(namespace: str, kind: str, name: str) -> str:
    """The value of the label `core.juniper.net/parent` on a child of `kind namespace/name`."""
    return sha3_224(f"{namespace}/{kind}/{name}")


def route_target_name(route_target: str) -> str:
    """`target:A:B` -> `target-A-B`, the name of the RouteTarget object (cn2-api.md 3.9)."""
    return route_target.replace(":", "-")


def tag_name(tag_type: str, value: str, cluster: str = "") -> str:
    """The name of a Tag; with a cluster for tags that come from a distributed cluster.

    What is hashed is Go's dump of the Tag's spec before defaulting (cn2-api.md 3.6).
    """
    dump = (
        "(*v1alpha1.TagSpec){CommonSpec:(v1alpha1.CommonSpec){ContrailFqName:"
        "(v1alpha1.ContrailFqName){FqName:([]string)<nil>}} "
        f"TagTypeName:(string){tag_type} TagValue:(string){value} "
        "TagTypeReference:(*v1alpha1.ResourceReference)<nil>}"
    )
    encoded = safe_letters(fnv1a32_number(dump))
    return f"tag-{encoded}-{cluster}" if cluster else f"tag-{encoded}"


def mac_of_uid(uid: str) -> str:
    """`02:` and the first five bytes of an interface's uid (cn2-api.md 3.7 and 10 #1)."""
    digits = uid.replace("-", "")[:10].lower()
    if len(digits) < 10:
        raise ValueError(f"not a uid: {uid!r}")
    return ":".join(("02", *(digits[i : i + 2] for i in range(0, 10, 2))))
