"""pods/eviction against PodDisruptionBudgets."""

from __future__ import annotations

from typing import Any

import pytest

PODS = "/api/v1/namespaces/default/pods"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
READY = [{"type": "Ready", "status": "True"}]


async def running(api: Any, name: str, *, ready: bool = True) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    await api.create(PODS, {"metadata": {"name": name, "labels": {"app": "a"}}, "spec": spec})
    status = {"phase": "Running", "conditions": READY if ready else []}
    await api.merge(f"{PODS}/{name}/status", {"status": status})


async def budget(api: Any, name: str = "b", *, allowed: int | None = None, **spec: Any) -> None:
    body = {"selector": {"matchLabels": {"app": "a"}}, "minAvailable": 1, **spec}
    await api.create(BUDGETS, {"metadata": {"name": name}, "spec": body})
    if allowed is not None:
        status = {
            "observedGeneration": 1,
            "currentHealthy": 1 + allowed,
            "desiredHealthy": 1,
            "disruptionsAllowed": allowed,
            "expectedPods": 1 + allowed,
        }
        await api.merge(f"{BUDGETS}/{name}/status", {"status": status})


async def evicted(api: Any, name: str, query: str = "") -> Any:
    return await api("POST", f"{PODS}/{name}/eviction{query}", {"metadata": {"name": name}})


async def test_a_budget_allows_so_many_and_then_refuses(api) -> None:
    await running(api, "p")
    await running(api, "q")
    await budget(api, allowed=1)
    first, second = await evicted(api, "p"), await evicted(api, "q")
    left = await api.get(f"{BUDGETS}/b")

    assert (first.status, second.status, second.reason) == (201, 429, "TooManyRequests")
    assert second.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert second.body["details"]["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget b needs 1 healthy pods and has 2 currently",
        }
    ]
    assert left["status"]["disruptionsAllowed"] == 0
    assert list(left["status"]["disruptedPods"]) == ["p"]


async def test_a_budget_that_nobody_has_computed_yet_asks_to_come_back(api) -> None:
    await running(api, "p")
    await budget(api)
    refused = await evicted(api, "p")

    assert (refused.status, refused.headers["Retry-After"]) == (429, "10")


async def test_an_eviction_that_is_only_tried_takes_nothing(api) -> None:
    await running(api, "p")
    await budget(api, allowed=1)

    assert (await evicted(api, "p", "?dryRun=All")).status == 201
    assert (await api.get(f"{BUDGETS}/b"))["status"]["disruptionsAllowed"] == 1
    assert (await api.get(f"{PODS}/p"))["metadata"].get("deletionTimestamp") is None


async def test_two_budgets_for_one_pod_are_an_error(api) -> None:
    await running(api, "p")
    await budget(api, "a", allowed=1)
    await budget(api, "b", allowed=1)
    refused = await evicted(api, "p")

    assert (refused.status, "more than one PodDisruptionBudget" in refused.message) == (500, True)


@pytest.mark.parametrize(("policy", "status"), [("AlwaysAllow", 201), ("IfHealthyBudget", 429)])
async def test_unhealthy_pods_go_where_the_policy_says_so(api, policy: str, status: int) -> None:
    await running(api, "p", ready=False)
    await budget(api, unhealthyPodEvictionPolicy=policy)

    assert (await evicted(api, "p")).status == status
