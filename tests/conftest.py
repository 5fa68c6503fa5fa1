"""What a test needs, said by its markers; what is missing is skipped with its reason.

With CN2_NOTHING_SKIPPED set, as in CI, a skip is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import kubectls
import pytest
from xdist.scheduler import LoadScopeScheduling

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
    if "debian_kubectl" in needs and not kubectls.DEBIAN.exists():
        return f"needs Debian's kubectl, which scripts/setup puts at {kubectls.DEBIAN}"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    reason = _lacking(item)
    if reason is not None:
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CN2_NOTHING_SKIPPED"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {report.longrepr}"
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Quick tests first, so that a mistake shows early; side by side the long ones first, so that
    none is left for the end."""
    order = ("e2e", "root")
    first = -1 if hasattr(config, "workerinput") else 1

    def weight(item: pytest.Item) -> int:
        names = {marker.name for marker in item.iter_markers()}
        return next((len(order) - i for i, name in enumerate(order) if name in names), 0) * first

    items.sort(key=weight)


class _ByFile(LoadScopeScheduling):
    """Side by side, a file's tests stay together: they share a system."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        # The pods of these have the same uids, and so the same control groups.
        return "pods" if "/test_podrunner" in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _ByFile(config, log)
