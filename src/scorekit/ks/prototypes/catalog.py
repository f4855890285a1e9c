"""Which prototypes an app has: ksonnet's own, and those of the packages that it pins (ksonnet-rules.md#prototypes)."""

import re
from collections.abc import Iterable, Iterator, Mapping

from ...errors import SetupError
from ..app.app import load_app
from ..app.tree import Tree
from .prototype import Prototype, parse

STOCK = "<builtin>"
"""Where ksonnet's own are, in errors."""


def prototypes(tree: Tree, stock: Mapping[str, str]) -> dict[str, Prototype]:
    """All of them by name, sorted; of one that several versions of a package have, the newest version's.

    ``stock`` are the texts of ksonnet's own, by file. Raises ``RenderError`` for one that cannot be read.
    """
    found = {each.name: each for each in (parse(text, f"{STOCK}/{file}") for file, text in stock.items())}
    app = load_app(tree)
    libraries = {*app.libraries, *(each for one in app.environments.values() for each in one.libraries)}
    for library in sorted(libraries, key=lambda each: _version(each.version)):
        found |= {each.name: each for each in prototypes_in(tree, library.folder)}
    return dict(sorted(found.items()))


def prototypes_in(tree: Tree, package: str) -> list[Prototype]:
    """Those of the package in a folder. Raises ``RenderError`` for one that cannot be read."""
    return [parse(tree.read(path) or "", path) for path in _below(tree, f"{package}/prototypes")]


def find(known: Mapping[str, Prototype], query: str) -> Prototype:
    """The one whose name ends in ``query``. Raises ``SetupError`` if there is none, or several."""
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
    """Those whose name holds ``query``."""
    return [prototype for name, prototype in known.items() if query in name]


def _below(tree: Tree, folder: str) -> Iterator[str]:
    for name in tree.names(folder) or []:
        if name.endswith("/"):
            yield from _below(tree, f"{folder}/{name.rstrip('/')}")
        elif name.endswith(".jsonnet"):
            yield f"{folder}/{name}"


def _version(text: str) -> tuple[int, Iterable[int], str]:
    """Versions by their numbers, above all that is none, such as a commit."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?", text)
    return (1, tuple(map(int, match.groups())), text) if match else (0, (), text)
