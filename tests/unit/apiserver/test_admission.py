"""What Kubernetes' admission does to ordinary objects: priority, quotas, limits, node ports."""

from __future__ import annotations

from typing import Any

import pytest

from cn2.apiserver import bootstrap

CORE = "/api/v1/namespaces/default"
PODS = f"{CORE}/pods"
SERVICES = f"{CORE}/services"
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
    }


def sized(name: str, **resources: Any) -> dict[str, Any]:
    return pod(name, containers=[{"name": "c", "image": "i", "resources": resources}])


def service(name: str, *ports: Any, type_: str = "NodePort", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"type": type_, "ports": list(ports), **spec}}


async def test_a_pods_class_decides_its_priority(api) -> None:
    await api.create(
        CLASSES, {"metadata": {"name": "high"}, "value": 7, "preemptionPolicy": "Never"}
    )
    high = await api.create(PODS, pod("high", priorityClassName="high"))
    system = await api.create(PODS, pod("sys", priorityClassName="system-node-critical"))
    plain = await api.create(PODS, pod("plain"))
    unknown = await api("POST", PODS, pod("no", priorityClassName="nope"))
    forged = await api("POST", PODS, pod("no", priority=5))
    bold = await api(
        "POST",
        PODS,
        pod("no", priorityClassName="high", preemptionPolicy="PreemptLowerPriority"),
    )

    assert (high["spec"]["priority"], high["spec"]["preemptionPolicy"]) == (7, "Never")
    assert (system["spec"]["priority"], plain["spec"]["priority"]) == (2000001000, 0)
    assert (unknown.status, unknown.message) == (
        403,
        'pods "no" is forbidden: no PriorityClass with name nope was found',
    )
    assert "must not be provided in pod spec" in forged.message
    assert "PreemptionPolicy (PreemptLowerPriority) must not be provided" in bold.message


async def test_a_default_class_is_the_only_one_and_what_a_pod_gets(api) -> None:
    await api.create(CLASSES, {"metadata": {"name": "usual"}, "value": 3, "globalDefault": True})
    second = await api(
        "POST", CLASSES, {"metadata": {"name": "other"}, "value": 4, "globalDefault": True}
    )
    made = await api.create(PODS, pod("p"))

    assert (second.status, second.reason) == (403, "Forbidden")
    assert "usual is already marked as default" in second.message
    assert (made["spec"]["priority"], made["spec"]["priorityClassName"]) == (3, "usual")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"metadata": {"name": "system-x"}, "value": 1}, "reserved for system use only"),
        ({"metadata": {"name": "x"}, "value": 2000000000}, "maximum allowed value of a user"),
    ],
)
async def test_what_a_user_may_not_call_a_class(api, body: Any, told: str) -> None:
    answered = await api("POST", CLASSES, body)

    assert (answered.status, told in answered.message) == (422, True), answered.message


async def quota(api: Any, **spec: Any) -> None:
    await api.create(f"{CORE}/resourcequotas", {"metadata": {"name": "q"}, "spec": spec})


async def test_a_quota_of_pods_counts_those_that_are_not_finished(api) -> None:
    await quota(api, hard={"pods": "1", "count/configmaps": "1"})
    await api.create(PODS, pod("a"))
    refused = await api("POST", PODS, pod("b"))
    await api.merge(f"{PODS}/a/status", {"status": {"phase": "Succeeded"}})
    await api.create(PODS, pod("b"))
    await api.create(f"{CORE}/configmaps", {"metadata": {"name": "a"}})
    second = await api("POST", f"{CORE}/configmaps", {"metadata": {"name": "b"}})

    assert (refused.status, refused.message) == (
        403,
        'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1,'
        " limited: pods=1",
    )
    assert second.message.endswith("limited: count/configmaps=1")


async def test_a_quota_of_memory_needs_every_container_to_say(api) -> None:
    await quota(api, hard={"requests.memory": "1Gi", "limits.cpu": "2"})
    silent = await api("POST", PODS, pod("a"))
    given = {"requests": {"memory": "768Mi"}, "limits": {"cpu": "500m"}}
    await api.create(PODS, sized("b", **given))
    more = await api("POST", PODS, sized("c", **given))

    assert silent.message.endswith(
        "failed quota: q: must specify limits.cpu for: c; requests.memory for: c"
    )
    assert more.message.endswith(
        "requested: requests.memory=768Mi, used: requests.memory=768Mi,"
        " limited: requests.memory=1Gi"
    )


