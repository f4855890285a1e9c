"""The file of a prototype parsed: comments with directives, and the body (ksonnet-rules.md#prototypes)."""

import re
from typing import get_args

from ...errors import RenderError
from .parameters import ParameterType, PrototypeParameter
from .prototype import Prototype

_COMMENT = re.compile(r"\s*//\s+(?P<text>\S.*)")


def parse_prototype(text: str, where: str) -> Prototype:
    """The prototype in a file. Raises ``RenderError`` with the line of a directive that is not valid."""
    texts = {"apiVersion": "", "name": "", "description": "", "shortDescription": ""}
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
        place = f"{where}:{at + 1}"
        directive = [comment["text"][1:]]
        at += 1
        # Comment lines below that are not directives continue this one.
        while at < len(lines) and (below := _COMMENT.fullmatch(lines[at])) and not below["text"].startswith("@"):
            directive.append(below["text"])
            at += 1
        tag, _, value = "\n".join(directive).partition(" ")
        if not value:
            raise RenderError(f'"{tag}" is not a valid directive', place)
        if tag in ("param", "optionalParam"):
            parameters.append(_parameter(value, tag == "optionalParam", place))
        elif tag in texts:
            texts[tag] = value
        else:
            raise RenderError(f'unknown prototype directive "{tag}"', place)
    if not texts["name"]:
        raise RenderError("this is not a prototype: it has no @name", where)
    return Prototype(
        name=texts["name"],
        description=texts["description"],
        short_description=texts["shortDescription"],
        parameters=tuple(parameters),
        body="\n".join(body),
    )


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
