"""ksonnet's native functions (ksonnet-rules.md#natives): Go's regular expressions and two parsers."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import RenderError
from ...manifests.documents import documents

_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
_TEMPLATE = re.compile(r"\$(?:(\$)|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})")


def parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise RenderError(f"parseJson: not JSON: {error}") from error


def parse_yaml(text: str) -> list[Any]:
    """All documents of ``text``, always as an array."""
    return documents(text, "parseYaml")


def escape_string_regex(text: str) -> str:
    return _META.sub(r"\\\g<0>", text)


def regex_match(regex: str, text: str) -> bool:
    return _compiled(regex).search(text) is not None


def regex_subst(regex: str, text: str, replacement: str) -> str:
    """Every match replaced. A name after ``$`` is as long as can be: ``$1x`` is the group ``1x``, hence nothing."""
    return _compiled(regex).sub(lambda match: _TEMPLATE.sub(lambda part: _expand(part, match), replacement), text)


def render_helm_chart(repository: str, chart: str, version: str, params: Any, name: str) -> Any:
    raise RenderError(f"renderHelmChart: {repository}/{chart} is a helm chart, which this ks does not render")


NATIVES: Mapping[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "parseJson": (("json",), parse_json),
    "parseYaml": (("yaml",), parse_yaml),
    "escapeStringRegex": (("str",), escape_string_regex),
    "regexMatch": (("regex", "string"), regex_match),
    "regexSubst": (("regex", "src", "repl"), regex_subst),
    "renderHelmChart": (("repository", "chart", "version", "params", "componentName"), render_helm_chart),
}
"""Name in jsonnet → names of its parameters, and the function."""


def _compiled(regex: str) -> re.Pattern[str]:
    # Go's \z is Python's \Z, its $ without (?m) never stands before a final newline, and \d, \w, \s are ASCII.
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
