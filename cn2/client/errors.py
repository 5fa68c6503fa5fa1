"""Errors of an API call, in the terms of Kubernetes' `Status`.

Only the reasons that someone acts on get a class. Everything that a later attempt may cure (no
connection, a busy or restarting server) is `Unavailable`; everything else is the caller's to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class ApiError(Exception):
    """The server refused a request, or could not be asked.

    `status` is the HTTP status (0 without an answer), `reason` and `details` are those of the
    `Status` object, `message` is for people.
    """

    def __init__(
        self, status: int, reason: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details: Mapping[str, Any] = details or {}

    @property
    def retry_after(self) -> float:
        """Seconds that the server asks to wait, 0 when it says nothing."""
        seconds = self.details.get("retryAfterSeconds", 0)
        return float(seconds) if isinstance(seconds, int | float) else 0.0


class NotFound(ApiError):
    """404: no such object, or no such kind."""


class AlreadyExists(ApiError):
    """409 with reason AlreadyExists: the name is taken."""


class Conflict(ApiError):
    """409: the object has changed, a precondition failed, or a claimed number is held."""


class Gone(ApiError):
    """410: the revision asked for has been compacted; list again."""


class Invalid(ApiError):
    """422: `details["causes"]` says which fields are wrong."""


class Forbidden(ApiError):
    """403: not allowed, or the namespace is terminating."""


class Unauthorized(ApiError):
    """401: no or bad credentials."""


class Unavailable(ApiError):
    """No connection, 429, or 5xx: trying again later may help."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
    429: Unavailable,
}


def error_of_status(status: Mapping[str, Any], code: int = 0) -> ApiError:
    """The exception for a `Status` object; `code` is used where the object carries none."""
    number = status.get("code")
    code = number if isinstance(number, int) and number else code
    reason = str(status.get("reason") or "")
    details = status.get("details")
    return _class_of(code, reason)(
        code,
        reason,
        str(status.get("message") or reason or f"HTTP {code}"),
        details if isinstance(details, dict) else None,
    )


def error_of_reply(code: int, body: bytes, retry_after: str = "") -> ApiError:
    """The exception for an HTTP answer of 400 and above, whose body may or may not be a Status."""
    try:
        status = msgspec.json.decode(body)
    except msgspec.DecodeError:
        status = None
    if not isinstance(status, dict) or status.get("kind") != "Status":
        status = {"message": body[:500].decode("utf-8", "replace").strip() or f"HTTP {code}"}
    error = error_of_status(status, code)
    if retry_after.isdigit() and not error.retry_after:
        error.details = {**error.details, "retryAfterSeconds": int(retry_after)}
    return error


def _class_of(code: int, reason: str) -> type[ApiError]:
    if code == 409 and reason == "AlreadyExists":
        return AlreadyExists
    if code >= 500:
        return Unavailable
    return _BY_STATUS.get(code, ApiError)
