"""`cn2 doctor` says what is wrong, in any state of a system, and gives no secret away."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from machine import CN2, Machine
from networks import pod

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.kubectl, pytest.mark.timeout(120)]

PASSWORD = "correct-horse-battery"


def doctor(machine: Machine, *options: str) -> dict[str, Any]:
    where = ("--data-dir", str(machine.data_dir))
    done = machine.cn2("doctor", *where, "-o", "json", *options, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == any(one["severe"] for one in report["troubles"])
    return report


def causes(report: dict[str, Any]) -> str:
    return "\n".join(f"{one['cause']}: {one['remedy']}" for one in report["troubles"])


def secrets_of(machine: Machine, token: str) -> set[str]:
    """Everything that must not be told: keys, also of kubeconfigs, tokens, values of Secrets."""
    found = {PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), token}
    for path in (machine.data_dir / "pki").glob("*.key"):
        found |= set(path.read_text().splitlines()[1:-1])
    for path in [machine.data_dir / "kubeconfig", *(machine.data_dir / "etc").glob("*.kubeconfig")]:
        found |= set(re.findall(r"client-key-data: (\S+)", path.read_text()))
    return found


def kill(machine: Machine, *names: str) -> None:
    for name in names:
        pid = int((machine.data_dir / "run" / f"{name}.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)


def test_a_bug_report(tmp_path: Path) -> None:
    """Of a system with troubles, of one that is half dead, and of one that is down."""
    bundle = tmp_path / "bundle.tar.gz"
    with Machine() as machine:
        machine.kubectl("create", "secret", "generic", "s", f"--from-literal=password={PASSWORD}")
        token = machine.kubectl("create", "token", "default").strip()
        # What people write where it does not belong comes back in events and logs.
        machine.apply(pod("waiting", f"missing-{PASSWORD}"))
        machine.until(lambda: PASSWORD in machine.kubectl("get", "events"))
        with (machine.data_dir / "log/agent.log").open("a") as log:
            log.write(f"Authorization: Bearer {token}\n")

        report = doctor(machine, "--bundle", str(bundle))
        assert "Pod default/waiting is Pending and not ready" in causes(report)
        assert report["system"]["ready"] and report["objects"]["warnings"]
        assert all(one["use"]["memory"] for one in report["processes"])

        with tarfile.open(bundle) as archive:
            told = {
                entry.name: file.read().decode()
                for entry in archive
                if (file := archive.extractfile(entry))
            }
        assert "cn2-doctor/report.json" in told and "cn2-doctor/log/apiserver.log" in told
        secrets = secrets_of(machine, token)
        assert len(secrets) > 10
        text = "\n".join([json.dumps(report), *told.values()])
        assert [secret for secret in secrets if secret in text] == []
        assert bundle.stat().st_mode & 0o077 == 0

        kill(machine, "supervisor", "apiserver", "agent")
        (machine.data_dir / "log/agent.log").write_text(f"{PASSWORD}\n")
        report = doctor(machine)
        assert PASSWORD not in json.dumps(report) and "[removed]" in json.dumps(report)
        assert "No supervisor runs, and there is left of the system" in causes(report)

        machine.cn2("down", "--data-dir", str(machine.data_dir))
        report = doctor(machine)
        assert "No system runs" in causes(report) and report["left"] == []
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        asked = [*nobody, *CN2, "doctor", "--data-dir", str(machine.data_dir)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        assert "run it with sudo" in done.stdout and done.stderr == ""
