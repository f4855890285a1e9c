"""From the value that a component evaluates to, to Kubernetes objects (ksonnet-rules.md#rendering)."""

import copy
from typing import Any

from ..errors import RenderError
from .documents import Object

COMPONENT_LABEL = "ksonnet.io/component"
"""The label by which an object names the component that rendered it."""


def wrap(value: Any) -> Any:
    """``value``, or a v1 ``List`` of its items if it is an array (ksonnet-rules.md#rendering)."""
    return {"apiVersion": "v1", "kind": "List", "items": value} if isinstance(value, list) else value


def labelled(value: Object, component: str) -> Object:
    """A copy that has the component's name as a label: on each item of a v1 ``List``, else on the object
    (ksonnet-rules.md#rendering).

    ``metadata`` or ``labels`` that are not objects are replaced, as in ksonnet 0.13.1.
    """
    value = copy.deepcopy(value)
    is_list = value.get("apiVersion") == "v1" and value.get("kind") == "List"
    items = value.get("items") if is_list else [value]
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            _child(_child(item, "metadata"), "labels")[COMPONENT_LABEL] = component.removeprefix("/").replace("/", ".")
    return value


def flattened(value: Object, where: str) -> list[Object]:
    """The objects of ``value``: itself, or the items of a list, one level deep (ksonnet-rules.md#rendering).

    Items that are null are left out, because packages drop objects by an ``if`` without ``else``. ``where`` names the
    component in errors. Raises ``RenderError`` for an item that is not an object and for an object without a kind.
    """
    _kind(value, where)
    if "items" not in value:
        return [value]
    items = value["items"]
    if not isinstance(items, list):
        return [value]
    return [_item(item, value, f"{where}, item {number}") for number, item in enumerate(items, 1) if item is not None]


def _item(item: Any, parent: Object, where: str) -> Object:
    if not isinstance(item, dict):
        raise RenderError(f"expected a Kubernetes object, got {_article(item)}", where)
    if "kind" not in item and parent["kind"] not in ("List", "") and parent["kind"].endswith("List"):
        # The items of a typed list, such as a RoleList, may leave out the kind that the list's own kind implies.
        item = {"apiVersion": parent.get("apiVersion", ""), "kind": parent["kind"].removesuffix("List"), **item}
    value: Object = item
    _kind(value, where)
    return value


def _kind(value: Object, where: str) -> None:
    kind = value.get("kind")
    if not isinstance(kind, str) or not kind:
        fields = ", ".join(sorted(value)) or "none"
        raise RenderError(f"a Kubernetes object needs a kind; the fields of this one: {fields}", where)


def _child(value: Object, key: str) -> Object:
    child = value.get(key)
    if not isinstance(child, dict):
        child = value[key] = {}
    return child


def _article(value: Any) -> str:
    names = {
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "an array",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)
