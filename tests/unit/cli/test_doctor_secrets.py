"""What `cn2 doctor` takes out of what people send to others."""

from __future__ import annotations

import pytest

from cn2.cli.doctor.secrets import REMOVED, clean, cleaned

KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\n-----END EC PRIVATE KEY-----"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJrIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"before {KEY} after", f"before {REMOVED} after"),
        ("cut -----BEGIN PRIVATE KEY-----\nMHcCAQ", f"cut {REMOVED}"),
        (f"token is {TOKEN}.", f"token is {REMOVED}."),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {REMOVED}"),
        ("client-key-data: LS0tLS1C", f"client-key-data: {REMOVED}"),
        ("db_password=hunter2 next", f"db_password={REMOVED} next"),
        ('{"apiKey": "abcdef", "a": 1}', f'{{"apiKey": "{REMOVED}", "a": 1}}'),
        ("the value is horse-battery", f"the value is {REMOVED}"),
    ],
)
def test_a_secret_is_taken_out(text: str, left: str) -> None:
    assert clean(text, {"horse-battery"}) == left


@pytest.mark.parametrize(
    "text",
    [
        "Secret default/s not found",
        "MountVolume.SetUp failed for volume token: secret is missing",
        "a short value: true",
        "10.244.0.3/16 by eth0",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert clean(text, {"true", ""}) == text


def test_strings_are_cleaned_wherever_they_are() -> None:
    value = {"a": ["horse-battery", 1, None], "b": {"c": "x horse-battery"}}
    assert cleaned(value, {"horse-battery"}) == {
        "a": [REMOVED, 1, None],
        "b": {"c": f"x {REMOVED}"},
    }
