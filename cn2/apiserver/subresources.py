"""What can be asked of a part of an object, or ordered of it, besides reading and writing it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from cn2.api.kind import Object
from cn2.apiserver import codec, metadata, pools
from cn2.apiserver.backend import timestamp
from cn2.apiserver.errors import bad_request, conflict, done, not_found
from cn2.apiserver.eviction import evict
from cn2.apiserver.options import WriteOptions
from cn2.apiserver.request import Reply, Request, Stream, Tunnel
from cn2.apiserver.routing import Target
from cn2.apiserver.serving import Serving, Verb, reply
from cn2.apiserver.tokens import BINDABLE, ISSUER, Bound, Claims
from cn2.apiserver.verbs import scale
from cn2.apiserver.verbs.get import get
from cn2.apiserver.verbs.patch import patch
from cn2.apiserver.verbs.update import update
from cn2.apiserver.writes import Change, Update

_SHORTEST_TOKEN, _DEFAULT_TOKEN = 600, 3600


async def bind(serving: Serving, request: Request, target: Target) -> Reply:
    """pods/binding: the scheduler's decision."""
    binding = codec.parse(request.body, request.headers.get("content-type", ""))
    node = codec.part(binding, "target").get("name")
    if not node:
        raise bad_request("binding: target.name: Required value")
    uid = metadata.of(binding).get("uid")

    def change(pod: Object) -> Object:
        if uid and pod["metadata"]["uid"] != uid:
            raise conflict(target.kind, target.name, f"the UID in the binding is {uid}")
        assigned = pod["spec"].get("nodeName")
        if assigned:
            raise conflict(
                target.kind,
                target.name,
                f'pod {target.name} is already assigned to node "{assigned}"',
            )
        if pod["metadata"].get("deletionTimestamp"):
            raise conflict(target.kind, target.name, f"pod {target.name} is being deleted")
        pod["spec"]["nodeName"] = node
        _schedule(pod, serving.backend.now())
        return pod

    await _update(serving, request, target, change, subresource="binding").run()
    return Reply(201, codec.dump(done()))


def _schedule(pod: Object, now: str) -> None:
    status = pod.setdefault("status", {})
    others = [c for c in status.get("conditions") or () if c.get("type") != "PodScheduled"]
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": now,
    }
    status["conditions"] = [*others, scheduled]


async def finalize(serving: Serving, request: Request, target: Target) -> Reply:
    """namespaces/finalize: replaces spec.finalizers; the last one to go lets the namespace go."""
    sent = codec.parse(request.body, request.headers.get("content-type", ""))
    finalizers = codec.part(sent, "spec").get("finalizers")
    revision = metadata.of(sent).get("resourceVersion")

    def change(namespace: Object) -> Object:
        spec = namespace.setdefault("spec", {})
        spec["finalizers"] = finalizers or []
        if not finalizers:
            spec.pop("finalizers")
        if revision:
            namespace["metadata"]["resourceVersion"] = revision
        return namespace

    return reply(await _update(serving, request, target, change, subresource="finalize").run())


async def token(serving: Serving, request: Request, target: Target) -> Reply:
    """serviceaccounts/token: a token for this account (TokenRequest)."""
    asked = codec.parse(request.body, request.headers.get("content-type", ""))
    backend = serving.backend
    account = codec.decode(await backend.existing(target.kind, target.namespace, target.name))
    spec = codec.part(asked, "spec")
    seconds = spec.setdefault("expirationSeconds", _DEFAULT_TOKEN)
    if not isinstance(seconds, int) or seconds < _SHORTEST_TOKEN:
        raise bad_request("spec.expirationSeconds: may not specify a duration less than 10 minutes")
    audiences = spec["audiences"] = spec.get("audiences") or [ISSUER]
    expires = backend.clock() + timedelta(seconds=seconds)
    claims = Claims(
        target.namespace,
        target.name,
        account["metadata"]["uid"],
        tuple(audiences),
        expires.timestamp(),
        _bound(serving, target, codec.part(spec, "boundObjectRef")),
    )
    answer = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": target.name,
            "namespace": target.namespace,
            "creationTimestamp": backend.now(),
        },
        "spec": spec,
        "status": {
            "token": serving.tokens.issue(claims),
            "expirationTimestamp": timestamp(expires),
        },
    }
    return Reply(201, codec.dump(answer))


def _bound(serving: Serving, target: Target, ref: Object) -> Bound | None:
    if not ref:
        return None
    kind, name = ref.get("kind", ""), ref.get("name", "")
    if kind not in BINDABLE:
        # A token says nothing of other kinds: it would outlive the object.
        raise bad_request(f"boundObjectRef.kind: supported values: {', '.join(BINDABLE)}")
    namespace = "" if kind == "Node" else target.namespace
    found = serving.backend.lookup(kind, namespace, name)
    if found is None:
        raise bad_request(f"boundObjectRef: {kind} {name} not found")
    uid = found["metadata"]["uid"]
    if ref.get("uid") and ref["uid"] != uid:
        raise conflict(
            target.kind,
            target.name,
            f"the UID in the bound object reference"
            f" ({ref['uid']}) does not match the UID in record ({uid})",
        )
    return Bound(kind, name, uid)


