"""The part of Kubernetes' JSONPath that printer columns use.

Fields (`.spec.cidr`), quoted fields (`['a.b']`), escaped dots (`.metadata.labels.a\\.b`), indexes
(`[0]`, `[-1]`), all items (`[*]`) and equality filters (`[?(@.type=="Ready")]`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

Step = Callable[[Any], Iterable[Any]]

_TOKEN = re.compile(
    r"""
      \.(?P<field>(?:\\.|[^.\[\]\\])+)
    | \[\s*(?P<index>-?\d+)\s*\]
    | \[\s*(?P<quoted>'(?:\\.|[^'])*'|"(?:\\.|[^"])*")\s*\]
    | (?P<all>\[\*\]|\.\*)
    | \[\?\(\s*@(?P<left>[^=!<>]+?)\s*(?P<op>==|!=)\s*(?P<right>[^)]+?)\s*\)\]
    """,
    re.VERBOSE,
)


class PathError(ValueError):
    """The text is not of the JSONPath subset."""


def _field(name: str) -> Step:
    def step(value: Any) -> Iterable[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(index: int) -> Step:
    def step(value: Any) -> Iterable[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _all(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _literal(text: str) -> Any:
    if text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError as error:
        raise PathError(f"unrecognized literal {text}") from error


def _filter(left: str, operator: str, right: str) -> Step:
    inner, wanted, negated = compile_path(left), _literal(right), operator == "!="

    def step(value: Any) -> Iterable[Any]:
        if isinstance(value, list):
            for item in value:
                if (wanted in inner(item)) != negated:
                    yield item

    return step


def _step(match: re.Match[str]) -> Step:
    if match["field"] is not None:
        return _field(re.sub(r"\\(.)", r"\1", match["field"]))
    if match["index"] is not None:
        return _index(int(match["index"]))
    if match["quoted"] is not None:
        return _field(re.sub(r"\\(.)", r"\1", match["quoted"][1:-1]))
    if match["all"] is not None:
        return _all
    return _filter(match["left"], match["op"], match["right"])


@lru_cache(maxsize=1024)
def compile_path(path: str) -> Callable[[Any], list[Any]]:
    """Compile a path (with or without braces and leading dot) to `find(value) -> results`.

    Raises PathError.
    """
    text = path.strip().removeprefix("{").removesuffix("}")
    if text and text[0] not in ".[":
        text = "." + text
    steps: list[Step] = []
    position = 0
    while position < len(text) and text != ".":
        match = _TOKEN.match(text, position)
        if match is None:
            raise PathError(f"unrecognized JSONPath {path!r} at {position}")
        steps.append(_step(match))
        position = match.end()

    def find(value: Any) -> list[Any]:
        found = [value]
        for step in steps:
            found = [result for item in found for result in step(item)]
        return found

    return find
