"""The source of jsonnet files: parsed with the place of everything, and edited without changing the rest.

This room may import only ``errors``. Begin with ``edits``, whose comment explains how a field is set and removed;
``tokens``, ``parser`` and ``syntax`` are the steps before it, ``literals`` writes values. Nothing is evaluated here.
"""

from .edits import Replacement, SourceText, UneditableSource, replaced
from .parser import parse
from .syntax import Expression, ObjectLiteral, ObjectMember
from .tokens import JsonnetSyntaxError, Token, tokens

__all__ = [
    "Expression",
    "JsonnetSyntaxError",
    "ObjectLiteral",
    "ObjectMember",
    "Replacement",
    "SourceText",
    "Token",
    "UneditableSource",
    "parse",
    "replaced",
    "tokens",
]
