"""Manifests as new components: one for each YAML document; JSON and jsonnet files as they are.

The rule is ksonnet's: ksonnet-rules.md#commands.
"""

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ...errors import RenderError, SetupError
from ...manifests.documents import documents

_EXTENSIONS = {"yaml": "yaml", "yml": "yaml", "json": "json", "jsonnet": "jsonnet"}
_MARK = re.compile(r"^---(?=\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ImportedComponent:
    """A component to be: its name without a module, the extension of its file, and what is in it."""

    key: str
    extension: str
    source: str


def imported(files: Iterable[tuple[str, bytes]], suffix: Callable[[], str]) -> list[ImportedComponent]:
    """What the files, by their paths, become. ``suffix`` gives five letters that set names apart.

    Raises ``SetupError`` for one that cannot be taken in, before anything is written.
    """
    found: list[ImportedComponent] = []
    for path, data in files:
        stem, extension = posixpath.splitext(posixpath.basename(path))
        kind = extension.removeprefix(".")
        if kind not in _EXTENSIONS:
            raise SetupError(
                f"parse template type: Unrecognized template type '{kind}'; must be one of: [yaml, json, jsonnet]"
            )
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise SetupError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
        if _EXTENSIONS[kind] == "yaml":
            _parsed(text, path)  # as a whole, for the right line of a fault
            found += [_document(each, path, suffix) for each in _MARK.split(text) if _parsed(each, path) is not None]
        else:
            found.append(ImportedComponent(stem, kind, text))
    return found


def _document(text: str, path: str, suffix: Callable[[], str]) -> ImportedComponent:
    value = _parsed(text, path)
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or not value.get("apiVersion"):
        raise SetupError(f"document doesn't describe a kubernetes object: {path}: it needs an apiVersion and a kind")
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name:
        raise SetupError(f"unable to find metadata name of object in {path}")
    # A dot would make the first part of the name a module, and colons are in no component's name.
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    return ImportedComponent(f"{value['kind'].lower()}-{plain}-{suffix()}", "yaml", text.lstrip("\r\n"))


def _parsed(text: str, path: str) -> Any:
    try:
        found = documents(text, path)
    except RenderError as error:
        raise SetupError(str(error)) from error
    return found[0] if found else None
