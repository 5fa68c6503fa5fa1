import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.apiserver import fieldset

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
PATHS = st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple)


@given(st.sets(PATHS))
def test_encoding_and_decoding_keep_the_set(members):
    assert set(fieldset.paths(fieldset.fields_of(members))) == members


@given(st.sets(PATHS), PATHS)
def test_removing_takes_out_one_path(members, path):
    fields = fieldset.fields_of(members)
    assert fieldset.has(fields, path) == (path in members)
    assert fieldset.remove(fields, path) == (path in members)
    assert fields == fieldset.fields_of(members - {path})


@given(st.sets(PATHS), PATHS)
def test_inserting_adds_one_path(members, path):
    fields = fieldset.fields_of(members)
    fieldset.insert(fields, path)
    assert fieldset.sorted_fields(fields) == fieldset.fields_of(members | {path})


def test_a_member_with_children_has_a_dot():
    assert fieldset.fields_of({("f:a",), ("f:a", "f:b")}) == {"f:a": {".": {}, "f:b": {}}}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:spec", "f:cidr"), ".spec.cidr"),
        (("f:a", 'k:{"name":"x","port":80}', "f:b"), '.a[name="x",port=80].b'),
        (("f:finalizers", 'v:"x"'), '.finalizers[="x"]'),
    ],
)
def test_paths_read_as_in_kubernetes_conflicts(path, text):
    assert fieldset.text(path) == text
