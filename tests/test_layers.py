"""The floors of the house: imports go from a higher floor to a lower one, and only edges touch the outside.

A room is a package or a module of ``src/scorekit``; inside ``serve``, ``ks`` and ``deploy`` the rooms of the next level
count, so that these too have floors. ``docs/architecture.md`` draws the same picture.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "scorekit"

# From the ground up. Rooms of one floor do not know each other; every room stands on exactly one floor.
FLOORS = [
    ["errors"],
    ["settings", "message", "proto", "user_model", "net"],
    ["codec", "contract", "manifests", "metrics", "model", "gateway", "image"],
    ["graph", "inference", "tester"],
    # Inside of ks, deploy and serve.
    ["ks.libsonnet"],
    ["ks.library", "ks.app"],
    ["ks.engine"],
    ["ks.params"],
    ["ks.render", "ks.packages"],
    ["ks.edits", "ks.io"],
    ["ks.prototypes"],
    ["deploy.carried", "deploy.cluster", "deploy.outcome", "deploy.pods", "deploy.progress", "deploy.retry"],
    ["deploy.conflict", "deploy.definition", "deploy.kube", "deploy.stamp"],
    ["deploy.plan", "deploy.prune", "deploy.rollouts", "deploy.takeover"],
    ["deploy.wait"],
    ["deploy.apply", "deploy.delete", "deploy.difference", "deploy.validate"],
    ["serve.trace", "serve.limits", "serve.feedback"],
    ["serve.observe"],
    ["serve.http1", "serve.http2"],
    ["serve.detect", "serve.rest", "serve.grpc"],
    ["serve.guard"],
    ["serve.accept"],
    ["serve.workers"],
    ["serve.server"],
    ["local"],
    ["cli", "testing"],
    ["__main__"],
]
DIVIDED = ("ks", "deploy", "serve")
# The two halves share words, and whoever calls them; neither knows the other.
SERVING = {"codec", "metrics", "model", "inference", "serve"}
DEPLOYING = {"ks", "deploy", "manifests", "graph", "gateway", "image"}
# Only edges may touch sockets, processes, threads and event loops.
OUTSIDE = {
    *("socket", "ssl", "subprocess", "asyncio", "multiprocessing", "threading", "concurrent"),
    *("uvloop", "httptools", "urllib3", "_gojsonnet"),
}
EDGES = ("net", "serve", "local", "cli", "tester.clients", "deploy.kube", "ks.io")

MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path != SOURCE / "__init__.py"
}


def room(module: str) -> str:
    """The room that a module stands in; of `ks`, `deploy` and `serve`, the one inside."""
    first, _, rest = module.partition(".")
    return f"{first}.{rest.partition('.')[0]}" if first in DIVIDED and rest else first


def imports(module: str, path: Path) -> Iterator[str]:
    """Everything that a module imports, wherever in it, by full names: `a.b` and `a.b.c` for `from a.b import c`."""
    package = ["scorekit", *module.split(".")]
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}".removeprefix("scorekit.") in MODULES else base


def rooms_known(module: str, path: Path) -> set[str]:
    """The other rooms of ours that a module imports from."""
    ours = (name.removeprefix("scorekit.") for name in imports(module, path) if name.startswith("scorekit."))
    return {room(name) for name in ours} - {room(module), "scorekit"}


def climbs(modules: Iterable[tuple[str, Path]]) -> list[str]:
    """The imports that do not lead to a lower floor. A divided package's face stands as high as its highest room."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    floor |= {face: max(number for name, number in floor.items() if name.startswith(f"{face}.")) for face in DIVIDED}
    return [
        f"{module} (floor {floor[room(module)]}) imports {other} (floor {floor[other]})"
        for module, path in modules
        for other in rooms_known(module, path)
        if floor[other] >= floor[room(module)] and not (module in DIVIDED and other.startswith(f"{module}."))
    ]


def test_imports_go_downwards_only() -> None:
    """Every room stands on one floor, and imports from lower floors only."""
    placed = [name for names in FLOORS for name in names]
    assert sorted({room(module) for module in MODULES} - set(DIVIDED)) == sorted(placed)
    assert climbs(MODULES.items()) == []


def test_serving_and_deploying_do_not_know_each_other() -> None:
    """What serves never imports what deploys, nor the other way round; only cli and local may know both."""
    for half, other in ((SERVING, DEPLOYING), (DEPLOYING, SERVING)):
        for module, path in MODULES.items():
            if module.partition(".")[0] in half:
                assert not {name.partition(".")[0] for name in rooms_known(module, path)} & other, module


def test_only_edges_touch_the_outside() -> None:
    """Nothing but an edge imports sockets, processes, threads or an event loop."""
    for module, path in MODULES.items():
        if not any(module == edge or module.startswith(f"{edge}.") for edge in EDGES):
            assert not {name.partition(".")[0] for name in imports(module, path)} & OUTSIDE, module


@pytest.mark.parametrize(
    "line", ["from ..serve import rest", "from .. import ks", "def f():\n    import scorekit.serve.rest.routes"]
)
def test_the_rules_can_fail(tmp_path: Path, line: str) -> None:
    """The checks see relative and lazy imports alike."""
    path = tmp_path / "spec.py"
    path.write_text(line)
    assert climbs([("graph.spec", path)])
