"""One thing that is in the way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong and what to do about it; one that does not stop a system is a warning."""

    cause: str
    remedy: str
    stops: bool = True

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.cause}: {self.remedy}."
