"""What a test needs, said by its markers; what is missing is skipped with its reason.

With CN2_NOTHING_SKIPPED set, as in CI, a skip is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import kubectls
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, so that a mistake shows early."""
    order = ("e2e", "root")

    def weight(item: pytest.Item) -> int:
        names = {marker.name for marker in item.iter_markers()}
        return next((len(order) - i for i, name in enumerate(order) if name in names), 0)

    items.sort(key=weight)
