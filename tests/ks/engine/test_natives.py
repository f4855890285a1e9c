"""ksonnet's native functions behave as Go's do (ksonnet-rules.md#natives)."""

import pytest

from scorekit.errors import RenderError
from scorekit.ks.engine.natives import escape_string_regex, parse_json, parse_yaml, regex_match, regex_subst


def test_escape_string_regex_escapes_what_go_escapes() -> None:
    """Only Go's metacharacters are escaped: neither `-` nor `/` nor a space."""
    assert escape_string_regex(r"a.b*c-[d]{2}/ é^$|\+?()") == r"a\.b\*c-\[d\]\{2\}/ é\^\$\|\\\+\?\(\)"


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [("<$1>", "x<bb>z"), ("<${1}1>", "x<bb1>z"), ("<$1x>", "x<>z"), ("$$1", "x$1z"), ("${n}", "xbbz"), ("$9", "xz")],
)
def test_regex_subst_expands_templates_as_go_does(replacement: str, expected: str) -> None:
    """`$1x` is the group named `1x`, which does not exist; `$$` is a dollar."""
    assert regex_subst("a(?P<n>b+)", "xabbz", replacement) == expected


def test_the_end_of_text_is_the_end() -> None:
    """Go's `$` without `(?m)` and its `\\z` do not match before a final newline."""
    assert not regex_match("a$", "a\n")
    assert not regex_match(r"a\z", "a\n")
    assert regex_match("(?m)a$", "a\nb")
    assert regex_match("[$]", "$")


def test_parsers_give_values() -> None:
    """parseYaml gives an array of all documents, parseJson one value."""
    assert parse_yaml("a: y\n---\nb: 1\n") == [{"a": "y"}, {"b": 1}]
    assert parse_json("[1, null]") == [1, None]
    with pytest.raises(RenderError, match="parseJson: not JSON"):
        parse_json("{")
