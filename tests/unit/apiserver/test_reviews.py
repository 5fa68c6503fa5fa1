"""What is asked about rights and tokens may be nonsense."""

from __future__ import annotations

from typing import Any

import pytest

ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"


@pytest.mark.parametrize(
    ("url", "spec", "status"),
    [
        (ACCESS, {"user": "x", "groups": 5}, 400),
        (ACCESS, {"user": "x", "groups": ["a", 5]}, 400),
        (ACCESS, {"user": ["x"]}, 400),
        (ACCESS, {"user": "x", "resourceAttributes": {"verb": ["get"], "resource": {}}}, 201),
        (ACCESS, {"user": "x", "nonResourceAttributes": {"verb": 1, "path": ["/"]}}, 201),
        (TOKENS, {"token": ["a"]}, 201),
        (TOKENS, {"token": "a", "audiences": "b"}, 400),
    ],
)
async def test_nonsense_is_refused_or_gives_nothing(
    api, url: str, spec: dict[str, Any], status: int
) -> None:
    answered = await api("POST", url, {"spec": spec})

    assert answered.status == status
    if status == 201:
        told = answered.body["status"]
        assert not told.get("allowed")
        assert not told.get("authenticated")
