"""DELETE of one object."""

from __future__ import annotations

from cn2.api.kind import Kind
from cn2.apiserver import codec, deletion, namespaces
from cn2.apiserver.deletion import DeleteOptions
from cn2.apiserver.errors import success
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving

_ANSWER_WITH_OBJECT = frozenset(
    {("", "pods"), ("", "services"), ("", "serviceaccounts"), ("", "persistentvolumeclaims")}
)
"""Kinds of which kube-apiserver returns the object even when it is gone at once."""


async def delete(serving: Serving, request: Request, target: Target) -> Reply:
    options = DeleteOptions.of(request)
    kind = target.kind
    namespaces.check_mortal(kind, target.name)
    written = await deletion.delete(serving.backend, kind, target.namespace, target.name, options)
    if not written.removed or _answers_with_object(kind):
        return Reply(200, written.body)
    uid = codec.parse_json(written.body)["metadata"]["uid"]
    return Reply(200, codec.dump(success(kind, target.name, uid)))


def _answers_with_object(kind: Kind) -> bool:
    return (kind.group, kind.plural) in _ANSWER_WITH_OBJECT
