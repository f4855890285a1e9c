"""A model's metadata, and metadata that are refused."""

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
    """The image is split at its last colon; without a colon all of it is the version, as with the stock wrapper."""
    assert build_metadata({}, {}, image) == {**DEFAULTS, "name": name, "versions": [version]}


def test_the_operator_overrules_the_class_key_by_key() -> None:
    """MODEL_METADATA replaces whole keys; a value of the class that is not an object is ignored."""
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
    """Tensors have message types or the later protocol's datatypes, as the stock wrapper validates them."""
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
    """Metadata with an invalid part are refused as a whole."""
    with pytest.raises(BadMetadata, match=place):
        build_metadata({}, told, None)
