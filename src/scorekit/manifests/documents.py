"""YAML text into documents: every one of them, with go-yaml's idea of a scalar, as JSON-like values."""

import math
from typing import Any

import yaml

from ..errors import RenderError
from .scalars import meaning

Object = dict[str, Any]

_PLAIN = "plain"
_SCALAR_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null")}
_COLLECTION_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq")}
_TEXT_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:binary"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one is a matter of the wheel
    """Composes nodes and marks plain scalars, whose meaning is ours to decide."""

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> Any:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PLAIN
        return super().resolve(kind, value, implicit)


def documents(text: str, where: str) -> list[Any]:
    """Every non-empty document of ``text`` (ksonnet took only the first: ksonnet-rules.md#repair-documents).

    ``where`` names the file in errors. Keys become text as in JSON; merge keys (``<<``) are applied.
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
        raise _fault("an alias that contains itself", node, where)
    above = (*above, node)
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTION_TAGS:
        raise _fault(f"the tag {node.tag} means nothing in a manifest", node, where)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, where)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, where, above) for child in node.value]
    merged: Object = {}
    own: Object = {}
    for key, child in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag == _PLAIN and key.value == "<<":
            parts = _value(child, where, above)
            # The first of several merged mappings wins, and the mapping's own keys win over all.
            for part in reversed(parts if isinstance(parts, list) else [parts]):
                if not isinstance(part, dict):
                    raise _fault("a merge key (<<) takes a mapping or a list of mappings", child, where)
                merged |= part
        else:
            own[_key(key, where)] = _value(child, where, above)
    return merged | own


def _scalar(node: yaml.ScalarNode, where: str) -> Any:
    if node.tag in _TEXT_TAGS:
        return node.value
    if node.tag != _PLAIN and node.tag not in _SCALAR_TAGS:
        raise _fault(f"the tag {node.tag} means nothing in a manifest", node, where)
    value = meaning(node.value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _fault(f"{node.value} has no place in JSON: quote it to keep it as text", node, where)
    return value


def _key(node: yaml.Node, where: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _fault("a key must be a single word or number", node, where)
    value = meaning(node.value) if node.tag == _PLAIN else node.value
    if isinstance(value, bool):
        return "true" if value else "false"
    return node.value if isinstance(value, float) or value is None else str(value)


def _fault(message: str, node: yaml.Node, where: str) -> RenderError:
    return RenderError(message, f"{where}:{node.start_mark.line + 1}:{node.start_mark.column + 1}")
