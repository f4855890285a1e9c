"""Two objects are compared field by field, and paths name the fields."""

from typing import Any

import pytest

from scorekit.manifests.fields import MISSING, FieldChange, changes, one_line, redacted, value_at

BASE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "uid": "1", "resourceVersion": "5", "managedFields": [{}]},
    "spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "ports": [{"containerPort": 80}]}]},
    "status": {"phase": "Running"},
}


def with_spec(**spec: Any) -> dict[str, Any]:
    return BASE | {"spec": BASE["spec"] | spec}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (BASE | {"status": {}, "metadata": {"name": "p", "uid": "2", "generation": 9}}, []),
        (with_spec(hostname="h"), [FieldChange(".spec.hostname", MISSING, "h")]),
        (with_spec(containers=[{"name": "b", "ports": [{"containerPort": 80}]}, {"name": "a", "image": "x"}]), []),
        (
            with_spec(containers=[{"name": "a", "image": "y"}, {"name": "c"}]),
            [
                FieldChange('.spec.containers[name="a"].image', "x", "y"),
                FieldChange('.spec.containers[name="b"]', BASE["spec"]["containers"][1], MISSING),
                FieldChange('.spec.containers[name="c"]', MISSING, {"name": "c"}),
            ],
        ),
        (with_spec(containers=None), [FieldChange(".spec.containers", BASE["spec"]["containers"], None)]),
        (with_spec(containers=[{"image": "x"}]), [
            FieldChange(".spec.containers[0].name", "a", MISSING),
            FieldChange(".spec.containers[1]", BASE["spec"]["containers"][1], MISSING),
        ]),
    ],
    ids=["bookkeeping", "new field", "another order", "items by name", "null is a value", "items without a key"],
)  # fmt: skip
def test_the_deepest_fields_that_differ_are_named(new: dict[str, Any], expected: list[FieldChange]) -> None:
    """List items are matched by key in any order; status and the server's own metadata do not count."""
    assert changes(BASE, new) == expected


def test_true_is_not_one() -> None:
    """1 and true differ, although Python takes them for equal."""
    assert changes({"metadata": {}, "a": 1}, {"metadata": {}, "a": True}) == [FieldChange(".a", 1, True)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".spec.replicas", 3),
        (".metadata.annotations.example.com/a.b", "yes"),
        ('.spec.list[name="a"].image', "x"),
        ('.spec.list[containerPort=80,protocol="TCP"].image', "y"),
        ('.spec.list[name="a]b"].image', "z"),
        ('.spec.finalizers[="f"]', "f"),
        (".spec.list[1].image", "y"),
        (".spec.none", MISSING),
        ('.spec.list[name="none"].image', MISSING),
        (".spec.list[broken", MISSING),
    ],
)
def test_a_path_of_a_conflict_leads_to_its_value(path: str, value: Any) -> None:
    """The API server's paths are understood: unquoted names, and items by key, by value or by place."""
    items = [
        {"name": "a", "image": "x"},
        {"containerPort": 80, "protocol": "TCP", "image": "y"},
        {"name": "a]b", "image": "z"},
    ]
    tree = {
        "metadata": {"annotations": {"example.com/a": "no", "example.com/a.b": "yes"}},
        "spec": {"replicas": 3, "list": items, "finalizers": ["f"]},
    }
    assert value_at(tree, path) == value


def test_the_values_of_secrets_are_hidden() -> None:
    """The values of a Secret are hidden; its other fields and all other kinds are shown."""
    changed = [
        FieldChange(".data.k", "old", MISSING),
        FieldChange(".data", MISSING, {"k": "new"}),
        FieldChange(".type", "a", "b"),
    ]
    secret = redacted(changed, "Secret")
    assert secret == [
        FieldChange(".data.k", "(hidden)", MISSING),
        FieldChange(".data", MISSING, {"k": "(hidden)"}),
        FieldChange(".type", "a", "b"),
    ]
    assert redacted(changed, "ConfigMap") == changed


@pytest.mark.parametrize("key", ["ksonnet.io/managed", "kubectl.kubernetes.io/last-applied-configuration"])
def test_copies_of_a_secret_are_hidden_too(key: str) -> None:
    """Annotations that hold a copy of the Secret are hidden, alone and among other annotations."""
    whole = changes({"metadata": {"annotations": {key: "c2VjcmV0", "a": "b"}}}, {"metadata": {}})
    assert redacted(whole, "Secret") == [FieldChange(".metadata.annotations", {key: "(hidden)", "a": "b"}, MISSING)]
    alone = changes(
        {"metadata": {"annotations": {key: "c2VjcmV0", "a": "b"}}}, {"metadata": {"annotations": {"a": "b"}}}
    )
    assert redacted(alone, "Secret") == [FieldChange(f".metadata.annotations.{key}", "(hidden)", MISSING)]


def test_values_are_shown_on_one_line() -> None:
    """A value is shown as JSON on one line with sorted keys; an absent field is shown as a word."""
    assert one_line({"b": 1, "a": "ä\n"}) == '{"a": "ä\\n", "b": 1}'
    assert one_line(MISSING) == "nothing"
