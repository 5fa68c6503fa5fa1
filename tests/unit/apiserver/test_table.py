from datetime import UTC, datetime, timedelta

import pytest

from cn2.api.kind import Column, Kind
from cn2.apiserver.duration import age, human_duration
from cn2.apiserver.jsonpath import PathError, compile_path
from cn2.apiserver.table import partial_list, table

NOW = datetime(2022, 8, 19, 21, 0, 0, tzinfo=UTC)
AGE = Column(name="Age", path=".metadata.creationTimestamp", type="date")


def kind(*columns):
    return Kind(group="g", version="v1", kind="K", plural="ks", namespaced=True, columns=columns)


def vn(**status):
    return {
        "apiVersion": "g/v1",
        "kind": "K",
        "metadata": {"name": "vn1", "creationTimestamp": "2022-08-19T20:59:47Z"},
        "spec": {"list": ["a"]},
        "status": status,
    }


def cells(obj, *columns):
    return table(kind(*columns), [obj], now=NOW)["rows"][0]["cells"]


def test_name_comes_first_and_dates_are_ages():
    assert cells(vn(state="Success"), Column(name="State", path=".status.state"), AGE) == [
        "vn1",
        "Success",
        "13s",
    ]


def test_a_cell_may_say_when_it_came_to_be_so():
    restarts = Column(
        name="Restarts", cell=lambda obj: 3, since=lambda obj: obj["status"].get("at", "")
    )
    assert cells(vn(at="2022-08-19T20:53:00Z"), restarts)[1] == "3 (7m ago)"
    assert cells(vn(), restarts)[1] == 3


def test_a_declared_name_column_keeps_its_place():
    columns = (
        Column(name="Cluster", cell=lambda obj: "mk"),
        Column(name="Name", path=".metadata.name"),
    )
    found = table(kind(*columns), [vn()], now=NOW)
    assert found["rows"][0]["cells"] == ["mk", "vn1"]
    assert [column["format"] for column in found["columnDefinitions"]] == ["", "name"]


def test_a_kind_without_columns_shows_name_and_age():
    assert [column["name"] for column in table(kind(), [], now=NOW)["columnDefinitions"]] == [
        "Name",
        "Age",
    ]


def test_cells_have_the_type_of_their_column():
    columns = (
        Column(name="VNI", path=".status.id", type="integer"),
        Column(name="Text", path=".status.id"),
        Column(name="List", path=".spec.list"),
        Column(name="None", path=".status.none", type="integer"),
    )
    assert cells(vn(id=5), *columns)[1:] == [5, "5", '["a"]', None]


def test_rows_carry_what_include_object_asks_for():
    def rows(include, version="v1"):
        return table(kind(AGE), [vn()], now=NOW, include=include, version=version)["rows"][0]

    assert "object" not in rows("None")
    assert rows("Object")["object"] == vn()
    assert rows("Metadata", "v1beta1")["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1beta1",
        "metadata": vn()["metadata"],
    }


def test_a_table_carries_version_list_metadata_and_column_details():
    column = Column(name="A", path=".a", priority=1, description="d")
    found = table(kind(column), [], now=NOW, version="v1beta1", list_meta={"resourceVersion": "7"})
    assert found["apiVersion"] == "meta.k8s.io/v1beta1"
    assert found["metadata"] == {"resourceVersion": "7"}
    assert found["columnDefinitions"][1] == {
        "name": "A",
        "type": "string",
        "format": "",
        "description": "d",
        "priority": 1,
    }


def test_later_watch_events_have_no_headers():
    assert table(kind(AGE), [vn()], now=NOW, headers=False)["columnDefinitions"] == []


def test_partial_lists_keep_metadata_only():
    found = partial_list([vn()], {"resourceVersion": "7"})
    assert found["kind"] == "PartialObjectMetadataList"
    assert list(found["items"][0]) == ["kind", "apiVersion", "metadata"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (165, "2m45s"),
        (600, "10m"),
        (179 * 60, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (9 * 3600, "9h"),
        (26 * 3600, "26h"),
        (55 * 3600, "2d7h"),
        (48 * 3600, "2d"),
        (8 * 86400, "8d"),
        (730 * 86400, "2y"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ],
)
def test_ages_read_as_in_kubectl(seconds, text):
    assert human_duration(timedelta(seconds=seconds)) == text


def test_an_age_needs_a_time():
    assert age("", NOW) == "<unknown>"
    assert age("yesterday", NOW) == "<invalid>"


@pytest.mark.parametrize(
    ("path", "result"),
    [
        (".spec.a", [1]),
        ("spec.a", [1]),
        ("{.spec.a}", [1]),
        (".spec['b.c']", [2]),
        (r".spec.b\.c", [2]),
        (".spec.list[0].v", ["x"]),
        (".spec.list[-1].v", ["y"]),
        (".spec.list[*].v", ["x", "y"]),
        ('.spec.list[?(@.type=="B")].v', ["y"]),
        ('.spec.list[?(@.type!="B")].v', ["x"]),
        (".spec.none.more", []),
    ],
)
def test_json_paths_find(path, result):
    obj = {"spec": {"a": 1, "b.c": 2, "list": [{"type": "A", "v": "x"}, {"type": "B", "v": "y"}]}}
    assert compile_path(path)(obj) == result


def test_what_is_no_json_path_is_refused():
    with pytest.raises(PathError):
        compile_path(".a[")
