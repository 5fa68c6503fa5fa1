"""`cn2`: one command for people, and one for each process of a system.

A process's module is imported only when it is that process that starts.
"""

from __future__ import annotations

import importlib
import sys

PROCESSES = (
    "agent",
    "apiserver",
    "controller",
    "kubemanager",
    "localkube",
    "podrunner",
    "supervise",
    "template",
)


def main() -> int:
    """Run the process named by the first argument, or the command line for people."""
    if len(sys.argv) > 1 and sys.argv[1] in PROCESSES:
        module = importlib.import_module(f"cn2.main.{sys.argv[1]}")
        return int(module.main(sys.argv[2:]) or 0)
    from cn2.main.command import app

    app()
    return 0


if __name__ == "__main__":
    sys.exit(main())
