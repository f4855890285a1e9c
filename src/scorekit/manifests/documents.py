"""YAML text to JSON-like values: every document of it, with scalars as go-yaml reads them.

PyYAML only builds the tree of nodes here. What a plain scalar means is decided by :mod:`.scalars`, because PyYAML and
the go-yaml of ksonnet disagree (``1:30``, ``08``, dates), and a value must come out as ksonnet would have read it.
"""

import math
from typing import Any

import yaml

from ..errors import RenderError
from .scalars import meaning

Object = dict[str, Any]
"""A Kubernetes object: the value of one YAML or JSON document."""

_PLAIN = "plain"
_SCALAR_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null")}
_COLLECTION_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq")}
_TEXT_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:binary"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # not every wheel of PyYAML has libyaml
    """Composes nodes and gives every plain scalar one tag, so that :func:`_scalar` can decide what it means."""

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> Any:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        return super().resolve(kind, value, implicit)


def documents(text: str, where: str) -> list[Any]:
    """Every non-empty document of ``text``. ksonnet 0.13.1 read only the first and lost the others
    (ksonnet-rules.md#repair-documents).

    Keys become strings as in JSON, and merge keys (``<<``) are applied. ``where`` is the file's name in errors. Raises
    ``RenderError`` with file, line and column for text that is not YAML and for YAML that JSON cannot express: foreign
    tags, keys that are lists or mappings, infinities and NaN, aliases that contain themselves.
    """
    try:
        nodes = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise RenderError(f"not YAML: {error.problem or error.context}", f"{where}{line}") from error
    except yaml.YAMLError as error:
        raise RenderError(f"not YAML: {str(error).splitlines()[0]}", where) from error
    values = [_value(node, where, ()) for node in nodes]
    return [value for value in values if value is not None]


def _value(node: yaml.Node, where: str, above: tuple[yaml.Node, ...]) -> Any:
    if any(node is one for one in above):
        raise _fault("an alias must not contain itself", node, where)
    above = (*above, node)
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTION_TAGS:
        raise _fault(f"the tag {node.tag} is not supported", node, where)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, where)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, where, above) for child in node.value]
    merged: Object = {}
    own: Object = {}
    for key, child in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag == _PLAIN and key.value == "<<":
            parts = _value(child, where, above)
            # Of several merged mappings the first wins, and the mapping's own keys win over all of them: YAML 1.1,
            # https://yaml.org/type/merge.html.
            for part in reversed(parts if isinstance(parts, list) else [parts]):
                if not isinstance(part, dict):
                    raise _fault("a merge key (<<) needs a mapping or a list of mappings", child, where)
                merged |= part
        else:
            own[_key(key, where)] = _value(child, where, above)
    return merged | own


def _scalar(node: yaml.ScalarNode, where: str) -> Any:
    if node.tag in _TEXT_TAGS:
        return node.value
    if node.tag != _PLAIN and node.tag not in _SCALAR_TAGS:
        raise _fault(f"the tag {node.tag} is not supported", node, where)
    value = meaning(node.value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _fault(f"{node.value} cannot be expressed in JSON: quote it to keep it as text", node, where)
    return value


def _key(node: yaml.Node, where: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _fault("a key must be a scalar", node, where)
    value = meaning(node.value) if node.tag == _PLAIN else node.value
    if isinstance(value, bool):
        return "true" if value else "false"
    return node.value if isinstance(value, float) or value is None else str(value)


def _fault(message: str, node: yaml.Node, where: str) -> RenderError:
    return RenderError(message, f"{where}:{node.start_mark.line + 1}:{node.start_mark.column + 1}")
