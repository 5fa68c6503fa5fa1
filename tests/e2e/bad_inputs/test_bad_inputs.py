"""Every entry of the tables beside this file, against a running system."""

from __future__ import annotations

import asyncio
import shlex
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import table
from machine import Machine
from networks import network, pod, together
from table import Entry

from cn2.api.kind import Family, Kind, Object
from cn2.api.kinds import EVENT, KINDS, POD
from cn2.client.http import Client

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(180)]

OURS = tuple(kind for kind in KINDS if kind.family is not Family.KUBERNETES and kind.kind != "Pool")
STATUS = "juniper.net/networks-status"
_DELETE_AGAIN = 10
"""Looks after which a deletion is asked for again: what was in use may no longer be."""
HEALTHY = ("healthy", "left", "right")


class Ledger:
    """Reads all objects of CN2 at once, past kubectl."""

    def __init__(self, machine: Machine) -> None:
        self._kubeconfig = machine.data_dir / "kubeconfig"
        self._runner = asyncio.Runner()
        self._client = self._runner.run(self._open())

    async def _open(self) -> Client:
        return Client.from_kubeconfig(self._kubeconfig)

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()

    def objects(self, *kinds: Kind) -> list[Object]:
        async def read() -> list[Object]:
            lists = await asyncio.gather(*(self._client.list(kind) for kind in kinds))
            return [
                {**obj, "kind": kind.kind}
                for kind, found in zip(kinds, lists, strict=True)
                for obj in found.items
            ]

        return self._runner.run(read())

    def revisions(self) -> dict[str, str]:
        """resourceVersion of every object of CN2's groups, and of the pods."""
        return {_name(obj): obj["metadata"]["resourceVersion"] for obj in self.objects(*OURS, POD)}

    def get(self, kind: Kind, name: str, namespace: str) -> Object | None:
        async def read() -> Object | None:
            found = await self._client.list(kind, namespace)
            return next((one for one in found.items if one["metadata"]["name"] == name), None)

        return self._runner.run(read())


def _name(obj: Object) -> str:
    metadata = obj["metadata"]
    return f"{obj['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        machine.apply(together(network("healthy", "172.31.0.0/24"), pod("left", "healthy")))
        machine.running("left")
        machine.apply(together(network("busy", "172.31.1.0/24"), pod("right", "healthy")))
        machine.running("right")
        machine.apply(pod("holder", "busy"))
        machine.running("holder")
        yield machine


@pytest.fixture(scope="module")
def ledger(machine: Machine) -> Iterator[Ledger]:
    ledger = Ledger(machine)
    yield ledger
    ledger.close()


@pytest.fixture(scope="module", autouse=True)
def neighbours(machine: Machine, ledger: Ledger) -> Iterator[None]:
    """Two pods on a network of their own: no packet of theirs is lost and nobody writes to their
    objects, whatever the entries do beside them."""
    ping = ["ping", "-i", "0.02", "-W", "2", "-I", "eth1", "172.31.0.3"]
    namespace = machine.pod_netns(machine.get("pod", "left"))
    running = subprocess.Popen(
        ["nsenter", f"--net={namespace}", *ping], stdout=subprocess.PIPE, text=True
    )
    before = _settled(machine, ledger)
    yield
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=10)[0]
    assert " 0% packet loss" in said, said[-300:]
    after = ledger.revisions()
    mine = {name for name in before if _is_healthy(name)}
    assert len(mine) >= 12
    assert {name: after[name] for name in mine} == {name: before[name] for name in mine}


def _is_healthy(name: str) -> bool:
    """Objects of the two pods and their network."""
    kind, _, last = name.rsplit("/", 2)
    return kind != "VirtualRouter" and any(
        f"-{one}-" in f"-{last}-" and "subnet" not in last for one in HEALTHY
    )


def _settled(machine: Machine, ledger: Ledger) -> dict[str, str]:
    """The ledger once two looks in a row are equal: writes that many objects cause are gathered."""
    last: dict[str, str] = {}

    def same() -> bool:
        nonlocal last
        before, last = last, ledger.revisions()
        return before == last

    for _ in range(3):
        machine.until(same, "nobody writes any more")
    return last


def looks(ledger: Ledger, what: str) -> str:
    """How an object is: the status annotation of a definition, a pod's phase, a state."""
    kind_name, _, name = what.partition("/")
    kind = by_name_or_short(kind_name)
    obj = ledger.get(kind, name, "default" if kind.namespaced else "")
    if obj is None:
        return "gone"
    status = obj.get("status") or {}
    if kind.kind == "NetworkAttachmentDefinition":
        return str((obj["metadata"].get("annotations") or {}).get(STATUS, ""))
    if kind is POD:
        return str(status.get("phase"))
    return f"{status.get('state', '')}: {status.get('observation', '')}"


