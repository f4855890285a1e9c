"""The ``ks`` command: ksonnet's words for what needs no cluster. Exit status 0, or 1 with a ``level=error`` line."""

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from .. import __version__
from ..errors import RenderError, ScorekitError, SetupError

if TYPE_CHECKING:
    from ..files import Directory

_NEEDS = {"rjsonnet": "rjsonnet", "yaml": "PyYAML"}
_NO_ENVIRONMENT = "environment is not set; use `env list` to see available environments"


def render_app(app: Path, environment: str, components: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The Kubernetes objects of an environment of the app in folder ``app``, sorted as ``ks show`` sorts them.

    ``components`` limits them to those names; an unknown one is an error. Warnings go to stderr. Raises
    ``RenderError`` for what is wrong in the app and ``SetupError`` if the ``ks`` extra is not installed.
    """
    return _render(_open(app), environment, components, {}, {}, ())


def main(argv: list[str] | None = None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
    except ScorekitError as error:
        _log("error", str(error))
        return 1
    except BrokenPipeError:
        # `ks show | head`: whoever read has seen enough. Nothing may be flushed at exit any more.
        sys.stdout = None  # what the interpreter itself does with a lost stdout
        return 1
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in ksonnet's form, with its exit status."""

    def error(self, message: str) -> NoReturn:
        raise SetupError(f"{message}; see `{self.prog} --help`")


def _parser() -> argparse.ArgumentParser:
    everywhere = _Parser(add_help=False)
    everywhere.add_argument("--dir", type=Path, default=argparse.SUPPRESS, help="folder to look for the app from")
    parser = _Parser(prog="ks", description="Render ksonnet apps to Kubernetes manifests.", parents=[everywhere])
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    show = commands.add_parser("show", parents=[everywhere], help="print the manifests of an environment")
    show.add_argument("environment", metavar="ENV", nargs="?", help="default: the current environment of the app")
    show.add_argument(
        "-c", "--component", action="append", default=[], metavar="NAME", help="only this one; repeatable"
    )
    show.add_argument("-o", "--format", default="yaml", metavar="yaml|json", help="default: yaml")
    show.add_argument("-V", "--ext-str", action="append", default=[], metavar="KEY=VALUE", help="an external variable")
    show.add_argument("--ext-str-file", action="append", default=[], metavar="KEY=FILE", help="the same, from a file")
    show.add_argument("-A", "--tla-str", action="append", default=[], metavar="KEY=VALUE", help="a top-level argument")
    show.add_argument("--tla-str-file", action="append", default=[], metavar="KEY=FILE", help="the same, from a file")
    show.add_argument("-J", "--jpath", action="append", default=[], metavar="DIR", help="one more folder of libraries")
    show.set_defaults(run=_show)

    for name, run in {"env": _env_list, "component": _component_list}.items():
        group = commands.add_parser(name, parents=[everywhere], help=f"{name} list: a table of them")
        below = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
        table = below.add_parser("list", parents=[everywhere], help="print a table")
        table.add_argument("-o", "--output", default="table", metavar="table|json", help="default: table")
        table.set_defaults(run=run)
        if name == "component":
            table.add_argument("--module", default="", metavar="NAME", help="only this module")

    version = commands.add_parser("version", help="print the version")
    version.set_defaults(run=lambda arguments: print(f"ks of scorekit {__version__}"))
    return parser


def _show(arguments: argparse.Namespace) -> None:
    if arguments.format not in ("yaml", "json"):
        raise SetupError(f"Unknown --format: {arguments.format}")
    ext_vars = _pairs(arguments.ext_str, "-V") | _pairs(arguments.ext_str_file, "--ext-str-file", _contents)
    tla_vars = _pairs(arguments.tla_str, "-A") | _pairs(arguments.tla_str_file, "--tla-str-file", _contents)
    if wrong := [key for key in tla_vars if not key.isidentifier()]:
        raise SetupError(f'-A: "{wrong[0]}" cannot be the name of an argument')
    components = [name for given in arguments.component for name in given.split(",")]
    tree = _app(arguments)
    from ..ks.app import UnknownEnvironment, current_environment

    environment = arguments.environment or current_environment(tree)
    if not environment:
        raise SetupError(_NO_ENVIRONMENT)
    jpath = tuple(str(Path(folder).absolute()) for folder in arguments.jpath)
    try:
        objects = _render(tree, environment, components, ext_vars, tla_vars, jpath)
    except UnknownEnvironment as error:
        raise SetupError(f"find objects: get modules: {error}") from error
    except RenderError as error:
        raise SetupError(f"find objects: {error}") from error
    from ..manifests.printing import as_json, as_yaml

    sys.stdout.write(as_json(objects) if arguments.format == "json" else as_yaml(objects))
    sys.stdout.flush()


def _env_list(arguments: argparse.Namespace) -> None:
    tree = _app(arguments)
    from ..ks.app import load_app

    header = ["name", "override", "kubernetes-version", "namespace", "server"]
    rows = [
        [found.name, "*" if found.is_override else "", found.k8s_version, found.namespace, found.server]
        for found in load_app(tree).environments.values()
    ]
    _print_table("envList", header, rows, arguments.output)


def _component_list(arguments: argparse.Namespace) -> None:
    tree = _app(arguments)
    from ..ks.listing import summaries

    header = ["component", "type", "apiversion", "kind", "name"]
    _print_table("componentList", header, summaries(tree, arguments.module), arguments.output)


def _print_table(kind: str, header: list[str], rows: list[list[str]], output: str) -> None:
    from ..ks.table import as_json, as_text

    if output not in ("table", "json"):
        raise SetupError(f'detecting output format: unknown output format "{output}"')
    sys.stdout.write(as_json(kind, header, rows) if output == "json" else as_text(header, rows))


def _render(
    tree: "Directory",
    environment: str,
    components: Sequence[str],
    ext_vars: Mapping[str, str],
    tla_vars: Mapping[str, str],
    jpath: tuple[str, ...],
) -> list[dict[str, Any]]:
    from ..jsonnet import Jsonnet
    from ..ks.pipeline import Options, render

    return render(
        tree, Jsonnet(), environment, components, Options(ext_vars, tla_vars, jpath), lambda text: _log("warning", text)
    )


def _app(arguments: argparse.Namespace) -> "Directory":
    given: Path | None = getattr(arguments, "dir", None)
    from ..files import find_root

    root = find_root(given or Path.cwd())
    if root is None:
        raise SetupError(f"finding app root from starting path: {given or ''}: unable to find ksonnet project")
    return _open(root)


def _open(root: Path) -> "Directory":
    missing = [name for module, name in _NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise SetupError(f"rendering needs {' and '.join(missing)}: pip install 'scorekit[ks]'")
    from ..files import Directory

    return Directory(root)


def _pairs(given: list[str], flag: str, read: Callable[[str], str] = str) -> dict[str, str]:
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise SetupError(f'{flag}: unable to find key and value in "{text}"')
        found[key] = read(value)
    return found


def _contents(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: cannot be read: {error}") from error


def _log(level: str, message: str) -> None:
    """A line as logrus writes it."""
    print(f"level={level} msg={json.dumps(message, ensure_ascii=False)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
