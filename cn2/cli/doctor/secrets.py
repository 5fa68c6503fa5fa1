"""Takes secrets out of what people send to others. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

REMOVED = "[removed]"
_SHORTEST = 6
"""Characters of a Secret's value below which it is a word like any other."""
_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"),  # JSON Web Token (RFC 7519)
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]+"),
    re.compile(r"(?i)(?<=-key-data: )\S+"),
    re.compile(
        r"""(?ix) [\w-]* (?:password|passwd|passphrase|secret|token|api-?key)
        (?: \s*=\s*["']? | ["']\s*:\s*["'] ) (?P<value> [^\s"',;&}\]]+ )"""
    ),
)


def clean(text: str, values: Iterable[str] = ()) -> str:
    """A text without private keys, tokens, passwords and the given values of Secrets."""
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, REMOVED)
    for pattern in _PATTERNS:
        text = pattern.sub(_without_value, text)
    return text


def cleaned(value: Any, values: Iterable[str] = ()) -> Any:
    """The same of every string in a JSON value."""
    if isinstance(value, str):
        return clean(value, values)
    if isinstance(value, dict):
        return {key: cleaned(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item, values) for item in value]
    return value


def _without_value(found: re.Match[str]) -> str:
    if "value" not in found.groupdict():
        return REMOVED
    return found[0][: found.start("value") - found.start()] + REMOVED
