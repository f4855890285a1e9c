"""A component's value becomes Kubernetes objects (ksonnet-rules.md#rendering)."""

import pytest

from scorekit.errors import RenderError
from scorekit.manifests.extract import flattened, labelled
from scorekit.manifests.patch import merge_patch


def test_labels_are_made_where_there_are_none_and_the_input_is_left_alone() -> None:
    """`metadata` or `labels` that are not objects are replaced, as in ksonnet; the input stays as it is."""
    value = {"kind": "K", "metadata": None}
    assert labelled(value, "/apps/web") == {"kind": "K", "metadata": {"labels": {"ksonnet.io/component": "apps.web"}}}
    assert value == {"kind": "K", "metadata": None}


def test_null_items_are_left_out() -> None:
    """Packages drop objects of an array by an `if` without `else`, which leaves null in it."""
    service = {"kind": "Service"}
    assert flattened({"kind": "List", "items": [None, service, None]}, "here") == [service]


def test_a_typed_list_lends_its_kind_to_its_items() -> None:
    """Items of a RoleList are Roles even if they do not say so; items of a plain List need a kind of their own."""
    roles = {"apiVersion": "rbac/v1", "kind": "RoleList", "items": [{"metadata": {"name": "r"}}]}
    assert flattened(roles, "here") == [{"apiVersion": "rbac/v1", "kind": "Role", "metadata": {"name": "r"}}]
    with pytest.raises(RenderError, match=r"^here, item 1: a Kubernetes object needs a kind"):
        flattened({"kind": "List", "items": [{"a": 1}]}, "here")
    with pytest.raises(RenderError, match=r"^here, item 1: expected a Kubernetes object, got a string"):
        flattened({"kind": "List", "items": ["a"]}, "here")


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [
        ({"a": 1}, {"a": None}, {}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ({"a": 1}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({"a": 1}, "x", "x"),
    ],
)
def test_merge_patch_is_rfc_7396(target: object, patch: object, expected: object) -> None:
    """Objects merge, null removes a field, and any other value replaces it."""
    assert merge_patch(target, patch) == expected
