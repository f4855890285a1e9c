"""Prototypes: found in an app and its packages, parsed, and made into components.

This room may import ``ks.app``, ``ks.edits``, ``ks.engine`` and what is below them. Begin with ``prototype``;
``parameters`` holds the types and values, ``directives`` parses a file, ``catalog`` finds prototypes, ``generation``
writes a component.
"""

from .catalog import find, prototypes, prototypes_in, search
from .directives import parse_prototype
from .generation import component_parameters, generate
from .parameters import ParameterType, PrototypeParameter, parameter_lines
from .prototype import Prototype

__all__ = [
    "ParameterType",
    "Prototype",
    "PrototypeParameter",
    "component_parameters",
    "find",
    "generate",
    "parameter_lines",
    "parse_prototype",
    "prototypes",
    "prototypes_in",
    "search",
]
