"""Every kind of CN2, with a manifest from examples/, as people use it with both kubectls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubectls
import pytest
import yaml
from machine import Machine

from cn2.api.kind import Family, Kind
from cn2.api.kinds import KINDS, by_name

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.timeout(300)]

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDER = EXAMPLES / "kinds"
OURS = tuple(kind for kind in KINDS if kind.family is not Family.KUBERNETES)
RECONCILED = ("Subnet", "VirtualNetwork", "VirtualNetworkRouter", "InstanceIP", "VirtualMachine")
"""Kinds whose examples a controller brings to Success."""


@pytest.fixture(scope="module")
def system() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


@pytest.fixture(params=kubectls.BOTH)
def machine(system: Machine, request: pytest.FixtureRequest) -> Machine:
    system.kubectl_path = request.param
    return system


def documents(folder: Path) -> list[Any]:
    """Every object of the manifests in a folder, in the order in which kubectl takes them."""
    return [
        document
        for path in sorted(folder.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]


def place(document: Any) -> tuple[str, ...]:
    """What names the object on kubectl's command line."""
    kind, metadata = by_name(document["kind"]), document["metadata"]
    where = ("-n", metadata["namespace"]) if kind.namespaced else ()
    return (f"{kind.plural}.{kind.group}" if kind.group else kind.plural, metadata["name"], *where)


def says(live: Any, wanted: Any) -> bool:
    """Whether `live` has all that `wanted` says, and maybe more."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(says(live.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return len(live) == len(wanted) and all(map(says, live, wanted))
    return bool(live == wanted)


def revisions(machine: Machine) -> dict[str, str]:
    names = ",".join(kind.resource for kind in OURS if kind.kind != "Pool")
    return {
        item["metadata"]["uid"]: item["metadata"]["resourceVersion"]
        for item in machine.items(names, "-A")
    }


def strict(machine: Machine) -> tuple[str, ...]:
    """The option that has the server refuse unknown fields; Debian's kubectl checks by itself."""
    return () if machine.kubectl_path == str(kubectls.DEBIAN) else ("--validate=strict",)


def test_there_is_an_example_of_each_kind() -> None:
    shown = {document["kind"] for document in documents(FOLDER)}
    assert {kind.kind for kind in OURS} - {"Pool"} <= shown


def test_examples_are_applied_shown_and_deleted(machine: Machine) -> None:
    """Strictly validated; applied again nothing changes; get, describe and -o give them back."""
    wanted = documents(FOLDER)
    machine.kubectl("apply", "-f", str(FOLDER), *strict(machine))
    for document in wanted:
        if document["kind"] in RECONCILED:
            machine.until(
                lambda document=document: (
                    machine.get(*place(document)).get("status", {}).get("state") == "Success"
                ),
                f"{place(document)} becomes Success",
            )
    # References to what came later in the folder get their uid now.
    machine.kubectl("apply", "-f", str(FOLDER), *strict(machine))
    before = machine.until(lambda: (seen := revisions(machine)) == revisions(machine) and seen)
    machine.kubectl("apply", "-f", str(FOLDER), *strict(machine))
    assert revisions(machine) == before

    tables = machine.kubectl("get", "-f", str(FOLDER)).split("\n\n")
    described = machine.kubectl("describe", "-f", str(FOLDER))
    for document, live in zip(wanted, machine.items("-f", str(FOLDER)), strict=True):
        kind, name = by_name(document["kind"]), document["metadata"]["name"]
        assert says(live["metadata"].get("labels", {}), document["metadata"].get("labels", {}))
        assert says(live.get("spec", {}), document.get("spec", {})), (kind.kind, name)
        singular = f"{kind.singular}.{kind.group}" if kind.group else kind.singular
        table = next(table for table in tables if f"{singular}/{name} " in table)
        header = table.splitlines()[0]
        assert all(c.name.upper() in header for c in kind.columns if not c.priority)
        assert f"Name:         {name}\n" in described

    # The namespace first: nothing is deleted from under a rule or a tag that needs it.
    machine.kubectl("delete", "namespace", "shop")
    machine.kubectl("delete", "-f", str(FOLDER), "--ignore-not-found")
    for document in wanted:
        if document["metadata"]["name"].startswith("default-global-"):
            # The system can't be without its settings: they come back with their defaults.
            machine.until(lambda document=document: machine.get(*place(document)))
        else:
            assert machine.get(*place(document)) is None


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.kind)
def test_a_kind_explains_itself(machine: Machine, kind: Kind) -> None:
    text = machine.kubectl("explain", kind.plural)
    assert kind.kind in text
    assert " ".join(kind.description.split()[:3]) in " ".join(text.split())
    assert kind.description or "<empty>" in text, "as CN2's own definition of this kind"
    assert "metadata" in machine.kubectl("explain", kind.plural, "--recursive")


def test_the_other_examples_are_applied(machine: Machine) -> None:
    folder = EXAMPLES / "walkthrough"
    machine.kubectl("apply", "-f", str(folder), *strict(machine))
    machine.running("vn1-pod")
    machine.kubectl("delete", "-f", str(folder), "--wait=true")


def test_fields_are_changed_as_people_do(machine: Machine) -> None:
    """merge and JSON patch, label, annotate, replace; what is wrong is said and changes nothing."""
    example = str(FOLDER / "addressgroup.yaml")
    machine.kubectl("create", "namespace", "shop")
    machine.kubectl("create", "-f", example)
    group = ("addressgroup", "offices", "-n", "shop")

    def patched(how: str, patch: Any, *, check: bool = True) -> str:
        return machine.kubectl(
            "patch", *group, f"--type={how}", "-p", json.dumps(patch), check=check
        )

    merge = {
        "spec": {"addressGroupPrefixes": {"subnet": [{"ipPrefix": "192.0.2.0", "ipPrefixLen": 24}]}}
    }
    assert "patched" in patched("merge", merge)
    assert "no change" in patched("merge", merge)
    path = "/spec/addressGroupPrefixes/subnet/0/ipPrefixLen"
    patched("json", [{"op": "replace", "path": path, "value": 25}])
    generation = machine.get(*group)["metadata"]["generation"]
    assert generation == 3

    with pytest.raises(AssertionError, match="unknown format"):
        patched("strategic", merge)
    with pytest.raises(AssertionError, match="is not a CIDR"):
        patched("json", [{"op": "replace", "path": path.replace("Len", ""), "value": "x"}])
    machine.kubectl("label", *group, "a=b")
    machine.kubectl("annotate", *group, "c=d")
    assert machine.get(*group)["metadata"]["generation"] == generation

    live = machine.get(*group)
    live["spec"]["addressGroupPrefixes"]["subnet"][0]["ipPrefixLen"] = 26
    machine.kubectl("replace", "-f", "-", stdin=json.dumps(live))
    with pytest.raises(AssertionError, match="the object has been modified"):
        machine.kubectl("replace", "-f", "-", stdin=json.dumps(live))
    machine.kubectl("delete", "namespace", "shop")