def by_name_or_short(name: str) -> Kind:
    return next(
        kind for kind in KINDS if name in (kind.singular, kind.plural, kind.kind, *kind.short_names)
    )


def events(ledger: Ledger) -> list[tuple[str, str, str]]:
    """(about, reason, message) of every Warning."""
    return [
        (f"{one['involvedObject']['kind']}/{one['involvedObject']['name']}", one["reason"], text)
        for one in ledger.objects(EVENT)
        if one["type"] == "Warning" and (text := one["message"])
    ]


class Play:
    """One entry, as a user plays it."""

    def __init__(self, machine: Machine, ledger: Ledger, entry: Entry) -> None:
        self.machine, self.ledger, self.entry = machine, ledger, entry

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        return self._kubectl(_words(command)[1:])

    def apply(self, manifests: list[Any], *more: str) -> subprocess.CompletedProcess[str]:
        return self._kubectl(["apply", "-f", "-", *more], table.together(manifests))

    def _kubectl(
        self, arguments: list[str], stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.machine.kubectl_path, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.machine.environment,
            timeout=60,
            check=False,
        )

    def prepare(self) -> None:
        if self.entry.given:
            done = self.apply(self.entry.given)
            assert done.returncode == 0, done.stderr
        if self.entry.before:
            self.machine.until(lambda: self.shell(self.entry.before).returncode == 0)

    def act(self) -> subprocess.CompletedProcess[str]:
        entry = self.entry
        if not entry.run:
            who = ["--as", entry.as_] if entry.as_ else []
            return self.apply(entry.apply, *who, *["--validate=false"] * entry.unchecked)
        stdin = table.together(entry.apply) if entry.apply else None
        return self._kubectl(_words(entry.run)[1:], stdin)

    def mend(self) -> None:
        for one in self.entry.correct:
            done = self.shell(one) if isinstance(one, str) else self.apply([one])
            assert done.returncode == 0, done.stderr
        self.shows(self.entry.then)

    def shows(self, wanted: dict[str, str]) -> None:
        for what, text in wanted.items():
            self.machine.until(
                lambda what=what, text=text: text in looks(self.ledger, what),
                f"{what[:80]} shows {text[:200]!r}, not {looks(self.ledger, what)[:200]!r}",
            )

    def told(self) -> None:
        for one in self.entry.event:
            self.machine.until(
                lambda one=one: any(
                    (about, reason) == (one["about"], one["reason"]) and one["says"] in message
                    for about, reason, message in events(self.ledger)
                ),
                f"event {one}",
            )

    def tidy(self, clean: set[str]) -> None:
        """Delete what the entry made, until all is as it was."""
        if self.entry.after:
            self.shell(self.entry.after)
        looks = 0

        def gone() -> bool:
            nonlocal looks
            looks += 1
            if self.entry.manifests and looks % _DELETE_AGAIN == 1:
                how = ["delete", "--ignore-not-found", "--wait=false", "-f", "-"]
                self._kubectl(how, table.together(self.entry.manifests))
            return set(self.ledger.revisions()) == clean

        self.machine.until(gone, "all is as it was")


def _words(command: str) -> list[str]:
    """A command line without a shell: JSON in it needs no quotes."""
    lexer = shlex.shlex(command, posix=False, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.quotes = ""
    return list(lexer)


@pytest.mark.parametrize(
    "entry", [pytest.param(entry, id=f"{theme}: {entry.title}") for theme, entry in table.entries()]
)
def test_a_bad_input(machine: Machine, ledger: Ledger, entry: Entry) -> None:
    play = Play(machine, ledger, entry)
    clean = set(ledger.revisions())
    try:
        play.prepare()
        before = _settled(machine, ledger) if entry.refused else {}
        done = play.act()
        said = " ".join((done.stdout + done.stderr).split())
        for part in entry.refused + entry.warns:
            assert table.says(said, " ".join(part.split())), f"\n{part}\nis not in\n{said}"
        assert (done.returncode != 0) == bool(entry.refused), said
        if entry.refused:
            assert ledger.revisions() == before
        play.shows(entry.shows)
        play.told()
        play.mend()
    finally:
        play.tidy(clean)


def test_there_are_more_than_sixty() -> None:
    rows = [(theme, entry.title) for theme, entry in table.entries()]
    assert len(set(rows)) == len(rows) > 60
