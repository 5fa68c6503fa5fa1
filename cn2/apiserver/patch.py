"""The kinds of patch that the server takes: JSON patch, merge patch, strategic merge patch.

None of them changes its arguments, and what they return shares nothing with them.
"""

from __future__ import annotations

from typing import Any

from cn2.apiserver.json_patch import json_patch
from cn2.apiserver.patch_error import PatchError
from cn2.apiserver.plain import copied
from cn2.apiserver.strategic_patch import strategic_merge_patch

__all__ = ["PatchError", "json_patch", "merge_patch", "strategic_merge_patch"]


def merge_patch(doc: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7386): null removes a member, lists are replaced."""
    return _merge(copied(doc), copied(patch))


def _merge(doc: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = doc if isinstance(doc, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged
