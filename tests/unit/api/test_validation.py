import pytest

from cn2.api.kind import Kind
from cn2.api.validation import checker, compile_schema, unknown_field

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["cidr"],
            "properties": {
                "cidr": {"type": "string", "format": "cidr"},
                "mode": {"type": "string", "enum": ["l2", "l3"], "default": "l3"},
                "count": {"type": "integer", "minimum": 1, "maximum": 9},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5, "minLength": 2},
                "address": {"type": "string", "format": "ip"},
                "port": {"x-kubernetes-int-or-string": True},
                "maybe": {"type": "string", "nullable": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "template": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "options": {
                    "type": "object",
                    "properties": {"rpf": {"type": "string", "default": "enable"}},
                },
                "ports": {
                    "type": "array",
                    "maxItems": 2,
                    "items": {
                        "type": "object",
                        "properties": {
                            "port": {"type": "integer", "format": "int32"},
                            "protocol": {"type": "string", "default": "TCP"},
                        },
                    },
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port"],
                },
                "names": {
                    "type": "array",
                    "items": {"type": "string"},
                    "x-kubernetes-list-type": "set",
                },
            },
        },
    },
}
CHECKER = compile_schema(SCHEMA)


def obj(**spec):
    return {
        "apiVersion": "g/v1",
        "kind": "K",
        "metadata": {"name": "a"},
        "spec": {"cidr": "10.0.0.0/8", **spec},
    }


def messages(**spec):
    return [f"{error.field}: {error.message}" for error in CHECKER.check(obj(**spec))]


def test_an_object_that_fits_has_no_errors():
    assert messages(mode="l2", count=3, name="abc", port="http", labels={"a": "b"}) == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"name": 5},
            'spec.name: Invalid value: "integer": spec.name in body must be of type string: '
            '"integer"',
        ),
        ({"mode": "l4"}, 'spec.mode: Unsupported value: "l4": supported values: "l2", "l3"'),
        (
            {"count": 0},
            "spec.count: Invalid value: 0: spec.count in body should be greater than or equal to 1",
        ),
        (
            {"count": 10},
            "spec.count: Invalid value: 10: spec.count in body should be less than or equal to 9",
        ),
        (
            {"name": "A1"},
            "spec.name: Invalid value: \"A1\": spec.name in body should match '^[a-z]+$'",
        ),
        (
            {"name": "a"},
            'spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long',
        ),
        ({"name": "abcdef"}, "spec.name: Too long: may not be more than 5 bytes"),
        (
            {"address": "10.0.0"},
            'spec.address: Invalid value: "10.0.0": spec.address in body must be of type ip: '
            '"10.0.0"',
        ),
        (
            {"cidr": "10.0.0.0"},
            'spec.cidr: Invalid value: "10.0.0.0": spec.cidr in body must be of type cidr: '
            '"10.0.0.0"',
        ),
        (
            {"port": True},
            'spec.port: Invalid value: "boolean": spec.port in body must be of type '
            'integer,string: "boolean"',
        ),
        (
            {"labels": {"a": 1}},
            'spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type '
            'string: "integer"',
        ),
        (
            {"ports": [{"port": "x"}]},
            'spec.ports[0].port: Invalid value: "string": spec.ports[0].port in body must be of '
            'type integer: "string"',
        ),
        ({"ports": [{"port": 1}, {"port": 1}]}, 'spec.ports[1]: Duplicate value: {"port": 1}'),
        ({"names": ["a", "a"]}, 'spec.names[1]: Duplicate value: "a"'),
        (
            {"ports": [{"port": 1}, {"port": 2}, {"port": 3}]},
            "spec.ports: Too many: 3: must have at most 2 items",
        ),
        (
            {"options": "x"},
            'spec.options: Invalid value: "string": spec.options in body must be of type object: '
            '"string"',
        ),
    ],
)
def test_errors_have_the_words_of_kube_apiserver(spec, message):
    assert messages(**spec) == [message]


def test_a_missing_field_is_required():
    [error] = CHECKER.check({"spec": {}})
    assert (error.field, error.message, error.reason) == (
        "spec.cidr",
        "Required value",
        "FieldValueRequired",
    )


def test_metadata_is_checked_too():
    [error] = CHECKER.check({"metadata": {"labels": {"a": 1}}})
    assert error.field == "metadata.labels.a"


def test_unknown_fields_are_removed_and_named():
    found = obj(foo=1, ports=[{"port": 1, "bar": 2}], free={"x": {"y": 1}})
    found["metadata"]["nonsense"] = 1
    assert CHECKER.prune(found) == ["metadata.nonsense", "spec.foo", "spec.ports[0].bar"]
    assert found == obj(ports=[{"port": 1}], free={"x": {"y": 1}})
    assert unknown_field("spec.foo") == 'unknown field "spec.foo"'


def test_pruning_keeps_embedded_resources_and_checks_their_metadata():
    found = obj(template={"kind": "Pod", "spec": {"a": 1}, "metadata": {"name": "x", "odd": 1}})
    assert CHECKER.prune(found) == ["spec.template.metadata.odd"]
    assert found["spec"]["template"]["spec"] == {"a": 1}


def test_null_is_absence_unless_the_field_is_nullable():
    found = obj(name=None, maybe=None)
    found["metadata"]["creationTimestamp"] = None
    assert CHECKER.prune(found) == []
    assert found == obj(maybe=None)
    assert CHECKER.check(found) == []


def test_defaults_fill_in_what_is_absent_in_objects_that_exist():
    found = obj(ports=[{"port": 1}], mode=None)
    CHECKER.default(found)
    assert found["spec"] == {
        "cidr": "10.0.0.0/8",
        "mode": "l3",
        "ports": [{"port": 1, "protocol": "TCP"}],
    }


def test_a_default_object_gets_its_own_defaults_and_is_not_shared():
    options = SCHEMA["properties"]["spec"]["properties"]["options"]
    check = compile_schema({"properties": {"spec": {**options, "default": {}}}})
    first, second = {}, {}
    check.default(first)
    first["spec"]["rpf"] = "disable"
    check.default(second)
    assert second == {"spec": {"rpf": "enable"}}


def test_one_of_wants_exactly_one():
    check = compile_schema(
        {"properties": {"spec": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}}}
    )
    assert check.check({"spec": {"a": 1}}) == []
    [error] = check.check({"spec": {"a": 1, "b": 1}})
    assert "must validate one and only one schema (oneOf)" in error.message


def test_a_checker_is_compiled_once_per_schema():
    kind = Kind(group="g", version="v1", kind="K", plural="ks", namespaced=True, schema=SCHEMA)
    assert checker(kind) is checker(kind)


def test_a_kind_that_declares_no_fields_accepts_all():
    found = obj()
    assert compile_schema({}).prune(found) == []
    assert found == obj()


def test_a_member_that_did_not_change_is_not_checked_again() -> None:
    """So that an object stored under an older schema can still get its status."""
    check = compile_schema(
        {
            "properties": {"spec": {"type": "integer"}, "status": {"type": "integer"}},
            "required": ["spec"],
        }
    )
    old = {"spec": "stored long ago", "status": 1}

    assert check.check({**old, "status": 2}, old) == []
    assert [e.field for e in check.check({**old, "status": "x"}, old)] == ["status"]
    assert [e.field for e in check.check({"spec": "x", "status": 1}, old)] == ["spec"]
    assert [e.field for e in check.check({"status": 1}, old)] == ["spec"]
