"""How large ReplicaSets become, by the arithmetic of Kubernetes' own tests."""

import pytest

from cn2.localkube.workloads import rolling


def deployment(replicas, surge="25%", missing="25%"):
    amounts = {"maxSurge": surge, "maxUnavailable": missing}
    strategy = {"type": "RollingUpdate", "rollingUpdate": amounts}
    return {"metadata": {"name": "d"}, "spec": {"replicas": replicas, "strategy": strategy}}


def replica_set(name, size, available=None, **annotations):
    return {
        "metadata": {"name": name, "creationTimestamp": name, "annotations": annotations},
        "spec": {"replicas": size},
        "status": {"availableReplicas": size if available is None else available},
    }


@pytest.mark.parametrize(
    ("replicas", "surge", "missing", "limits"),
    [
        (4, "25%", "25%", (1, 1)),
        (3, "25%", "25%", (1, 0)),
        (10, 3, 2, (3, 2)),
        (1, 0, "50%", (0, 1)),
        (2, 0, 5, (0, 2)),
    ],
)
def test_percentages_round_up_for_more_and_down_for_less(replicas, surge, missing, limits):
    assert rolling.limits(deployment(replicas, surge, missing)) == limits


@pytest.mark.parametrize(
    ("old", "new", "size"), [(10, 0, 3), (8, 3, 5), (0, 10, 10), (13, 0, 0), (2, 10, 10)]
)
def test_the_new_one_grows_into_the_room_there_is(old, new, size):
    room = deployment(10, 3, 2)
    assert rolling.new_size(room, replica_set("new", new), [replica_set("old", old)]) == size


def test_the_unhealthy_old_ones_go_first():
    old = [replica_set("a", 5, 5), replica_set("b", 3, 0)]
    new = replica_set("new", 2, 0)

    sizes = rolling.shrink_old(deployment(8, 2, 2), new, old)

    assert sizes == {"b": 1}


def test_nothing_goes_while_too_few_are_available():
    old, new = [replica_set("a", 3, 3)], replica_set("new", 1, 0)

    assert rolling.shrink_old(deployment(3, 1, 0), new, old) == {}


def test_a_single_set_takes_the_whole_size():
    only = replica_set("new", 3, **{rolling.DESIRED: "3", rolling.MAXIMUM: "4"})
    larger = deployment(7)

    assert rolling.is_scaled_elsewhere(larger, [only])
    assert rolling.scale(larger, only, []) == {"new": 7}


def test_several_share_by_proportion_and_rounding_goes_to_the_largest():
    said = {rolling.DESIRED: "10", rolling.MAXIMUM: "13"}
    old, new = replica_set("a", 8, **said), replica_set("new", 5, **said)

    assert rolling.scale(deployment(15, 3, 2), new, [old]) == {"a": 11, "new": 7}
