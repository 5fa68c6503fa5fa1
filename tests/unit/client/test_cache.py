"""The informer's copy never goes back in time, whoever speaks first."""

from hypothesis import given
from hypothesis import strategies as st

from cn2.client.cache import Cache


def obj(name, revision, uid="u", **labels):
    return {
        "metadata": {"name": name, "resourceVersion": str(revision), "uid": uid, "labels": labels}
    }


def by_app(one):
    return one["metadata"]["labels"].values()


def test_a_list_tells_the_difference_to_what_was_known():
    cache = Cache({})
    cache.replaced([obj("a", 1), obj("b", 2)], 5)

    changes = cache.replaced([obj("b", 6), obj("c", 7)], 8)

    assert changes == [(obj("a", 1), None), (obj("b", 2), obj("b", 6)), (None, obj("c", 7))]


def test_an_unchanged_object_in_a_second_list_is_no_change():
    cache = Cache({})
    cache.replaced([obj("a", 1)], 5)

    assert cache.replaced([obj("a", 1)], 9) == []


def test_a_reply_that_the_watch_has_overtaken_does_not_bring_the_dead_back():
    cache = Cache({})
    cache.saw(obj("a", 3))
    cache.saw_deleted(obj("a", 5))

    assert cache.learned(obj("a", 4)) == []
    assert not cache.objects


def test_a_learned_object_outlives_the_older_events_still_on_their_way():
    cache = Cache({})
    cache.saw(obj("a", 3, "old"))
    cache.learned(obj("a", 6, "new"))

    assert cache.saw(obj("a", 4, "old")) == []
    assert cache.saw_deleted(obj("a", 5, "old")) == []
    assert cache.objects["", "a"] == obj("a", 6, "new")


def test_an_object_learned_after_a_list_was_made_survives_that_list():
    cache = Cache({})
    cache.learned(obj("a", 9))

    assert cache.replaced([], 8) == []
    assert ("", "a") in cache.objects


def test_a_name_with_another_uid_is_a_deletion_and_an_addition():
    cache = Cache({})
    cache.saw(obj("a", 1, "old"))

    changes = cache.saw(obj("a", 2, "new"))

    assert changes == [(obj("a", 1, "old"), None), (None, obj("a", 2, "new"))]


def test_a_selective_informer_learns_only_what_it_knows_already():
    cache = Cache({})

    assert cache.learned(obj("a", 1), only_known=True) == []


def test_an_index_added_later_has_what_was_there_before():
    cache = Cache({})
    cache.saw(obj("a", 1, app="x"))
    cache.add_index("app", by_app)

    assert cache.by_index("app", "x") == [obj("a", 1, app="x")]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from(["put", "delete"]), st.sampled_from("xyz")
        )
    )
)
def test_indexes_always_agree_with_the_objects(steps):
    cache = Cache({"app": by_app})
    for revision, (name, step, app) in enumerate(steps, 1):
        if step == "put":
            cache.saw(obj(name, revision, app=app))
        else:
            cache.saw_deleted(obj(name, revision))

    for value in "xyz":
        expected = [one for one in cache.objects.values() if value in by_app(one)]
        assert sorted(cache.by_index("app", value), key=str) == sorted(expected, key=str)
