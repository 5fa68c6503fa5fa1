"""One system for all feature tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from machine import Machine


@pytest.fixture(scope="package")
def machine() -> Iterator[Machine]:
    with Machine("--pod-v6-subnet", "fd00:244::/64") as machine:
        yield machine
