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
_DOCUMENT_START = re.compile(r"^---(?=\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ImportedComponent:
    """A component to be written: its name without a module, the extension of its file, and its text."""

    key: str
    extension: str
    source: str


def imported_components(files: Iterable[tuple[str, bytes]], suffix: Callable[[], str]) -> list[ImportedComponent]:
    """The components of ``files``, which are paths and contents. ``suffix`` makes five letters that tell names apart.

    Raises ``SetupError`` for the first file that cannot be imported.
    """
    components: list[ImportedComponent] = []
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
            _first_document(text, path)  # parse the whole file, so that an error has the right line
            # The text of each document is kept as it is, with comments, which a parsed document would lose.
            parts = [part for part in _DOCUMENT_START.split(text) if _first_document(part, path) is not None]
            components += [_component(part, path, suffix) for part in parts]
        else:
            components.append(ImportedComponent(stem, kind, text))
    return components


def _component(text: str, path: str, suffix: Callable[[], str]) -> ImportedComponent:
    value = _first_document(text, path)
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or not value.get("apiVersion"):
        raise SetupError(f"document doesn't describe a kubernetes object: {path}: it needs an apiVersion and a kind")
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name:
        raise SetupError(f"unable to find metadata name of object in {path}")
    # A dot would turn the first part of the name into a module, and a colon is not valid in a component's name.
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    return ImportedComponent(f"{value['kind'].lower()}-{plain}-{suffix()}", "yaml", text.lstrip("\r\n"))


def _first_document(text: str, path: str) -> Any:
    try:
        values = documents(text, path)
    except RenderError as error:
        raise SetupError(str(error)) from error
    return values[0] if values else None
