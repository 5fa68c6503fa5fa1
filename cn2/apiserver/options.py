"""What a writer may say in the URL beside the object."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cn2.apiserver import in_use
from cn2.apiserver.duplicates import duplicate_fields
from cn2.apiserver.errors import bad_request
from cn2.apiserver.request import Request, User

_MANAGER_LIMIT = 128


class Unknown(Enum):
    """What happens to fields that the schema does not know; they are dropped in any case."""

    STRICT = "Strict"
    WARN = "Warn"
    IGNORE = "Ignore"


@dataclass(frozen=True, slots=True)
class WriteOptions:
    manager: str
    """Whose fields these are, in managedFields."""
    dry_run: bool = False
    unknown: Unknown = Unknown.WARN
    component: bool = False
    """The writer is a part of the system: what it writes was checked where it came from."""
    force: bool = False
    """Apply patches only: take fields over from other managers."""
    duplicates: tuple[str, ...] = ()
    """What stands twice in the body, in words."""
    user: User | None = None
    """Who writes; None for the server itself."""

    @classmethod
    def of(cls, request: Request) -> WriteOptions:
        unknown = _unknown(request.query.get("fieldValidation", ""))
        component = in_use.is_component(request.user)
        return cls(
            manager=_manager(request),
            dry_run=dry_run(request.query.get("dryRun", "")),
            unknown=unknown,
            component=component,
            duplicates=()
            if component or unknown is Unknown.IGNORE
            else tuple(duplicate_fields(request.body)),
            force=request.flag("force"),
            user=request.user,
        )


def dry_run(text: str) -> bool:
    if text not in ("", "All"):
        raise bad_request(f'invalid dryRun "{text}": the only supported value is All')
    return text == "All"


def _manager(request: Request) -> str:
    given = request.query.get("fieldManager", "")
    if len(given) > _MANAGER_LIMIT:
        raise bad_request(f"fieldManager: Too long: may not be more than {_MANAGER_LIMIT} bytes")
    agent = request.headers.get("user-agent", "unknown")
    return given or agent.split("/", 1)[0][:_MANAGER_LIMIT]


def _unknown(text: str) -> Unknown:
    try:
        return Unknown(text) if text else Unknown.WARN
    except ValueError:
        raise bad_request(
            f'fieldValidation: Unsupported value: "{text}": supported values:'
            ' "Ignore", "Strict", "Warn"'
        ) from None
