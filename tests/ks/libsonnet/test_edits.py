"""Fields set and removed in place."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.ks.engine.evaluator import Program
from scorekit.ks.io.gojsonnet import Jsonnet
from scorekit.ks.libsonnet.edits import SourceText, UneditableSource

from .layouts import NAMES, PARAMS, VALUES, sources

many = settings(max_examples=2 * settings().max_examples)


def evaluated(text: str) -> Any:
    def nothing(folder: str, wanted: str) -> tuple[str, str]:
        raise AssertionError

    return Jsonnet().evaluate(Program(text, nothing))


def with_field(text: str, path: list[str], value: Any) -> str:
    source = SourceText(text)
    return source.with_field(source.root, path, value, "params")


def without_field(text: str, path: list[str]) -> str | None:
    source = SourceText(text)
    return source.without_field(source.root, path, "params")


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, dict[str, Any], list[str], Any]:
    """A text, its data, a path that can be set (which may exist), and a value."""
    data = draw(PARAMS)
    text = draw(sources(data))
    path: list[str] = []
    inner: Any = data
    while True:
        name = draw(NAMES)
        path.append(name)
        if not isinstance(inner, dict) or name not in inner:
            path += draw(st.lists(NAMES, max_size=2))
            return text, data, path, draw(VALUES)
        inner = inner[name]
        if not isinstance(inner, dict) or draw(st.booleans()):
            return text, data, path, draw(VALUES)


def is_there(data: Any, path: list[str]) -> bool:
    for name in path:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


@many
@given(edits())
def test_the_texts_are_what_they_are_made_of(edit: tuple[str, dict[str, Any], list[str], Any]) -> None:
    """The generator of the other tests is right: the engine reads its data from its texts."""
    text, data, _, _ = edit
    assert evaluated(text) == data


@many
@given(edits())
def test_setting_and_deleting_a_new_field_leaves_every_byte(edit: tuple[str, dict[str, Any], list[str], Any]) -> None:
    """It holds in any layout, with comments, mixed quotes and CRLF, and with objects made on the way."""
    text, data, path, value = edit
    if not is_there(data, path):
        assert without_field(with_field(text, path, value), path) == text


@many
@given(edits())
def test_a_field_has_the_value_and_all_else_is_as_before(edit: tuple[str, dict[str, Any], list[str], Any]) -> None:
    """The engine sees the new value at its path and no other change."""
    text, data, path, value = edit
    expected = copy.deepcopy(data)
    inner = expected
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    assert evaluated(with_field(text, path, value)) == expected


@many
@given(edits())
def test_a_deleted_field_is_gone_and_all_else_is_as_before(edit: tuple[str, dict[str, Any], list[str], Any]) -> None:
    """A path that does not exist gives None."""
    text, data, path, _ = edit
    edited = without_field(text, path)
    if not is_there(data, path):
        assert edited is None
        return
    expected = copy.deepcopy(data)
    inner = expected
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    assert edited is not None
    assert _without_empty(evaluated(edited)) == _without_empty(expected)


def _without_empty(value: Any) -> Any:
    """``+:`` objects are removed with their last field, which does not change the value."""
    if not isinstance(value, dict):
        return value
    kept = {key: _without_empty(child) for key, child in value.items()}
    return {key: child for key, child in kept.items() if child != {}}


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("{}", "a", 1, "{a: 1}"),
        ("{\n}", "a", 1, "{\n  a: 1,\n}"),
        ("{ b: 2 }", "a", "x", '{ b: 2, a: "x" }'),
        ("{ b: 'y' }", "a", "x", "{ b: 'y', a: 'x' }"),
        ("{b: 2,}", "a", 1, "{b: 2, a: 1,}"),
        ("{\n  b: 2  // two\n}\n", "a", 1, "{\n  b: 2,  // two\n  a: 1\n}\n"),
        ("{\n    b: 2,\n    // the end\n}", "a", 1, "{\n    b: 2,\n    a: 1,\n    // the end\n}"),
        ("{\r\n\tb: 2,\r\n}", "a.c", 1, "{\r\n\tb: 2,\r\n\ta+: {\r\n\t\tc: 1,\r\n\t},\r\n}"),
        ("{ a: 1, b: 2 }", "a", 1.5, "{ a: 1.5, b: 2 }"),
        ("{ a: 'it' }", "a", "it's", '{ a: "it\'s" }'),
        ("{ a: $.b + 1, b: 2 }", "a", True, "{ a: true, b: 2 }"),
        ("{ a+: [1] }", "a", [2], "{ a: [2] }"),
        ("{ a:: 1 }", "a", 2, "{ a:: 2 }"),
        ("{ a: {b: 1} }", "a.c", 2, "{ a: {b: 1, c: 2} }"),
        (
            "{\n  a: 1,\n}",
            "b",
            {"c": [1, {}], "d-e": {"f": None}},
            '{\n  a: 1,\n  b: {\n    c: [1, {}],\n    "d-e": {\n      f: null,\n    },\n  },\n}',
        ),
        ("local x = 1; (x + { a: 1 })", "b", 2, "local x = 1; (x + { a: 1, b: 2 })"),
    ],
)
def test_a_field_is_set_as_its_neighbours_are_written(before: str, path: str, value: Any, after: str) -> None:
    """Indentation, quotes, commas, comments and line ends follow the neighbours."""
    assert with_field(before, path.split("."), value) == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("{ a: 1, b: 2 }", "b", "{ a: 1 }"),
        ("{ a: 1, b: 2 }", "a", "{ b: 2 }"),
        ("{a: 1, b: 2}", "a", "{b: 2}"),
        ("{\n  // about a\n  a: 1,  // one\n  b: 2,\n}", "a", "{\n  // about a\n  b: 2,\n}"),
        ("{\n  a: 1\n  , b: 2\n}", "b", "{\n  a: 1\n}"),
        ("{ a: { b: 1 } }", "a.b", "{ a: {} }"),
        ("{\n  a: {\n    b: 1,\n  },\n}", "a.b", "{\n  a: {\n  },\n}"),
    ],
)
def test_a_field_is_removed_with_its_comma_and_the_remark_on_its_line(before: str, path: str, after: str) -> None:
    """Comments above the field stay, and so does an object that becomes empty."""
    assert without_field(before, path.split(".")) == after


@pytest.mark.parametrize(
    ("text", "path", "line", "message"),
    [
        ("{\n ['a' + 'b']: 1 }", "c", 2, "params has computed fields, and c may be one of them"),
        ("{\n a: { [x]: 1 for x in ['b'] } }", "a.b", 2, "params.a is a comprehension, not an object"),
        ("{\n a:\n  {} + std.mergePatch({}, {}) }", "a.b", 3, "params.a is a sum, not an object"),
        ("local x = {};\n{ a: x }", "a.b", 2, "params.a is a reference, not an object"),
        ("{ a: import 'x' }", "a.b", 1, "params.a is an import, not an object"),
        ("{ a: if true then {} else {} }", "a.b", 1, "params.a is a condition, not an object"),
        ("{ a(x): {} }", "a.b", 1, "params.a is a method"),
        ("{ a(x): {} }", "a", 1, "params.a is a method"),
        ("{\n\n a: 'x' }", "a.b", 3, "params.a is a string, not an object"),
        ("[]", "a", 1, "params is an array, not an object"),
        ("import 'x' + { a: 1 }", "a", 1, "params is an import, not an object"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused_with_its_line(text: str, path: str, line: int, message: str) -> None:
    """Nothing is guessed: a person changes that line."""
    with pytest.raises(UneditableSource) as caught:
        with_field(text, path.split("."), 1)
    assert caught.value.line == line
    assert str(caught.value).startswith(message)


def test_what_comes_from_elsewhere_cannot_be_deleted_here() -> None:
    """A field that may come from another part of a sum is not reported as absent."""
    with pytest.raises(UneditableSource, match="takes part of its fields from elsewhere"):
        without_field("(import 'x') + { a: 1 }", ["b"])
    assert without_field("{ b: 1 } + { a: 1 }", ["b"]) == "{} + { a: 1 }"
    with pytest.raises(UneditableSource, match="more than once"):
        without_field("{ a: 1 } + { a: 1 }", ["a"])
