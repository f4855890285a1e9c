"""The order of `ks show` (ksonnet-rules.md#printing), and the order in which a cluster gets objects."""

from hypothesis import given
from hypothesis import strategies as st

from scorekit.manifests.order import apply_order_key, in_show_order


def thing(kind: str, name: str = "", version: str = "v1", namespace: str = "") -> dict[str, object]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
    }


EXPECTED = [
    thing("Namespace", "z"),
    thing("CustomResourceDefinition", "c"),
    thing("Role", "a"),
    thing("Role", "b"),
    thing("RoleBinding", "a"),
    thing("Service", "a", "a/v1"),
    thing("Service", "a"),
    thing("Deployment", "a"),
    thing("APIService", "a"),
    thing("Alpha", "a"),
    thing("SeldonDeployment", "a"),
    thing("Namespace", "a", namespace="n"),
]


@given(st.permutations(EXPECTED))
def test_objects_are_in_ksonnets_order(shuffled: list[dict[str, object]]) -> None:
    """Objects sort by namespace, rank of the kind (unknown kinds last, by name), apiVersion and name."""
    assert in_show_order(shuffled) == EXPECTED


def test_equal_objects_keep_their_order() -> None:
    """The sort is stable, and an object needs nothing but a kind."""
    objects: list[dict[str, object]] = [
        {"kind": "K", "n": 1},
        {"kind": "K", "n": 2},
        {"kind": "K", "metadata": None, "n": 3},
    ]
    assert in_show_order(objects) == objects


def test_a_cluster_is_given_first_what_others_need() -> None:
    """Namespaces go first, then definitions, then objects by kind over all namespaces, custom kinds last."""
    given = [
        ("Thing", ""),
        ("Deployment", "a"),
        ("ConfigMap", "b"),
        ("CustomResourceDefinition", ""),
        ("ServiceAccount", "a"),
        ("Namespace", ""),
    ]
    objects = [{"kind": kind, "metadata": {"name": "n", "namespace": namespace}} for kind, namespace in given]
    kinds = [value["kind"] for value in sorted(objects, key=apply_order_key)]
    expected = ["Namespace", "CustomResourceDefinition", "ConfigMap", "ServiceAccount", "Deployment", "Thing"]
    assert kinds == expected
