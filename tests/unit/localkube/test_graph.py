"""Who goes when an owner goes: the rules of ownerReferences, in every order of arrival."""

from hypothesis import given
from hypothesis import strategies as st

from cn2.api.kinds import CONFIG_MAP
from cn2.localkube.graph import (
    FOREGROUND,
    ORPHAN,
    Delete,
    DropOwners,
    Free,
    Graph,
    Release,
    Standing,
    decide,
    node_of,
)


def node(uid, *owners, blocks=False, finalizers=(), deleting=False):
    metadata = {
        "name": uid,
        "namespace": "ns",
        "uid": uid,
        "resourceVersion": "1",
        "ownerReferences": [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": owner,
                "uid": owner,
                "blockOwnerDeletion": blocks,
            }
            for owner in owners
        ],
        "finalizers": list(finalizers),
    }
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return node_of(CONFIG_MAP, {"metadata": metadata})


def graph_of(*nodes):
    graph = Graph()
    for one in nodes:
        graph.put(one)
    return graph


def verdict(graph, uid):
    def standing(owner):
        have = graph.nodes.get(owner["uid"])
        if have is None:
            return Standing.ABSENT
        return Standing.WAITING if have.waits else Standing.SOLID

    return decide(graph, graph.nodes[uid], standing)


def test_what_has_an_owner_stays():
    assert verdict(graph_of(node("vm"), node("vmi", "vm")), "vmi") is None


def test_what_has_lost_all_owners_goes():
    assert verdict(graph_of(node("vmi", "vm", "vn")), "vmi") == Delete("Background")


def test_what_has_lost_some_owners_drops_their_references():
    graph = graph_of(node("vm"), node("vmi", "vm", "vn"))

    assert verdict(graph, "vmi") == DropOwners(frozenset({"vn"}))


def test_what_never_had_owners_stays():
    assert verdict(graph_of(node("vm")), "vm") is None


def test_the_end_of_an_owner_looks_at_its_dependents_at_once():
    graph = graph_of(node("vm"), node("vmi", "vm"), node("other"))

    assert graph.remove("vm") == {"vmi"}


def test_a_foreground_deletion_looks_at_the_dependents_and_deletes_them():
    graph = graph_of(node("vm"), node("vmi", "vm"))

    look = graph.put(node("vm", finalizers=[FOREGROUND], deleting=True))

    assert look == {"vm", "vmi"}
    assert verdict(graph, "vmi") == Delete("Background")


def test_a_foreground_deletion_waits_for_the_dependents_that_block_it():
    graph = graph_of(
        node("vm", finalizers=[FOREGROUND], deleting=True), node("vmi", "vm", blocks=True)
    )
    assert verdict(graph, "vm") is None

    look = graph.remove("vmi")

    assert look == {"vm"}
    assert verdict(graph, "vm") == Release(FOREGROUND)


def test_a_foreground_deletion_does_not_wait_for_others():
    graph = graph_of(node("vm", finalizers=[FOREGROUND], deleting=True), node("vmi", "vm"))

    assert verdict(graph, "vm") == Release(FOREGROUND)


def test_a_foreground_deletion_reaches_grandchildren_as_one():
    graph = graph_of(
        node("a", finalizers=[FOREGROUND], deleting=True),
        node("b", "a", blocks=True),
        node("c", "b", blocks=True),
    )

    assert verdict(graph, "b") == Delete("Foreground")


def test_an_orphaning_owner_lets_its_dependents_go_first():
    graph = graph_of(node("a", finalizers=[ORPHAN], deleting=True), node("b", "a"))

    step = verdict(graph, "a")

    assert isinstance(step, Free)
    assert [one.uid for one in step.dependents] == ["b"]


def test_an_object_that_ends_for_another_reason_is_left_alone():
    assert verdict(graph_of(node("vmi", "vm", deleting=True)), "vmi") is None


@given(st.permutations([node("vm"), node("vmi", "vm"), node("iip", "vm", "vmi"), node("x")]))
def test_the_order_of_arrival_does_not_matter(nodes):
    graph = graph_of(*nodes)

    assert graph.remove("vm") == {"vmi", "iip"}
    assert verdict(graph, "iip") == DropOwners(frozenset({"vm"}))
    assert graph.remove("vmi") == {"iip"}
    assert verdict(graph, "iip") == Delete("Background")
    assert verdict(graph, "x") is None
