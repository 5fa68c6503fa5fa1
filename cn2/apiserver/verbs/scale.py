"""The `/scale` of a workload: its size, read and written apart from the rest."""

from __future__ import annotations

from cn2.api.access import at
from cn2.api.kind import FieldError, Object
from cn2.api.kubernetes.scale import SCALE, scale_of
from cn2.apiserver import codec, metadata
from cn2.apiserver.errors import bad_request, invalid
from cn2.apiserver.options import WriteOptions
from cn2.apiserver.request import Reply, Request
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving, reply
from cn2.apiserver.verbs.patch import media_type, patching
from cn2.apiserver.writes import Change, Update, Written


async def get(serving: Serving, request: Request, target: Target) -> Reply:
    entry = await serving.backend.existing(target.kind, target.namespace, target.name)
    return Reply(200, codec.dump(scale_of(codec.decode(entry))))


async def update(serving: Serving, request: Request, target: Target) -> Reply:
    sent = codec.parse(request.body, request.headers.get("content-type", ""))
    return await _write(serving, request, target, lambda _: sent)


async def patch(serving: Serving, request: Request, target: Target) -> Reply:
    change = patching(SCALE, media_type(request), request.body)
    return await _write(serving, request, target, change)


async def _write(serving: Serving, request: Request, target: Target, change: Change) -> Reply:
    def resized(obj: Object) -> Object:
        scale = change(scale_of(obj))
        obj["spec"]["replicas"] = _replicas(scale, target)
        # Whom the Scale means is checked as if it were the workload itself.
        for field in ("resourceVersion", "uid", "name"):
            given = metadata.of(scale).get(field)
            if given:
                obj["metadata"][field] = given
        return obj

    written = await Update(
        backend=serving.backend,
        kind=target.kind,
        namespace=target.namespace,
        name=target.name,
        change=resized,
        options=WriteOptions.of(request),
        subresource=target.subresource,
    ).run()
    scale = codec.dump(scale_of(codec.parse_json(written.body)))
    return reply(Written(scale, written.warnings))


def _replicas(scale: Object, target: Target) -> int:
    """The size asked for. Raises Invalid for a negative one, BadRequest for no number."""
    if scale.get("kind") not in (None, SCALE.kind):
        raise bad_request(f"{scale['kind']} is no Scale")
    wanted = at(scale, "spec", "replicas", default=0)
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        raise bad_request("spec.replicas: must be a number")
    if wanted < 0:
        message = f"Invalid value: {wanted}: must be greater than or equal to 0"
        raise invalid(SCALE, target.name, [FieldError("spec.replicas", message)])
    return wanted
