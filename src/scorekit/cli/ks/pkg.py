"""``ks pkg …``: packages."""

import argparse
import sys
from typing import TYPE_CHECKING

from ...errors import SetupError
from .opening import Commands, add_output, add_words, app, group_of, log, print_table, word, words
from .registry_clients import registry_client

if TYPE_CHECKING:
    from ...ks.io.disk import Directory
    from ...ks.packages.registries import Catalogue, Registry

_TAKES = "Command requires a single argument of the form <registry>/<{}>@<version>"


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = group_of(commands, everywhere, "pkg", "packages of prototypes and libraries")
    installing = word(group, everywhere, "install", "copy a package into the app", _install)
    add_words(installing, "REGISTRY/PACKAGE[@VERSION]", 1, _TAKES.format("package"))
    installing.add_argument("--env", default="", metavar="NAME", help="for this environment alone")
    installing.add_argument("--force", action="store_true", help="fetch it even if it is there")
    installing.add_argument("--name", default="", help="what the app calls it")
    listing = word(group, everywhere, "list", "print a table of them", _list)
    add_words(listing, "", 0, "Command 'pkg list' does not take arguments")
    listing.add_argument("--installed", action="store_true", help="only those in the app")
    add_output(listing)
    describing = word(group, everywhere, "describe", "print what one is and offers", _describe)
    add_words(describing, "[REGISTRY/]PACKAGE", 1, "Command 'pkg describe' requires a package name")
    removing = word(group, everywhere, "remove", "take a package out of the app", _remove)
    add_words(removing, "REGISTRY/PACKAGE", 1, _TAKES.format("library"))
    removing.add_argument("--env", default="", metavar="NAME", help="from this environment alone")


def _install(arguments: argparse.Namespace) -> None:
    [text] = words(arguments)
    tree = app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import registries
    from ...ks.packages.vendor import install, wanted

    package = wanted(text)
    registry = registries(SpecFiles(tree)).get(package.registry)
    if registry is None:
        raise SetupError(f"registry '{package.registry}' does not exist")
    source = registry_client(tree, registry)
    if sys.stderr.isatty():  # beyond ksonnet's own lines, for a person who waits
        log("info", f"Asking {registry.uri}")
    count = install(tree, source, package, arguments.name, arguments.env, arguments.force)
    if count is not None:
        log("info", f"Retrieved {count} files")


def _list(arguments: argparse.Namespace) -> None:
    words(arguments)
    tree = app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import registries
    from ...ks.packages.vendor import pinned, users

    specs = SpecFiles(tree)
    rows = {(each.registry, each.name, each.version): ["*", ", ".join(users(specs, each))] for each in pinned(specs)}
    for registry in registries(specs).values() if not arguments.installed else ():
        if (catalogue := _offered(tree, registry)) is not None:
            for name, version in catalogue.versions.items():
                rows.setdefault((registry.name, name, version), ["", ""])
    header = ["registry", "name", "version", "installed", "environments"]
    table = [[*key, *rest] for key, rest in sorted(rows.items(), key=lambda row: "-".join(row[0]))]
    print_table("pkgList", header, table, arguments.output)


def _offered(tree: "Directory", registry: "Registry") -> "Catalogue | None":
    """What a registry offers; what it did the last time, or nothing, where it does not answer now."""
    from ...ks.packages.registries import keep_catalogue, kept_catalogue

    try:
        catalogue = registry_client(tree, registry).catalogue()
    except SetupError as error:
        log("warning", str(error))
        kept = kept_catalogue(tree, registry)
        if kept is not None:
            log("warning", f"falling back to cached version ({kept.version})")
        return kept
    keep_catalogue(tree, registry, catalogue)
    return catalogue


def _describe(arguments: argparse.Namespace) -> None:
    [text] = words(arguments)
    tree = app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import registries
    from ...ks.packages.vendor import PARTS_FILE, describe, description, folder, pinned, wanted
    from ...ks.prototypes.catalog import prototypes_in

    package = wanted(text)
    specs = SpecFiles(tree)
    fitting = [each for each in pinned(specs) if package.fits(each) and package.version in ("", each.version)]
    if fitting:
        print(f"LIBRARY NAME:\n{text}\n\nDESCRIPTION:\n{describe(tree, fitting[0])}\n\nPROTOTYPES:")
        for prototype in prototypes_in(tree, folder(tree, fitting[0]) or ""):
            print(f"  {prototype.name} - {prototype.short_description}")
        return
    if not package.registry:
        raise SetupError("cannot find package - please specify a registry")
    registry = registries(specs).get(package.registry)
    if registry is None:
        raise SetupError(f"registry not found: {package.registry}")
    source = registry_client(tree, registry)
    files = source.files(package.name, source.version(package.name, package.version))
    if PARTS_FILE not in files:
        raise SetupError(f"{text}: the registry has no such package")
    shown = description(files[PARTS_FILE].decode("utf-8", "replace"), f"{text}/{PARTS_FILE}")
    print(f"LIBRARY NAME:\n{text}\n\nDESCRIPTION:\n{shown}")


def _remove(arguments: argparse.Namespace) -> None:
    [text] = words(arguments)
    tree = app(arguments)
    from ...ks.packages.vendor import PackageReference, remove, wanted

    removed = remove(tree, wanted(text), arguments.env)
    log("info", f"Removing package {PackageReference(removed.registry, removed.name, removed.version)}")
