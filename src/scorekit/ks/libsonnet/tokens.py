"""The tokens of jsonnet source, comments included. Only white space is between them."""

import re
from dataclasses import dataclass
from typing import Literal

from ...errors import RenderError

TokenKind = Literal["comment", "string", "number", "name", "keyword", "symbol", "end"]

KEYWORDS = frozenset(
    [
        *(
            "assert",
            "else",
            "error",
            "false",
            "for",
            "function",
            "if",
            "import",
            "importbin",
            "importstr",
            "in",
            "local",
        ),
        *("null", "self", "super", "tailstrict", "then", "true"),
    ]
)

_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"(?://|#)[^\n]*|/\*.*?\*/", re.DOTALL)
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_VERBATIM = re.compile(r'@"(?:[^"]|"")*"|@\'(?:[^\']|\'\')*\'')
_BLOCK = re.compile(r"\|\|\|-?[ \t\r]*\n")
_SYMBOL = re.compile(r"\+?:{1,3}|==|!=|<=|>=|<<|>>|&&|\|\||[{}\[\](),.;+\-*/%<>&|^!~=$]")


@dataclass(frozen=True, slots=True)
class Token:
    """``text[start:end]``; offsets are in characters."""

    kind: TokenKind
    text: str
    start: int
    end: int


class JsonnetSyntaxError(RenderError):
    """The text is not jsonnet; ``line``, counted from 1, is where."""

    def __init__(self, message: str, line: int) -> None:
        self.line = line
        super().__init__(message)


def line_at(text: str, offset: int) -> int:
    """The line of an offset, counted from 1."""
    return text.count("\n", 0, offset) + 1


def tokens(text: str) -> list[Token]:
    """All tokens and comments in order; the last one has the kind ``end``. Raises ``JsonnetSyntaxError``."""
    result: list[Token] = []
    at = 0
    while True:
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        if at == len(text):
            result.append(Token("end", "", at, at))
            return result
        kind, end = _next(text, at)
        result.append(Token(kind, text[at:end], at, end))
        at = end


def _next(text: str, at: int) -> tuple[TokenKind, int]:
    if match := _COMMENT.match(text, at):
        # A carriage return before a line feed belongs to the line end, not to the comment.
        return "comment", match.end() - (match[0].endswith("\r") and not match[0].startswith("/*"))
    if match := _NAME.match(text, at):
        return ("keyword" if match[0] in KEYWORDS else "name"), match.end()
    if match := _NUMBER.match(text, at):
        return "number", match.end()
    if match := _QUOTED.match(text, at) or _VERBATIM.match(text, at):
        return "string", match.end()
    if text.startswith("|||", at):
        return "string", _block_end(text, at)
    if match := _SYMBOL.match(text, at):
        return "symbol", match.end()
    raise JsonnetSyntaxError(f"unexpected {text[at]!r}", line_at(text, at))


def _block_end(text: str, start: int) -> int:
    """The end of a text block (``|||``), whose lines are empty or indented as the first one is."""
    head = _BLOCK.match(text, start)
    fault = JsonnetSyntaxError("this text block has no end", line_at(text, start))
    if head is None:
        raise fault
    at = head.end()
    indent = ""
    while at < len(text):
        stop = text.find("\n", at) + 1 or len(text)
        line = text[at:stop]
        if line.strip("\r\n"):
            indent = indent or line[: len(line) - len(line.lstrip(" \t"))]
            if not indent or not line.startswith(indent):
                close = len(line) - len(line.lstrip(" \t"))
                if not line[close:].startswith("|||"):
                    raise fault
                return at + close + 3
        at = stop
    raise fault