async def test_a_scope_limits_only_the_pods_that_are_in_it(api) -> None:
    await quota(api, hard={"pods": "0"}, scopes=["BestEffort"])
    best_effort = await api("POST", PODS, pod("a"))

    assert best_effort.status == 403
    await api.create(PODS, sized("b", requests={"cpu": "1"}))


async def test_a_quota_of_node_ports_also_holds_for_updates(api) -> None:
    await quota(api, hard={"services.nodeports": "1"})
    await api.create(SERVICES, service("a", {"port": 80}))
    await api.create(SERVICES, service("b", {"port": 80}, type_="ClusterIP"))
    changed = await api(
        "PATCH",
        f"{SERVICES}/b",
        {"spec": {"type": "NodePort"}},
        content_type="application/merge-patch+json",
    )

    assert (changed.status, "exceeded quota: q" in changed.message) == (403, True)


async def test_a_limit_range_fills_in_and_refuses(api) -> None:
    limits = [{"type": "Container", "max": {"cpu": "1"}, "defaultRequest": {"cpu": "100m"}}]
    await api.create(f"{CORE}/limitranges", {"metadata": {"name": "l"}, "spec": {"limits": limits}})
    made = await api.create(PODS, pod("a"))
    large = await api("POST", PODS, sized("b", limits={"cpu": "2"}))

    assert made["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "1"},
        "requests": {"cpu": "100m"},
    }
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    )
    assert (large.status, large.message) == (
        403,
        'pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    )


def node_ports(made: Any) -> list[int]:
    return [port.get("nodePort") for port in made["spec"]["ports"]]


async def test_node_ports_are_given_kept_and_freed(api) -> None:
    dns = [{"name": "u", "port": 53, "protocol": "UDP"}, {"name": "t", "port": 53}]
    first = await api.create(SERVICES, service("a", *dns, {"name": "w", "port": 80}))
    second = await api.create(SERVICES, service("b", {"port": 80}))
    kept = await api.merge(f"{SERVICES}/b", {"spec": {"ports": [{"port": 80, "targetPort": 8}]}})
    plain = await api.merge(f"{SERVICES}/a", {"spec": {"type": "ClusterIP"}})
    third = await api.create(SERVICES, service("c", {"port": 80}))

    assert node_ports(first) == [30086, 30086, 30087]
    assert node_ports(second) == node_ports(kept) == [30088]
    assert node_ports(plain) == [None, None, None]
    assert node_ports(third) == [30086]


@pytest.mark.parametrize(
    ("port", "problem"),
    [
        (30090, "provided port is already allocated"),
        (80, "provided port is not in the valid range. The range of valid ports is 30000-32767"),
    ],
)
async def test_a_node_port_that_cannot_be_had(api, port: int, problem: str) -> None:
    await api.create(SERVICES, service("a", {"port": 80, "nodePort": 30090}))
    refused = await api("POST", SERVICES, service("b", {"port": 80, "nodePort": port}))

    assert (refused.status, refused.message) == (
        422,
        f'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: {port}: {problem}',
    )


async def test_a_cluster_address_that_is_taken_is_invalid(api) -> None:
    body = service("b", {"port": 80}, type_="ClusterIP", clusterIP="10.96.0.1")
    refused = await api("POST", SERVICES, body)

    assert (refused.status, refused.message) == (
        422,
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.1"]: failed to'
        " allocate IP 10.96.0.1: provided IP is already allocated",
    )


async def test_the_kubernetes_service_follows_the_port_of_the_server(api) -> None:
    await bootstrap.ensure(api.backend, 7000)
    changed = await api.get(f"{SERVICES}/kubernetes")
    await bootstrap.ensure(api.backend, 7000)
    same = await api.get(f"{SERVICES}/kubernetes")

    assert changed["spec"]["ports"][0]["targetPort"] == 7000
    assert same["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]
