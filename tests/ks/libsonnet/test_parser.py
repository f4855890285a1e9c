"""Our parser of jsonnet, compared with the engine."""

import contextlib

import pytest

from scorekit.ks.engine.evaluator import JsonnetError
from scorekit.ks.io.gojsonnet import Jsonnet
from scorekit.ks.libsonnet.literals import string_value
from scorekit.ks.libsonnet.parser import parse
from scorekit.ks.libsonnet.tokens import JsonnetSyntaxError

RIGHT = [
    "1 + 2 * 3 - 4 / 5 % 6 << 1 >> 1 & 1 | 1 ^ 1 == 1 && true || !false",
    "local a = 1, b(x, y=2) = x + y; b(a, y=3)",
    "local f = function(x, y=1) x; f(1, y=2) tailstrict",
    "{ a: 1, 'b': 2, \"c\": 3, ['d']: 4, e+: {}, f:: 5, g::: 6, h+:: {}, i(x): x, local j = 1, assert true : 'no', }",
    "{ assert self.a == 1, a: 1 }",
    "{ [x]: x for x in ['a'] if x != '' for y in [1] }",
    "{ local z = 1, [x]: z, for x in ['a'] }",
    "[x for x in [1, 2] if x > 1]",
    "[x, for x in [1]]",
    "[1, 2, 3][0:2:1] + [1][:1] + [1][0:] + [1][::1]",
    "{ a: { b: 1 } }.a['b']",
    "{ a: 1 } { b: 2 } { c: super.a }",
    "{ a: 1 } + { b: 'a' in super, c: self.a, d: $.c }",
    "if true then 1 else if false then 2",
    "assert 1 == 1 : 'msg'; 2",
    "error 'x' + 1",
    "import 'x'",
    "importstr 'x'",
    "-1 + +1 + ~1",
    '\'it\\\'s\' + "say \\"x\\"" + @\'it\'\'s\' + @"a""b"',
    "|||\n  block {\n   more\n\n  end\n|||",
    "{ a: |||\n    text\n  |||, b: 1 }",
    "/* c */ 1 // d\n# e",
    "a.b.c(1)(2)[3].d",
    "(1)",
    "1 + local x = 2; x",
    "x { a: 1 }.b",
    "1e10 + 1.5E-3 + 0.1",
    "a.b { c: 1 }",
    "{ a: b.c, d: [e(f), { g: h }] }",
]
WRONG = [
    "",
    "{",
    "{ a: 1",
    "{ a 1 }",
    "{ a: 1 b: 2 }",
    "[1",
    "(1",
    "local x = 1",
    "'open",
    "|||\nx\n|||",
    "1 +",
    "{ a: ] }",
    "/* open",
    "}",
    "1 2",
    "{ a: , }",
]


class UnknownVariable(Exception):
    """The engine's error for a text that parses."""


def check(text: str) -> None:
    try:
        Jsonnet().check("x", text)
    except JsonnetError as error:
        if error.message.startswith("Unknown variable"):
            raise UnknownVariable from error
        raise


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_engine_parses_is_parsed(text: str) -> None:
    """Each construct of the language is parsed to the end of the text."""
    with contextlib.suppress(UnknownVariable):
        check(text)
    assert parse(text).end <= len(text)


@pytest.mark.parametrize("text", WRONG)
def test_what_the_engine_refuses_is_refused(text: str) -> None:
    """The error has a line."""
    with pytest.raises(JsonnetError):
        Jsonnet().check("x", text)
    with pytest.raises(JsonnetSyntaxError) as caught:
        parse(text)
    assert caught.value.line >= 1


def test_a_text_that_is_too_deep_is_our_error() -> None:
    """Deep nesting gives our error, not Python's RecursionError."""
    with pytest.raises(JsonnetSyntaxError, match="nested too deep"):
        parse("[" * 5000)
    with pytest.raises(JsonnetSyntaxError, match="nested too deep"):
        parse("-(" * 5000)


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'it\\'s'", "it's"),
        ('"a\\u00e9\\n"', "aé\n"),
        ("@'it''s\\'", "it's\\"),
        ("'say \"x\"'", 'say "x"'),
        ("'\\\\'", "\\"),
    ],
)
def test_string_literals(literal: str, value: str) -> None:
    """Both kinds of quotes, plain and verbatim, have the right value."""
    assert string_value(literal) == value
