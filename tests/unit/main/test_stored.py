"""What `cn2 doctor` reads from a store that nobody serves."""

from __future__ import annotations

from pathlib import Path

import pytest

from cn2.api.kinds import by_name
from cn2.apiserver import keys
from cn2.main import stored
from cn2.store.inspection import FILE_NAME
from cn2.store.interface import Put, Txn
from cn2.store.sqlite import open_store


async def test_secrets_are_read_of_a_store_that_is_closed(tmp_path: Path) -> None:
    assert stored.secrets(tmp_path) == []
    store = await open_store(tmp_path)
    secret = keys.key(by_name("Secret"), "default", "s")
    await store.commit(Txn((Put(secret, b'{"kind":"Secret"}'), Put("/other", b"1"))))
    await store.close()

    assert stored.secrets(tmp_path) == [{"kind": "Secret"}]


def test_a_store_that_cannot_be_read_is_not_one_without_secrets(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"what is this?")

    with pytest.raises(ValueError, match="is not a store"):
        stored.secrets(tmp_path)
