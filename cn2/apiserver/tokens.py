"""Service account tokens: JSON Web Tokens signed with ES256 (RFC 7519, RFC 7518 section 3.4)."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

ISSUER = "https://kubernetes.default.svc.cluster.local"
BINDABLE = ("Pod", "Node", "Secret")
"""Kinds of objects that a token can live and die with, as in Kubernetes."""
_CURVE_BYTES = 32
_ALGORITHM = ec.ECDSA(hashes.SHA256())
_REMEMBERED = 1_000


class InvalidToken(Exception):
    """Not a token of ours, or not valid now."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The object that a token lives and dies with."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    namespace: str
    account: str
    account_uid: str
    audiences: tuple[str, ...]
    expires: float
    """Seconds since the epoch, as `issued` of the token."""
    bound: Bound | None = None
    identifier: str = ""


class Tokens:
    """Signs and verifies with one key; verified signatures are remembered."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, clock: Callable[[], datetime]) -> None:
        self._key = key
        self._public = key.public_key()
        self._clock = clock
        self._verified: OrderedDict[str, Claims] = OrderedDict()

    def issue(self, claims: Claims) -> str:
        now = int(self._clock().timestamp())
        own: dict[str, Any] = {
            "namespace": claims.namespace,
            "serviceaccount": {"name": claims.account, "uid": claims.account_uid},
        }
        if claims.bound is not None:
            bound = claims.bound
            own[bound.kind.lower()] = {"name": bound.name, "uid": bound.uid}
        payload = {
            "iss": ISSUER,
            "sub": f"system:serviceaccount:{claims.namespace}:{claims.account}",
            "aud": list(claims.audiences),
            "iat": now,
            "nbf": now,
            "exp": int(claims.expires),
            "jti": claims.identifier or str(uuid.uuid4()),
            "kubernetes.io": own,
        }
        signed = _part({"alg": "ES256", "typ": "JWT"}) + b"." + _part(payload)
        return (signed + b"." + _text(self._sign(signed))).decode()

    def verify(self, token: str) -> Claims:
        """What a token says; the objects that it names are not looked at. Raises InvalidToken."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._parse(token)
            self._verified[token] = claims
            if len(self._verified) > _REMEMBERED:
                self._verified.popitem(last=False)
        if claims.expires <= self._clock().timestamp():
            raise InvalidToken("the token has expired")
        return claims

    def _sign(self, signed: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(signed, _ALGORITHM))
        return r.to_bytes(_CURVE_BYTES, "big") + s.to_bytes(_CURVE_BYTES, "big")

    def _parse(self, token: str) -> Claims:
        try:
            head, payload, signature = token.encode().split(b".")
            raw = _raw(signature)
            self._check(head + b"." + payload, raw)
            if msgspec.json.decode(_raw(head)).get("alg") != "ES256":
                raise InvalidToken("the token is signed in another way")
            return _claims(msgspec.json.decode(_raw(payload)))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise InvalidToken("the token is malformed") from error
        except InvalidSignature as error:
            raise InvalidToken("the token is not signed by this cluster") from error

    def _check(self, signed: bytes, raw: bytes) -> None:
        if len(raw) != 2 * _CURVE_BYTES:
            raise InvalidSignature
        r = int.from_bytes(raw[:_CURVE_BYTES], "big")
        s = int.from_bytes(raw[_CURVE_BYTES:], "big")
        self._public.verify(encode_dss_signature(r, s), signed, _ALGORITHM)


def _claims(payload: dict[str, Any]) -> Claims:
    if payload["iss"] != ISSUER:
        raise InvalidToken("the token is of another issuer")
    own = payload["kubernetes.io"]
    bound = None
    for kind in BINDABLE:
        ref = own.get(kind.lower())
        if ref is not None:
            bound = Bound(kind, ref["name"], ref["uid"])
            break
    account = own["serviceaccount"]
    return Claims(
        own["namespace"],
        account["name"],
        account["uid"],
        tuple(payload["aud"]),
        float(payload["exp"]),
        bound,
        payload.get("jti", ""),
    )


def _part(document: dict[str, Any]) -> bytes:
    return _text(msgspec.json.encode(document))


def _text(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _raw(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
