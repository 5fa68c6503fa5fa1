"""Whatever is sent, the API answers: stored, or refused in words that name the place."""

from __future__ import annotations

import asyncio
from typing import Any

import near_valid
from hypothesis import given
from hypothesis import strategies as st

from cn2.api.kind import Kind
from cn2.api.kinds import by_name


def _collection(kind: Kind) -> str:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return (
        f"{root}/namespaces/default/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
    )


def test_every_object_is_stored_or_refused_in_words(new_api: Any) -> None:
    """Created, read back, and written again by a patch that says nothing new."""

    with asyncio.Runner() as runner:
        server = new_api()
        api = runner.run(server.__aenter__())
        number = iter(range(10**9))

        @near_valid.profile(250)
        @given(near_valid.objects, st.booleans())
        def throw(thing: tuple[str, Any], strictly: bool) -> None:
            kind, obj = by_name(thing[0]), thing[1]
            obj = {**obj, "metadata": {**obj["metadata"], "name": f"n{next(number)}"}}
            runner.run(_send(api, kind, obj, strictly))

        throw()
        runner.run(server.__aexit__(None, None, None))


async def _send(api: Any, kind: Kind, obj: Any, strictly: bool) -> None:
    url = _collection(kind)
    validation = "Strict" if strictly else "Warn"
    answered = await api("POST", f"{url}?fieldValidation={validation}", obj)
    if answered.status == 422:
        causes = answered.body["details"]["causes"]
        assert causes
        assert all(cause["field"] and cause["message"] for cause in causes), answered
        return
    if answered.status != 201:
        assert answered.status == 400, answered
        assert answered.message, answered
        return
    where = f"{url}/{obj['metadata']['name']}"
    stored = await api.get(where)
    again = await api.merge(where, {"metadata": {"finalizers": None}})
    assert again["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]
    assert (await api("DELETE", where)).status == 200
