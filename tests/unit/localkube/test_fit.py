"""Which node a pod goes to, and what is said when there is none."""

import pytest

from cn2.localkube.fit import choose, misfit, tolerates


def node(name="n", *, ready="True", labels=None, taints=(), unschedulable=False, room=None):
    made = {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": list(taints)},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }
    if unschedulable:
        made["spec"]["unschedulable"] = True
    if room is not None:
        made["status"]["allocatable"] = {"pods": room}
    return made


def pod(**spec):
    return {"metadata": {"name": "p", "namespace": "ns"}, "spec": spec}


def affinity(*expressions):
    terms = [{"matchExpressions": list(expressions)}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return pod(affinity={"nodeAffinity": required})


def test_pods_are_spread_by_their_number_and_then_by_name():
    nodes = [node("b"), node("a"), node("c")]

    assert choose(pod(), nodes, {"a": 1}).node == "b"
    assert choose(pod(), nodes, {}).node == "a"


def test_the_reasons_are_counted_as_kube_scheduler_counts_them():
    nodes = [node("a", ready="Unknown"), node("b", unschedulable=True), node("c", ready="False")]

    assert choose(pod(), nodes, {}).message == (
        "0/3 nodes are available: 2 node(s) were not ready, 1 node(s) were unschedulable."
    )


def test_without_nodes_it_says_so():
    assert choose(pod(), [], {}).message == "no nodes available to schedule pods"


def test_a_node_selector_must_match_whole():
    labelled = node(labels={"disk": "ssd"})

    assert misfit(pod(nodeSelector={"disk": "ssd"}), labelled, 0) == ""
    assert misfit(pod(nodeSelector={"disk": "ssd", "zone": "x"}), labelled, 0)


def test_a_full_node_takes_no_more():
    assert misfit(pod(), node(room="2"), 1) == ""
    assert misfit(pod(), node(room="2"), 2) == "Too many pods"


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "k", "value": "other"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
    ],
)
def test_tolerations(toleration, fits):
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}

    assert tolerates(pod(tolerations=[toleration]), taint) is fits
    assert (misfit(pod(tolerations=[toleration]), node(taints=[taint]), 0) == "") is fits


def test_a_soft_taint_keeps_nobody_away():
    assert misfit(pod(), node(taints=[{"key": "k", "effect": "PreferNoSchedule"}]), 0) == ""


@pytest.mark.parametrize(
    ("operator", "values", "fits"),
    [
        ("In", ["5", "6"], True),
        ("NotIn", ["5"], False),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
        ("Gt", ["4"], True),
        ("Lt", ["5"], False),
        ("Gt", ["x"], False),
    ],
)
def test_required_affinity(operator, values, fits):
    wish = affinity({"key": "size", "operator": operator, "values": values})

    assert (misfit(wish, node(labels={"size": "5"}), 0) == "") is fits
