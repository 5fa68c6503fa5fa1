"""Cases as in Kubernetes' tests of its strategic merge patch."""

import pytest

from cn2.apiserver.patch import PatchError, strategic_merge_patch

ITEM = {"type": "object", "properties": {}}
MERGING = {
    "type": "array",
    "items": ITEM,
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": "name",
}
SCALARS = {
    "type": "array",
    "items": {"type": "integer"},
    "x-kubernetes-patch-strategy": "merge",
}
SCHEMA = {
    "type": "object",
    "properties": {
        "mergingList": MERGING,
        "mergingInts": SCALARS,
        "plainList": {"type": "array", "items": ITEM},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "replaced": {"type": "object", "x-kubernetes-patch-strategy": "replace"},
        "keyless": {"type": "array", "items": ITEM, "x-kubernetes-patch-strategy": "merge"},
    },
}
ITEM["properties"] = {"inner": MERGING, "ints": SCALARS, "map": {"type": "object"}}


def names(*items):
    return [{"name": name} for name in items]


@pytest.mark.parametrize(
    ("doc", "patch", "result"),
    [
        pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="add a field"),
        pytest.param({"a": 1}, {"a": None}, {}, id="null deletes a field"),
        pytest.param({}, {"a": None}, {}, id="null of an absent field is dropped"),
        pytest.param({}, {"m": {"a": None, "b": 1}}, {"m": {"b": 1}}, id="also inside a new map"),
        pytest.param(
            {"map": {"a": "1", "b": "2"}},
            {"map": {"b": "3", "c": "4"}},
            {"map": {"a": "1", "b": "3", "c": "4"}},
            id="maps are merged",
        ),
        pytest.param(
            {"map": {"a": "1"}},
            {"map": {"$patch": "replace", "b": "2"}},
            {"map": {"b": "2"}},
            id="a map is replaced on demand",
        ),
        pytest.param(
            {"map": {"a": "1"}}, {"map": {"$patch": "delete"}}, {"map": {}}, id="a map is emptied"
        ),
        pytest.param(
            {"replaced": {"a": 1}}, {"replaced": {"b": 1}}, {"replaced": {"b": 1}}, id="strategy"
        ),
        pytest.param(
            {"plainList": names("a")},
            {"plainList": names("b")},
            {"plainList": names("b")},
            id="lists without a strategy are replaced",
        ),
        pytest.param(
            {"mergingList": [{"name": "1", "v": 1}, {"name": "2", "v": 2}]},
            {"mergingList": [{"name": "2", "v": 3}]},
            {"mergingList": [{"name": "1", "v": 1}, {"name": "2", "v": 3}]},
            id="lists of maps are merged by key",
        ),
        pytest.param(
            {"mergingList": names("1")},
            {"mergingList": names("2")},
            {"mergingList": names("2", "1")},
            id="a new item comes before those that only the server has",
        ),
        pytest.param(
            {"mergingList": names("1", "2", "3")},
            {"mergingList": [{"name": "2", "$patch": "delete"}]},
            {"mergingList": names("1", "3")},
            id="an item is deleted by key",
        ),
        pytest.param(
            {"mergingList": names("1", "2")},
            {"mergingList": [{"name": "3"}, {"$patch": "replace"}]},
            {"mergingList": names("3")},
            id="a merging list is replaced on demand",
        ),
        pytest.param(
            {},
            {"mergingList": [{"name": "1"}, {"name": "2", "$patch": "delete"}]},
            {"mergingList": names("1")},
            id="directives do nothing in a new list",
        ),
        pytest.param(
            {"mergingList": [{"name": "1", "inner": names("a", "b")}]},
            {"mergingList": [{"name": "1", "inner": [{"name": "a", "v": 1}]}]},
            {"mergingList": [{"name": "1", "inner": [{"name": "a", "v": 1}, {"name": "b"}]}]},
            id="nested merging lists",
        ),
        pytest.param(
            {"mergingInts": [1, 2]},
            {"mergingInts": [2, 3]},
            {"mergingInts": [1, 2, 3]},
            id="lists of scalars are united",
        ),
        pytest.param(
            {"mergingInts": [1, 2, 3]},
            {"$deleteFromPrimitiveList/mergingInts": [1, 3]},
            {"mergingInts": [2]},
            id="scalars are deleted from a list",
        ),
        pytest.param(
            {"mergingInts": [1, 2, 3]},
            {
                "$deleteFromPrimitiveList/mergingInts": [3],
                "$setElementOrder/mergingInts": [4, 1, 2],
                "mergingInts": [4],
            },
            {"mergingInts": [4, 1, 2]},
            id="scalars are added, deleted and ordered",
        ),
        pytest.param(
            {"mergingList": names("1", "2", "3")},
            {"$setElementOrder/mergingList": names("3", "1", "2")},
            {"mergingList": names("3", "1", "2")},
            id="the order alone is changed",
        ),
        pytest.param(
            {"mergingList": names("1", "2", "server", "3")},
            {"$setElementOrder/mergingList": names("3", "2", "1")},
            {"mergingList": names("server", "3", "2", "1")},
            id="items that only the server has keep their place relative to the others",
        ),
        pytest.param(
            {"mergingList": names("1", "2")},
            {
                "$setElementOrder/mergingList": names("2", "3"),
                "mergingList": [{"name": "3", "v": 1}, {"name": "1", "$patch": "delete"}],
            },
            {"mergingList": [{"name": "2"}, {"name": "3", "v": 1}]},
            id="items are added, deleted and ordered",
        ),
        pytest.param(
            {}, {"$setElementOrder/mergingList": names("1")}, {}, id="an order of nothing"
        ),
        pytest.param(
            {"map": {"a": "1", "b": "2"}},
            {"map": {"$retainKeys": ["b", "c"], "c": "3"}},
            {"map": {"b": "2", "c": "3"}},
            id="only the retained keys stay",
        ),
        pytest.param(
            {"mergingList": [{"name": "1", "a": 1, "b": 2}]},
            {"mergingList": [{"name": "1", "$retainKeys": ["name", "c"], "c": 3}]},
            {"mergingList": [{"name": "1", "c": 3}]},
            id="only the retained keys of an item stay",
        ),
        pytest.param(
            {"mergingInts": [1]},
            {"$setElementOrder/mergingInts": [], "mergingInts": None},
            {},
            id="a list with an order is deleted all the same",
        ),
        pytest.param({"a": [1]}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="another type replaces"),
        pytest.param(
            {"a": 1},
            {"metadata": {"finalizers": ["x"]}},
            {"a": 1, "metadata": {"finalizers": ["x"]}},
            id="what the schema does not know is set",
        ),
    ],
)
def test_strategic_merge(doc, patch, result):
    assert strategic_merge_patch(doc, patch, SCHEMA) == result


@pytest.mark.parametrize(
    ("doc", "patch"),
    [
        ({"map": {"a": "1"}}, {"map": {"$patch": "frob"}}),
        ({"mergingList": names("1")}, {"mergingList": [{"v": 1}]}),
        ({"mergingList": names("1")}, {"mergingList": [{"name": "1", "$patch": "frob"}]}),
        ({"keyless": names("1")}, {"keyless": names("2")}),
        ({"map": {}}, {"map": {"$retainKeys": ["a"], "b": "1"}}),
        ({"map": {}}, {"map": {"$retainKeys": "a"}}),
        (
            {"mergingList": names("1")},
            {"$setElementOrder/mergingList": names("1"), "mergingList": names("2")},
        ),
        (
            {"mergingInts": [1]},
            {"$setElementOrder/mergingInts": [2, 3], "mergingInts": [3, 2]},
        ),
        ({}, {"$setElementOrder/mergingInts": 1}),
        ({"mergingList": names("1")}, {"$setElementOrder/mergingList": ["1"]}),
        ({}, []),
    ],
)
def test_a_strategic_patch_that_does_not_fit_is_refused(doc, patch):
    with pytest.raises(PatchError):
        strategic_merge_patch(doc, patch, SCHEMA)
