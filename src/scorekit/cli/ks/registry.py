"""``ks registry …``: where packages come from."""

import argparse

from ...errors import SetupError
from .opening import Commands, add_output, add_words, app, group_of, print_table, word, words
from .registry_clients import registry_client


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = group_of(commands, everywhere, "registry", "registries, where packages come from")
    adding = word(group, everywhere, "add", "add a registry: a folder of GitHub or of this machine", _add)
    add_words(
        adding,
        "NAME URI",
        2,
        "Command 'registry add' takes two arguments, which is the name and the repository address of the registry to "
        "add",
    )
    adding.add_argument("-o", "--override", action="store_true", help="keep it in app.override.yaml")
    listing = word(group, everywhere, "list", "print a table of them", _list)
    add_words(listing, "", 0, "Command 'registry list' does not take arguments")
    add_output(listing)
    describing = word(group, everywhere, "describe", "print what one offers", _describe)
    message = "Command 'registry describe' takes one argument, which is the name of the registry to describe"
    add_words(describing, "NAME", 1, message)
    setting = word(group, everywhere, "set", "change a registry", _set)
    add_words(setting, "NAME", 1, "Command 'registry set' takes one argument, which is the name of the registry to set")
    setting.add_argument("--uri", default="", help="its new URI")


def _add(arguments: argparse.Namespace) -> None:
    name, uri = words(arguments)
    tree = app(arguments)
    from ...ks.packages.registries import Registry, add_registry, detect_protocol

    registry = Registry(name, *detect_protocol(uri), arguments.override)
    add_registry(tree, registry, registry_client(tree, registry))


def _list(arguments: argparse.Namespace) -> None:
    words(arguments)
    tree = app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import registries

    found = registries(SpecFiles(tree)).values()
    rows = [[each.name, "*" if each.is_override else "", each.protocol, each.uri] for each in found]
    print_table("registryList", ["name", "override", "protocol", "uri"], rows, arguments.output)


def _describe(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
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
    [name] = words(arguments)
    tree = app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import Registry, registries, set_uri

    registry = registries(SpecFiles(tree)).get(name)
    if registry is None:
        raise SetupError(f"unknown registry: {name}")
    if not arguments.uri:
        raise SetupError("nothing to set")
    changed = Registry(name, registry.protocol, arguments.uri)
    set_uri(tree, registry, arguments.uri, registry_client(tree, changed))
