"""What a model says of itself, and what is none of that."""

from typing import Any

import pytest

from scorekit.errors import BadMetadata
from scorekit.model.metadata import build_metadata

DEFAULTS = {"name": "", "versions": [""], "platform": "", "inputs": [], "outputs": [], "custom": {}}


@pytest.mark.parametrize(
    ("image", "name", "version"),
    [(None, "", ""), ("host:5000/model:1.2", "host:5000/model", "1.2"), ("model", "", "model")],
)
def test_name_and_version_come_from_the_image(image: str | None, name: str, version: str) -> None:
    """The image is split at its last colon; one without is a version, as with the stock wrapper."""
    assert build_metadata({}, {}, image) == {**DEFAULTS, "name": name, "versions": [version]}


def test_the_operator_overrules_the_class_key_by_key() -> None:
    """MODEL_METADATA replaces whole keys; what the class says that is no object counts as nothing."""
    assert build_metadata({"name": "own", "platform": "p"}, {"name": "told"}, "i:1")["name"] == "told"
    assert build_metadata({"name": "own", "platform": "p"}, {"name": "told"}, "i:1")["platform"] == "p"
    assert build_metadata(["own"], {}, None) == DEFAULTS


GOOD: list[Any] = [
    {"messagetype": "tensor", "schema": {"names": ["a"], "shape": [1]}},
    {"messagetype": "ndarray"},
    {"messagetype": "jsonData", "schema": {"type": "object"}},
    {"messagetype": "strData"},
    {"messagetype": "own", "schema": {"anything": 1}},
    {"name": "a", "datatype": "FP32", "shape": [1, -1]},
]


@pytest.mark.parametrize("tensor", GOOD)
def test_inputs_of_both_styles_are_taken(tensor: Any) -> None:
    """Message types and the datatypes of the later protocol, as the stock wrapper validates them."""
    assert build_metadata({"inputs": [tensor], "outputs": [tensor]}, {}, None)["outputs"] == [tensor]


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ({"colour": "blue"}, "has no key colour"),
        ({"name": 1}, r"metadata\.name"),
        ({"platform": None}, r"metadata\.platform"),
        ({"versions": "v1"}, r"metadata\.versions"),
        ({"versions": [1]}, r"metadata\.versions"),
        ({"custom": {"a": 1}}, r"metadata\.custom"),
        ({"inputs": {}}, r"metadata\.inputs"),
        ({"inputs": [GOOD[0], "tensor"]}, r"metadata\.inputs\[1\]"),
        ({"outputs": [{"messagetype": "tensor", "schema": {"names": "a"}}]}, r"metadata\.outputs\[0\]"),
        ({"outputs": [{"messagetype": "tensor", "schema": {"shape": [True]}}]}, r"metadata\.outputs\[0\]"),
        ({"outputs": [{"messagetype": "tensor", "schema": {"more": 1}}]}, r"metadata\.outputs\[0\]"),
        ({"outputs": [{"messagetype": "strData", "schema": {}}]}, r"metadata\.outputs\[0\]"),
        ({"outputs": [{"messagetype": "own", "more": {}}]}, r"metadata\.outputs\[0\]"),
        ({"outputs": [{"datatype": "FP8"}]}, r"metadata\.outputs\[0\]"),
    ],
)
def test_what_is_no_metadata_is_told_with_its_place(told: dict[str, Any], place: str) -> None:
    """Nothing of it is answered in part."""
    with pytest.raises(BadMetadata, match=place):
        build_metadata({}, told, None)
