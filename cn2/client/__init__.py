"""Talks to any Kubernetes API: requests and parsing without IO, an asyncio shell, informers."""

from cn2.client.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
)
from cn2.client.http import Client, Reply
from cn2.client.request import ObjectList, Patch, WatchEvent

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Client",
    "Conflict",
    "Forbidden",
    "Gone",
    "Invalid",
    "NotFound",
    "ObjectList",
    "Patch",
    "Reply",
    "Unauthorized",
    "Unavailable",
    "WatchEvent",
]
