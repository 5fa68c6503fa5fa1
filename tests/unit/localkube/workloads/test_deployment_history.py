"""Revisions of a Deployment's ReplicaSets."""

import pytest

from cn2.localkube.workloads import deployment_history as history


def replica_set(revision, past=""):
    notes = {history.REVISION: revision, **({history.HISTORY: past} if past else {})}
    return {"metadata": {"name": revision, "annotations": notes}, "spec": {}}


def test_the_history_of_a_template_that_comes_back_ever_again_has_an_end():
    deployment = {"metadata": {"name": "d"}, "spec": {"replicas": 1}}
    past = ",".join(str(number) for number in range(1000, 1400))
    assert len(past) == 1999

    said = history.updated(deployment, replica_set("1400", past), [replica_set("1401")])

    assert said["metadata"]["annotations"] == {
        history.REVISION: "1402",
        history.HISTORY: ",".join(str(number) for number in range(1001, 1401)),
    }


@pytest.mark.parametrize("text", ["", "x", "-1", "²", "9" * 5000])
def test_what_is_no_revision_counts_as_none(text):
    assert history.revision_of(replica_set(text)) == 0
