"""Questions about users: who am I, what may I do, what may they do, whose token is this."""

from __future__ import annotations

from collections.abc import Callable

from cn2.api.access import text
from cn2.api.kind import Object
from cn2.apiserver import codec
from cn2.apiserver.authn import MASTERS, Authenticator
from cn2.apiserver.authz import Attributes, Authorizer
from cn2.apiserver.errors import ApiError, bad_request
from cn2.apiserver.request import Reply, Request, User
from cn2.apiserver.tokens import ISSUER

_AUTHENTICATION, _AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
_EVERYTHING: list[Object] = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
_EVERY_PATH: list[Object] = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]


class Reviews:
    """Answers the reviews, which are resources that are created and never stored."""

    def __init__(self, authenticator: Authenticator, authorizer: Authorizer) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._answers: dict[tuple[str, str], Callable[[Object, User], Object]] = {
            (_AUTHENTICATION, "selfsubjectreviews"): self._who_am_i,
            (_AUTHENTICATION, "tokenreviews"): self._whose_token,
            (_AUTHORIZATION, "selfsubjectaccessreviews"): self._may_i,
            (_AUTHORIZATION, "selfsubjectrulesreviews"): self._what_may_i,
            (_AUTHORIZATION, "subjectaccessreviews"): self._may_they,
            (_AUTHORIZATION, "localsubjectaccessreviews"): self._may_they,
        }

    def handles(self, group: str, resource: str) -> bool:
        return (group, resource) in self._answers

    def answer(self, group: str, resource: str, request: Request) -> Reply:
        review = codec.parse(request.body, request.headers.get("content-type", ""))
        status = self._answers[group, resource](codec.part(review, "spec"), request.user)
        metadata = {**codec.part(review, "metadata"), "creationTimestamp": None}
        return Reply(201, codec.dump({**review, "metadata": metadata, "status": status}))

    def _who_am_i(self, _spec: Object, user: User) -> Object:
        return {"userInfo": _info(user)}

    def _whose_token(self, spec: Object, _user: User) -> Object:
        # Who names no audience asks whether the token is good for this server.
        for audience in _strings(spec, "audiences") or [ISSUER]:
            try:
                user = self._authenticator.account(text(spec, "token"), audience=audience)
            except ApiError:
                continue
            return {"authenticated": True, "user": _info(user), "audiences": [audience]}
        return {"authenticated": False, "user": {}, "error": "invalid bearer token"}

    def _may_i(self, spec: Object, user: User) -> Object:
        return self._verdict(user, spec)

    def _may_they(self, spec: Object, _user: User) -> Object:
        name, groups = text(spec, "user"), tuple(_strings(spec, "groups"))
        if not name and not groups:
            raise bad_request("spec.user: at least one of user or group must be specified")
        return self._verdict(User(name, groups), spec)

    def _what_may_i(self, spec: Object, user: User) -> Object:
        if MASTERS in user.groups:
            rules = [*_EVERYTHING, *_EVERY_PATH]
        else:
            rules = list(self._authorizer.rules(user, text(spec, "namespace")))
        return {
            "resourceRules": [rule for rule in rules if rule.get("resources")],
            "nonResourceRules": [rule for rule in rules if rule.get("nonResourceURLs")],
            "incomplete": False,
        }

    def _verdict(self, user: User, spec: Object) -> Object:
        return {"allowed": self._authorizer.allows(user, _attributes(spec))}


def _strings(spec: Object, name: str) -> list[str]:
    """A list of strings in what a client sent; [] when it was left out. Raises BadRequest."""
    found = spec.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise bad_request(f"spec.{name}: must be a list of strings")
    return found


def _attributes(spec: Object) -> Attributes:
    path = codec.part(spec, "nonResourceAttributes")
    if path:
        return Attributes(verb=text(path, "verb"), path=text(path, "path"))
    asked = codec.part(spec, "resourceAttributes")
    return Attributes(
        **{
            field: text(asked, field)
            for field in ("verb", "group", "resource", "subresource", "namespace", "name")
        }
    )


def _info(user: User) -> Object:
    return {
        "username": user.name,
        **({"uid": user.uid} if user.uid else {}),
        "groups": list(user.groups),
        **({"extra": {k: list(v) for k, v in user.extra.items()}} if user.extra else {}),
    }
