"""The jsonnet engine: go-jsonnet, which ksonnet used too, through the package ``gojsonnet``.

Another engine would not do. ksonnet's strings have go-jsonnet's digits (``"" + 0.1`` is ``0.10000000000000001``), which
no code outside of the engine can change (docs/design/0025). Three properties of the binding shape this module:

* The engine reports an error as one text. ``_translated`` parses it into a message, places and fields.
* Of an exception in a callback, gojsonnet 0.22 reads the message from memory that it has freed. So the error itself
  is kept in ``raised`` and replaces the engine's. An import that fails returns a program that fails instead of raising.
* There is no function that only parses. ``check`` evaluates ``function(_) <source>``: the source is parsed, the
  function lacks its argument, and exactly that error means that the source is jsonnet.
"""

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
_UNEXPECTED = re.compile(r'Unexpected: (?P<token>".*") while parsing .*')
# Errors that are found before evaluation and are not about syntax.
_NAMES = ("Unknown variable: ", "Duplicate field: ", "Can't use ")
# Makes an expression the body of a function whose argument is missing: it is parsed and never evaluated.
_HEAD = "function(_)"
_NO_ARGUMENT = "RUNTIME ERROR: Missing argument: _\n"

_FAILED = "@failed/"
"""The folder of programs that stand for failed imports."""

_MAX_STACK = 500  # go-jsonnet's own limit


class Jsonnet:
    """An ``Evaluator``."""

    def evaluate(self, program: Program) -> Any:
        """The value of a program. Raises ``JsonnetError``."""
        raised: list[RenderError] = []  # what callbacks raised, since the engine keeps only the text

        def imported(folder: str, wanted: str) -> tuple[str, bytes]:
            try:
                path, text = program.importer(folder.removesuffix("/"), wanted)
            except RenderError as error:
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
            translated = _translated(str(error))
            if not raised:
                raise translated from error
            trace = tuple(at for at in translated.trace if not at.file.startswith(_FAILED))
            raise JsonnetError(str(raised[0]), trace, translated.fields) from raised[0]
        if raised:  # `importstr` accepts the program that stands for a failed import as text
            raise JsonnetError(str(raised[0])) from raised[0]
        return json.loads(text, parse_int=_whole)

    def check(self, file: str, source: str) -> None:
        """Raises ``JsonnetError`` if ``source`` is not jsonnet. Evaluates nothing."""
        try:
            _gojsonnet.evaluate_snippet(file, _HEAD + source)
        except RuntimeError as error:
            if str(error).startswith(_NO_ARGUMENT):
                return
            fault = _translated(str(error))
            # The first line begins with _HEAD, so its columns are too large.
            trace = tuple(replace(at, column=at.column - len(_HEAD)) if at.line == 1 else at for at in fault.trace)
            raise JsonnetError(fault.message, trace) from error


def _watched(function: Callable[..., T], raised: list[RenderError]) -> Callable[..., T]:
    """A native function that also keeps what it raises."""

    def call(*arguments: Any) -> T:
        try:
            return function(*arguments)
        except RenderError as error:
            raised.append(error)
            raise

    return call


def _whole(digits: str) -> int | float:
    """An integer, or a float if it does not fit 64 bits, as Go decodes it."""
    number = int(digits)
    return number if -(2**63) <= number < 2**63 else float(number)


def _translated(text: str) -> JsonnetError:
    """The engine's text of an error, parsed.

    ::

        RUNTIME ERROR: Field does not exist: b          the message, which may have several lines
        \\ta.libsonnet:2:5-9\\tobject <a>                  places, the innermost first
        \\tField "a"\\t                                   fields that were being evaluated

    A file that does not parse has its place in the message itself: ``a.libsonnet:2:5 Expected …``.
    """
    is_static = not text.startswith("RUNTIME ERROR: ")
    lines = text.removeprefix("RUNTIME ERROR: ").rstrip("\n").split("\n")
    message: list[str] = []
    trace: list[Position] = []
    fields: list[str] = []
    for number, line in enumerate(lines):
        if number and (place := _PLACE.fullmatch(line)) is not None:
            trace.append(_position(place))
        elif number and (entry := _FIELD.fullmatch(line)) is not None:
            fields.append(entry["name"])
        elif is_static or not (trace or fields or line.startswith("\t")):
            message.append(line)
    sentence = "\n".join(message)
    # A file that does not parse: the place in the message is the innermost one, whichever file imports it.
    if (static := _STATIC.fullmatch(sentence)) is not None:
        trace.insert(0, _position(static))
        sentence = _sentence(static["message"])
    return JsonnetError(sentence or "jsonnet failed without a message", tuple(trace), tuple(fields))


def _position(match: re.Match[str]) -> Position:
    return Position(match["file"], int(match["line"]), int(match["column"]))


def _sentence(message: str) -> str:
    if message.startswith(_NAMES):
        return message
    if "end of file" in message:
        return "syntax error: it ends too early"
    if (unexpected := _UNEXPECTED.fullmatch(message)) is not None:
        return f"syntax error: unexpected {unexpected['token']}"
    return f"syntax error: {message}"
