"""Prototypes: templates of components in jsonnet, with parameters (ksonnet-rules.md#prototypes)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import SetupError
from ..app.names import is_unquoted
from .parameters import PrototypeParameter, parameter_lines

# `import "param://name"`, which is not an import. A comment may stand before the string.
_PLACEHOLDER = re.compile(r"\bimport\s+(?://.*?)?(['\"])(?P<scheme>param|env)://(?P<name>\w+)\1", re.DOTALL)
_LOCALS = {"param": "params", "env": "env"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prototype:
    """A prototype; ``body`` is its jsonnet without the comments that describe it."""

    name: str
    description: str
    short_description: str
    parameters: tuple[PrototypeParameter, ...]
    body: str

    def required(self) -> list[PrototypeParameter]:
        """The parameters that need a value."""
        return [each for each in self.parameters if each.default is None]

    def optional(self) -> list[PrototypeParameter]:
        """The parameters with a default."""
        return [each for each in self.parameters if each.default is not None]

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """The jsonnet source of every parameter, from the texts ``given`` and the defaults.

        A required parameter that is missing is empty. Raises ``SetupError`` for a value that does not fit its type.
        """
        texts = {each: given.get(each.name, each.default or "") for each in self.parameters}
        return {
            each.name: "" if each.default is None and not text else each.source(text) for each, text in texts.items()
        }

    def check(self, values: Mapping[str, str]) -> None:
        """Raises ``SetupError`` if required parameters are missing."""
        missing = [each for each in self.required() if not values[each.name]]
        if missing:
            raise SetupError(
                f'failed to instantiate prototype "{self.name}". The following required parameters are missing:\n'
                + parameter_lines(missing, "")
            )

    def expanded(self, component: str) -> str:
        """The source of a component of that name, which reads its parameters from ``__ksonnet/params``."""
        holder = f".{component}" if is_unquoted(component) else f"[{json.dumps(component, ensure_ascii=False)}]"
        body = _PLACEHOLDER.sub(lambda match: f"{_LOCALS[match['scheme']]}.{match['name']}", self.body)
        return (
            'local env = std.extVar("__ksonnet/environments");\n'
            f'local params = std.extVar("__ksonnet/params").components{holder};\n' + body
        )
