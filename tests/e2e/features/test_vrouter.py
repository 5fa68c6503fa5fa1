"""The datapath's switches, the system's own networks, and the plug-in by hand."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from looks import CLUSTER_NAMESPACE, PLUGIN, delete_pods, inside, interfaces, reaches
from machine import CN2, Machine
from networks import network, pod, together

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(120)]


RAW = """
import socket, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
raw.bind((sys.argv[1], 0x88b5))
target = bytes.fromhex(sys.argv[2].replace(":", ""))
if sys.argv[3] == "send":
    for _ in range(3):
        raw.send(target + raw.getsockname()[4] + b"\\x88\\xb5" + b"not IP" * 10)
else:
    raw.settimeout(float(sys.argv[4]))
    print("listening", flush=True)
    try:
        print(b"not IP" in raw.recv(2000))
    except TimeoutError:
        print(False)
"""


def crosses(machine: Machine, interface: str, mac: str, seconds: str) -> bool:
    """Whether a frame that is not IP gets from `left` to `right`."""
    namespace = machine.pod_netns(machine.get("pod", "right"))
    listening = subprocess.Popen(
        ["nsenter", f"--net={namespace}", CN2[0], "-c", RAW, interface, mac, "receive", seconds],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listening.stdout is not None
    listening.stdout.readline()
    inside(machine, "left", CN2[0], "-c", RAW, interface, mac, "send")
    return listening.communicate()[0].strip() == "True"


def test_forwarding_modes(machine: Machine) -> None:
    """F24: l2 carries all by MAC and has no gateway, l3 carries IP only, l2_l3 carries both."""
    for name, mode in (("lan", "l2"), ("wan", "l3"), ("mix", "l2_l3")):
        block = f"172.16.{ {'l2': 81, 'l3': 82, 'l2_l3': 83}[mode] }.0/24"
        said = {} if mode == "l2_l3" else {"forwardingMode": mode}  # it is the default
        machine.apply(network(name, block, **said))
    machine.apply(together(pod("left", "lan", "wan", "mix"), pod("right", "lan", "wan", "mix")))
    machine.running("left")
    right = interfaces(machine, "right")
    ip = [reaches(machine, "left", eth, right[eth]["ips"][0]) for eth in ("eth1", "eth2", "eth3")]
    gateway = [reaches(machine, "left", f"eth{n}", f"172.16.8{n}.1") for n in (1, 2, 3)]
    frames = [
        crosses(machine, eth, right[eth]["mac"], seconds)
        for eth, seconds in (("eth1", "5"), ("eth2", "0.5"), ("eth3", "5"))
    ]

    assert ip == [True, True, True]
    assert gateway == [False, True, True]
    assert frames == [True, False, True]

    body = {"spec": {"virtualNetworkProperties": {"forwardingMode": "l3"}}}
    machine.kubectl("patch", "vn", "mix", "--type=merge", "-p", json.dumps(body))
    mac = right["eth3"]["mac"]
    machine.until(lambda: not crosses(machine, "eth3", mac, "0.3"), "an edit reaches the datapath")


def test_reverse_path_check_can_be_switched_off(machine: Machine) -> None:
    """F25: a source that is not the pod's is dropped while the check is on, delivered when off."""
    namespace = machine.pod_netns(machine.get("pod", "right"))
    target = interfaces(machine, "right")["eth2"]["ips"][0]
    inside(machine, "left", "ip", "address", "add", "172.16.82.77/32", "dev", "eth2")

    def spoofed(seconds: str) -> bool:
        capture = subprocess.Popen(
            ["nsenter", f"--net={namespace}", "timeout", seconds]
            + ["tcpdump", "--immediate-mode", "-n", "-c1", "-i", "eth2", "src", "172.16.82.77"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert capture.stderr is not None
        while b"listening on" not in capture.stderr.readline():
            pass
        inside(machine, "left", "ping", "-c2", "-i0.05", "-W0.1", "-I", "172.16.82.77", target)
        return bool(capture.communicate()[0].strip())

    assert not spoofed("1")
    body = {"spec": {"virtualNetworkProperties": {"rpf": "disable"}}}
    machine.kubectl("patch", "vn", "wan", "--type=merge", "-p", json.dumps(body))
    machine.until(lambda: spoofed("2"), "a spoofed packet is delivered")
    delete_pods(machine, "left", "right")


# -- the system -------------------------------------------------------------------------------


def test_system_networks_and_routers(machine: Machine) -> None:
    """F31: the four networks with their numbers, the four routers with their types, Success."""
    numbers = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one["status"][
            "virtualNetworkNetworkId"
        ]
        for one in machine.items("vn", "-A")
    }
    routers = {
        one["metadata"]["name"]: (one["spec"]["type"], one["status"]["state"])
        for one in machine.items("vnr", "-A")
    }

    assert numbers["contrail", "link-local"] == 1
    assert numbers[CLUSTER_NAMESPACE, "default-podnetwork"] == 2
    assert numbers["contrail", "ip-fabric"] == 3
    assert numbers[CLUSTER_NAMESPACE, "default-servicenetwork"] == 4
    assert routers == {
        "DefaultPodServiceIPFabricNetwork": ("spoke", "Success"),
        "DefaultPodServiceNetwork": ("mesh", "Success"),
        "DefaultServiceNetwork": ("hub", "Success"),
        "DefaultIPFabricNetwork": ("hub", "Success"),
    }


def test_service_addresses(machine: Machine) -> None:
    """F40: a Service's address is held while it lives; a headless one has none."""
    machine.kubectl("create", "service", "clusterip", "web", "--tcp=80:80")
    machine.kubectl("create", "service", "clusterip", "none", "--clusterip=None", "--tcp=80")
    ip = machine.get("service", "web")["spec"]["clusterIP"]

    def held() -> list[str]:
        return [
            one["spec"].get("instanceIPAddress", "")
            for one in machine.items("iip")
            if one["spec"]["virtualNetworkReference"]["name"] == "default-servicenetwork"
        ]

    machine.until(lambda: ip in held())
    machine.kubectl("delete", "service", "web", "none")
    machine.until(lambda: not held())


def test_a_namespace_takes_all_along(machine: Machine) -> None:
    """A namespace with networks and pods on them goes with everything in it."""
    machine.apply(network("near", "172.16.91.0/24"))
    machine.kubectl("create", "namespace", "gone")
    for manifest in (network("gn", "172.16.90.0/24"), pod("g1", "gn"), pod("g2", "default/near")):
        one = json.loads(manifest)
        one["metadata"]["namespace"] = "gone"
        machine.apply(json.dumps(one))
    for name in ("g1", "g2"):
        machine.running(name, "gone")
    machine.kubectl("delete", "namespace", "gone", "--timeout=30s")
    left = [
        one["metadata"]["name"]
        for one in machine.items("vn,subnet,ri,vmi,net-attach-def,pod", "-A")
        if one["metadata"]["namespace"] == "gone"
    ]

    assert left == []
    machine.until(lambda: not machine.items("vm"))


def test_the_plugin_by_hand(machine: Machine) -> None:
    """F13: a second ADD changes nothing, DEL of nothing is fine twice, no agent is a CNI error."""
    machine.apply(network("near", "172.16.91.0/24"))
    machine.apply(pod("plugged", "near"))
    running = machine.running("plugged")
    uid = running["metadata"]["uid"]
    node = next((machine.data_dir / "nodes").iterdir())
    record = next(
        found
        for path in (node / "ports").glob("*.json")
        if (found := json.loads(path.read_text()))["arguments"].get("K8S_POD_UID") == uid
    )
    config = (node / "cni" / "net.d" / "10-contrail.conf").read_text()

    def call(command: str, container: str, netns: str, stdin: str = config) -> tuple[int, Any]:
        arguments = ";".join(f"{key}={value}" for key, value in record["arguments"].items())
        done = subprocess.run(
            [str(PLUGIN)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "CNI_COMMAND": command,
                "CNI_CONTAINERID": container,
                "CNI_NETNS": netns,
                "CNI_IFNAME": "eth0",
                "CNI_ARGS": arguments,
                "CNI_PATH": str(PLUGIN.parent),
            },
        )
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else None

    before = inside(machine, "plugged", "ip", "address")
    code, answer = call("ADD", record["container"], record["netns"])
    assert code == 0
    assert answer["ips"][0]["address"] == running["status"]["podIP"] + "/16"
    assert [one["name"] for one in answer["interfaces"] if one.get("sandbox")] == ["eth0", "eth1"]
    assert inside(machine, "plugged", "ip", "address") == before
    previous = json.dumps({**json.loads(config), "prevResult": answer})
    assert call("CHECK", record["container"], record["netns"], previous)[0] == 0
    assert [call("DEL", "nothing", "")[0] for _ in range(2)] == [0, 0]
    versions = call("VERSION", "x", "")[1]["supportedVersions"]
    assert {"0.3.1", "0.4.0", "1.0.0"} <= set(versions)

    nobody = json.dumps({**json.loads(config), "agent-socket": "/nonexistent/agent.sock"})
    code, answer = call("ADD", "other", record["netns"], nobody)
    assert code != 0
    assert "/nonexistent/agent.sock" in answer["msg"] + answer.get("details", "")
