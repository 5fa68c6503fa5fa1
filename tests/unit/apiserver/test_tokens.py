"""Tokens cannot be made or changed without the key."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cn2.apiserver.tokens import Bound, Claims, InvalidToken, Tokens

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIMS = Claims(
    "ns", "sa", "uid-1", ("api",), NOW.timestamp() + 60, Bound("Pod", "p", "uid-2"), "id"
)


def tokens() -> Tokens:
    return Tokens(ec.generate_private_key(ec.SECP256R1()), lambda: NOW)


def test_what_was_issued_is_what_is_verified() -> None:
    ours = tokens()

    assert ours.verify(ours.issue(CLAIMS)) == CLAIMS


def test_another_key_is_refused() -> None:
    with pytest.raises(InvalidToken):
        tokens().verify(tokens().issue(CLAIMS))


def test_a_changed_payload_is_refused() -> None:
    ours = tokens()
    head, payload, signature = ours.issue(CLAIMS).split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    said["kubernetes.io"]["serviceaccount"]["name"] = "admin"
    forged = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidToken):
        ours.verify(f"{head}.{forged}.{signature}")


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "....", "é.é.é"])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        tokens().verify(token)


def test_an_unsigned_token_is_refused() -> None:
    ours = tokens()
    _, payload, _ = ours.issue(CLAIMS).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    with pytest.raises(InvalidToken):
        ours.verify(f"{none}.{payload}.")
