"""Tests with real processes run in the event loop of the processes, which starts children in its
own way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """This loop lets no signal's exception through: a test that hangs is ended by a thread."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            marker = item.get_closest_marker("timeout")
            seconds = marker.args[0] if marker and marker.args else 60
            item.add_marker(pytest.mark.timeout(seconds, method="thread"), append=False)
