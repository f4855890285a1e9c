"""``ks prototype …`` and ``ks generate``."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SetupError
from . import prototype_flags
from .app_folder import find_app
from .commands import Commands, Run, add_command, add_group, add_positionals, positionals
from .logrus import log
from .table import add_output, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...ks.io.disk import Directory
    from ...ks.prototypes.prototype import Prototype

_HEADER = ["name", "description"]
_FLAGS = {**prototype_flags.GLOBAL, "values-file": True, "module": True}
_EXAMPLE = "single-port-deployment web --image=nginx"


def add(commands: Commands) -> None:
    """Add ``prototype`` with its subcommands, and ``generate``, which is ``prototype use``."""
    group = add_group(commands, "prototype", "list prototypes and make components from them")
    parser = add_command(group, "list", "print a table of the prototypes", _list, examples=["ks prototype list"])
    add_positionals(parser, "", 0, "Command 'prototype list' does not take any arguments")
    add_output(parser)
    summary = "print a table of the prototypes whose name contains a text"
    parser = add_command(group, "search", summary, _search, examples=["ks prototype search deployment"])
    add_positionals(parser, "TEXT", 1, "Command 'prototype search' requires a prototype name")
    add_output(parser)
    summary = "print what a prototype makes and which parameters it takes"
    parser = add_command(group, "describe", summary, _describe, examples=["ks prototype describe single-port-service"])
    add_positionals(parser, "PROTOTYPE", 1, "Command 'prototype describe' requires a prototype name")
    summary = "print the component that a prototype would make"
    _add_with_parameters(group, "prototype preview PROTOTYPE", summary, _preview)
    summary = "make a component from a prototype"
    _add_with_parameters(group, "prototype use PROTOTYPE NAME", summary, _generate)
    _add_with_parameters(commands, "generate PROTOTYPE NAME", summary, _generate)


def _add_with_parameters(commands: Commands, usage: str, summary: str, run: Run) -> None:
    """Add a command whose flags depend on the prototype: argparse passes everything after its name through."""
    command, _, _ = usage.partition(" PROTOTYPE")
    parser = commands.add_parser(
        command.rpartition(" ")[2],
        help=summary,
        usage=f"ks {usage} [--module NAME] [--values-file FILE] [--PARAMETER=VALUE …]",
        description=(
            f"{summary[:1].upper()}{summary[1:]}. The parameters of a prototype are flags: "
            "`ks prototype describe PROTOTYPE` lists them."
        ),
        examples=[f"ks {command} {_EXAMPLE.replace(' web', '') if run is _preview else _EXAMPLE}"],
        add_help=False,
        prefix_chars="\0",  # no argument begins with it, so that none is a flag to argparse
    )
    parser.add_argument("line", nargs="*", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def _list(arguments: argparse.Namespace) -> None:
    positionals(arguments)
    prototypes = _prototypes(find_app(arguments))
    rows = [[name, each.short_description] for name, each in prototypes.items()]
    print_table("prototypeList", _HEADER, rows, arguments.output)


def _search(arguments: argparse.Namespace) -> None:
    [query] = positionals(arguments)
    prototypes = _prototypes(find_app(arguments))
    from ...ks.prototypes.catalog import search

    rows = [[each.name, each.short_description] for each in search(prototypes, query)]
    print_table("prototypeSearch", _HEADER, rows, arguments.output)


def _describe(arguments: argparse.Namespace) -> None:
    [query] = positionals(arguments)
    prototypes = _prototypes(find_app(arguments))
    from ...ks.prototypes.catalog import find

    print(_description(find(prototypes, query)))


def _description(prototype: "Prototype") -> str:
    from ...ks.prototypes.parameters import parameter_lines

    return "\n".join(
        [
            *("PROTOTYPE NAME:", prototype.name, ""),
            *("DESCRIPTION:", prototype.description, ""),
            *("REQUIRED PARAMETERS:", parameter_lines(prototype.required(), "  "), ""),
            *("OPTIONAL PARAMETERS:", parameter_lines(prototype.optional(), "  "), ""),
            *("TEMPLATE TYPES AVAILABLE:", "  [jsonnet]"),
        ]
    )


def _preview(arguments: argparse.Namespace) -> None:
    request = _request(arguments, "Command 'prototype preview' requires a prototype name")
    if request is None:
        return
    _parameters(request, request.flags)
    print(request.prototype.expanded("preview"))


def _generate(arguments: argparse.Namespace) -> None:
    request = _request(arguments, "prototype name was not supplied as an argument")
    if request is None:
        return
    if not request.names:
        raise SetupError("Command is missing argument 'componentName'")
    if len(request.names) > 1:
        raise SetupError("Command has too many arguments (takes a prototype name and a component name)")
    from ...ks.edits.components import module_named
    from ...ks.prototypes.generation import generate

    module, _, name = request.names[0].rpartition(".")
    if module:
        log("info", "Using module from component name instead of flag", module_name=module)
    flags = request.flags if request.flags.get("name") else {**request.flags, "name": name}
    params = _parameters(request, flags)
    path = generate(request.tree, request.prototype, module_named(module or flags.get("module", "")), name, params)
    log("info", f"Writing component at '{request.tree.root / path}'")


@dataclass(frozen=True, slots=True)
class _PrototypeRequest:
    """What a command line asks of a prototype: the app, the prototype, the names of components, and the flags."""

    tree: "Directory"
    prototype: "Prototype"
    names: "Sequence[str]"
    flags: "Mapping[str, str]"


def _request(arguments: argparse.Namespace, without_prototype: str) -> _PrototypeRequest | None:
    """The request of a command line; None where it asks for help, which is then printed.

    Raises ``SetupError``, with the message ``without_prototype`` if no prototype is named.
    """
    first = prototype_flags.parse(arguments.line, prototype_flags.GLOBAL, allows_unknown=True)
    if not first.arguments:
        if "help" not in prototype_flags.parse(arguments.line, _FLAGS).flags:
            raise SetupError(without_prototype)
        arguments.parser.print_help()
        return None
    if first.flags.get("dir"):
        arguments.dir = first.flags["dir"]
    tree = find_app(arguments)
    from ...ks.prototypes.catalog import find

    prototype = find(_prototypes(tree), first.arguments[0])
    known = {**_FLAGS, **{each.name: True for each in prototype.parameters}}
    try:
        parsed = prototype_flags.parse(arguments.line, known)
    except SetupError as error:
        raise SetupError(f"parse preview args: {error}") from error
    if "help" in parsed.flags:
        print(_description(prototype))
        return None
    return _PrototypeRequest(tree, prototype, parsed.arguments[1:], parsed.flags)


def _parameters(request: _PrototypeRequest, flags: "Mapping[str, str]") -> dict[str, str]:
    """The parameters of the component as jsonnet, from flags and ``--values-file``. Raises ``SetupError``."""
    from ...ks.io.gojsonnet import Jsonnet
    from ...ks.prototypes.generation import component_parameters

    file = flags.get("values-file")
    values = None
    if file:
        try:
            values = file, Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"opening values file: {file}: cannot be read: {error}") from error
    return component_parameters(request.tree, Jsonnet(), prototype=request.prototype, flags=flags, values=values)


def _prototypes(tree: "Directory") -> "dict[str, Prototype]":
    from ...ks.io.bundled_registry import stock_prototypes
    from ...ks.prototypes.catalog import prototypes

    return prototypes(tree, stock_prototypes())
