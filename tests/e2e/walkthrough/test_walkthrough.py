"""Every command of the transcript, in its order, answers as in the transcript."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import kubectls
import masks
import other_names
import pytest
import transcript
from machine import Machine

import cn2

ROOT = Path(cn2.__file__).parent.parent
EXAMPLES = ROOT / "examples/walkthrough"
SETTLING = 8.0
"""Seconds within which an answer becomes what it must be: a person types more slowly."""

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(300)]

Translate = Callable[[str, str], str]


def _newer(kubectl: str) -> bool:
    """Is this kubectl from after the transcript?"""
    text = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True).stdout
    found = re.search(r'v1\.(\d+)|Minor:"(\d+)', text)
    assert found
    return int(found.group(1) or found.group(2)) >= 27


class Player:
    """Plays the transcript on a machine and keeps what differed."""

    def __init__(self, machine: Machine, translate: Translate, directory: Path) -> None:
        self.machine = machine
        self.translate = translate
        self.directory = directory
        self.newer = _newer(machine.kubectl_path)
        self.differences: list[str] = []

    def play(self, step: transcript.Step) -> None:
        command = self.translate(step.command, step.command)
        expected = self._comparable(step, self.translate(step.command, step.answer))
        deadline = time.monotonic() + SETTLING
        while True:
            answer = self._run(command)
            actual = self._comparable(step, answer)
            if step.trimmed:
                actual = actual[: len(expected)]
            if actual == expected or not self._repeatable(command) or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        if actual != expected:
            self.differences.append(_report(command, expected, actual))

    @staticmethod
    def _repeatable(command: str) -> bool:
        return command.startswith(("kubectl get", "kubectl describe"))

    def _run(self, command: str) -> str:
        if "exec -it" in command:
            prompt = "root@" + command.split()[3] + ":/#"
            return self.machine.type_at(command, ["ip a", "exit"], prompt=prompt)
        if command.startswith(masks.DESCRIBE_KUBEMANAGER):
            name = self.machine.shell(
                "kubectl get pods -n contrail -l app=contrail-k8s-kubemanager"
                " -o jsonpath='{.items[0].metadata.name}'"
            )
            command = re.sub(r"contrail-k8s-kubemanager-\w+-\w+", name, command)
        return self.machine.shell(command, cwd=self.directory)

    def _comparable(self, step: transcript.Step, text: str) -> list[str]:
        if step.command.startswith("kubectl explain"):
            return masks.words(text)
        lines = masks.normalise(step.command, text, newer=self.newer)
        if step.command.startswith("kubectl get") and self.translate is not _as_is:
            return sorted(lines)
        return lines


def _as_is(command: str, text: str) -> str:
    return text


def _report(command: str, expected: list[str], actual: list[str]) -> str:
    import difflib

    difference = difflib.unified_diff(expected, actual, "transcript", "answer", lineterm="", n=1)
    return "\n".join([f"$ {command}", *difference])


def _prepare(machine: Machine) -> None:
    subprocess.run(
        [EXAMPLES / "prepare"], env=machine.environment, check=True, stdout=subprocess.DEVNULL
    )


def _play_all(machine: Machine, translate: Translate, directory: Path) -> list[str]:
    player = Player(machine, translate, directory)
    for step in transcript.read(transcript.SEED.read_text()):
        player.play(step)
        if "apply" in step.command or "delete vn" in step.command:
            _settle(machine, translate(step.command, "vn1"), "vn-pod" in step.command)
    return player.differences


def _settle(machine: Machine, network: str, pod: bool) -> None:
    """Wait where a person would: until the network is there, until the pod runs."""
    if pod:
        machine.until(lambda: "Running" in machine.shell(f"kubectl get pod {network}-pod"))
    else:
        machine.until(lambda: "Success" in machine.shell(f"kubectl get vn {network}"))


@pytest.mark.parametrize("kubectl", kubectls.BOTH)
def test_transcript(kubectl: str) -> None:
    """The transcript with its own names, with this machine's kubectl and with Debian's."""
    options = ("--cluster-name", "mk", "--node-name", "minikube")
    with Machine(*options, "--node-address", "192.168.177.47", kubectl=kubectl) as machine:
        _prepare(machine)
        differences = _play_all(machine, _as_is, EXAMPLES)

    assert not differences, "\n\n".join(differences)


def test_other_names(tmp_path: Path) -> None:
    """With another cluster, namespace, names and CIDRs the published formulas hold."""
    for name in ("nad-demo.yaml", "vn-pod.yaml"):
        text = (EXAMPLES / name).read_text()
        (tmp_path / name).write_text(other_names.translate("cat", text))
    options = ("--cluster-name", other_names.CLUSTER, "--node-name", other_names.NODE)
    with Machine(*options, "--node-address", other_names.NODE_ADDRESS) as machine:
        machine.kubectl("create", "-f", "-", stdin=_namespace(other_names.NAMESPACE))
        machine.kubectl(
            "config", "set-context", "--current", f"--namespace={other_names.NAMESPACE}"
        )
        _prepare(machine)
        differences = _play_all(machine, other_names.translate, tmp_path)

    assert not differences, "\n\n".join(differences)


def test_commands_of_the_demo() -> None:
    """The demo plays the transcript's commands, all of them and in their order."""
    generated = r"contrail-k8s-kubemanager-ccc4dcd66-v968l"
    found = (
        "$(kubectl get pods -n contrail -l app=contrail-k8s-kubemanager"
        " -o jsonpath='{.items[0].metadata.name}')"
    )
    expected = [
        step.command.replace(generated, found)
        for step in transcript.read(transcript.SEED.read_text())
    ]

    assert expected == (EXAMPLES / "commands").read_text().splitlines()


def _namespace(name: str) -> str:
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"
