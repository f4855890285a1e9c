"""``ks prototype …`` and ``ks generate``: components from prototypes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SetupError
from . import flags
from .opening import Commands, add_output, add_words, app, group_of, log, print_table, word, words

if TYPE_CHECKING:
    from ...ks.io.disk import Directory
    from ...ks.prototypes.prototype import Prototype

_HEADER = ["name", "description"]
_OWN = {"values-file": True, "module": True}
_PREVIEW = "preview"


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = group_of(commands, everywhere, "prototype", "what components are made from")
    listing = word(group, everywhere, "list", "print a table of the prototypes there are", _list)
    add_words(listing, "", 0, "Command 'prototype list' does not take any arguments")
    add_output(listing)
    searching = word(group, everywhere, "search", "print a table of those whose name holds a text", _search)
    add_words(searching, "TEXT", 1, "Command 'prototype search' requires a prototype name")
    add_output(searching)
    describing = word(group, everywhere, "describe", "tell what a prototype makes and takes", _describe)
    add_words(describing, "PROTOTYPE", 1, "Command 'prototype describe' requires a prototype name")
    _add_open(group, "prototype preview PROTOTYPE", "print the component that a prototype would make", _preview)
    _add_open(group, "prototype use PROTOTYPE NAME", "make a component from a prototype", _generate)
    _add_open(commands, "generate PROTOTYPE NAME", "make a component from a prototype", _generate)


def _add_open(commands: Commands, usage: str, what: str, run: object) -> None:
    """A word whose flags depend on the prototype: none of its arguments is a flag to argparse."""
    name = usage.split(" PROTOTYPE")[0].rpartition(" ")[2]
    parser = commands.add_parser(name, help=what, add_help=False, prefix_chars="\0")
    parser.add_argument("rest", nargs="*")
    parser.set_defaults(run=run, usage=f"ks {usage} [--values-file FILE] [--module NAME] [--PARAMETER=VALUE …]")


def _list(arguments: argparse.Namespace) -> None:
    words(arguments)
    known = _known(app(arguments))
    rows = [[name, each.short_description] for name, each in known.items()]
    print_table("prototypeList", _HEADER, rows, arguments.output)


def _search(arguments: argparse.Namespace) -> None:
    [query] = words(arguments)
    known = _known(app(arguments))
    from ...ks.prototypes.catalog import search

    rows = [[each.name, each.short_description] for each in search(known, query)]
    print_table("prototypeSearch", _HEADER, rows, arguments.output)


def _describe(arguments: argparse.Namespace) -> None:
    [query] = words(arguments)
    known = _known(app(arguments))
    from ...ks.prototypes.catalog import find

    print(_description(find(known, query)))


def _description(prototype: "Prototype") -> str:
    from ...ks.prototypes.prototype import table

    return "\n".join(
        [
            *("PROTOTYPE NAME:", prototype.name, ""),
            *("DESCRIPTION:", prototype.description, ""),
            *("REQUIRED PARAMETERS:", table(prototype.required(), "  "), ""),
            *("OPTIONAL PARAMETERS:", table(prototype.optional(), "  "), ""),
            *("TEMPLATE TYPES AVAILABLE:", "  [jsonnet]"),
        ]
    )


def _preview(arguments: argparse.Namespace) -> None:
    opened = _opened(arguments, "Command 'prototype preview' requires a prototype name")
    if opened is None:
        return
    tree, prototype, parsed = opened
    _chosen(tree, prototype, parsed)
    print(prototype.expanded(_PREVIEW))


def _generate(arguments: argparse.Namespace) -> None:
    opened = _opened(arguments, "prototype name was not supplied as an argument")
    if opened is None:
        return
    tree, prototype, parsed = opened
    if len(parsed.words) < 2:
        raise SetupError("Command is missing argument 'componentName'")
    if len(parsed.words) > 2:
        raise SetupError("Command has too many arguments (takes a prototype name and a component name)")
    from ...ks.edits.components import module_named
    from ...ks.prototypes.generation import generate

    module, _, name = parsed.words[1].rpartition(".")
    if module:
        log("info", "Using module from component name instead of flag", module_name=module)
    if not parsed.values.get("name"):
        parsed.values["name"] = name
    params = _chosen(tree, prototype, parsed)
    path = generate(tree, prototype, module_named(module or parsed.values.get("module", "")), name, params)
    log("info", f"Writing component at '{tree.root / path}'")


def _opened(arguments: argparse.Namespace, none: str) -> "tuple[Directory, Prototype, flags.Parsed] | None":
    """The app, the prototype that is asked for, and the flags; None where only help was."""
    rest: list[str] = arguments.rest
    query = flags.first_word(rest)
    if not query:
        parsed = flags.parse(rest, {**flags.EVERYWHERE, **_OWN})
        if "help" not in parsed.values:
            raise SetupError(none)
        print(
            f"usage: {arguments.usage}\n\n`ks prototype list` tells the prototypes, PROTOTYPE --help their parameters"
        )
        return None
    # Where the app is may be said among the flags; which flags there are depends on the app.
    for at, each in enumerate(rest):
        if each == "--dir" and at + 1 < len(rest):
            arguments.dir = rest[at + 1]
        elif each.startswith("--dir="):
            arguments.dir = each.partition("=")[2]
    tree = app(arguments)
    from ...ks.prototypes.catalog import find

    prototype = find(_known(tree), query)
    takes = {**flags.EVERYWHERE, **_OWN, **{each.name: True for each in prototype.parameters}}
    try:
        parsed = flags.parse(rest, takes)
    except SetupError as error:
        raise SetupError(f"parse preview args: {error}") from error
    if "help" in parsed.values:
        print(_description(prototype))
        return None
    return tree, prototype, parsed


def _chosen(tree: "Directory", prototype: "Prototype", parsed: flags.Parsed) -> dict[str, str]:
    from ...ks.io.gojsonnet import Jsonnet
    from ...ks.prototypes.generation import component_parameters

    file = parsed.values.get("values-file")
    values = None
    if file:
        try:
            values = file, Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"opening values file: {file}: cannot be read: {error}") from error
    return component_parameters(tree, Jsonnet(), prototype, parsed.values, values)


def _known(tree: "Directory") -> "dict[str, Prototype]":
    from ...ks.io.bundled_registry import stock_prototypes
    from ...ks.prototypes.catalog import prototypes

    return prototypes(tree, stock_prototypes())
