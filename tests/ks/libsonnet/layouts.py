"""The same data in every layout, quote, comment and comma that jsonnet allows."""

import json
import re
from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "replicas", "image", "if", "a-b", "deep", "é", "it's", 'q"q'])
SCALARS = st.one_of(
    st.integers(-5, 10**6),
    st.sampled_from([1.5, 0.25, -2.5]),
    st.booleans(),
    st.none(),
    st.sampled_from(["", "x", "it's", 'say "x"', "two\nlines", "tab\t", "back\\slash", "{", "//", "}", "é", "a,b: c"]),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
PARAMS = st.dictionaries(NAMES, VALUES, max_size=4)

_EMPTY = [
    "{}",
    "{ }",
    "{  }",
    "{\n@}",
    "{\n\n@}",
    "{\n@  // nothing\n@}",
    "{ /* nothing */ }",
    "{\n@  # none }\n\n@}",
    "{\n\n\n@}",
]
_SPACE = ["", " ", "  ", "\n", "\n\n"]


@st.composite
def sources(draw: st.DrawFn, data: Any) -> str:
    """A text that evaluates to ``data``."""
    text = _written(draw, data, "", draw(st.sampled_from(["  ", "    ", "\t", " "])))
    text = draw(st.sampled_from(["", "// a file\n", "local unused = 1;\n", "/* two\n lines */ ", "\n\n"])) + text
    text += draw(st.sampled_from(["", "\n", "\n\n", "  // the end", "\n# the end\n"]))
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def _written(draw: st.DrawFn, value: Any, indent: str, unit: str) -> str:
    if isinstance(value, dict):
        return _object(draw, value, indent, unit)
    if isinstance(value, list):
        items = [_written(draw, child, indent + unit, unit) for child in value]
        return "[" + ", ".join(items) + (draw(st.sampled_from(["", ","])) if items else "") + "]"
    if isinstance(value, str):
        return _quoted(draw, value)
    return json.dumps(value)


def _object(draw: st.DrawFn, value: dict[str, Any], indent: str, unit: str) -> str:
    if not value:
        return str(draw(st.sampled_from(_EMPTY))).replace("@", indent)
    operators = st.sampled_from([":", " : ", ": ", "+: "])
    fields = [
        f"{_name(draw, key)}{draw(operators)}{_written(draw, child, indent + unit, unit)}"
        for key, child in value.items()
    ]
    style = draw(st.sampled_from(["inline", "tight", "lines", "lines", "commas first"]))
    trailing = draw(st.sampled_from(["", ","]))
    if style == "inline":
        return "{ " + ", ".join(fields) + trailing + " }"
    if style == "tight":
        return "{" + ",".join(fields) + trailing + "}"
    inner = "\n" + indent + unit
    if style == "commas first":
        return "{" + inner + f"{inner}, ".join(fields) + "\n" + indent + "}"
    lines = []
    for number, field in enumerate(fields):
        before = draw(st.sampled_from(["", "", f"{inner}// before", f"{inner}/* {{ */", "\n"]))
        comma = "," if number < len(fields) - 1 else trailing
        after = draw(st.sampled_from(["", "", "  // after", " # }", " /* , */"]))
        lines.append(f"{before}{inner}{field}{comma}{after}")
    last = draw(st.sampled_from(["", f"{inner}// last, }}", "\n"]))
    return "{" + "".join(lines) + last + "\n" + indent + "}"


def _name(draw: st.DrawFn, name: str) -> str:
    if re.fullmatch(r"[a-z]+", name) and name != "if" and draw(st.booleans()):
        return name
    form = draw(st.sampled_from(["quoted", "quoted", "computed"]))
    quoted = _quoted(draw, name)
    return quoted if form == "quoted" or quoted.startswith("@") else f"[{quoted}]"


def _quoted(draw: st.DrawFn, text: str) -> str:
    quote = draw(st.sampled_from(["'", '"', "@'", '@"']))
    if quote.startswith("@"):
        # A line end in the text would become another one with the file's.
        return json.dumps(text) if "\n" in text else quote + text.replace(quote[1], quote[1] * 2) + quote[1]
    body = json.dumps(text, ensure_ascii=draw(st.booleans()))[1:-1]
    return f'"{body}"' if quote == '"' else "'" + body.replace('\\"', '"').replace("'", "\\'") + "'"
