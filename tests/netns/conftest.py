"""Tests with real processes run in the event loop of the processes, which starts children in its
own way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pods of these tests have the same uids, and so the same control groups: one at a time."""
    for item in items:
        if item.path.stem.startswith("test_podrunner"):
            item.add_marker(pytest.mark.xdist_group("pods"))
