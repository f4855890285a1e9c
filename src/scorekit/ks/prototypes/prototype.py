"""Prototypes: jsonnet with holes, and comments that say what goes into them (ksonnet-rules.md#prototypes)."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ...errors import RenderError, SetupError
from ..app.components import is_bare

ParameterType = Literal["number", "string", "numberOrString", "object", "array"]

_COMMENT = re.compile(r"\s*//\s+(?P<text>\S.*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
# `import` is a word of its own; a comment may stand after it.
_HOLE = re.compile(r"\bimport\s+(?://.*?)?(['\"])(?P<from>param|env)://(?P<name>\w+)\1", re.DOTALL)
_HOLDERS = {"param": "params", "env": "env"}


@dataclass(frozen=True, slots=True)
class PrototypeParameter:
    """``default`` is None where a value has to be given."""

    name: str
    kind: ParameterType
    description: str
    default: str | None

    def source(self, text: str) -> str:
        """What a value on the command line is in jsonnet. Raises ``SetupError``."""
        if self.kind in ("object", "array"):
            return text
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if self.kind == "string" or (self.kind == "numberOrString" and not math.isfinite(number)):
            return json.dumps(text, ensure_ascii=False)
        if not math.isfinite(number):
            raise SetupError(f"reading value from flag: Could not convert parameter '{self.name}' to a number")
        # Python and Go read more as a number than jsonnet does.
        return text if _NUMBER.fullmatch(text) else json.dumps(number)


@dataclass(frozen=True, slots=True)
class Prototype:
    name: str
    description: str
    short_description: str
    parameters: tuple[PrototypeParameter, ...]
    body: str

    def required(self) -> list[PrototypeParameter]:
        return [each for each in self.parameters if each.default is None]

    def optional(self) -> list[PrototypeParameter]:
        return [each for each in self.parameters if each.default is not None]

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """Every parameter's jsonnet, from what was ``given`` and the defaults. A missing one is empty.

        Raises ``SetupError`` for what does not fit its type.
        """
        texts = {each: given.get(each.name, each.default or "") for each in self.parameters}
        return {
            each.name: "" if each.default is None and not text else each.source(text) for each, text in texts.items()
        }

    def check(self, values: Mapping[str, str]) -> None:
        """Raises ``SetupError`` where required parameters are missing."""
        missing = [each for each in self.required() if not values[each.name]]
        if missing:
            raise SetupError(
                f'failed to instantiate prototype "{self.name}". The following required parameters are missing:\n'
                + table(missing, "")
            )

    def expanded(self, component: str) -> str:
        """The source of a component of that name."""
        holder = f".{component}" if is_bare(component) else f"[{json.dumps(component, ensure_ascii=False)}]"
        body = _HOLE.sub(lambda match: f"{_HOLDERS[match['from']]}.{match['name']}", self.body)
        return (
            'local env = std.extVar("__ksonnet/environments");\n'
            f'local params = std.extVar("__ksonnet/params").components{holder};\n' + body
        )


def table(parameters: list[PrototypeParameter], prefix: str) -> str:
    """Parameters as flags, one a line, with what they are."""
    if not parameters:
        return "  [none]"
    flags = [f"--{each.name}=<{each.name}>" for each in parameters]
    width = max(map(len, flags)) + 1
    return "\n".join(
        f"{prefix}{flag:{width}}{each.description} [{_default(each)}type: {each.kind}]"
        for flag, each in zip(flags, parameters, strict=True)
    )


def parse(text: str, where: str) -> Prototype:
    """The prototype that a file holds. Raises ``RenderError``."""
    said = {"apiVersion": "", "name": "", "description": "", "shortDescription": ""}
    parameters: list[PrototypeParameter] = []
    body: list[str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        comment = _COMMENT.fullmatch(lines[at])
        if comment is None or not comment["text"].startswith("@"):
            body.append(lines[at])
            at += 1
            continue
        first = at
        directive = [comment["text"][1:]]
        at += 1
        # A comment below that is no directive goes on with this one.
        while at < len(lines) and (below := _COMMENT.fullmatch(lines[at])) and not below["text"].startswith("@"):
            directive.append(below["text"])
            at += 1
        tag, _, value = "\n".join(directive).partition(" ")
        place = f"{where}:{first + 1}"
        if not value:
            raise RenderError(f'"{tag}" is not a valid directive', place)
        if tag in ("param", "optionalParam"):
            parameters.append(_parameter(value, tag == "optionalParam", place))
        elif tag in said:
            said[tag] = value
        else:
            raise RenderError(f'unknown prototype directive "{tag}"', place)
    if not said["name"]:
        raise RenderError("it has no @name: this is no prototype", where)
    return Prototype(said["name"], said["description"], said["shortDescription"], tuple(parameters), "\n".join(body))


def _parameter(text: str, is_optional: bool, where: str) -> PrototypeParameter:
    parts = text.split(" ", 3 if is_optional else 2)
    if is_optional and len(parts) < 4:
        raise RenderError(
            "optional param fields must have '<name> <type> <default-val> <description> "
            f"(<default-val> currently cannot contain spaces), but got:\n{text}",
            where,
        )
    if len(parts) < 3:
        raise RenderError(f"param fields must have '<name> <type> <description>, but got:\n{text}", where)
    kind = next((each for each in get_args(ParameterType) if each == parts[1]), None)
    if kind is None:
        raise RenderError(f"invalid param tag: unknown param type '{parts[1]}'", where)
    return PrototypeParameter(parts[0], kind, parts[-1], parts[2] if is_optional else None)


def _default(parameter: PrototypeParameter) -> str:
    return "" if parameter.default is None else f"default: {parameter.default}, "
