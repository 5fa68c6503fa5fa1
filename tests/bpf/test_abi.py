"""User space and the datapath mean the same by every name that they share."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from btf import Btf, Member

import cn2
from cn2.state.flow import Flow4, Flow6
from cn2.state.next_hop import NextHopType
from cn2.state.row import Row, Struct
from cn2.state.table import ORDER
from cn2.state.verdict import Verdict
from cn2.state.vif import VifFlag

pytestmark = pytest.mark.clang

ROWS = (*ORDER, Flow4, Flow6)


@pytest.fixture(scope="module")
def btf() -> Btf:
    return Btf(Path(cn2.__file__).parent / "native" / "vr.o")


def members(layout: Struct) -> list[Member]:
    """Where `Struct` puts each member."""
    found, offset = [], 0
    for name, code in zip(layout.names, layout.codes, strict=True):
        offset += -offset % struct.calcsize(f"@{code[-1]}")
        found.append(Member(name, offset, struct.calcsize(f"@{code}")))
        offset = found[-1].offset + found[-1].size
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.TABLE)
def test_rows_lie_in_memory_as_the_c_structs(btf: Btf, row: type[Row]) -> None:
    value_size, value = btf.struct(f"{row.TABLE}_val")

    assert (row.LAYOUT.value.size, members(row.LAYOUT.value)) == (value_size, value)
    if row.TABLE != "cfg":  # an array: its key is a bare index
        key_size, key = btf.struct(f"{row.TABLE}_key")
        assert (row.LAYOUT.key.size, members(row.LAYOUT.key)) == (key_size, key)


def test_verdicts_have_the_same_names_and_numbers(btf: Btf) -> None:
    theirs = btf.enum("verdict")

    assert theirs.pop("VERDICT_COUNT") == len(Verdict)
    assert theirs == {f"VERDICT_{each.name}": each.value for each in Verdict}


def test_flags_and_types_have_the_same_numbers() -> None:
    """They are not in BTF, as no map holds them: the header is read."""
    header = (Path(cn2.__file__).parents[1] / "bpf" / "abi.h").read_text()

    for flag in VifFlag:
        assert f"VIF_{flag.name} = {flag.value}," in header
    for kind in NextHopType:
        assert f"NH_{kind.name} = {kind.value}," in header
