"""Addresses as people write them."""

from __future__ import annotations

import pytest

from cn2.apiserver.listeners import address, bind


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:6443", ("127.0.0.1", 6443)), ("[::1]:0", ("::1", 0))],
)
def test_a_host_and_a_port(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize("text", ["", "host", "host:", "host:x", "host:65536"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        address(text)


def test_port_zero_is_any_free_port() -> None:
    with bind("127.0.0.1", 0) as sock:
        assert sock.getsockname()[1] > 0
