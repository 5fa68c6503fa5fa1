"""A store of an older release is brought to this one's form; a newer one is left alone."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from old_store import old_store, stored

from cn2.api.kind import Object
from cn2.api.kinds import KINDS, by_name
from cn2.api.stored.fingerprint import fingerprint
from cn2.api.stored.history import SCHEMAS
from cn2.api.stored.migrations import MIGRATIONS
from cn2.apiserver import bootstrap, keys, migration, writes
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import ApiError
from cn2.apiserver.options import WriteOptions
from cn2.store import inspection, schema
from cn2.store.inspection import FILE_NAME, NewerStore
from cn2.store.interface import Put, Txn
from cn2.store.sqlite import open_store


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Backend]:
    """What the API server does with its store before it serves."""
    store = await open_store(directory, migration.KNOWN)
    try:
        backend = Backend(store=store)
        await migration.run(backend)
        await bootstrap.ensure(backend, 6443)
        yield backend
    finally:
        await store.close()


def plain(value: bytes) -> dict[str, object]:
    """An object without its resourceVersion."""
    obj: dict[str, object] = json.loads(value)
    metadata = obj["metadata"]
    assert isinstance(metadata, dict)
    metadata.pop("resourceVersion")
    return obj


async def test_every_object_of_an_old_store_comes_through(tmp_path: Path) -> None:
    before = stored(old_store(tmp_path))
    async with opened(tmp_path):
        pass
    after = stored(tmp_path / FILE_NAME)

    assert before.keys() <= after.keys()  # what every cluster has is added
    for key, (value, revision) in before.items():
        changed = after[key][1] != revision
        if key.startswith("/registry/"):
            assert changed == (plain(value) != plain(after[key][0])), key
        else:
            assert not changed, key


async def test_a_node_port_that_nobody_claimed_is_claimed(tmp_path: Path) -> None:
    """The old release knew no claims of node ports."""
    old_store(tmp_path)
    async with opened(tmp_path) as backend:
        service = by_name("Service")
        stored_one = backend.latest_object(service, "shop", "front-door")
        assert stored_one is not None
        assert stored_one["spec"]["ports"][0]["nodePort"] == 30080
        spec = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}
        second = {"metadata": {"name": "second"}, "spec": spec}
        with pytest.raises(ApiError, match="already allocated"):
            await writes.create(backend, service, "shop", second, WriteOptions("tester"))


async def test_what_the_old_release_took_and_this_one_refuses_is_kept(tmp_path: Path) -> None:
    """The old release did not look at a definition's annotation."""
    before = stored(old_store(tmp_path))
    kind = by_name("NetworkAttachmentDefinition")
    key = keys.key(kind, "shop", "broken")
    for _ in range(2):
        async with opened(tmp_path) as backend:
            (found,) = migration.refused(backend)
            assert str(found).startswith("NetworkAttachmentDefinition shop/broken: ")
            assert '"172.20.30.0/33": the length is at most 32' in found.why
    assert stored(tmp_path / FILE_NAME)[key] == before[key]

    async with opened(tmp_path) as backend:
        await writes.Update(
            backend=backend,
            kind=kind,
            namespace="shop",
            name="broken",
            change=_mended,
            options=WriteOptions("tester"),
        ).run()
        assert migration.refused(backend) == []


def _mended(definition: Object) -> Object:
    network = '{"ipamV4Subnet": "172.20.30.0/24"}'
    definition["metadata"]["annotations"]["juniper.net/networks"] = network
    return definition


async def test_the_second_start_writes_nothing(tmp_path: Path) -> None:
    old_store(tmp_path)
    async with opened(tmp_path) as backend:
        revision = backend.store.revision
    async with opened(tmp_path) as backend:
        assert backend.store.revision == revision


async def test_a_copy_is_kept_that_the_old_release_can_use(tmp_path: Path) -> None:
    before = stored(old_store(tmp_path))
    async with opened(tmp_path):
        pass
    (copy,) = inspection.copies(tmp_path)

    assert stored(copy) == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    database = sqlite3.connect(copy)
    assert database.execute("PRAGMA user_version").fetchone() == (1,)
    database.close()


