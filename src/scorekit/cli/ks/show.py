"""``ks show``, and the flags of every command that renders."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import RenderError, SetupError
from .app_folder import find_app, open_folder
from .commands import Commands, add_command
from .logrus import log

if TYPE_CHECKING:
    from ...ks.io.disk import Directory
    from ...ks.render.pipeline import RenderOptions

_NO_ENVIRONMENT = "environment is not set; use `env list` to see available environments"


def render_app(app: Path, environment: str, components: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The Kubernetes objects of an environment of the app in the folder ``app``, sorted as ``ks show`` sorts them.

    ``components`` limits them to those names; an unknown name is an error. Warnings go to stderr. Raises
    ``RenderError`` for a fault in the app and ``SetupError`` if the extra ``ks`` is not installed.
    """
    return _render(open_folder(app), environment, components)


def add(commands: Commands) -> None:
    """Add ``show``."""
    examples = ["ks show default", "ks show default -c web -o json"]
    parser = add_command(commands, "show", "print the manifests of an environment", _show, examples=examples)
    add_environment(parser)
    add_render_flags(parser)
    parser.add_argument("-o", "--format", default="yaml", metavar="yaml|json", help="output format (default: yaml)")


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add the optional argument that names an environment."""
    parser.usage = f"{parser.prog} [ENV] [flags]"
    parser.add_argument("environment", metavar="ENV", nargs="?", help="default: the current environment of the app")


def add_render_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``-c`` and the flags that pass values to the jsonnet program."""
    add = parser.add_argument
    add("-c", "--component", action="append", default=[], metavar="NAME", help="only this component; repeatable")
    add("-V", "--ext-str", action="append", default=[], metavar="KEY=VALUE", help="set an external variable")
    add("--ext-str-file", action="append", default=[], metavar="KEY=FILE", help="the same, with a file's content")
    add("-A", "--tla-str", action="append", default=[], metavar="KEY=VALUE", help="set a top-level argument")
    add("--tla-str-file", action="append", default=[], metavar="KEY=FILE", help="the same, with a file's content")
    add("-J", "--jpath", action="append", default=[], metavar="DIR", help="search imports here too; repeatable")


def environment_name(tree: "Directory", given: str | None) -> str:
    """The environment that was ``given``, or else the app's current one. Raises ``SetupError`` if there is neither."""
    from ...ks.app.app import current_environment

    name = given or current_environment(tree)
    if not name:
        raise SetupError(_NO_ENVIRONMENT)
    return name


def rendered(tree: "Directory", environment: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The objects of an environment, by the flags of :func:`add_render_flags`, in the order of ``ks show``.

    Raises ``SetupError`` for a wrong flag and for every fault in the app, with ksonnet's prefix.
    """
    ext_vars = _pairs(arguments.ext_str, "-V") | _pairs(arguments.ext_str_file, "--ext-str-file", _contents)
    tla_vars = _pairs(arguments.tla_str, "-A") | _pairs(arguments.tla_str_file, "--tla-str-file", _contents)
    if invalid := [key for key in tla_vars if not key.isidentifier()]:
        raise SetupError(f'-A: "{invalid[0]}" is not a valid name of an argument')
    from ...ks.app.app import UnknownEnvironment
    from ...ks.render.pipeline import RenderOptions

    components = [name for names in arguments.component for name in names.split(",")]
    jpath = tuple(str(Path(folder).absolute()) for folder in arguments.jpath)
    try:
        return _render(tree, environment, components, RenderOptions(ext_vars, tla_vars, jpath))
    except UnknownEnvironment as error:
        raise SetupError(f"find objects: get modules: {error}") from error
    except RenderError as error:
        raise SetupError(f"find objects: {error}") from error


def _show(arguments: argparse.Namespace) -> None:
    if arguments.format not in ("yaml", "json"):
        raise SetupError(f"Unknown --format: {arguments.format}")
    tree = find_app(arguments)
    objects = rendered(tree, environment_name(tree, arguments.environment), arguments)
    from ...manifests.printing import as_json, as_yaml

    sys.stdout.write(as_json(objects) if arguments.format == "json" else as_yaml(objects))
    sys.stdout.flush()


def _render(
    tree: "Directory", environment: str, components: Sequence[str], options: "RenderOptions | None" = None
) -> list[dict[str, Any]]:
    from ...ks.io.gojsonnet import Jsonnet
    from ...ks.render.pipeline import render

    return render(
        tree,
        Jsonnet(),
        environment=environment,
        components=components,
        options=options,
        warn=lambda message: log("warning", message),
    )


def _pairs(given: list[str], flag: str, read: Callable[[str], str] = str) -> dict[str, str]:
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise SetupError(f'{flag}: unable to find key and value in "{text}"')
        pairs[key] = read(value)
    return pairs


def _contents(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: cannot be read: {error}") from error
