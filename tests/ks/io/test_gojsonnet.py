"""The jsonnet engine as `ks` uses it."""

from typing import Any

import pytest

from scorekit.errors import RenderError
from scorekit.ks.engine.evaluator import JsonnetError, Position, Program
from scorekit.ks.io.gojsonnet import Jsonnet


def nowhere(folder: str, wanted: str) -> tuple[str, str]:
    raise AssertionError("nothing is to be imported")


def evaluated(source: str) -> Any:
    return Jsonnet().evaluate(Program(source, nowhere))


def test_numbers_are_gos() -> None:
    """Integers within 64 bits are `int`, however they are written; larger ones are floats."""
    value = evaluated("[1, 1.0, 1.5, 1e3, 9223372036854775807, 1e20]")
    assert value == [1, 1, 1.5, 1000, float(2**63), 1e20]
    assert [type(each) for each in value] == [int, int, float, int, float, float]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('"" + 0.1', "0.10000000000000001"),
        ("std.toString([1.5, 1 / 3])", "[1.5, 0.33333333333333331]"),
        ('"%s" % 1e-7', "9.9999999999999995e-08"),
        ('"" + 1e21', "1000000000000000000000"),
        ('"" + 100.0', "100"),
        ('"" + -2.5', "-2.5"),
    ],
)
def test_a_number_in_a_string_is_go_jsonnets(source: str, text: str) -> None:
    """Fractions have 17 digits, as in go-jsonnet 0.11.2 (ksonnet's); integers have no exponent."""
    assert evaluated(source) == text


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("{\n a: {}.b }", Position("@/program", 2, 5)),
        ("{\n a: std.extVar('code') }", Position("<extvar:code>", 1, 3)),
        ("{ a: import 'lib' }", Position("lib", 2, 1)),
        ("{ a: std.native('regexMatch')('(', '') }", Position("@/program", 1, 6)),
    ],
)
def test_errors_have_places(source: str, place: Position) -> None:
    """Faults of evaluation, of syntax in variables and imports, and of native functions have their place."""

    def library(folder: str, wanted: str) -> tuple[str, str]:
        return wanted, "{\n]"

    with pytest.raises(JsonnetError) as caught:
        Jsonnet().evaluate(Program(source, library, {"code": "{ ]"}))
    assert caught.value.trace[0] == place


@pytest.mark.parametrize("source", ["{\n a: import 'x' }", "{\n a: importstr 'x' }", "local x = import 'x';\n   x.y"])
def test_an_import_that_fails_says_why(source: str) -> None:
    """The error has the importer's message, and for `import` the place."""

    def nothing(folder: str, wanted: str) -> tuple[str, str]:
        raise RenderError(f"there is no {wanted}, nor anything else of that name to be had here")

    for _ in range(50):
        with pytest.raises(
            JsonnetError, match=r"^there is no x, nor anything else of that name to be had here$"
        ) as caught:
            Jsonnet().evaluate(Program(source, nothing))
        assert "str" in source or caught.value.trace[0].file == "@/program"


def test_natives_are_there() -> None:
    """ksonnet's five native functions work under its names."""
    source = """[
      std.native("parseJson")('{"a": [1, 2.5, null]}'), std.native("parseYaml")("a: 1"),
      std.native("escapeStringRegex")("a.b"), std.native("regexMatch")("^a", "ab"),
      std.native("regexSubst")("a", "ab", "c"),
    ]"""
    assert evaluated(source) == [{"a": [1, 2.5, None]}, [{"a": 1}], "a\\.b", True, "cb"]


def test_checking_parses_and_never_evaluates() -> None:
    """Imports, variables and errors in a source do not matter; text after its expression does."""
    Jsonnet().check("a.jsonnet", 'local x = import "nope"; error std.extVar("nope") + x')
    Jsonnet().check("a.jsonnet", "// a comment\n{}\n")
    for source in ("", "{} )", "{} {} ]", "{a: 1\n"):
        with pytest.raises(JsonnetError, match=r"^syntax error: "):
            Jsonnet().check("a.jsonnet", source)


@pytest.mark.parametrize(("source", "place"), [("{ a: ] }", (1, 6)), ("{\n a: ]\n}", (2, 5))])
def test_a_syntax_error_has_its_place(source: str, place: tuple[int, int]) -> None:
    """Line and column are those of the source, in its first line too."""
    with pytest.raises(JsonnetError) as caught:
        Jsonnet().check("a.jsonnet", source)
    assert caught.value.trace == (Position("a.jsonnet", *place),)


def test_a_deep_program_is_not_an_error() -> None:
    """Some hundred nested calls work."""
    assert evaluated("local f(n) = if n == 0 then 0 else 1 + f(n - 1); f(450)") == 450


def test_an_endless_program_is_an_error() -> None:
    """Endless recursion ends with our error, not with the process."""
    with pytest.raises(JsonnetError):
        evaluated("local f(n) = 1 + f(n + 1); f(0)")
