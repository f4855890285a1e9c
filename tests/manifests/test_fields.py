"""Differences by field, and the paths that name them."""

from typing import Any

import pytest

from scorekit.manifests.fields import MISSING, Change, changes, hidden, shown, value_at

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
    ("new", "found"),
    [
        (BASE | {"status": {}, "metadata": {"name": "p", "uid": "2", "generation": 9}}, []),
        (with_spec(hostname="h"), [Change(".spec.hostname", MISSING, "h")]),
        (with_spec(containers=[{"name": "b", "ports": [{"containerPort": 80}]}, {"name": "a", "image": "x"}]), []),
        (
            with_spec(containers=[{"name": "a", "image": "y"}, {"name": "c"}]),
            [
                Change('.spec.containers[name="a"].image', "x", "y"),
                Change('.spec.containers[name="b"]', BASE["spec"]["containers"][1], MISSING),
                Change('.spec.containers[name="c"]', MISSING, {"name": "c"}),
            ],
        ),
        (with_spec(containers=None), [Change(".spec.containers", BASE["spec"]["containers"], None)]),
        (with_spec(containers=[{"image": "x"}]), [
            Change(".spec.containers[0].name", "a", MISSING),
            Change(".spec.containers[1]", BASE["spec"]["containers"][1], MISSING),
        ]),
    ],
    ids=["bookkeeping", "new field", "another order", "items by name", "null is a value", "items without a key"],
)  # fmt: skip
def test_differences_are_told_as_deep_as_they_are(new: dict[str, Any], found: list[Change]) -> None:
    """Items of lists are told apart by their key, whatever their order; status and bookkeeping do not count."""
    assert changes(BASE, new) == found


def test_true_is_not_one() -> None:
    """Python takes them for equal, Kubernetes does not."""
    assert changes({"metadata": {}, "a": 1}, {"metadata": {}, "a": True}) == [Change(".a", 1, True)]


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
    """As the API server writes them: names unquoted whatever is in them, items by key, by value or by place."""
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


def test_secrets_are_hidden_and_only_they() -> None:
    """A Secret's values are replaced by a word, its other fields and other kinds are shown."""
    found = [Change(".data.k", "old", MISSING), Change(".data", MISSING, {"k": "new"}), Change(".type", "a", "b")]
    secret = hidden(found, "Secret")
    assert secret == [
        Change(".data.k", "(hidden)", MISSING),
        Change(".data", MISSING, {"k": "(hidden)"}),
        Change(".type", "a", "b"),
    ]
    assert hidden(found, "ConfigMap") == found


@pytest.mark.parametrize("key", ["ksonnet.io/managed", "kubectl.kubernetes.io/last-applied-configuration"])
def test_copies_of_a_secret_are_hidden_too(key: str) -> None:
    """The annotations that hold all of what was applied, whether they change alone or the others with them."""
    whole = changes({"metadata": {"annotations": {key: "c2VjcmV0", "a": "b"}}}, {"metadata": {}})
    assert hidden(whole, "Secret") == [Change(".metadata.annotations", {key: "(hidden)", "a": "b"}, MISSING)]
    alone = changes(
        {"metadata": {"annotations": {key: "c2VjcmV0", "a": "b"}}}, {"metadata": {"annotations": {"a": "b"}}}
    )
    assert hidden(alone, "Secret") == [Change(f".metadata.annotations.{key}", "(hidden)", MISSING)]


def test_values_are_shown_on_one_line() -> None:
    """JSON, keys sorted, letters as they are; what is not there is a word."""
    assert shown({"b": 1, "a": "ä\n"}) == '{"a": "ä\\n", "b": 1}'
    assert shown(MISSING) == "nothing"
