"""Commands and what they must print, as people write them down.

    $ kubectl create configmap c --from-literal=a=1
    configmap/c created

`$` is typed with every kubectl, `20$` and `32$` only with the old and the new one; `>` goes on with
the command. In what is expected `...` stands for any text, and on a line of its own for any lines;
`(exit 1)` is said of commands that fail. How many spaces there are between two words, and empty
lines, mean nothing. Lines that begin with `#` are for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_COMMAND = re.compile(r"(20|32|)\$ (.*)")
_ANY_LINES = "..."


@dataclass
class Step:
    line: int
    age: str
    """`20`, `32` or "" for both."""
    command: str
    expected: list[str] = field(default_factory=list)

    def matches(self, printed: str) -> bool:
        return re.fullmatch(_pattern(self.expected), _tidy(printed.splitlines())) is not None


def steps(path: Path) -> Iterator[Step]:
    step: Step | None = None
    for number, text in enumerate(path.read_text().splitlines(), start=1):
        command = _COMMAND.fullmatch(text)
        if command:
            if step is not None:
                yield step
            step = Step(number, command[1], command[2])
        elif step is None or text.startswith("#"):
            continue
        elif text.startswith("> ") and not step.expected:
            step.command += "\n" + text[2:]
        else:
            step.expected.append(text)
    if step is not None:
        yield step


def _tidy(lines: list[str]) -> str:
    """Words with one space between them, each line ended, empty ones left out."""
    return "".join(" ".join(line.split()) + "\n" for line in lines if line.strip())


def _pattern(lines: list[str]) -> str:
    patterns = []
    for line in _tidy(lines).splitlines():
        if line == _ANY_LINES:
            patterns.append(r"(?:[^\n]*\n)*?")
        else:
            patterns.append("[^\n]*".join(re.escape(part) for part in line.split("...")) + r"\n")
    return "".join(patterns)
