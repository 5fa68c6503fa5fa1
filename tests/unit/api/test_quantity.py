"""Resource quantities, as apimachinery reads and writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.api.quantity import is_quantity, quantity_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "500m"),
        (2, "2"),
        (0, "0"),
        (0.0005, "500u"),
        (1e-12, "1n"),
        (-1.5, "-1500m"),
        ("0.5", "0.5"),
        ("1Gi", "1Gi"),
    ],
)
def test_stored_form(value: object, text: str) -> None:
    assert quantity_text(value) == text


@pytest.mark.parametrize("value", ["1", "1.", ".5", "1e3", "1E3", "1E", "10Mi", "+1", "100n", 1.5])
def test_quantities(value: object) -> None:
    assert is_quantity(value)


@pytest.mark.parametrize("value", ["", "Mi", "1 Mi", "1mi", "0x1", "1.2.3", None, True, [1]])
def test_not_quantities(value: object) -> None:
    assert not is_quantity(value)


@given(st.integers(-(10**15), 10**15) | st.floats(-1e6, 1e6))
def test_what_is_stored_is_a_quantity(value: float) -> None:
    text = quantity_text(value)
    assert is_quantity(text)
    assert quantity_text(text) == text
