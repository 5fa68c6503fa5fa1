"""The reference page."""

from __future__ import annotations

from cn2.api.kind import Family
from cn2.api.kinds import KINDS
from cn2.api.reference import page


def test_every_kind_of_cn2_has_its_section() -> None:
    text = page()

    for kind in KINDS:
        assert (f"\n## {kind.kind}\n" in text) == (kind.family is not Family.KUBERNETES)


def test_a_field_is_said_with_type_default_and_choice() -> None:
    [line] = [
        line
        for line in page().splitlines()
        if "`spec.virtualNetworkProperties.forwardingMode`" in line
    ]

    assert "string" in line
    assert "`l2`" in line
    assert "Default `l2_l3`" in line
