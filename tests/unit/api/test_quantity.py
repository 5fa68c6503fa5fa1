"""Resource quantities, as apimachinery reads and writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.api.quantity import amount, amount_text, is_quantity, quantity_text


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
        (1e300, "9223372036854775807"),
        ("1Gi", "1Gi"),
    ],
)
def test_stored_form(value: object, text: str) -> None:
    assert quantity_text(value) == text


@pytest.mark.parametrize("value", ["1", "1.", ".5", "1e3", "1E3", "1E", "10Mi", "+1", "100n", 1.5])
def test_quantities(value: object) -> None:
    assert is_quantity(value)


@pytest.mark.parametrize(
    "value", ["", "Mi", "1 Mi", "1mi", "0x1", "1.2.3", f"1e{10**20}", None, True, [1]]
)
def test_not_quantities(value: object) -> None:
    assert not is_quantity(value)


@given(st.integers(-(10**15), 10**15) | st.floats(-1e6, 1e6))
def test_what_is_stored_is_a_quantity(value: float) -> None:
    text = quantity_text(value)
    assert is_quantity(text)
    assert quantity_text(text) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1e60", "9223372036854775807"),
        ("1e999999999", "9223372036854775807"),
        ("-1e999999999", "-9223372036854775807"),
        ("9999999999E", "9223372036854775807"),
        ("1e-999999999", "1n"),
        ("0.0000000011", "2n"),
    ],
)
def test_what_is_too_large_or_too_fine_is_brought_into_bounds(value: str, number: str) -> None:
    assert amount_text(amount(value)) == number
