"""Ownership as in the managedFields of the walkthrough, and structured-merge-diff's rules."""

import copy

import pytest

from cn2.apiserver.fields import ApplyConflict, apply, record_update

UID = "e8254ef9-761b-4516-9779-9adaf93e2cec"
TEXT = {"type": "string"}
REFERENCE = {
    "type": "object",
    "x-cn2-reference": True,
    "properties": {"name": TEXT, "uid": TEXT, "fqName": {"type": "array", "items": TEXT}},
}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "cidr": TEXT,
                "list": {"type": "array", "items": TEXT},
                "reference": REFERENCE,
                "properties": {
                    "type": "object",
                    "default": {},
                    "properties": {"rpf": TEXT, "mode": TEXT},
                },
                "machines": {
                    "type": "array",
                    "items": REFERENCE,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["uid"],
                },
                "ports": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "port": {"type": "integer"},
                            "protocol": {**TEXT, "default": "TCP"},
                            "name": TEXT,
                        },
                    },
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port", "protocol"],
                },
                "names": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
                "selector": {
                    "type": "object",
                    "x-kubernetes-map-type": "atomic",
                    "properties": {"matchLabels": {"type": "object"}},
                },
            },
        },
        "status": {
            "type": "object",
            "properties": {"state": TEXT, "observation": TEXT, "attributes": {"type": "object"}},
        },
    },
}
NAD = {
    "type": "object",
    "properties": {"spec": {"type": "object", "properties": {"config": TEXT}}},
}


def obj(spec=None, *, status=None, **metadata):
    found = {
        "apiVersion": "g/v1",
        "kind": "K",
        "metadata": {"name": "a", "namespace": "default", "uid": "u", **metadata},
    }
    if spec is not None:
        found["spec"] = spec
    if status is not None:
        found["status"] = status
    return found


def updated(old, new, manager="m", now="1", **options):
    new = copy.deepcopy(new)
    arguments = {"schema": SCHEMA, "subresource": "", "api_version": "g/v1", **options}
    before = copy.deepcopy(old)
    record_update(old, new, manager=manager, now=now, **arguments)
    assert old == before
    return new


def applied(live, config, manager="m", now="1", *, force=False, **options):
    arguments = {"schema": SCHEMA, "subresource": "", "api_version": "g/v1", **options}
    before = copy.deepcopy((live, config))
    found = apply(live, config, manager=manager, force=force, now=now, **arguments)
    assert (live, config) == before
    return found


def entries(obj):
    return {
        (entry["manager"], entry["operation"]): entry["fieldsV1"]
        for entry in obj["metadata"].get("managedFields", ())
    }


def owned(obj, manager, operation="Update"):
    return entries(obj).get((manager, operation))


# The walkthrough --------------------------------------------------------------------------------


def test_a_created_network_shows_what_the_walkthrough_shows():
    """Structs that are always there have no `.`, pointers, maps and lists of a new owner do."""
    made = updated(
        None,
        obj(
            {
                "list": ["target:23:4561"],
                "reference": {"name": "vn1-v4", "uid": "x"},
                "properties": {"rpf": "enable", "mode": "l2_l3"},
            },
            annotations={"juniper.net/nad-name": "vn1"},
        ),
        "kubemanager",
    )
    assert owned(made, "kubemanager") == {
        "f:metadata": {"f:annotations": {".": {}, "f:juniper.net/nad-name": {}}},
        "f:spec": {
            "f:list": {},
            "f:properties": {"f:mode": {}, "f:rpf": {}},
            "f:reference": {".": {}, "f:name": {}, "f:uid": {}},
        },
    }
    [entry] = made["metadata"]["managedFields"]
    assert list(entry) == [
        "manager",
        "operation",
        "apiVersion",
        "time",
        "fieldsType",
        "fieldsV1",
    ]


def test_a_later_manager_gets_its_own_entry():
    made = updated(None, obj({"cidr": "x"}), "kubemanager", "1")
    later = copy.deepcopy(made)
    later["metadata"]["finalizers"] = ["b", "a"]
    later["status"] = {"state": "Success", "observation": ""}
    later = updated(made, later, "manager", "2")
    assert owned(later, "kubemanager") == {"f:spec": {"f:cidr": {}}}
    assert owned(later, "manager") == {
        "f:metadata": {"f:finalizers": {".": {}, 'v:"a"': {}, 'v:"b"': {}}},
        "f:status": {"f:observation": {}, "f:state": {}},
    }


