"""``ks pkg …``."""

import argparse
import sys
from typing import TYPE_CHECKING

from ...errors import SetupError
from .app_folder import find_app
from .commands import Commands, add_command, add_group, add_positionals, positionals
from .logrus import log
from .registry_clients import registry_client
from .table import add_output, print_table

if TYPE_CHECKING:
    from ...ks.io.disk import Directory
    from ...ks.packages.registries import Catalogue, Registry

_ONE_ARGUMENT = "Command requires a single argument of the form <registry>/<{}>@<version>"


def add(commands: Commands) -> None:
    """Add ``pkg`` and its subcommands."""
    group = add_group(commands, "pkg", "install and list packages of prototypes and libraries")
    parser = add_command(
        group, "install", "copy a package into the app", _install, examples=["ks pkg install seldon-core/seldon-core"]
    )
    add_positionals(parser, "REGISTRY/PACKAGE[@VERSION]", 1, _ONE_ARGUMENT.format("package"))
    parser.add_argument("--env", default="", metavar="NAME", help="pin the package for this environment only")
    parser.add_argument("--force", action="store_true", help="fetch the package even if it is installed")
    parser.add_argument("--name", default="", help="the name of the package in the app")
    parser = add_command(group, "list", "print a table of the packages", _list, examples=["ks pkg list --installed"])
    add_positionals(parser, "", 0, "Command 'pkg list' does not take arguments")
    parser.add_argument("--installed", action="store_true", help="list only installed packages; asks no registry")
    add_output(parser)
    summary = "print a package's description and its prototypes"
    parser = add_command(group, "describe", summary, _describe, examples=["ks pkg describe seldon-core/seldon-core"])
    add_positionals(parser, "[REGISTRY/]PACKAGE", 1, "Command 'pkg describe' requires a package name")
    parser = add_command(
        group, "remove", "remove a package from the app", _remove, examples=["ks pkg remove seldon-core/seldon-core"]
    )
    add_positionals(parser, "REGISTRY/PACKAGE", 1, _ONE_ARGUMENT.format("library"))
    parser.add_argument("--env", default="", metavar="NAME", help="remove it from this environment only")


def _install(arguments: argparse.Namespace) -> None:
    [text] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.package_reference import parse_reference
    from ...ks.packages.registries import registries
    from ...ks.packages.vendor import install

    package = parse_reference(text)
    registry = registries(SpecFiles(tree)).get(package.registry)
    if registry is None:
        raise SetupError(f"registry '{package.registry}' does not exist")
    client = registry_client(tree, registry)
    if sys.stderr.isatty():  # ksonnet logs nothing here; a person would not know what they wait for
        log("info", f"Asking {registry.uri}")
    count = install(
        tree,
        client,
        package=package,
        alias=arguments.name,
        environment=arguments.env,
        force=arguments.force,
    )
    if count is not None:
        log("info", f"Retrieved {count} files")


def _list(arguments: argparse.Namespace) -> None:
    positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.registries import registries
    from ...ks.packages.vendor import environments_pinning, pinned

    specs = SpecFiles(tree)
    cells = {
        (each.registry, each.name, each.version): ["*", ", ".join(environments_pinning(specs, each))]
        for each in pinned(specs)
    }
    for registry in registries(specs).values() if not arguments.installed else ():
        if (catalogue := _catalogue(tree, registry)) is not None:
            for name, version in catalogue.versions.items():
                cells.setdefault((registry.name, name, version), ["", ""])
    header = ["registry", "name", "version", "installed", "environments"]
    rows = [[*key, *rest] for key, rest in sorted(cells.items(), key=lambda item: "-".join(item[0]))]
    print_table("pkgList", header, rows, arguments.output)


def _catalogue(tree: "Directory", registry: "Registry") -> "Catalogue | None":
    """What a registry offers; if it does not answer, what it offered the last time, or None."""
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
    [text] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.spec_files import SpecFiles
    from ...ks.packages.package_reference import parse_reference
    from ...ks.packages.registries import registries
    from ...ks.packages.vendor import PARTS_FILE, describe, description, folder, pinned
    from ...ks.prototypes.catalog import prototypes_in

    package = parse_reference(text)
    specs = SpecFiles(tree)
    installed = [each for each in pinned(specs) if package.fits(each) and package.version in ("", each.version)]
    if installed:
        print(f"LIBRARY NAME:\n{text}\n\nDESCRIPTION:\n{describe(tree, installed[0])}\n\nPROTOTYPES:")
        for prototype in prototypes_in(tree, folder(tree, installed[0]) or ""):
            print(f"  {prototype.name} - {prototype.short_description}")
        return
    if not package.registry:
        raise SetupError("cannot find package - please specify a registry")
    registry = registries(specs).get(package.registry)
    if registry is None:
        raise SetupError(f"registry not found: {package.registry}")
    client = registry_client(tree, registry)
    files = client.files(package.name, client.version(package.name, package.version))
    if PARTS_FILE not in files:
        raise SetupError(f"{text}: the registry has no such package")
    parts = description(files[PARTS_FILE].decode("utf-8", "replace"), f"{text}/{PARTS_FILE}")
    print(f"LIBRARY NAME:\n{text}\n\nDESCRIPTION:\n{parts}")


def _remove(arguments: argparse.Namespace) -> None:
    [text] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.packages.package_reference import PackageReference, parse_reference
    from ...ks.packages.vendor import remove

    removed = remove(tree, parse_reference(text), arguments.env)
    log("info", f"Removing package {PackageReference(removed.registry, removed.name, removed.version)}")
