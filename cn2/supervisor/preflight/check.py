"""All checks in one go, so that nobody mends one thing to learn of the next."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from pathlib import Path

from cn2.supervisor.layout import Layout
from cn2.supervisor.preflight import (
    addresses,
    built,
    clock,
    directory,
    kernel,
    limits,
    options,
    ports,
    privileges,
    probes,
)
from cn2.supervisor.preflight.finding import Finding
from cn2.supervisor.settings import Settings


def findings(layout: Layout, settings: Settings, native: Path) -> list[Finding]:
    """Everything that is in the way of a system with these settings, or could be: what stops it
    first, in the order in which people should mend it."""
    found = [*_findings(layout, settings, native)]
    return sorted(found, key=lambda finding: not finding.stops)


def _findings(layout: Layout, settings: Settings, native: Path) -> Iterator[Finding]:
    """Without root only what it takes to find out is left out."""
    root = os.geteuid() == 0
    lacking = privileges.lacking()
    yield from lacking
    unusable = options.wrong(layout, settings)
    yield from unusable
    yield from directory.findings(layout, writes=root)
    if directory.is_systems(layout):
        yield from options.differing(Settings.load(layout), settings)
        yield from clock.findings(layout.pki, datetime.datetime.now(datetime.UTC))
    yield from built.findings(native)
    yield from kernel.findings(root=root)
    if not lacking:
        yield from probes.findings()
    if not unusable:
        yield from ports.findings(layout, settings, root=root)
        yield from addresses.findings(settings)
    yield from limits.findings()
