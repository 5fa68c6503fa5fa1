"""What a test needs, said by its markers; what is missing is skipped with its reason.

With CN2_NOTHING_SKIPPED set, as in CI, a skip is a failure.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import cn2

NATIVE = Path(cn2.__file__).parent / "native"


def _lacking(item: pytest.Item) -> str | None:
    needs = {marker.name for marker in item.iter_markers()}
    if needs & {"root", "e2e"} and os.geteuid() != 0:
        return "needs root: network namespaces, mounts and eBPF"
    if needs & {"clang", "e2e"} and not (NATIVE / "vr.o").exists():
        return "needs the compiled eBPF vRouter: clang was missing when scripts/build ran"
    if needs & {"kubectl", "e2e"} and shutil.which("kubectl") is None:
        return "needs kubectl on PATH"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    reason = _lacking(item)
    if reason is not None:
        if os.environ.get("CN2_NOTHING_SKIPPED"):
            pytest.fail(f"nothing may be skipped here: {reason}", pytrace=False)
        pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, so that a mistake shows early."""
    order = ("e2e", "root")

    def weight(item: pytest.Item) -> int:
        names = {marker.name for marker in item.iter_markers()}
        return next((len(order) - i for i, name in enumerate(order) if name in names), 0)

    items.sort(key=weight)
