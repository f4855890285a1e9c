"""`ks show` prints what go-yaml and encoding/json print (ksonnet-rules.md#printing)."""

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scorekit.manifests.documents import documents
from scorekit.manifests.printing import as_json, as_yaml


def line(value: Any) -> str:
    return as_yaml([{"v": value}]).removeprefix("---\n")


@pytest.mark.parametrize(
    "text",
    ["y", "N", "on", "Yes", "true", "null", "~", "", "123", "017", "0x1F", "1_000", "1:30", "1e3", "1.", ".5", ".inf"],
)
def test_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    """Text that a reader of YAML 1.1 or 1.2 would take for another value is quoted."""
    assert line(text) == f'v: "{text}"\n'


@pytest.mark.parametrize("text", ["yess", "1.2.3", "2018-01-01", "v1", "a:b", "1e", "http://x:80/y?z=1", "é", "a b"])
def test_other_text_is_plain(text: str) -> None:
    """Text that every reader takes for text has no quotes, as in go-yaml."""
    assert line(text) == f"v: {text}\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (None, "null"),
        (1, "1"),
        (-(2**63), "-9223372036854775808"),
        (12345678901234567000.0, "12345678901234567000"),
        (1e20, "1e+20"),
        (0.1, "0.1"),
        (1234567.5, "1.2345675e+06"),
        (123456.75, "123456.75"),
        (0.00001, "1e-05"),
        (1 / 3, "0.3333333333333333"),
        ([], "[]"),
        ({}, "{}"),
        ("- x", "'- x'"),
        ("it's", "it's"),
        ("a: b", "'a: b'"),
        ("a\tb", '"a\\tb"'),
        (" x", "' x'"),
    ],
)
def test_scalars(value: Any, expected: str) -> None:
    """Whole numbers have no `.0`, and fractions look as Go's %g writes them."""
    assert line(value) == f"v: {expected}\n"


def test_layout() -> None:
    """Objects begin with `---`, keys are sorted, lists not indented, long texts folded at 80 columns."""
    value = {"b": [{"x": 1, "a": ["p"]}], "a": "word " * 20 + "end", "c": "one\ntwo\n", "d": "one\ntwo", "e": "one\n\n"}
    assert as_yaml([value, {"z": 1}]) == (
        "---\n"
        "a: word word word word word word word word word word word word word word word word\n"
        "  word word word word end\n"
        "b:\n"
        "- a:\n"
        "  - p\n"
        "  x: 1\n"
        "c: |\n"
        "  one\n"
        "  two\n"
        "d: |-\n"
        "  one\n"
        "  two\n"
        "e: |+\n"
        "  one\n"
        "\n"
        "---\n"
        "z: 1\n"
    )


def test_keys_are_in_go_yamls_natural_order() -> None:
    """Numbers inside keys sort by value, and letters sort after other characters."""
    keys = ["a10", "a2", "b", "B", "a-b", "ab", "1", "a"]
    shown = [text.split(":")[0].strip('"') for text in as_yaml([dict.fromkeys(keys, 1)]).splitlines()[1:]]
    assert shown == ["1", "B", "a", "a-b", "a2", "a10", "ab", "b"]


def test_json_is_one_list_with_gos_escapes() -> None:
    """JSON is one List, indented by two spaces, with sorted keys and with `<`, `>` and `&` escaped as in Go."""
    assert as_json([{"k": "<é&>", "a": [], "n": 1e-7, "m": 1e21, "z": [1, 2.5]}]) == (
        '{\n  "apiVersion": "v1",\n  "items": [\n    {\n      "a": [],\n      "k": "\\u003cé\\u0026\\u003e",\n'
        '      "m": 1e+21,\n      "n": 1e-7,\n      "z": [\n        1,\n        2.5\n      ]\n    }\n  ],\n'
        '  "kind": "List"\n}\n'
    )
    assert as_json([]) == '{\n  "apiVersion": "v1",\n  "items": [],\n  "kind": "List"\n}\n'


TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["y", "1e3", "- a", "a\n", "\n", " ", "a\r\nb"]
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
# A whole number that fits 64 bits is never a float by the time it is printed.
NUMBERS = st.integers(-(2**63), 2**63 - 1) | FLOATS.filter(
    lambda number: not number.is_integer() or abs(number) >= 2**64
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def number(digits: str) -> float:
    return int(digits) if abs(int(digits)) <= 2**63 else float(digits)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_what_is_printed_reads_back_as_the_same_value(value: dict[str, Any]) -> None:
    """Our YAML reader and a JSON reader get the same value back, with all 64 bits of its numbers."""
    assert documents(as_yaml([value]), "here") == [value]
    assert json.loads(as_json([value]), parse_int=number)["items"] == [value]


@given(FLOATS)
def test_floats_lose_no_digit(value: float) -> None:
    """A printed float reads back as the same float; ksonnet printed 32 bits."""
    assert math.isclose(float(line(value).removeprefix("v: ")), value, rel_tol=0, abs_tol=0)


@given(TEXT)
def test_text_is_text_to_other_readers(text: str) -> None:
    """PyYAML, whose rules differ from ours, reads every text back as that text."""
    read = yaml.load(as_yaml([{"v": text}]), Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader makes text, nothing else
    assert read == {"v": text}