async def test_a_store_in_form_and_a_new_one_are_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        async with opened(tmp_path):
            pass
    assert inspection.copies(tmp_path) == []


async def test_what_an_object_lacks_is_filled_in_and_what_it_has_stays(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    key = keys.key(by_name("Subnet"), "shop", "front-v4")
    value, revision = stored(path)[key]
    subnet = json.loads(value)
    gateway = subnet["spec"].pop("defaultGateway")
    subnet["spec"]["unheardOf"] = {"kept": True}
    _rewrite(path, key, subnet)

    async with opened(tmp_path):
        pass
    migrated, at = stored(path)[key]
    found = json.loads(migrated)
    assert found["spec"]["defaultGateway"] == gateway
    assert found["spec"]["unheardOf"] == {"kept": True}
    assert at > revision
    assert found["metadata"]["resourceVersion"] == str(at)


async def test_the_claims_of_a_refused_object_stay(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    key = keys.key(by_name("InstanceIP"), "", "shop-database-v4")
    address = json.loads(stored(path)[key][0])
    address["spec"]["instanceIPAddress"] = "nowhere"
    _rewrite(path, key, address)
    claims = _claims(path)

    async with opened(tmp_path) as backend:
        assert "InstanceIP" in {found.kind.kind for found in migration.refused(backend)}
    assert _claims(path).items() >= claims.items()


async def test_claims_are_made_anew_from_what_objects_carry(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    async with opened(tmp_path):
        pass
    right = _claims(path)
    database = sqlite3.connect(path)
    database.execute("UPDATE current SET key = '/claims/old' || key WHERE key LIKE '/claims/%'")
    database.execute("DELETE FROM current WHERE key LIKE '/holders/%' OR key LIKE '/wants/%'")
    database.execute("DELETE FROM current WHERE key = ?", (schema.KEY,))
    database.execute("UPDATE current SET checksum = NULL")
    database.commit()
    database.close()

    async with opened(tmp_path):
        pass
    assert _claims(path) == right


async def test_a_number_that_rests_goes_on_resting(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    network = keys.key(by_name("VirtualNetwork"), "shop", "back")
    claims = _claims(path)
    database = sqlite3.connect(path)
    database.execute("DELETE FROM current WHERE key = ?", (network,))
    database.commit()
    database.close()

    async with opened(tmp_path):
        pass
    assert _claims(path).items() >= claims.items()


async def test_a_newer_schema_is_refused_untouched_and_the_copy_leads_back(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    before = stored(old_store(directory))
    async with opened(directory) as backend:
        record = schema.Record("ffffffffffff", 99, "7.0.0")
        await backend.store.commit(Txn((Put(schema.KEY, schema.encode(record)),)))
    files = _files(directory)

    with pytest.raises(NewerStore) as refusal:
        await open_store(directory, migration.KNOWN)
    text = str(refusal.value)
    assert text == inspection.obstacle(directory, migration.KNOWN)
    assert _files(directory) == files
    assert "written by cn2 7.0.0" in text
    assert f"knows no schema later than {SCHEMAS[-1]}" in text

    way_back = text.partition("last migration: ")[2]
    subprocess.run(["bash", "-c", way_back], check=True)  # noqa: ASYNC221
    assert stored(directory / FILE_NAME) == before
    async with opened(directory):
        pass


def test_the_history_of_schemas_ends_with_this_one() -> None:
    assert SCHEMAS[-1] == fingerprint(KINDS, MIGRATIONS)


def _claims(path: Path) -> dict[str, bytes]:
    return {k: v for k, (v, _) in stored(path).items() if k.startswith(keys.CLAIM_FAMILIES)}


def _rewrite(path: Path, key: str, obj: object) -> None:
    database = sqlite3.connect(path)
    value = json.dumps(obj).encode()
    database.execute("UPDATE current SET value = ? WHERE key = ?", (value, key))
    database.commit()
    database.close()


def _files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "lock"}


def test_a_directory_that_can_hold_no_store_is_not_blamed_on_the_store(tmp_path: Path) -> None:
    """That a file is in the way is for others to say."""
    (tmp_path / "file").touch()
    assert inspection.obstacle(tmp_path / "file" / "store", migration.KNOWN) == ""
