"""The kubectls that tests run with: this machine's, and Debian 12's, which is older."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import cn2

DEBIAN = Path(cn2.__file__).parent.parent / ".venv/debian/usr/bin/kubectl"
BOTH = [
    pytest.param(shutil.which("kubectl") or "kubectl", marks=pytest.mark.kubectl, id="kubectl"),
    pytest.param(str(DEBIAN), marks=pytest.mark.debian_kubectl, id="kubectl-1.20"),
]
