"""The prototypes of an app: ksonnet's own, and those of the packages that it pins (ksonnet-rules.md#prototypes)."""

import re
from collections.abc import Iterable, Iterator, Mapping

from ...errors import SetupError
from ..app.app import load_app
from ..app.tree import Tree
from .directives import parse_prototype
from .prototype import Prototype

STOCK = "<builtin>"
"""The folder of ksonnet's own prototypes, in error messages."""


def prototypes(tree: Tree, stock: Mapping[str, str]) -> dict[str, Prototype]:
    """All prototypes by name, sorted. If several versions of a package have one, the newest counts.

    ``stock`` are the texts of ksonnet's own, by file. Raises ``RenderError`` for one that cannot be parsed.
    """
    by_name = {each.name: each for each in (parse_prototype(text, f"{STOCK}/{file}") for file, text in stock.items())}
    app = load_app(tree)
    libraries = {*app.libraries, *(each for one in app.environments.values() for each in one.libraries)}
    for library in sorted(libraries, key=lambda each: _version_order(each.version)):
        by_name |= {each.name: each for each in prototypes_in(tree, library.folder)}
    return dict(sorted(by_name.items()))


def prototypes_in(tree: Tree, package: str) -> list[Prototype]:
    """The prototypes of the package in a folder. Raises ``RenderError`` for one that cannot be parsed."""
    return [parse_prototype(tree.read(path) or "", path) for path in _files_below(tree, f"{package}/prototypes")]


def find(known: Mapping[str, Prototype], query: str) -> Prototype:
    """The prototype whose name ends with ``query``. Raises ``SetupError`` if none matches, or more than one does."""
    ending = [name for name in known if name.endswith(query)]
    if len(ending) == 1:
        return known[ending[0]]
    if query in ending:
        return known[query]
    if ending:
        raise SetupError(f"ambiguous match for '{query}': {', '.join(ending)}")
    partial = [each.name for each in search(known, query)]
    hint = "; a list of partial matches: " + "\n".join(partial) if partial else ""
    raise SetupError(f"no prototype names matched '{query}'{hint}")


def search(known: Mapping[str, Prototype], query: str) -> list[Prototype]:
    """The prototypes whose name contains ``query``."""
    return [prototype for name, prototype in known.items() if query in name]


def _files_below(tree: Tree, folder: str) -> Iterator[str]:
    for name in tree.names(folder) or []:
        if name.endswith("/"):
            yield from _files_below(tree, f"{folder}/{name.rstrip('/')}")
        elif name.endswith(".jsonnet"):
            yield f"{folder}/{name}"


def _version_order(version: str) -> tuple[int, Iterable[int], str]:
    """Sorts versions by their numbers, above everything that is not a version, such as a commit."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?", version)
    return (1, tuple(map(int, match.groups())), version) if match else (0, (), version)
