"""The parameters of a prototype: their types, and values as a command line gives them (ksonnet-rules.md#prototypes)."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import SetupError

ParameterType = Literal["number", "string", "numberOrString", "object", "array"]

_JSONNET_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class PrototypeParameter:
    """A parameter; ``default`` is None if a value is required."""

    name: str
    kind: ParameterType
    description: str
    default: str | None

    def source(self, text: str) -> str:
        """The jsonnet source of a value, given as ``text``. An object or an array is jsonnet already.

        Raises ``SetupError`` if a number is not one.
        """
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
        # Python and Go accept numbers that jsonnet does not, such as `+5` and `1_000`.
        return text if _JSONNET_NUMBER.fullmatch(text) else json.dumps(number)


def parameter_lines(parameters: Sequence[PrototypeParameter], indent: str) -> str:
    """The parameters as flags, one on each line, with descriptions, types and defaults; as ksonnet prints them."""
    if not parameters:
        return "  [none]"
    flags = [f"--{each.name}=<{each.name}>" for each in parameters]
    width = max(map(len, flags)) + 1
    return "\n".join(
        f"{indent}{flag:{width}}{each.description} [{_default(each)}type: {each.kind}]"
        for flag, each in zip(flags, parameters, strict=True)
    )


def _default(parameter: PrototypeParameter) -> str:
    return "" if parameter.default is None else f"default: {parameter.default}, "
