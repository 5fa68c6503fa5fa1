"""Shows how far `cn2 up` is: one line a step, as each is reached."""

from __future__ import annotations

from rich.console import Console


class Progress:
    """Prints every step once, with the seconds it took to come to it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0

    def show(self, steps: list[dict[str, object]]) -> None:
        for step in steps[self._printed :]:
            self._console.print(f"[green]✓[/green] {step['step']:<32} {step['seconds']:>7.2f} s")
        self._printed = len(steps)
