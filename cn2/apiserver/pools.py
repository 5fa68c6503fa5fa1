"""Pools as objects, computed from the claims in the store, and the next number of one."""

from __future__ import annotations

from cn2.api import pools as arithmetic
from cn2.api.kind import Kind, Object
from cn2.api.kinds import SUBNET
from cn2.api.pools import PoolSpec
from cn2.apiserver import codec, keys
from cn2.apiserver.backend import Backend
from cn2.apiserver.errors import ApiError, bad_request, not_found


def get(backend: Backend, kind: Kind, name: str) -> Object:
    """One Pool object; NotFound for names that are no pool's."""
    spec = _spec(backend, name)
    if spec is None:
        raise not_found(kind, name)
    return arithmetic.pool_object(spec, _claimed(backend, spec))


def every(backend: Backend) -> list[Object]:
    """All pools: those that always exist, and one for each Subnet."""
    found = [spec for name in arithmetic.STATIC_POOLS if (spec := _spec(backend, name))]
    for entry in backend.store.list(keys.under(SUBNET)).entries:
        spec = arithmetic.subnet_pool(codec.decode(entry))
        if spec is not None:
            found.append(spec)
    return [
        arithmetic.pool_object(spec, _claimed(backend, spec))
        for spec in sorted(found, key=lambda spec: spec.name)
    ]


def following(
    backend: Backend, kind: Kind, name: str, holder: str, start: int, end: int | None
) -> Object:
    """`{"id": n, "held": bool}`: the number that `holder` has, also while it rests, else the
    number that is its own by name unless somebody else has it (a second cluster has system
    networks of the same names), else the lowest free one from `start` to `end`.

    Nothing is reserved: the write that carries the number claims it, and may lose the race.
    """
    spec = _spec(backend, name)
    if spec is None:
        raise not_found(kind, name)
    held = backend.store.latest(keys.holding(holder, spec.claims))
    if held is not None:
        return {"id": int(held.value), "held": True}
    number = arithmetic.system_id(name, holder)
    if number is None or backend.store.latest(keys.claim(spec.claims, number)) is not None:
        number = _lowest_free(backend, spec, start)
    if number is None or (end is not None and number > end):
        raise _exhausted(name, start, end)
    return {"id": number, "held": False}


def number(text: str | None, default: int | None = None) -> int | None:
    """A number in a query parameter."""
    if not text:
        return default
    if not text.isdecimal():
        raise bad_request(f"{text!r} is not a number")
    return int(text)


def _lowest_free(backend: Backend, spec: PoolSpec, start: int) -> int | None:
    entries = backend.store.latest_under(keys.claims(spec.claims))
    taken = (_number(entry.key) for entry in entries)
    return arithmetic.lowest_free(spec, taken, start)


def _spec(backend: Backend, name: str) -> PoolSpec | None:
    return arithmetic.pool_spec(
        name,
        lambda namespace, subnet: backend.latest_object(SUBNET, namespace, subnet),
        str(backend.service_cidr),
    )


def _claimed(backend: Backend, spec: PoolSpec) -> list[int]:
    return [_number(entry.key) for entry in backend.store.list(keys.claims(spec.claims)).entries]


def _number(key: str) -> int:
    return int(key.rpartition("/")[2], 16)


def _exhausted(name: str, start: int, end: int | None) -> ApiError:
    bounds = f" from {start}" + (f" to {end}" if end is not None else "")
    return ApiError(409, "PoolExhausted", f"pool {name} has no free number{bounds}")
