"""Requests and answers as values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.api.kinds import NAMESPACE, POD, VIRTUAL_NETWORK
from cn2.client import Gone, Patch, request
from cn2.client.request import LineSplitter


def test_core_and_named_groups_have_their_own_roots():
    assert request.object_path(POD, "p", "ns") == "/api/v1/namespaces/ns/pods/p"
    assert (
        request.object_path(VIRTUAL_NETWORK, "vn1", "ns", "status")
        == "/apis/core.contrail.juniper.net/v1alpha1/namespaces/ns/virtualnetworks/vn1/status"
    )
    assert request.collection_path(POD) == "/api/v1/pods"
    assert request.collection_path(NAMESPACE, "ignored") == "/api/v1/namespaces"


def test_a_name_cannot_leave_its_path_segment():
    assert request.object_path(NAMESPACE, "a/../b?c") == "/api/v1/namespaces/a%2F..%2Fb%3Fc"


def test_an_object_without_its_namespace_is_a_mistake_and_not_another_url():
    with pytest.raises(ValueError, match="without a namespace"):
        request.object_path(POD, "p")
    with pytest.raises(ValueError, match="without a name"):
        request.object_path(NAMESPACE, "")


def test_selectors_and_the_field_manager_are_quoted_into_the_query():
    ask = request.list_(POD, label_selector="a=b,c in (d)", limit=5, more="x y")

    assert ask.target == "/api/v1/pods?labelSelector=a%3Db%2Cc+in+%28d%29&limit=5&continue=x+y"


def test_only_what_may_be_sent_twice_is_idempotent():
    pod = {"metadata": {"name": "p", "namespace": "ns"}}

    assert not request.create(POD, pod).idempotent
    assert not request.patch(POD, "p", [], "ns", how=Patch.JSON).idempotent
    assert request.patch(POD, "p", {}, "ns").idempotent
    assert request.replace(POD, pod).idempotent
    assert request.delete(POD, "p", "ns").idempotent


def test_delete_options_carry_preconditions_only_when_given():
    plain = json.loads(request.delete(POD, "p", "ns").body)
    full = json.loads(
        request.delete(
            POD, "p", "ns", uid="u", revision="7", grace=0, propagation="Foreground"
        ).body
    )

    assert plain == {"apiVersion": "v1", "kind": "DeleteOptions"}
    assert full["preconditions"] == {"uid": "u", "resourceVersion": "7"}
    assert full["gracePeriodSeconds"] == 0
    assert full["propagationPolicy"] == "Foreground"


def test_listed_objects_say_what_they_are():
    body = (
        b'{"metadata":{"resourceVersion":"9","continue":"t"},"items":[{"metadata":{"name":"p"}}]}'
    )

    answer = request.decode_list(POD, body)

    assert answer.items == [{"metadata": {"name": "p"}, "apiVersion": "v1", "kind": "Pod"}]
    assert (answer.revision, answer.more) == ("9", "t")


def test_an_error_event_is_raised_as_what_it_says():
    line = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}'

    with pytest.raises(Gone):
        request.decode_event(line)


@given(
    st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line)),
    st.lists(st.integers(min_value=1, max_value=20), min_size=1),
)
def test_lines_come_out_whole_however_the_stream_is_cut(lines, sizes):
    stream = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter()

    found, at, turn = [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += splitter.feed(stream[at : at + size])
        at, turn = at + size, turn + 1

    assert found == lines
