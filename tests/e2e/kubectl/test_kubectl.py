"""Every kubectl command as a user types it, with both ages of kubectl, on one system.

The tables are the files in `transcripts/`; each is played in a namespace of its own.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import kubectls
import pytest
from machine import Machine
from steps import steps

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.timeout(180)]

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
_PRELUDE = """
soon() { # command, text that it must print some time
    local end=$((SECONDS + 30))
    until eval "$1" 2>&1 | grep -qF -- "$2"; do
        [ $SECONDS -lt $end ] || { echo "never printed $2:"; eval "$1"; return 1; }
    done
}
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


@pytest.mark.parametrize("binary", kubectls.BOTH)
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_what_kubectl_prints(
    machine: Machine, transcript: Path, binary: str, tmp_path: Path
) -> None:
    age = "20" if binary == str(kubectls.DEBIAN) else "32"
    namespace = f"{transcript.stem}-{age}"
    environment = own_environment(machine, namespace, binary, tmp_path)
    surprises = []
    for step in steps(transcript):
        if step.age not in ("", age):
            continue
        printed = played(step.command, environment, tmp_path)
        if not step.matches(printed):
            wanted = "\n".join(step.expected).strip()
            where = f"{transcript.name}:{step.line}: $ {step.command}"
            surprises.append(f"{where}\n--- expected\n{wanted}\n--- printed\n{printed}")
    assert not surprises, "\n\n".join(surprises)


def played(command: str, environment: dict[str, str], directory: Path) -> str:
    """What a command prints on a terminal, and its exit code unless that is 0."""
    done = subprocess.run(
        ["bash", "-c", _PRELUDE + command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
        cwd=directory,
        timeout=90,
        check=False,
    )
    return done.stdout + (f"\n(exit {done.returncode})" if done.returncode else "")


def own_environment(
    machine: Machine, namespace: str, binary: str, directory: Path
) -> dict[str, str]:
    """A kubeconfig whose namespace is made for this test, and this kubectl first on the path."""
    kubeconfig = directory / "kubeconfig"
    shutil.copy(machine.data_dir / "kubeconfig", kubeconfig)
    environment = {
        **machine.environment,
        "KUBECONFIG": str(kubeconfig),
        "NS": namespace,
        "PATH": f"{Path(binary).parent}:{machine.environment['PATH']}",
    }
    for command in (
        ["create", "namespace", namespace],
        ["config", "set-context", "--current", f"--namespace={namespace}"],
    ):
        subprocess.run([binary, *command], env=environment, check=True, capture_output=True)
    return environment
