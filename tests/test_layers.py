"""The house's floors: imports go from a higher floor to a lower one; the two halves meet only at words."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "scorekit"

# Longest prefix wins. A module that is missing here fails the test, so every new file is given its room on purpose.
FLOORS = {
    0: ["errors", "message", "settings", "clock", "places", "proto", "user_model"],
    1: [
        *("answers", "codec", "contract", "graph", "envoy", "exposition"),
        *("dockerfile", "hooks", "lane", "libsonnet", "manifests", "metadata", "metric", "offspring"),
    ],
    2: ["batching", "component", "conformity", "metrics", "openapi", "proof", "survey", "verify"],
    3: ["service", "ks"],
    4: [
        "sockets",
        "cpus",
        "jsonnet",
        "files",
        "client",
        "wheel",
        "github",
        "download",
        "kube",
    ],  # edges that other edges stand on
    5: ["serve", "runner"],
    6: ["cli", "testing"],
    7: ["__main__"],
}
SERVING = [
    *("message", "proto", "user_model", "codec", "metric", "metadata", "exposition", "offspring"),
    *("answers", "lane", "batching", "proof", "hooks", "component", "metrics", "service", "serve"),
]
DEPLOYING = [
    "ks",
    "libsonnet",
    "manifests",
    "graph",
    "envoy",
    "jsonnet",
    "files",
    "wheel",
    "github",
    "download",
    "kube",
    "runner",
]
# What only edges may touch: sockets, processes and event loops.
EDGE_ONLY = {
    "socket",
    "subprocess",
    "asyncio",
    "uvloop",
    "httptools",
    "h2",
    "_gojsonnet",
    "urllib3",
    "multiprocessing",
    "threading",
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        if name:
            yield name, path


every_module = pytest.mark.parametrize(("module", "path"), [pytest.param(*pair, id=pair[0]) for pair in modules()])


def room(module: str) -> str:
    return module.split(".")[0]


def floor(module: str) -> int:
    found = [number for number, rooms in FLOORS.items() if room(module) in rooms]
    assert found, f"scorekit.{module} stands on no floor: give it one in tests/test_layers.py"
    return found[0]


def imports(path: Path, module: str) -> Iterator[str]:
    package = ["scorekit", *module.split(".")]
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def ours(path: Path, module: str) -> set[str]:
    rooms = {name.split(".")[1] for name in imports(path, module) if name.startswith("scorekit.")}
    return {name for name in rooms if not name.startswith("_")}


@every_module
def test_imports_go_downwards_only(module: str, path: Path) -> None:
    """A module imports from its own room or from a lower floor."""
    for other in ours(path, module) - {room(module), "errors"}:  # the error family is under everything
        assert floor(other) < floor(module), (
            f"scorekit.{module} (floor {floor(module)}) imports {other} (floor {floor(other)})"
        )


@every_module
def test_serving_and_deploying_do_not_know_each_other(module: str, path: Path) -> None:
    """Serving never imports deploying, nor the other way round; only a door (cli) may know both."""
    for half, other in ((SERVING, DEPLOYING), (DEPLOYING, SERVING)):
        if room(module) in half:
            assert not ours(path, module) & set(other), f"scorekit.{module} reaches over to the other half"


@every_module
def test_only_edges_touch_the_outside(module: str, path: Path) -> None:
    """Below floor 4 nothing imports sockets, processes or an event loop."""
    if floor(module) < 4:
        assert not {name.split(".")[0] for name in imports(path, module)} & EDGE_ONLY


def test_the_rules_can_fail(tmp_path: Path) -> None:
    """The checks above see absolute, relative and lazy imports alike."""
    path = tmp_path / "spec.py"
    path.write_text("from ..runner import x\ndef f():\n    import scorekit.serve.http\n    from scorekit import cli\n")
    assert ours(path, "graph.spec") >= {"runner", "serve", "cli"}
