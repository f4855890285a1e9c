"""``ks registry …``."""

import argparse

from ...errors import SetupError
from .app_folder import find_app
from .commands import Commands, add_command, add_group, add_positionals, positionals
from .registry_clients import registry_client
from .table import add_output, print_table


def add(commands: Commands) -> None:
    """Add ``registry`` and its subcommands."""
    group = add_group(commands, "registry", "add, list and change registries, the sources of packages")
    summary = "add a registry: a folder on GitHub or on this machine"
    examples = [
        "ks registry add seldon-core github.com/SeldonIO/seldon-core/tree/master/seldon-core",
        "ks registry add mine ../registry",
    ]
    parser = add_command(group, "add", summary, _add, examples=examples)
    message = (
        "Command 'registry add' takes two arguments, which is the name and the repository address of the registry to "
        "add"
    )
    add_positionals(parser, "NAME URI", 2, message)
    parser.add_argument("-o", "--override", action="store_true", help="store it in app.override.yaml")
    parser = add_command(group, "list", "print a table of the registries", _list, examples=["ks registry list"])
    add_positionals(parser, "", 0, "Command 'registry list' does not take arguments")
    add_output(parser)
    summary = "print the packages that a registry offers"
    parser = add_command(group, "describe", summary, _describe, examples=["ks registry describe seldon-core"])
    message = "Command 'registry describe' takes one argument, which is the name of the registry to describe"
    add_positionals(parser, "NAME", 1, message)
    parser = add_command(
        group, "set", "change the URI of a registry", _set, examples=["ks registry set mine --uri ../other"]
    )
    message = "Command 'registry set' takes one argument, which is the name of the registry to set"
    add_positionals(parser, "NAME", 1, message)
    parser.add_argument("--uri", default="", help="the new URI")


def _add(arguments: argparse.Namespace) -> None:
    name, uri = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.packages.registries import Registry, add_registry, detect_protocol

    registry = Registry(name, *detect_protocol(uri), arguments.override)
    add_registry(tree, registry, registry_client(tree, registry))


def _list(arguments: argparse.Namespace) -> None:
    positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import registries

    rows = [
        [each.name, "*" if each.is_override else "", each.protocol, each.uri]
        for each in registries(SpecFiles(tree)).values()
    ]
    print_table("registryList", ["name", "override", "protocol", "uri"], rows, arguments.output)


def _describe(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import keep_catalogue, registries

    registry = registries(SpecFiles(tree)).get(name)
    if registry is None:
        raise SetupError(f'registry "{name}" doesn\'t exist')
    catalogue = registry_client(tree, registry).catalogue()
    keep_catalogue(tree, registry, catalogue)
    print(f"REGISTRY NAME:\n{name}\n\nURI:\n{registry.uri}\n\nPROTOCOL:\n{registry.protocol}\n\nPACKAGES:")
    for path in sorted(catalogue.paths.values()):
        print(f"  {path}")


def _set(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import Registry, registries, set_uri

    registry = registries(SpecFiles(tree)).get(name)
    if registry is None:
        raise SetupError(f"unknown registry: {name}")
    if not arguments.uri:
        raise SetupError("nothing to set")
    changed = Registry(name, registry.protocol, arguments.uri)
    set_uri(tree, registry, arguments.uri, registry_client(tree, changed))
