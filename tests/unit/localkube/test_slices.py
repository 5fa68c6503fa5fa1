"""The endpoints of a service follow from its pods."""

from cn2.localkube.slices import endpoint_slices, endpoints


def service(**spec):
    return {
        "metadata": {"name": "web", "namespace": "ns", "uid": "s", "labels": {"team": "x"}},
        "spec": {
            "selector": {"app": "web"},
            "clusterIP": "10.96.0.5",
            "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}],
            **spec,
        },
    }


def pod(name, *addresses, ready=True, app="web", phase="Running", ports=(), deleting=False):
    metadata = {"name": name, "namespace": "ns", "uid": name, "labels": {"app": app}}
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {
        "metadata": metadata,
        "spec": {"nodeName": "minikube", "containers": [{"name": "c", "ports": list(ports)}]},
        "status": {
            "phase": phase,
            "podIPs": [{"ip": address} for address in addresses],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def only(slices):
    (one,) = slices.values()
    return one


def addresses(one):
    return [(entry["addresses"][0], entry["conditions"]["ready"]) for entry in one["endpoints"]]


def test_pods_that_match_and_have_an_address_are_endpoints():
    one = only(
        endpoint_slices(
            service(),
            [
                pod("b", "10.244.0.3", ready=False),
                pod("a", "10.244.0.2"),
                pod("other", "10.244.0.4", app="db"),
                pod("early"),
                pod("done", "10.244.0.6", phase="Succeeded"),
            ],
        )
    )

    assert addresses(one) == [("10.244.0.2", True), ("10.244.0.3", False)]
    assert one["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert one["addressType"] == "IPv4"
    assert one["endpoints"][0]["nodeName"] == "minikube"
    assert one["endpoints"][0]["targetRef"]["uid"] == "a"
    assert one["metadata"]["labels"] == {
        "team": "x",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert one["metadata"]["ownerReferences"][0]["uid"] == "s"


def test_a_terminating_pod_serves_but_is_not_ready():
    one = only(endpoint_slices(service(), [pod("a", "10.244.0.2", deleting=True)]))

    assert one["endpoints"][0]["conditions"] == {
        "ready": False,
        "serving": True,
        "terminating": True,
    }
    assert "subsets" not in endpoints(service(), [pod("a", "10.244.0.2", deleting=True)])


def test_unready_pods_count_as_ready_where_the_service_says_so():
    both = service(publishNotReadyAddresses=True)

    assert addresses(only(endpoint_slices(both, [pod("a", "10.244.0.2", ready=False)]))) == [
        ("10.244.0.2", True)
    ]


def test_each_family_has_its_slice_and_names_do_not_change():
    dual = service(ipFamilies=["IPv4", "IPv6"])
    pods = [pod("a", "10.244.0.2", "fd00::2")]

    slices = endpoint_slices(dual, pods)

    assert sorted(one["addressType"] for one in slices.values()) == ["IPv4", "IPv6"]
    assert slices == endpoint_slices(dual, pods)
    assert slices.keys() == endpoint_slices(dual, [*pods, pod("b", "10.244.0.3", "fd00::3")]).keys()


def test_a_named_port_is_what_each_pod_says():
    named = service(ports=[{"name": "http", "port": 80, "targetPort": "web"}])
    pods = [
        pod("a", "10.244.0.2", ports=[{"name": "web", "containerPort": 8080}]),
        pod("b", "10.244.0.3", ports=[{"name": "web", "containerPort": 9090}]),
    ]

    found = {
        one["ports"][0]["port"]: addresses(one) for one in endpoint_slices(named, pods).values()
    }

    assert found == {8080: [("10.244.0.2", True)], 9090: [("10.244.0.3", True)]}
    assert [subset["ports"][0]["port"] for subset in endpoints(named, pods)["subsets"]] == [
        8080,
        9090,
    ]


def test_a_slice_holds_a_hundred():
    pods = [pod(f"p{number:03}", f"10.244.1.{number}") for number in range(150)]

    sizes = sorted(len(one["endpoints"]) for one in endpoint_slices(service(), pods).values())

    assert sizes == [50, 100]


def test_a_service_without_pods_has_an_empty_slice_and_empty_endpoints():
    assert only(endpoint_slices(service(), []))["endpoints"] == []
    assert "subsets" not in endpoints(service(), [])


def test_ready_and_unready_addresses_are_apart_in_endpoints():
    pods = [pod("a", "10.244.0.2"), pod("b", "10.244.0.3", ready=False)]

    (subset,) = endpoints(service(), pods)["subsets"]

    assert [entry["ip"] for entry in subset["addresses"]] == ["10.244.0.2"]
    assert [entry["ip"] for entry in subset["notReadyAddresses"]] == ["10.244.0.3"]
