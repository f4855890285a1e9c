"""The order of `ks show` (ksonnet §B.5)."""

from hypothesis import given
from hypothesis import strategies as st

from scorekit.manifests.order import ordered


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
    """Namespace, rank of the kind with unknown kinds last by name, apiVersion, name."""
    assert ordered(shuffled) == EXPECTED


def test_equal_objects_keep_their_order() -> None:
    """The sort is stable, and nothing but a kind is needed."""
    objects: list[dict[str, object]] = [
        {"kind": "K", "n": 1},
        {"kind": "K", "n": 2},
        {"kind": "K", "metadata": None, "n": 3},
    ]
    assert ordered(objects) == objects
