"""Deleting at once, waiting, and what holds an object."""

from __future__ import annotations

from typing import Any

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
DELETE_OPTIONS = {"apiVersion": "v1", "kind": "DeleteOptions"}


def held(name: str = "a", *finalizers: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "finalizers": list(finalizers)}}


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
    }


async def test_what_nothing_holds_goes_at_once_and_a_status_names_its_uid(api) -> None:
    created = await api.create(CONFIG_MAPS, held())
    answered = await api("DELETE", f"{CONFIG_MAPS}/a")

    assert answered.body["status"] == "Success"
    assert answered.body["details"] == {
        "name": "a",
        "kind": "configmaps",
        "uid": created["metadata"]["uid"],
    }
    assert (await api("DELETE", f"{CONFIG_MAPS}/a")).status == 404


async def test_finalizers_hold_an_object_until_the_last_is_gone(api) -> None:
    await api.create(CONFIG_MAPS, held("a", "x/one", "x/two"))
    answered = await api("DELETE", f"{CONFIG_MAPS}/a")
    assert answered.body["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert answered.body["metadata"]["finalizers"] == ["x/one", "x/two"]

    await api.merge(f"{CONFIG_MAPS}/a", {"metadata": {"finalizers": ["x/two"]}})
    assert (await api("GET", f"{CONFIG_MAPS}/a")).status == 200
    last = await api.merge(f"{CONFIG_MAPS}/a", {"metadata": {"finalizers": None}})
    assert last["metadata"]["name"] == "a"
    assert (await api("GET", f"{CONFIG_MAPS}/a")).status == 404


async def test_the_dying_take_no_new_finalizers_and_do_not_come_back(api) -> None:
    await api.create(CONFIG_MAPS, held("a", "x/one"))
    await api("DELETE", f"{CONFIG_MAPS}/a")
    more = await api(
        "PATCH",
        f"{CONFIG_MAPS}/a",
        {"metadata": {"finalizers": ["x/one", "x/two"]}},
        content_type="application/merge-patch+json",
    )
    revived = await api.merge(f"{CONFIG_MAPS}/a", {"metadata": {"deletionTimestamp": None}})

    assert more.status == 422
    assert revived["metadata"]["deletionTimestamp"]


async def test_a_second_deletion_of_the_dying_changes_nothing(api) -> None:
    await api.create(CONFIG_MAPS, held("a", "x/one"))
    await api("DELETE", f"{CONFIG_MAPS}/a")
    revision = api.backend.store.revision
    again = await api("DELETE", f"{CONFIG_MAPS}/a")

    assert again.status == 200
    assert api.backend.store.revision == revision


async def test_the_policy_of_propagation_becomes_a_finalizer(api) -> None:
    for name, policy, finalizer in (
        ("a", "Foreground", "foregroundDeletion"),
        ("b", "Orphan", "orphan"),
    ):
        await api.create(CONFIG_MAPS, held(name))
        options = {**DELETE_OPTIONS, "propagationPolicy": policy}
        answered = await api("DELETE", f"{CONFIG_MAPS}/{name}", options)
        assert answered.body["metadata"]["finalizers"] == [finalizer]
    await api.create(CONFIG_MAPS, held("c"))
    background = await api("DELETE", f"{CONFIG_MAPS}/c?propagationPolicy=Background")
    assert background.body["status"] == "Success"


async def test_preconditions_guard_against_another_object_of_that_name(api) -> None:
    created = await api.create(CONFIG_MAPS, held())
    wrong = {**DELETE_OPTIONS, "preconditions": {"uid": "other"}}
    right = {**DELETE_OPTIONS, "preconditions": {"uid": created["metadata"]["uid"]}}

    assert (await api("DELETE", f"{CONFIG_MAPS}/a", wrong)).status == 409
    assert (await api("DELETE", f"{CONFIG_MAPS}/a", right)).status == 200


async def test_a_dry_run_deletes_nothing(api) -> None:
    await api.create(CONFIG_MAPS, held())
    answered = await api("DELETE", f"{CONFIG_MAPS}/a", {**DELETE_OPTIONS, "dryRun": ["All"]})

    assert answered.status == 200
    await api.get(f"{CONFIG_MAPS}/a")


async def test_a_pod_that_may_run_waits_for_its_kubelet(api) -> None:
    await api.create(PODS, pod(nodeName="n1"))
    marked = await api("DELETE", f"{PODS}/p")
    assert marked.body["metadata"]["deletionGracePeriodSeconds"] == 30
    assert marked.body["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:30Z"
    await api.get(f"{PODS}/p")

    options = {**DELETE_OPTIONS, "gracePeriodSeconds": 0}
    gone = await api("DELETE", f"{PODS}/p", options)
    assert gone.body["kind"] == "Pod"
    assert (await api("GET", f"{PODS}/p")).status == 404


async def test_a_second_deletion_can_only_shorten_the_grace(api) -> None:
    await api.create(PODS, pod(nodeName="n1"))
    await api("DELETE", f"{PODS}/p", {**DELETE_OPTIONS, "gracePeriodSeconds": 10})
    longer = await api("DELETE", f"{PODS}/p", {**DELETE_OPTIONS, "gracePeriodSeconds": 60})
    shorter = await api("DELETE", f"{PODS}/p", {**DELETE_OPTIONS, "gracePeriodSeconds": 5})

    assert longer.body["metadata"]["deletionGracePeriodSeconds"] == 10
    assert shorter.body["metadata"]["deletionGracePeriodSeconds"] == 5


async def test_a_pod_on_no_node_or_finished_goes_at_once(api) -> None:
    await api.create(PODS, pod("a"))
    await api.create(PODS, pod("b", nodeName="n1"))
    await api.merge(f"{PODS}/b/status", {"status": {"phase": "Succeeded"}})

    for name in ("a", "b"):
        await api("DELETE", f"{PODS}/{name}")
        assert (await api("GET", f"{PODS}/{name}")).status == 404


async def test_eviction_deletes(api) -> None:
    await api.create(PODS, pod())
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}

    assert (await api("POST", f"{PODS}/p/eviction", eviction)).status == 201
    assert (await api("GET", f"{PODS}/p")).status == 404


async def test_a_collection_is_deleted_as_it_would_be_listed(api) -> None:
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        await api.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": {"l": label}}})
    answered = await api("DELETE", f"{CONFIG_MAPS}?labelSelector=l%3Dx".replace("%3D", "="))

    assert [o["metadata"]["name"] for o in answered.body["items"]] == ["a", "c"]
    left = await api.get(CONFIG_MAPS)
    assert [o["metadata"]["name"] for o in left["items"]] == ["b"]


async def test_nothing_is_deleted_in_all_namespaces_at_once(api) -> None:
    await api.create(CONFIG_MAPS, held())
    assert (await api("DELETE", "/api/v1/configmaps")).status == 405
    assert (await api("DELETE", "/api/v1/namespaces")).status == 405
    assert (await api.get(f"{CONFIG_MAPS}/a"))["metadata"]["name"] == "a"


async def test_the_namespaces_of_kubernetes_itself_stay(api) -> None:
    answered = await api("DELETE", "/api/v1/namespaces/default")

    assert (answered.status, answered.reason) == (403, "Forbidden")
    assert "this namespace may not be deleted" in answered.message
    assert "deletionTimestamp" not in (await api.get("/api/v1/namespaces/default"))["metadata"]


async def test_a_namespace_ends_when_it_is_finalized(api) -> None:
    await api.create("/api/v1/namespaces", {"metadata": {"name": "ns1"}})
    marked = await api("DELETE", "/api/v1/namespaces/ns1")
    assert marked.body["status"]["phase"] == "Terminating"

    namespace = marked.body
    namespace["spec"]["finalizers"] = []
    assert (await api("PUT", "/api/v1/namespaces/ns1/finalize", namespace)).status == 200
    assert (await api("GET", "/api/v1/namespaces/ns1")).status == 404


async def test_the_last_word_of_a_deleted_object_carries_the_deletions_revision(api) -> None:
    created = await api.create(CONFIG_MAPS, held())
    watch = await api.watch(
        f"{CONFIG_MAPS}?resourceVersion={created['metadata']['resourceVersion']}"
    )
    await api("DELETE", f"{CONFIG_MAPS}/a")
    event = await watch.next()

    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["resourceVersion"] == str(api.backend.store.revision)
    await watch.close()
