"""The plan of a deployment: objects in their namespaces, with their kinds looked up, in the order of applying."""

from typing import Any

import pytest

from scorekit.deploy import ApiResource, DeployPlan, check_distinct, components_of, plan
from scorekit.errors import RenderError

from .conftest import Object, config_map, definition, deployment
from .fakes import FakeCluster

NAMESPACE: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns", "namespace": "odd"}}


def thing(**metadata: Any) -> Object:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t", **metadata}}


def made(*objects: Object) -> DeployPlan:
    return plan(objects, FakeCluster(), namespace="ns")


def test_objects_get_their_namespace() -> None:
    """An object keeps its namespace or gets the environment's; one of a kind that has none loses it."""
    elsewhere = config_map("elsewhere")
    elsewhere["metadata"]["namespace"] = "other"
    titles = [planned.title for planned in made(config_map(), elsewhere, NAMESPACE).objects]
    assert titles == ["ConfigMap ns/settings", "ConfigMap other/elsewhere", "Namespace ns"]


@pytest.mark.parametrize(("scope", "title"), [("Namespaced", "Thing ns/t"), ("Cluster", "Thing t"), ("", "Thing ns/t")])
def test_a_kind_that_is_not_served_yet_is_taken_as_the_source_defines_it(scope: str, title: str) -> None:
    """The scope of a definition among the objects counts; without one the kind is taken for namespaced."""
    objects = [thing()]
    if scope:
        objects.append(definition("Thing", "example.com"))
        objects[1]["spec"]["scope"] = scope
    first, *_ = made(*objects).objects
    assert first.title == title
    assert first.resource is None


def test_a_kind_that_was_served_meanwhile_is_resolved() -> None:
    """An object that was taken for namespaced loses the namespace if its kind turns out to have none."""
    planned = made(thing())
    resource = ApiResource(api_version="example.com/v1", kind="Thing", plural="things", is_namespaced=False)
    resolved = planned.resolved(planned.objects[0], resource)
    assert (resolved.title, resolved.resource) == ("Thing t", resource)


def test_the_order_of_applying_is_another_than_the_order_of_showing() -> None:
    """Objects keep the order in which they come; for applying, what others need comes first."""
    planned = made(deployment(), config_map(), NAMESPACE)
    assert [each.kind for each in planned.objects] == ["Deployment", "ConfigMap", "Namespace"]
    assert [each.kind for each in planned.in_apply_order()] == ["Namespace", "ConfigMap", "Deployment"]


def test_one_object_twice_is_refused() -> None:
    """Two objects that are the same one on a cluster are an error, also if only one of them names the namespace."""
    first, second = config_map(), config_map()
    first["metadata"]["labels"] = {"ksonnet.io/component": "one"}
    second["metadata"] |= {"namespace": "ns", "labels": {"ksonnet.io/component": "two"}}
    with pytest.raises(RenderError, match='"one" and "two"'):
        made(first, second)
    check_distinct([first, second], "another")
    assert components_of([first, second, NAMESPACE]) == {"one", "two"}
