"""JSON that people write into strings."""

from __future__ import annotations

import pytest

from cn2.api import json_text


@pytest.mark.parametrize("number", [0, 100_000])
def test_a_key_that_stands_twice_is_named_however_many_there_are(number: int) -> None:
    members = [*(f'"{index}": 1' for index in range(number)), '"x": 1', '"y": 1', '"x": 2']

    with pytest.raises(ValueError, match="has the key 'x' twice"):
        json_text.parse("{" + ", ".join(members) + "}")
