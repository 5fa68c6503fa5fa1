"""Numbers or percentages of pods, such as maxUnavailable."""

from __future__ import annotations

import re
from typing import Any

from cn2.api.kind import FieldError
from cn2.api.schema_checks import invalid

_PERCENT = re.compile(r"[0-9]{1,9}%")
_PERCENT_RULE = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or"
    " '93%', regex used for validation is '[0-9]+%')"
)


def check_amount(path: str, value: Any, *, whole: int | None = 100) -> list[FieldError]:
    """An error unless the value is absent, a number from 0, or a percentage up to `whole`."""
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            return [invalid(path, value, _PERCENT_RULE)]
        if whole is not None and int(value[:-1]) > whole:
            return [invalid(path, value, f"must not be greater than {whole}%")]
    elif isinstance(value, int) and value < 0:
        return [invalid(path, value, "must be greater than or equal to 0")]
    return []


def is_nothing(value: Any) -> bool:
    """0 or 0%, or no value."""
    return value in (None, 0, "") or (isinstance(value, str) and not value.rstrip("%").strip("0"))


def amount_of(value: Any, total: int, *, up: bool) -> int:
    """The number that an amount of `total` is; a percentage is rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        share = int(value[:-1]) * total
        return -(-share // 100) if up else share // 100
    return int(value or 0)