def test_only_the_creator_of_a_map_owns_the_map():
    """The second manager of a NAD's annotations has no `.` there; a custom resource's spec has."""
    made = updated(
        None, obj({"config": "{}"}, annotations={"a": "1"}), "kubectl", schema=NAD, typed=False
    )
    assert owned(made, "kubectl") == {
        "f:metadata": {"f:annotations": {".": {}, "f:a": {}}},
        "f:spec": {".": {}, "f:config": {}},
    }
    later = copy.deepcopy(made)
    later["metadata"]["annotations"]["b"] = "2"
    later = updated(made, later, "kubemanager", schema=NAD, typed=False)
    assert owned(later, "kubemanager") == {"f:metadata": {"f:annotations": {"f:b": {}}}}
    assert owned(later, "kubectl") == owned(made, "kubectl")


def test_owner_references_and_list_maps_are_owned_item_by_item():
    references = [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": UID}]
    made = updated(None, obj({"machines": [{"name": "m", "uid": "1"}]}, ownerReferences=references))
    assert owned(made, "m") == {
        "f:metadata": {
            "f:ownerReferences": {
                ".": {},
                f'k:{{"uid":"{UID}"}}': {
                    ".": {},
                    "f:apiVersion": {},
                    "f:kind": {},
                    "f:name": {},
                    "f:uid": {},
                },
            }
        },
        "f:spec": {"f:machines": {".": {}, 'k:{"uid":"1"}': {".": {}, "f:name": {}, "f:uid": {}}}},
    }


def test_an_atomic_map_and_an_empty_map_are_one_leaf():
    made = updated(None, obj({"selector": {"matchLabels": {"a": "b"}}}, status={"attributes": {}}))
    assert owned(made, "m") == {
        "f:spec": {"f:selector": {}},
        "f:status": {"f:attributes": {}},
    }


# Updates ----------------------------------------------------------------------------------------


def test_what_nobody_owns():
    made = updated(None, obj(generation=1, resourceVersion="1", creationTimestamp="t"))
    assert "managedFields" not in made["metadata"]


def test_a_changed_field_moves_to_who_changed_it():
    made = updated(None, obj({"cidr": "x", "names": ["a"]}), "one", "1")
    later = updated(made, obj({"cidr": "y", "names": ["a"]}), "two", "2")
    assert owned(later, "one") == {"f:spec": {"f:names": {".": {}, 'v:"a"': {}}}}
    assert owned(later, "two") == {"f:spec": {"f:cidr": {}}}


def test_a_removed_field_belongs_to_nobody_and_empty_entries_go():
    made = updated(None, obj({"cidr": "x"}), "one", "1")
    later = updated(made, obj({}), "two", "2")
    assert "managedFields" not in later["metadata"]


def test_an_update_without_a_change_changes_no_entry():
    made = updated(None, obj({"cidr": "x"}), "one", "1")
    later = updated(made, made, "two", "2")
    assert later["metadata"]["managedFields"] == made["metadata"]["managedFields"]


def test_the_time_moves_when_something_is_taken():
    made = updated(None, obj({"cidr": "x", "list": ["a"]}), "one", "1")
    same = updated(made, obj({"cidr": "x"}), "one", "2")
    assert same["metadata"]["managedFields"][0]["time"] == "1"
    changed = updated(made, obj({"cidr": "y", "list": ["a"]}), "one", "3")
    assert changed["metadata"]["managedFields"][0]["time"] == "3"


def test_an_object_sent_without_managed_fields_keeps_the_old_entries():
    made = updated(None, obj({"cidr": "x"}), "one", "1")
    sent = obj({"cidr": "x", "list": ["a"]})
    later = updated(made, sent, "two", "2")
    assert owned(later, "one") == {"f:spec": {"f:cidr": {}}}


def test_one_empty_entry_strips_all_ownership():
    made = updated(None, obj({"cidr": "x"}), "one", "1")
    sent = obj({"cidr": "x"}, managedFields=[{}])
    assert "managedFields" not in updated(made, sent, "one")["metadata"]


def test_subresources_have_entries_of_their_own():
    made = updated(None, obj({"cidr": "x"}), "one", "1")
    sent = {**copy.deepcopy(made), "status": {"state": "Success"}}
    later = updated(made, sent, "one", "1", subresource="status")
    assert [entry.get("subresource") for entry in later["metadata"]["managedFields"]] == [
        None,
        "status",
    ]


def test_entries_are_ordered_by_operation_time_and_manager():
    made = updated(None, obj({"cidr": "x"}), "b", "2")
    made = updated(made, {**made, "status": {"state": "s"}}, "a", "2")
    made = updated(made, {**made, "status": {"state": "s", "observation": ""}}, "z", "1")
    made = applied(made, obj({"list": ["a"]}), "applier", "3")
    found = [entry["manager"] for entry in made["metadata"]["managedFields"]]
    assert found == ["applier", "z", "a", "b"]


def test_at_most_ten_updaters_are_remembered():
    made = obj(annotations={})
    for number in range(13):
        sent = copy.deepcopy(made)
        sent["metadata"]["annotations"][str(number)] = "x"
        made = updated(made, sent, f"m{number:02}", f"{number:02}")
    managers = [entry["manager"] for entry in made["metadata"]["managedFields"]]
    assert len(managers) == 10
    assert managers[0] == "ancient-changes"
    assert set(owned(made, "ancient-changes")["f:metadata"]["f:annotations"]) == {
        "f:0",
        "f:1",
        "f:2",
        "f:3",
    }


def test_the_key_of_a_list_item_has_the_schemas_defaults():
    made = updated(None, obj({"ports": [{"port": 80}]}))
    assert 'k:{"port":80,"protocol":"TCP"}' in owned(made, "m")["f:spec"]["f:ports"]


# Apply ------------------------------------------------------------------------------------------


def test_apply_creates_and_owns_what_it_says():
    made = applied(None, obj({"cidr": "x", "list": ["a"]}, labels={"l": "1"}))
    assert made["spec"] == {"cidr": "x", "list": ["a"]}
    assert made["metadata"]["name"] == "a"
    assert owned(made, "m", "Apply") == {
        "f:metadata": {"f:labels": {"f:l": {}}},
        "f:spec": {"f:cidr": {}, "f:list": {}},
    }


def test_what_is_no_longer_applied_is_removed():
    made = applied(None, obj({"cidr": "x", "list": ["a"]}, labels={"l": "1"}))
    later = applied(made, obj({"cidr": "x"}))
    assert later["spec"] == {"cidr": "x"}
    assert "labels" not in later["metadata"]
    assert owned(later, "m", "Apply") == {"f:spec": {"f:cidr": {}}}


def test_what_another_owns_too_stays_when_it_is_no_longer_applied():
    made = applied(None, obj({"cidr": "x", "list": ["a"]}), "one")
    made = applied(made, obj({"cidr": "x"}), "two")
    later = applied(made, obj({"list": ["a"]}), "one")
    assert later["spec"] == {"cidr": "x", "list": ["a"]}
    assert entries(later) == {
        ("one", "Apply"): {"f:spec": {"f:list": {}}},
        ("two", "Apply"): {"f:spec": {"f:cidr": {}}},
    }


def test_what_an_updater_changed_stays_when_it_is_no_longer_applied():
    made = applied(None, obj({"cidr": "x", "list": ["a"]}), "one")
    made = updated(made, {**made, "spec": {"cidr": "y", "list": ["a"]}}, "two")
    later = applied(made, obj({"list": ["a"]}), "one")
    assert later["spec"] == {"cidr": "y", "list": ["a"]}


def test_another_value_conflicts_and_names_field_and_owner():
    made = updated(None, obj({"cidr": "x"}), "kubectl")
    with pytest.raises(ApplyConflict) as raised:
        applied(made, obj({"cidr": "y"}), "applier")
    [conflict] = raised.value.conflicts
    assert conflict.field == ".spec.cidr"
    assert conflict.message == 'conflict with "kubectl" using g/v1'
    assert str(raised.value) == (
        'Apply failed with 1 conflict: conflict with "kubectl" using g/v1: .spec.cidr'
    )


def test_several_conflicts_are_told_owner_by_owner():
    made = updated(None, obj({"cidr": "x", "reference": {"name": "n"}}), "b")
    made = updated(made, {**made, "status": {"state": "s"}}, "a")
    with pytest.raises(ApplyConflict) as raised:
        config = {"cidr": "y", "reference": {"name": "m"}}
        applied(made, obj(config, status={"state": "t"}), "applier")
    assert str(raised.value) == (
        'Apply failed with 3 conflicts: conflicts with "a" using g/v1:\n- .status.state\n'
        'conflicts with "b" using g/v1:\n- .spec.cidr\n- .spec.reference.name'
    )


def test_conflicts_name_list_items_by_key_and_appliers_without_version():
    made = applied(None, obj({"ports": [{"port": 80, "name": "a"}]}), "one")
    with pytest.raises(ApplyConflict) as raised:
        applied(made, obj({"ports": [{"port": 80, "name": "b"}]}), "two")
    [conflict] = raised.value.conflicts
    assert conflict.field == '.spec.ports[port=80,protocol="TCP"].name'
    assert conflict.message == 'conflict with "one"'


def test_force_takes_the_field():
    made = updated(None, obj({"cidr": "x", "list": ["a"]}), "one")
    later = applied(made, obj({"cidr": "y"}), "two", force=True)
    assert later["spec"]["cidr"] == "y"
    assert entries(later) == {
        ("one", "Update"): {"f:spec": {"f:list": {}}},
        ("two", "Apply"): {"f:spec": {"f:cidr": {}}},
    }


def test_the_same_value_is_owned_together():
    made = updated(None, obj({"cidr": "x"}), "one")
    later = applied(made, obj({"cidr": "x"}), "two")
    assert owned(later, "one") == {"f:spec": {"f:cidr": {}}}
    assert owned(later, "two", "Apply") == {"f:spec": {"f:cidr": {}}}


def test_applying_again_changes_nothing():
    made = applied(None, obj({"cidr": "x", "ports": [{"port": 80}]}), now="1")
    assert applied(made, obj({"cidr": "x", "ports": [{"port": 80}]}), now="2") == made


def test_items_of_others_stay_and_keep_their_place():
    made = updated(None, obj({"names": ["x", "a", "y", "b"]}), "one")
    later = applied(made, obj({"names": ["b", "a", "c"]}), "two")
    assert later["spec"]["names"] == ["x", "y", "b", "a", "c"]


def test_only_ones_own_items_are_removed():
    made = applied(None, obj({"ports": [{"port": 1, "name": "a"}, {"port": 2}]}), "one")
    made = applied(made, obj({"ports": [{"port": 3}]}), "two")
    later = applied(made, obj({"ports": [{"port": 2}]}), "one")
    assert [port["port"] for port in later["spec"]["ports"]] == [2, 3]


def test_an_item_goes_with_its_owner():
    """Also when another has changed a field in it: that one does not own the item."""
    made = applied(None, obj({"cidr": "x", "ports": [{"port": 1, "name": "a"}]}), "one")
    ports = [{"port": 1, "name": "b"}]
    made = updated(made, {**made, "spec": {"cidr": "x", "ports": ports}}, "two")
    assert applied(made, obj({"cidr": "x"}), "one")["spec"] == {"cidr": "x"}


def test_an_object_nobody_kept_books_of_belongs_to_its_past():
    with pytest.raises(ApplyConflict) as raised:
        applied(obj({"cidr": "x"}), obj({"cidr": "y"}))
    assert raised.value.conflicts[0].message == 'conflict with "before-first-apply" using g/v1'


def test_the_server_side_metadata_of_the_live_object_is_kept():
    live = obj({"cidr": "x"}, generation=3, creationTimestamp="t", resourceVersion="7")
    live = updated(None, live)
    config = {"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "a"}, "spec": {"list": ["a"]}}
    later = applied(live, config)
    assert later["metadata"]["generation"] == 3
    assert later["metadata"]["creationTimestamp"] == "t"
    assert later["metadata"]["resourceVersion"] == "7"
    assert later["spec"] == {"cidr": "x", "list": ["a"]}


def test_a_resource_version_that_is_applied_is_passed_on():
    live = updated(None, obj({"cidr": "x"}, resourceVersion="7"))
    assert applied(live, obj({}, resourceVersion="6"))["metadata"]["resourceVersion"] == "6"
