"""Refusals, in the words and with the reasons of kube-apiserver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cn2.api.kind import FieldError, Kind, Object
from cn2.apiserver.request import Reply

LARGEST = 3 << 20
"""Bytes that an object may have, as sent and as stored: Kubernetes' limit of a request."""


class ApiError(Exception):
    """A request that is answered with a Status of Failure."""

    def __init__(
        self, code: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        """`details` of {} are sent as such: kubectl 1.32 looks into them where it expects some."""
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Object:
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            status["details"] = self.details
        return {**status, "code": self.code}

    def reply(self) -> Reply:
        headers: tuple[tuple[str, str], ...] = ()
        if self.details and "retryAfterSeconds" in self.details:
            headers = (("Retry-After", str(self.details["retryAfterSeconds"])),)
        if self.code == 401:
            headers = (("WWW-Authenticate", 'Bearer realm="kubernetes"'),)
        return Reply(self.code, msgspec.json.encode(self.status()), headers=headers)


def success(kind: Kind, name: str, uid: str = "") -> Object:
    """The Status that says that something was done to an object."""
    details = {"name": name, **_of(kind), **({"uid": uid} if uid else {})}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


def done(code: int = 201) -> Object:
    """The Status that answers a subresource which is an order, such as a binding."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": code,
    }


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def refused_by_node(code: int, message: str) -> ApiError:
    """What a pod runner says, which is plain text as a kubelet's, made a Status."""
    return bad_request(message) if code < 500 else ApiError(code, "InternalError", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(
        404, "NotFound", f'{kind.resource} "{name}" not found', {"name": name, **_of(kind)}
    )


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def no_such_method(kind: Kind | None = None) -> ApiError:
    what = f" ({kind.resource})" if kind else ""
    message = f"the server does not allow this method on the requested resource{what}"
    return ApiError(405, "MethodNotAllowed", message, {})


def already_exists(kind: Kind, name: str) -> ApiError:
    return ApiError(
        409,
        "AlreadyExists",
        f'{kind.resource} "{name}" already exists',
        {"name": name, **_of(kind)},
    )


def conflict(kind: Kind, name: str, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, {"name": name, **_of(kind)})


def modified(kind: Kind, name: str) -> ApiError:
    return conflict(
        kind,
        name,
        "the object has been modified; please apply your changes to the latest version"
        " and try again",
    )


def forbidden(kind: Kind, name: str, why: str, causes: Sequence[Object] = ()) -> ApiError:
    quoted = f' "{name}"' if name else ""
    details: dict[str, Any] = {**({"name": name} if name else {}), **_of(kind)}
    if causes:
        details["causes"] = list(causes)
    return ApiError(403, "Forbidden", f"{kind.resource}{quoted} is forbidden: {why}", details)


def invalid(kind: Kind, name: str, errors: Sequence[FieldError]) -> ApiError:
    texts = [f"{error.field}: {error.message}" for error in errors]
    summary = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    shown = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    details = {
        "name": str(name),  # what is wrong may be that it is something else
        **({"group": kind.group} if kind.group else {}),
        "kind": kind.kind,
        "causes": [
            {"reason": error.reason, "message": error.message, "field": error.field}
            for error in errors
        ],
    }
    return ApiError(422, "Invalid", f'{shown} "{name}" is invalid: {summary}', details)


def expired(message: str, details: dict[str, Any] | None = None) -> ApiError:
    return ApiError(410, "Expired", message, details)


def too_old(asked: int, oldest: int) -> ApiError:
    return expired(f"too old resource version: {asked} ({oldest})")


def too_large(asked: int, current: int) -> ApiError:
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )
    return ApiError(415, "UnsupportedMediaType", message)


def entity_too_large() -> ApiError:
    message = f"Request entity too large: limit is {LARGEST}"
    return ApiError(413, "RequestEntityTooLarge", message, {})


def not_acceptable(offered: Sequence[str]) -> ApiError:
    message = "only the following media types are accepted: " + ", ".join(offered)
    return ApiError(406, "NotAcceptable", message)


def unavailable(message: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", message, {"retryAfterSeconds": 1})


def insufficient_storage(message: str) -> ApiError:
    """507 (RFC 4918 section 11.5), without Retry-After: a disk is not cleared in a second, and
    kubectl would try ten times before it says anything."""
    return ApiError(507, "InsufficientStorage", message)


def internal(message: str) -> ApiError:
    return ApiError(
        500,
        "InternalError",
        f"Internal error occurred: {message}",
        {"causes": [{"message": message}]},
    )


def _of(kind: Kind) -> dict[str, str]:
    return {**({"group": kind.group} if kind.group else {}), "kind": kind.plural}
