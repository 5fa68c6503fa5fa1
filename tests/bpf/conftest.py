from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from trial_node import TrialNode

    made = TrialNode(tmp_path_factory.mktemp("trial"))
    yield made
    made.close()
