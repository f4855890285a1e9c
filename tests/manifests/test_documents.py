"""YAML is read as go-yaml reads it (ksonnet-rules.md#natives), with ksonnet-rules.md#repair-yaml-letters."""

from typing import Any

import pytest

from scorekit.errors import RenderError
from scorekit.manifests.documents import documents


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y", "y"),
        ("N", "N"),
        ("on", True),
        ("No", False),
        ("TRUE", True),
        ("~", None),
        ("", None),
        ("1e3", "1e3"),
        ("1e+3", 1000.0),
        ("1_000", 1000),
        ("017", 15),
        ("08", 8.0),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1:30", "1:30"),
        ("2018-01-01", "2018-01-01"),
        ("1.2.3", "1.2.3"),
        (".5", 0.5),
        ("+5", 5),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("=", "="),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("|\n  a\n  b", "a\nb\n"),
    ],
)
def test_scalars_mean_what_go_yaml_says(text: str, expected: Any) -> None:
    """A plain scalar has go-yaml's value; only `y` and `n`, which are booleans there, are text here."""
    [document] = documents(f"v: {text}\n", "here")
    assert document == {"v": expected}
    assert type(document["v"]) is type(expected)


def test_every_document_counts_and_empty_ones_do_not() -> None:
    """Every document is read; comments and bare separators make none."""
    assert documents("---\n# only this\n---\na: 1\n---\n---\nb: 2\n", "here") == [{"a": 1}, {"b": 2}]


def test_keys_become_text_and_merges_are_applied() -> None:
    """Keys become text as in JSON; a mapping's own keys win over `<<`, and the first merged mapping over the next."""
    text = "a: &a {x: 1, y: 2}\nb: &b {x: 9, z: 3}\nc:\n  <<: [*a, *b]\n  y: own\n1: n\ntrue: t\n1.5: f\n"
    assert documents(text, "here") == [
        {
            "a": {"x": 1, "y": 2},
            "b": {"x": 9, "z": 3},
            "c": {"x": 1, "y": "own", "z": 3},
            "1": "n",
            "true": "t",
            "1.5": "f",
        }
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [\n", "^here:3:1: not YAML: "),
        ("a: *x\n", "^here:1:4: not YAML: "),
        ("a: \x01\n", "^here: not YAML: "),
        ("a: .inf\n", "^here:1:4: .inf cannot be expressed in JSON"),
        ("a: &a [*a]\n", "^here:1:4: an alias must not contain itself"),
        ("? [1]\n: 2\n", "^here:1:3: a key must be a scalar"),
        ("a: !!python/object:x.Y {}\n", "^here:1:4: the tag"),
        ("a:\n  <<: 3\n", "^here:2:7: a merge key"),
    ],
)
def test_what_cannot_be_a_manifest_is_refused_with_its_place(text: str, message: str) -> None:
    """The error is ours and names file, line and column."""
    with pytest.raises(RenderError, match=message):
        documents(text, "here")
