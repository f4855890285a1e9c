"""Parameters set and deleted in ksonnet's files, in any layout."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import RenderError, SetupError
from scorekit.ks.app.templates import MODULE_PARAMS
from scorekit.ks.engine.evaluator import Program
from scorekit.ks.io.gojsonnet import Jsonnet
from scorekit.ks.libsonnet.literals import source
from scorekit.ks.params import edits
from scorekit.ks.params.values import parse_value

from ..libsonnet.layouts import NAMES, PARAMS, VALUES, sources

ENVIRONMENT = """local params = std.extVar("params");
local globals = {};
local envParams = params + %s;

{
  components: {
    [x]: envParams.components[x] + globals, for x in std.objectFields(envParams.components)
  },
}
"""
components = st.dictionaries(NAMES, PARAMS, max_size=3)
paths = st.lists(st.sampled_from(["new", "n-w", "x"]), min_size=1, max_size=3)


def evaluated(text: str, params: Any = None) -> Any:
    def nothing(folder: str, wanted: str) -> tuple[str, str]:
        raise AssertionError

    return Jsonnet().evaluate(Program(text, nothing, {"params": source(params)}))


def with_value(data: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    inner = data
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    return data


@given(st.data(), components, NAMES, paths, VALUES)
def test_a_modules_file(data: st.DataObject, held: dict[str, Any], component: str, path: list[str], value: Any) -> None:
    """The file evaluates to the new value and is otherwise the same; deleting restores it."""
    whole = {"global": {"g": 1}, "components": held}
    text = data.draw(sources(whole))
    edited = edits.set_param(text, "p", component, path, value)
    assert evaluated(edited) == {**whole, "components": with_value(held, [component, *path], value)}
    assert edits.delete_param(edited, "p", component, path) == text


@given(st.data(), components, NAMES, paths, VALUES)
def test_an_environments_file(
    data: st.DataObject, held: dict[str, Any], component: str, path: list[str], value: Any
) -> None:
    """The module's values below the same path stay, and the new value wins."""
    layer = data.draw(sources({"components": held})).strip()
    # An override of ksonnet's is laid over what is there.
    text = ENVIRONMENT % f"({layer}\n)"
    before = evaluated(text, {"components": {}})["components"]
    edited = edits.set_env_param(text, "e", component, path, value)
    after = evaluated(edited, {"components": {}})["components"]
    assert after == with_value(before, [component, *path], value)
    assert edits.delete_env_param(edited, "e", component, path) == text


def test_an_environments_file_adds_to_the_modules_objects() -> None:
    """A path of several names does not hide its neighbours."""
    text = ENVIRONMENT % "{\n  components +: {\n    // here\n  },\n}"
    edited = edits.set_env_param(text, "e", "web", ["a", "b"], 5)
    assert evaluated(edited, {"components": {"web": {"a": {"b": 1, "c": 2}, "d": 3}}})["components"] == {
        "web": {"a": {"b": 5, "c": 2}, "d": 3}
    }


def test_an_environments_file_of_another_shape() -> None:
    """Without `envParams` the overrides go to the result of the file, as in apps of 2017."""
    text = 'local params = import "../../components/params.libsonnet";\nparams + { components +: { web +: { n: 1 } } }'
    assert edits.set_env_param(text, "e", "web", ["n"], 2) == text.replace("1", "2")
    with pytest.raises(RenderError, match=r"^e:1: params is an import, .*; change this line by hand$"):
        edits.set_env_param('import "x"', "e", "web", ["n"], 2)


@given(st.data(), components, NAMES, PARAMS)
def test_an_entry_is_appended_in_any_layout(
    data: st.DataObject, held: dict[str, Any], component: str, params: dict[str, Any]
) -> None:
    """A new component gets an entry; an existing entry is refused."""
    whole = {"components": held}
    text = data.draw(sources(whole))
    written = {key: source(value) for key, value in params.items()}
    if component in held:
        with pytest.raises(SetupError, match="already exists"):
            edits.append_component(text, "p", component, written)
        return
    edited = edits.append_component(text, "p", component, written)
    assert evaluated(edited) == {"components": {**held, component: params}}


def test_an_entry_is_written_as_generate_writes_it() -> None:
    """A new entry has ksonnet's indentation and order (ksonnet-rules.md#parameter-edits)."""
    once = edits.append_component(MODULE_PARAMS, "p", "web", {"b": "1", "a-b": '"x"'})
    twice = edits.append_component(once, "p", "a-b", {})
    head, tail = MODULE_PARAMS[: -len("  },\n}\n")], "  },\n}\n"
    web = '    web: {\n      "a-b": "x",\n      b: 1,\n    },\n'
    assert twice == head + web + '    "a-b": {\n\n    },\n' + tail


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-1", -1),
        ("+12", 12),
        ("1.5", 1.5),
        ("-0.5", -0.5),
        ("10.25", 10.25),
        ("9007199254740992", 2**53),
        ("True", True),
        ("FALSE", False),
        ("[]", []),
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("1.2.3", "1.2.3"),
        ("007", "007"),
        ("1.", "1."),
        (".5", ".5"),
        ("1e3", "1e3"),
        ("0x10", "0x10"),
        ("null", "null"),
        (" 1", " 1"),
        ("-", "-"),
        ("'1'", "'1'"),
    ],
)
def test_what_a_value_on_the_command_line_means(text: str, value: Any) -> None:
    """A value is a number, a boolean, JSON or text; with --as-string always text."""
    parsed = parse_value(text)
    assert (parsed, type(parsed)) == (value, type(value))
    assert parse_value(text, as_string=True) == text


@pytest.mark.parametrize("text", ["", "[", "{a: 1}", "[NaN]", "9007199254740993", "-99999999999999999999"])
def test_an_invalid_value_is_refused(text: str) -> None:
    """An invalid value is refused, and --as-string takes it as text."""
    with pytest.raises(SetupError, match="value is invalid"):
        parse_value(text)
    assert parse_value(text, as_string=True) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", r"^p:1: there is no components object here; change this line by hand$"),
        ("{\n components: import 'x' }", r"^p:2: components is an import, not an object"),
        ("{\n components: ]", r'^p:2: syntax error: unexpected "\]"$'),
    ],
)
def test_a_file_that_cannot_be_edited(text: str, message: str) -> None:
    """The error has the line of the fault."""
    with pytest.raises(RenderError, match=message):
        edits.set_param(text, "p", "web", ["a"], 1)
    with pytest.raises(RenderError, match=message):
        edits.append_component(text, "p", "web", {})
