"""The jsonnet engine: jrsonnet through ``rjsonnet``, with ksonnet's native functions."""

import json
import re
from collections.abc import Iterable
from typing import Any

import rjsonnet

from .errors import RenderError
from .ks.evaluator import JsonnetError, Position, Program
from .ks.natives import NATIVES

_PLACE = re.compile(r" {4}(?P<file>\S.*?):(?P<line>\d+):(?P<column>\d+)(?:-[\d:]+)?(?:: .*)?")
_FIELD = re.compile(r" {4}field <(?P<name>.*)> manifestification")
_OTHER = re.compile(r" {4}\S")
_SYNTAX = re.compile(r'syntax error: expected .*, got "(?P<found>.*)"', re.DOTALL)
_SIMILAR = re.compile(r"There (?:is|are) fields? with similar names? present: (?P<names>.*)")
# Makes any expression a function of one argument that nobody passes: parsed, never evaluated.
_HEAD = "function(_)"
_NO_ARGUMENT = "function argument is not passed"

# go-jsonnet's own limit. Four times as many overflow a C stack of 2 MB, which is a crash instead of an error.
_MAX_STACK = 500


class Jsonnet:
    """Fulfils ``ks.evaluator.Evaluator``."""

    def evaluate(self, program: Program) -> Any:
        try:
            text = rjsonnet.evaluate_snippet(
                "@/program",
                program.source,
                max_stack=_MAX_STACK,
                ext_vars=dict(program.ext_vars),
                ext_codes=dict(program.ext_codes),
                import_callback=program.importer,
                native_callbacks=dict(NATIVES),
            )
        except RuntimeError as error:
            raise _translated(error) from error
        return json.loads(text, parse_int=_whole)

    def check(self, file: str, source: str) -> None:
        try:
            rjsonnet.evaluate_snippet(file, _HEAD + source)
        except RuntimeError as error:
            if str(error).startswith(_NO_ARGUMENT):
                return
            found = _translated(error)
            trace = tuple(
                Position(at.file, at.line, at.column - len(_HEAD) if at.line == 1 else at.column) for at in found.trace
            )
            raise JsonnetError(found.message, trace) from error


def _whole(digits: str) -> int | float:
    """Every number of jsonnet is a 64-bit float; those that fit a 64-bit integer are written as one (as in Go)."""
    number = int(digits)
    return number if -(2**63) <= number < 2**63 else float(number)


def _translated(error: RuntimeError) -> JsonnetError:
    message: list[str] = []
    trace: list[Position] = []
    fields: list[str] = []
    for line in str(error).split("\n"):
        if (place := _PLACE.fullmatch(line)) is not None:
            trace.append(Position(place["file"], int(place["line"]), int(place["column"])))
        elif (found := _FIELD.fullmatch(line)) is not None:
            fields.append(found["name"])
        elif not (trace or fields or (message and _OTHER.match(line))):
            message.append(line)
    cause = error.__cause__
    text = str(cause) if isinstance(cause, RenderError) else _sentence(message)
    return JsonnetError(text, tuple(trace), tuple(fields))


def _sentence(lines: Iterable[str]) -> str:
    words: list[str] = []
    hint = ""
    for line in lines:
        if (similar := _SIMILAR.fullmatch(line)) is not None:
            hint = f"; did you mean {similar['names']}?"
        else:
            words.append(line)
    text = "\n".join(words).removeprefix("runtime error: ")
    if (syntax := _SYNTAX.fullmatch(text)) is not None:
        found = syntax["found"]
        text = "syntax error: it ends too early" if found == "EOF" else f'syntax error: unexpected "{found}"'
    return (text or "jsonnet failed and did not say why") + hint
