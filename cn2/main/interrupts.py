"""Ctrl-C, at the right moment."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any] | int | None


@contextmanager
def also_by_terminating() -> Iterator[None]:
    """A request to end and a closed terminal raise KeyboardInterrupt, too, unless ignored."""

    def raise_it(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    with _handled(raise_it, *numbers):
        yield


@contextmanager
def held_back() -> Iterator[None]:
    """What comes meanwhile is raised at the end: what is started here must be known to whoever
    cleans up."""
    pressed: list[int] = []
    with _handled(
        lambda number, _frame: pressed.append(number), signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    ):
        yield
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def told(text: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Ctrl-C is answered with a text and changes nothing: a clean-up is not left half done."""
    with _handled(lambda _number, _frame: tell(text), signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _handled(handler: Handler, *numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
