"""The entries of the tables, and how they are turned into manifests and commands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cn2.api.kinds import by_name

FOLDER = Path(__file__).parent
THEMES = ("definitions", "networks", "interfaces", "policies", "names", "pods")

_REPEATED = re.compile(r"\{x\*(\d+)\}")
_CONTAINERS = [{"name": "c", "image": "none", "command": ["sleep", "infinity"]}]


@dataclass(frozen=True)
class Entry:
    """One row; README.md says what its keys mean."""

    title: str
    given: list[Any] = field(default_factory=list)
    before: str = ""
    apply: list[Any] = field(default_factory=list)
    run: str = ""
    as_: str = ""
    unchecked: bool = False
    refused: list[str] = field(default_factory=list)
    warns: list[str] = field(default_factory=list)
    shows: dict[str, str] = field(default_factory=dict)
    event: list[dict[str, str]] = field(default_factory=list)
    correct: list[Any] = field(default_factory=list)
    after: str = ""
    then: dict[str, str] = field(default_factory=dict)

    @property
    def manifests(self) -> list[Any]:
        """Everything that the entry may leave behind."""
        applied = [] if self.refused else self.apply
        mended = [one for one in self.correct if not isinstance(one, str)]
        return [*self.given, *applied, *mended][::-1]


def entries() -> list[Any]:
    """(theme, entry) of all tables, in their order."""
    return [
        (theme, _entry(row))
        for theme in THEMES
        for row in yaml.safe_load((FOLDER / f"{theme}.yaml").read_text())
    ]


def _entry(row: dict[str, Any]) -> Entry:
    said = {"as_" if key == "as" else key: _text(value) for key, value in row.items()}
    for key in ("given", "apply", "refused", "warns", "event", "correct"):
        value = said.get(key, [])
        said[key] = value if isinstance(value, list) else [value]
    for key in ("given", "apply", "correct"):
        said[key] = [one if isinstance(one, str) else _manifest(one) for one in said[key]]
    return Entry(**said)


def _text(value: Any) -> Any:
    """The value with the abbreviations of long texts written out."""
    if isinstance(value, dict):
        return {_text(key): _text(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_text(one) for one in value]
    if not isinstance(value, str):
        return value
    networks = ",".join(f"n{number}" for number in range(500))
    repeated = _REPEATED.sub(lambda match: "x" * int(match[1]), value)
    return repeated.replace("{many*500}", networks)


def _manifest(given: dict[str, Any]) -> dict[str, Any]:
    kind = by_name(given["kind"])
    metadata = dict(given["metadata"])
    if kind.namespaced:
        metadata.setdefault("namespace", "default")
    made = {"apiVersion": kind.api_version, **given, "metadata": metadata}
    if kind.kind == "Pod":
        made["spec"] = {"terminationGracePeriodSeconds": 0, "containers": _CONTAINERS}
    return made


def together(manifests: list[Any]) -> str:
    """Several manifests as one, for kubectl's standard input."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})


def says(text: str, part: str) -> bool:
    """Whether a text has a part in it, in which `{value}` stands for anything."""
    return all(piece in text for piece in part.split("{value}"))
