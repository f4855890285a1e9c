"""The model's metadata, as ``/metadata`` answers them (seldon-core 1.17.1).

The variable MODEL_METADATA replaces the values of the class's ``init_metadata()``, key by key; defaults come from the
image's name. Metadata that do not fit the protocol's schema are refused as a whole.
"""

from collections.abc import Mapping
from typing import Any

from ..errors import BadMetadata

Metadata = dict[str, Any]

_TENSORS = frozenset({"tensor", "ndarray", "tftensor"})
_DATATYPES = frozenset(
    {"BOOL", "BYTES", "FP16", "FP32", "FP64"} | {f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
)


def build_metadata(own: Any, configured: Mapping[str, Any], image: str | None) -> Metadata:
    """Return a component's metadata: its class's ``own``, those that the operator ``configured``, and its ``image``.

    Raises ``BadMetadata`` that names the key at fault if they do not fit the schema.
    """
    name, _, version = (image or "").rpartition(":")
    metadata: Metadata = {
        "name": name,
        "versions": [version],
        "platform": "",
        "inputs": [],
        "outputs": [],
        "custom": {},
    }
    metadata |= {**(own if isinstance(own, dict) else {}), **configured}
    _check(metadata)
    return metadata


def _check(metadata: Metadata) -> None:
    unknown = [
        str(key) for key in metadata if key not in ("name", "versions", "platform", "inputs", "outputs", "custom")
    ]
    if unknown:
        raise BadMetadata(f"metadata has no key {unknown[0]}")
    for key in ("name", "platform"):
        _require(isinstance(metadata[key], str), key, "a string")
    _require(_texts(metadata["versions"]), "versions", "a list of strings")
    custom = metadata["custom"]
    _require(isinstance(custom, dict) and _texts([*custom, *custom.values()]), "custom", "an object of strings")
    for key in ("inputs", "outputs"):
        tensors = metadata[key]
        _require(isinstance(tensors, list), key, "a list")
        for at, each in enumerate(tensors):
            _require(_is_tensor(each), f"{key}[{at}]", "an object with a messagetype or a datatype, and their schema")


def _is_tensor(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if "messagetype" not in value:
        return (
            value.keys() <= {"name", "datatype", "shape"}
            and isinstance(value.get("name", ""), str)
            and value.get("datatype", "BYTES") in _DATATYPES
            and _wholes(value.get("shape", []))
        )
    kind, schema = value["messagetype"], value.get("schema", {})
    if not isinstance(kind, str) or not value.keys() <= {"messagetype", "schema"}:
        return False
    if kind in ("strData", "binData"):
        return "schema" not in value
    if not isinstance(schema, dict):
        return False
    if kind in _TENSORS:
        return (
            schema.keys() <= {"names", "shape"} and _texts(schema.get("names", [])) and _wholes(schema.get("shape", []))
        )
    return True


def _require(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise BadMetadata(f"metadata.{where} must be {what}")


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _wholes(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, int) and not isinstance(each, bool) for each in value)
