"""Why a process ended, as its log says it."""

from __future__ import annotations

import pytest

from cn2.supervisor.last_words import meaning

STARTED = '{"event": "started", "level": "info"}\n'
ERROR = (
    '{"event": "process failed", "level": "error", "exception": "Trace\\n  at\\nValueError: x"}\n'
)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("", ""),
        (STARTED, ""),
        (STARTED + ERROR, "ValueError: x"),
        (ERROR + STARTED, ""),
        (ERROR + '{"event": "stopping", "level": "info"}\n', "ValueError: x"),
        (STARTED + "Traceback:\nImportError: no module\n", "ImportError: no module"),
        (STARTED + '{"event": "store", "level": "error", "error": "disk full"}\n', "disk full"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_the_last_thing_of_weight_in_this_life(log: str, said: str) -> None:
    assert meaning(log) == said
