"""The jsonnet engine: go-jsonnet, which ksonnet had, through ``gojsonnet``, with ksonnet's native functions."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import _gojsonnet

from ...errors import RenderError
from ..engine.evaluator import JsonnetError, Position, Program
from ..engine.natives import NATIVES

T = TypeVar("T")

_AT = r"(?P<file>[^\n]*?):\(?(?P<line>\d+):(?P<column>\d+)\)?(?:-\(?[\d:]+\)?)?"
_PLACE = re.compile(rf"\t{_AT}\t.*")
_FIELD = re.compile(r'\tField "(?P<name>.*)"\t')
_STATIC = re.compile(rf"{_AT} (?P<message>[^\n]*)(?:\n.*)?", re.DOTALL)
_UNEXPECTED = re.compile(r'Unexpected: (?P<found>".*") while parsing .*')
# What the engine finds before it evaluates and that is no fault of syntax.
_NAMES = ("Unknown variable: ", "Duplicate field: ", "Can't use ")
# Makes any expression a function of one argument that nobody passes: parsed, never evaluated.
_HEAD = "function(_)"
_NO_ARGUMENT = "RUNTIME ERROR: Missing argument: _\n"

_FAILED = "@failed/"
"""The folder of what could not be imported."""

_MAX_STACK = 500  # go-jsonnet's own limit


class Jsonnet:
    """Fulfils ``ks.evaluator.Evaluator``."""

    def evaluate(self, program: Program) -> Any:
        raised: list[RenderError] = []  # the engine keeps no more than the text of what a callback raises

        def imported(folder: str, wanted: str) -> tuple[str, bytes]:
            try:
                path, text = program.importer(folder.removesuffix("/"), wanted)
            except RenderError as error:
                # What a callback raises is read by gojsonnet 0.22 from memory that it has freed.
                raised.append(error)
                return _FAILED + wanted, b'error "import"'
            return path, text.encode()

        natives = {name: (names, _watched(function, raised)) for name, (names, function) in NATIVES.items()}
        try:
            text = _gojsonnet.evaluate_snippet(
                "@/program",
                program.source,
                max_stack=_MAX_STACK,
                ext_vars=dict(program.ext_vars),
                ext_codes=dict(program.ext_codes),
                import_callback=imported,
                native_callbacks=natives,
            )
        except RuntimeError as error:
            found = _translated(str(error))
            if not raised:
                raise found from error
            trace = tuple(at for at in found.trace if not at.file.startswith(_FAILED))
            raise JsonnetError(str(raised[0]), trace, found.fields) from raised[0]
        if raised:  # `importstr` takes any text
            raise JsonnetError(str(raised[0])) from raised[0]
        return json.loads(text, parse_int=_whole)

    def check(self, file: str, source: str) -> None:
        try:
            _gojsonnet.evaluate_snippet(file, _HEAD + source)
        except RuntimeError as error:
            if str(error).startswith(_NO_ARGUMENT):
                return
            found = _translated(str(error))
            trace = tuple(replace(at, column=at.column - len(_HEAD)) if at.line == 1 else at for at in found.trace)
            raise JsonnetError(found.message, trace) from error


def _watched(function: Callable[..., T], raised: list[RenderError]) -> Callable[..., T]:
    def call(*arguments: Any) -> T:
        try:
            return function(*arguments)
        except RenderError as error:
            raised.append(error)
            raise

    return call


def _whole(digits: str) -> int | float:
    """Every number of jsonnet is a 64-bit float; those that fit a 64-bit integer are written as one (as in Go)."""
    number = int(digits)
    return number if -(2**63) <= number < 2**63 else float(number)


def _translated(text: str) -> JsonnetError:
    is_static = not text.startswith("RUNTIME ERROR: ")
    lines = text.removeprefix("RUNTIME ERROR: ").rstrip("\n").split("\n")
    message: list[str] = []
    trace: list[Position] = []
    fields: list[str] = []
    for number, line in enumerate(lines):
        if number and (place := _PLACE.fullmatch(line)) is not None:
            trace.append(_position(place))
        elif number and (found := _FIELD.fullmatch(line)) is not None:
            fields.append(found["name"])
        elif is_static or not (trace or fields or line.startswith("\t")):
            message.append(line)
    sentence = "\n".join(message)
    # A file that does not parse says where, whoever imports it.
    if (static := _STATIC.fullmatch(sentence)) is not None:
        trace.insert(0, _position(static))
        sentence = _sentence(static["message"])
    return JsonnetError(sentence or "jsonnet failed and did not say why", tuple(trace), tuple(fields))


def _position(match: re.Match[str]) -> Position:
    return Position(match["file"], int(match["line"]), int(match["column"]))


def _sentence(message: str) -> str:
    if message.startswith(_NAMES):
        return message
    if "end of file" in message:
        return "syntax error: it ends too early"
    if (unexpected := _UNEXPECTED.fullmatch(message)) is not None:
        return f"syntax error: unexpected {unexpected['found']}"
    return f"syntax error: {message}"