async def following(serving: Serving, request: Request, target: Target) -> Reply:
    """pools/next: the number that a holder has or could have."""
    query = request.query
    if not query.get("holder"):
        raise bad_request("holder: Required value")
    start = pools.number(query.get("start"), 0) or 0
    end = pools.number(query.get("end"))
    found = pools.following(serving.backend, target.kind, target.name, query["holder"], start, end)
    return Reply(200, codec.dump(found))


async def log(serving: Serving, request: Request, target: Target) -> Stream:
    """pods/log, read from the pod's node."""
    node, container = _place(serving, request, target)
    path = f"/logs/{_path(target)}/{quote(container)}"
    chunks = await serving.nodes.read(node, _with_query(path, request))
    return Stream(chunks, "text/plain")


async def stream(serving: Serving, request: Request, target: Target) -> Tunnel:
    """pods/exec and pods/attach, handed through to the pod's node."""
    node, container = _place(serving, request, target)
    path = f"/{target.subresource}/{_path(target)}/{quote(container)}"
    return Tunnel(serving.nodes.socket(node), _with_query(path, request))


async def port_forward(serving: Serving, request: Request, target: Target) -> Tunnel:
    """pods/portforward, handed through to the pod's node."""
    node = _node(_pod(serving, target), target)
    path = f"/portforward/{_path(target)}"
    return Tunnel(serving.nodes.socket(node), _with_query(path, request))


def _path(target: Target) -> str:
    return f"{quote(target.namespace)}/{quote(target.name)}"


def _with_query(path: str, request: Request) -> str:
    return f"{path}?{request.raw_query}" if request.raw_query else path


def _place(serving: Serving, request: Request, target: Target) -> tuple[str, str]:
    """The node of the pod, and the container that is meant."""
    pod = _pod(serving, target)
    spec = pod["spec"]
    names = [c["name"] for c in (*spec["containers"], *(spec.get("initContainers") or ()))]
    chosen = request.query.get("container", "")
    if not chosen:
        annotations = pod["metadata"].get("annotations") or {}
        chosen = annotations.get("kubectl.kubernetes.io/default-container", "")
    if not chosen:
        if len(names) > 1:
            raise bad_request(
                f"a container name must be specified for pod {target.name},"
                f" choose one of: [{' '.join(names)}]"
            )
        chosen = names[0]
    if chosen not in names:
        raise bad_request(f"container {chosen} is not valid for pod {target.name}")
    return _node(pod, target), chosen


def _pod(serving: Serving, target: Target) -> Object:
    pod = serving.backend.latest_object(target.kind, target.namespace, target.name)
    if pod is None:
        raise not_found(target.kind, target.name)
    return pod


def _node(pod: Object, target: Target) -> str:
    node: str = pod["spec"].get("nodeName") or ""
    if not node:
        raise bad_request(f"pod {target.name} does not have a host assigned")
    return node


def _update(
    serving: Serving,
    request: Request,
    target: Target,
    change: Change,
    *,
    subresource: str,
) -> Update:
    return Update(
        backend=serving.backend,
        kind=target.kind,
        namespace=target.namespace,
        name=target.name,
        change=change,
        options=WriteOptions.of(request),
        subresource=subresource,
        manage=_owned_by_nobody,
    )


def _owned_by_nobody(_old: Object | None, _new: Object) -> None:
    """Orders such as a binding leave no trace in managedFields, as in Kubernetes."""


_STREAMED = {"exec": stream, "attach": stream, "portforward": port_forward}
_STATUS: dict[str, Verb] = {"GET": get, "PUT": update, "PATCH": patch}
_SCALE: dict[str, Verb] = {"GET": scale.get, "PUT": scale.update, "PATCH": scale.patch}
_PODS: dict[str, dict[str, Verb]] = {
    "binding": {"POST": bind},
    "eviction": {"POST": evict},
    "log": {"GET": log},
    **{name: {"GET": verb, "POST": verb} for name, verb in _STREAMED.items()},
}
_SPECIAL: dict[tuple[str, str], dict[str, dict[str, Verb]]] = {
    ("", "pods"): _PODS,
    ("", "namespaces"): {"finalize": {"PUT": finalize}},
    ("", "serviceaccounts"): {"token": {"POST": token}},
    ("idallocator.contrail.juniper.net", "pools"): {"next": {"GET": following}},
}


def verbs(target: Target) -> dict[str, Verb]:
    """What each HTTP method means to a target's subresource; empty when there is none."""
    if target.subresource == "status":
        return _STATUS if target.kind.status else {}
    if target.subresource == "scale":
        return _SCALE if "scale" in target.kind.subresources else {}
    special = _SPECIAL.get((target.kind.group, target.kind.plural), {})
    return special.get(target.subresource, {})
