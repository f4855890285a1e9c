"""ksonnet's native functions (ksonnet-rules.md#natives): Go's regular expressions and two parsers."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import RenderError
from ...manifests.documents import documents

# What regexp.QuoteMeta of Go escapes.
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
# `$$`, `$name` and `${name}`. A name after `$` is as long as it can be: `$1x` is the group `1x`.
_TEMPLATE = re.compile(r"\$(?:(\$)|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})")


def parse_json(text: str) -> Any:
    """The value of a JSON text. Raises ``RenderError``."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise RenderError(f"parseJson: not JSON: {error}") from error


def parse_yaml(text: str) -> list[Any]:
    """All documents of a YAML text, as an array even if there is one. Raises ``RenderError``."""
    return documents(text, "parseYaml")


def escape_string_regex(text: str) -> str:
    """A regular expression that matches ``text`` itself."""
    return _META.sub(r"\\\g<0>", text)


def regex_match(regex: str, text: str) -> bool:
    """Whether the regular expression matches anywhere in ``text``. Raises ``RenderError`` if it is not valid."""
    return _compiled(regex).search(text) is not None


def regex_subst(regex: str, text: str, replacement: str) -> str:
    """``text`` with every match replaced; a group that does not exist is empty, as in Go. Raises ``RenderError``."""
    return _compiled(regex).sub(lambda match: _TEMPLATE.sub(lambda part: _expand(part, match), replacement), text)


def render_helm_chart(repository: str, chart: str, version: str, params: Any, name: str) -> Any:
    """Always raises ``RenderError``: helm charts are not supported."""
    raise RenderError(f"renderHelmChart: {repository}/{chart} is a helm chart; helm is not supported")


NATIVES: Mapping[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "parseJson": (("json",), parse_json),
    "parseYaml": (("yaml",), parse_yaml),
    "escapeStringRegex": (("str",), escape_string_regex),
    "regexMatch": (("regex", "string"), regex_match),
    "regexSubst": (("regex", "src", "repl"), regex_subst),
    "renderHelmChart": (("repository", "chart", "version", "params", "componentName"), render_helm_chart),
}
"""By name in jsonnet: the names of the parameters, and the function."""


def _compiled(regex: str) -> re.Pattern[str]:
    """A regular expression of Go (RE2) as one of Python.

    Most of the syntax is the same. Go's ``\\z`` is Python's ``\\Z``; Go's ``$`` without ``(?m)`` does not match before
    a final newline, Python's does; and in Go ``\\d``, ``\\w`` and ``\\s`` are ASCII. A bracket expression stays as it
    is.
    """
    multiline = re.match(r"\(\?[a-z]*m", regex) is not None
    python = re.sub(
        r"\\.|\[(?:\\.|[^\]\\])+\]|\$", lambda part: _translated(part[0], multiline), regex, flags=re.DOTALL
    )
    try:
        return re.compile(python, re.ASCII)
    except re.error as error:
        raise RenderError(f"the regular expression {regex} is not valid here: {error}") from error


def _translated(part: str, multiline: bool) -> str:
    if part == r"\z" or (part == "$" and not multiline):
        return r"\Z"
    return part


def _expand(part: re.Match[str], match: re.Match[str]) -> str:
    dollar, bare, braced = part.groups()
    if dollar:
        return "$"
    name = bare or braced
    try:
        return match[int(name) if name.isdecimal() else name] or ""
    except IndexError:
        return ""
