"""Whose the kubeconfig is: after sudo, the user's who typed it. Keys and store stay root's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Owner:
    """User and group ids."""

    user: int
    group: int

    @classmethod
    def of(cls, kubeconfig: Path, environment: Mapping[str, str]) -> Self:
        """Who typed sudo; otherwise who has had the file before, otherwise who we are."""
        user, group = environment.get("SUDO_UID"), environment.get("SUDO_GID")
        if user and group:
            return cls(int(user), int(group))
        if kubeconfig.exists():
            about = kubeconfig.stat()
            return cls(about.st_uid, about.st_gid)
        return cls(os.geteuid(), os.getegid())

    def give(self, kubeconfig: Path) -> None:
        """The file is his; the directory lets him through to it and shows him nothing else."""
        if self.user != os.geteuid():
            os.chown(kubeconfig, self.user, self.group)
            kubeconfig.parent.chmod(0o711)
