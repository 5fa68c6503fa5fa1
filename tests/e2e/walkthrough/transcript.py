"""Reads the transcript that cn2 must reproduce: its commands, in order, and what they print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROMPT = "pradeep@CN2 %"
TRIMMED = "{trimmed}"
SEED = Path(__file__).with_name("seed.txt")


@dataclass(frozen=True)
class Step:
    """One command and its answer. A trimmed answer goes on where the transcript stops."""

    command: str
    answer: str
    trimmed: bool


def read(text: str) -> list[Step]:
    """The steps of a transcript. An answer ends at the next prompt."""
    steps: list[Step] = []
    command, lines = "", []

    def finish() -> None:
        if command:
            trimmed = TRIMMED in lines
            kept = lines[: lines.index(TRIMMED)] if trimmed else lines
            if "exec -it" in command:  # prose follows the session without a prompt between
                kept = kept[: kept.index("exit") + 1]
            steps.append(Step(command, "\n".join(kept).rstrip("\n"), trimmed))

    for line in text.splitlines():
        if line.startswith(PROMPT):
            finish()
            command, lines = line[len(PROMPT) :].strip(), []
        else:
            lines.append(line)
    finish()
    return steps
