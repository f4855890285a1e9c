"""What ``ks`` asks of a jsonnet engine, and what it adds to one: imports, native functions, places of errors.

This room may import ``ks.app``, ``ks.library`` and ``manifests``; the engine itself is in ``ks.io.gojsonnet``. Begin
with ``evaluator``, the interface; ``imports`` is the search path of an app, ``locations`` leads from an error to a
file.
"""

from .evaluator import Evaluator, Importer, JsonnetError, Position, Program
from .imports import ImportNotFound, ImportSearch
from .locations import ComponentSpan, SourceMap
from .natives import NATIVES

__all__ = [
    "NATIVES",
    "ComponentSpan",
    "Evaluator",
    "ImportNotFound",
    "ImportSearch",
    "Importer",
    "JsonnetError",
    "Position",
    "Program",
    "SourceMap",
]
