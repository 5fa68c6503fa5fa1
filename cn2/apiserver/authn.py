"""Who asks: a client certificate's subject, or the service account of a bearer token."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cn2.api.kinds import SERVICE_ACCOUNT, by_name
from cn2.apiserver import keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.digest import header
from cn2.apiserver.errors import ApiError, bad_request, unauthorized
from cn2.apiserver.request import User
from cn2.apiserver.tokens import ISSUER, Claims, InvalidToken, Tokens

AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"
_SERVICE_ACCOUNTS = "system:serviceaccounts"

PeerCertificate = Mapping[str, Any]
"""As `ssl.SSLSocket.getpeercert` gives it: verified against the cluster's CA by TLS."""


class Authenticator:
    def __init__(self, backend: Backend, tokens: Tokens) -> None:
        self._backend = backend
        self._tokens = tokens

    def user(self, certificate: PeerCertificate | None, headers: Mapping[str, str]) -> User:
        """The user of a request; raises Unauthorized when there is none, or a bad one."""
        authorization = headers.get("authorization", "")
        if authorization:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer":
                raise unauthorized()
            return self.account(token.strip(), audience=ISSUER)
        if certificate:
            return _subject(certificate)
        raise unauthorized()

    def account(self, token: str, *, audience: str) -> User:
        """The service account behind a token for `audience`; its objects must still be there."""
        try:
            claims = self._tokens.verify(token)
        except InvalidToken as error:
            raise unauthorized() from error
        if audience not in claims.audiences:
            raise unauthorized()
        self._check_objects(claims)
        return _account(claims)

    def _check_objects(self, claims: Claims) -> None:
        account = self._uid("ServiceAccount", claims.namespace, claims.account)
        if account != claims.account_uid:
            raise unauthorized()
        bound = claims.bound
        if bound is not None:
            namespace = "" if bound.kind == "Node" else claims.namespace
            if self._uid(bound.kind, namespace, bound.name) != bound.uid:
                raise unauthorized()

    def _uid(self, kind: str, namespace: str, name: str) -> str:
        found = SERVICE_ACCOUNT if kind == SERVICE_ACCOUNT.kind else by_name(kind)
        entry = self._backend.store.get(keys.key(found, namespace, name))
        return "" if entry is None else header(entry).uid


def impersonated(user: User, headers: Mapping[str, str]) -> User:
    """The user that an administrator acts as (`kubectl --as`). Raises BadRequest, Forbidden."""
    name = headers.get("impersonate-user", "")
    if not name:
        if "impersonate-group" in headers:
            raise bad_request("Impersonate-Group needs Impersonate-User")
        return user
    if MASTERS not in user.groups:
        why = f'users "{name}" is forbidden: User "{user.name}" cannot impersonate resource "users"'
        raise ApiError(403, "Forbidden", why + ' in API group "" at the cluster scope')
    groups = tuple(g.strip() for g in headers.get("impersonate-group", "").split(",") if g.strip())
    if not groups and name.startswith("system:serviceaccount:"):
        namespace = name.split(":")[2]
        groups = (_SERVICE_ACCOUNTS, f"{_SERVICE_ACCOUNTS}:{namespace}")
    return User(name, (*groups, AUTHENTICATED))


def _subject(certificate: PeerCertificate) -> User:
    return _named(certificate.get("subject", ()))


@lru_cache(4096)  # a certificate's every request
def _named(subject: tuple[tuple[tuple[str, str], ...], ...]) -> User:
    pairs = [pair for part in subject for pair in part]
    name = next((value for field, value in pairs if field == "commonName"), "")
    if not name:
        raise unauthorized()
    groups = tuple(value for field, value in pairs if field == "organizationName")
    return User(name, (*groups, AUTHENTICATED))


def _account(claims: Claims) -> User:
    extra: dict[str, tuple[str, ...]] = {}
    if claims.identifier:
        extra["authentication.kubernetes.io/credential-id"] = (f"JTI={claims.identifier}",)
    if claims.bound is not None and claims.bound.kind == "Pod":
        extra["authentication.kubernetes.io/pod-name"] = (claims.bound.name,)
        extra["authentication.kubernetes.io/pod-uid"] = (claims.bound.uid,)
    return User(
        f"system:serviceaccount:{claims.namespace}:{claims.account}",
        (_SERVICE_ACCOUNTS, f"{_SERVICE_ACCOUNTS}:{claims.namespace}", AUTHENTICATED),
        claims.account_uid,
        extra,
    )
