"""``ks show``, and the flags of every word that renders."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import RenderError, SetupError
from .opening import Commands, app, log, opened

if TYPE_CHECKING:
    from ...ks.io.disk import Directory

_NO_ENVIRONMENT = "environment is not set; use `env list` to see available environments"


def render_app(app: Path, environment: str, components: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The Kubernetes objects of an environment of the app in folder ``app``, sorted as ``ks show`` sorts them.

    ``components`` limits them to those names; an unknown one is an error. Warnings go to stderr. Raises
    ``RenderError`` for what is wrong in the app and ``SetupError`` if the ``ks`` extra is not installed.
    """
    return _render(opened(app), environment, components, {}, {}, ())


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    show = commands.add_parser("show", parents=[everywhere], help="print the manifests of an environment")
    add_environment(show)
    add_render_flags(show)
    show.add_argument("-o", "--format", default="yaml", metavar="yaml|json", help="default: yaml")
    show.set_defaults(run=_show)


def add_environment(parser: argparse.ArgumentParser) -> None:
    """The optional argument that names an environment."""
    parser.add_argument("environment", metavar="ENV", nargs="?", help="default: the current environment of the app")


def add_render_flags(parser: argparse.ArgumentParser) -> None:
    """``-c`` and what jsonnet is told."""
    add = parser.add_argument
    add("-c", "--component", action="append", default=[], metavar="NAME", help="only this one; repeatable")
    add("-V", "--ext-str", action="append", default=[], metavar="KEY=VALUE", help="an external variable")
    add("--ext-str-file", action="append", default=[], metavar="KEY=FILE", help="the same, from a file")
    add("-A", "--tla-str", action="append", default=[], metavar="KEY=VALUE", help="a top-level argument")
    add("--tla-str-file", action="append", default=[], metavar="KEY=FILE", help="the same, from a file")
    add("-J", "--jpath", action="append", default=[], metavar="DIR", help="one more folder of libraries")


def environment_name(tree: "Directory", given: str | None) -> str:
    """The environment that was ``given``, else the app's current one. Raises ``SetupError`` where there is none."""
    from ...ks.app.app import current_environment

    name = given or current_environment(tree)
    if not name:
        raise SetupError(_NO_ENVIRONMENT)
    return name


def rendered(tree: "Directory", environment: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The objects of an environment as the flags of :func:`add_render_flags` ask. Raises ``SetupError``."""
    ext_vars = _pairs(arguments.ext_str, "-V") | _pairs(arguments.ext_str_file, "--ext-str-file", _contents)
    tla_vars = _pairs(arguments.tla_str, "-A") | _pairs(arguments.tla_str_file, "--tla-str-file", _contents)
    if wrong := [key for key in tla_vars if not key.isidentifier()]:
        raise SetupError(f'-A: "{wrong[0]}" cannot be the name of an argument')
    from ...ks.app.app import UnknownEnvironment

    components = [name for given in arguments.component for name in given.split(",")]
    jpath = tuple(str(Path(folder).absolute()) for folder in arguments.jpath)
    try:
        return _render(tree, environment, components, ext_vars, tla_vars, jpath)
    except UnknownEnvironment as error:
        raise SetupError(f"find objects: get modules: {error}") from error
    except RenderError as error:
        raise SetupError(f"find objects: {error}") from error


def _show(arguments: argparse.Namespace) -> None:
    if arguments.format not in ("yaml", "json"):
        raise SetupError(f"Unknown --format: {arguments.format}")
    tree = app(arguments)
    objects = rendered(tree, environment_name(tree, arguments.environment), arguments)
    from ...manifests.printing import as_json, as_yaml

    sys.stdout.write(as_json(objects) if arguments.format == "json" else as_yaml(objects))
    sys.stdout.flush()


def _render(
    tree: "Directory",
    environment: str,
    components: Sequence[str],
    ext_vars: Mapping[str, str],
    tla_vars: Mapping[str, str],
    jpath: tuple[str, ...],
) -> list[dict[str, Any]]:
    from ...ks.io.gojsonnet import Jsonnet
    from ...ks.render.pipeline import RenderOptions, render

    return render(
        tree,
        Jsonnet(),
        environment,
        components,
        RenderOptions(ext_vars, tla_vars, jpath),
        lambda text: log("warning", text),
    )


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
