"""Probes of a container: which there are, and what follows from their results. Pure.

The rules are those of kubelet's prober: a result counts once it has come as often in a row as the
threshold says; a probe that could not be carried out at all counts as nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cn2.api.kind import Object


class Kind(Enum):
    """The value begins the events' messages."""

    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"

    @property
    def field(self) -> str:
        return f"{self.value.lower()}Probe"


class Result(Enum):
    PASSED = "success"
    WARNED = "warning"
    """It passed, and something is to be said."""
    FAILED = "failure"
    UNKNOWN = "unknown"
    """It could not be carried out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one probe or hook; `text` says what was seen."""

    result: Result
    text: str = ""

    @property
    def passed(self) -> bool:
        return self.result in (Result.PASSED, Result.WARNED)


def probes_of(container: Object) -> dict[Kind, Object]:
    return {kind: container[kind.field] for kind in Kind if container.get(kind.field)}


def event_of(kind: Kind, outcome: Outcome) -> tuple[str, str] | None:
    """Reason and message of the warning that kubelet emits after a probe, if any."""
    match outcome.result:
        case Result.PASSED:
            return None
        case Result.WARNED:
            return "ProbeWarning", f"{kind.value} probe warning: {outcome.text}"
        case Result.FAILED:
            return "Unhealthy", f"{kind.value} probe failed: {outcome.text}"
        case Result.UNKNOWN:
            text = f"{kind.value} probe errored and resulted in unknown state: {outcome.text}"
            return "Unhealthy", text


@dataclass(slots=True)
class Tally:
    """Results of one probe in a row. `verdict` is what counts now."""

    verdict: bool
    failure_threshold: int
    success_threshold: int
    _last: bool | None = None
    _count: int = 0

    @classmethod
    def of(cls, probe: Object, verdict: bool) -> Tally:
        return cls(verdict, probe.get("failureThreshold") or 3, probe.get("successThreshold") or 1)

    def add(self, passed: bool) -> bool:
        """Takes in a result. Whether it has come often enough to count."""
        self._count = self._count + 1 if passed == self._last else 1
        self._last = passed
        if self._count < (self.success_threshold if passed else self.failure_threshold):
            return False
        self.verdict = passed
        return True


def port_of(container: Object, port: int | str) -> int:
    """The number of a port given by number or by name. Raises ValueError."""
    if isinstance(port, str) and not port.isdigit():
        for known in container.get("ports") or []:
            if known.get("name") == port:
                return int(known["containerPort"])
        raise ValueError(f"container {container['name']} has no port named {port!r}")
    if not 0 < int(port) < 65536:
        raise ValueError(f"invalid port number: {port}")
    return int(port)
