"""``ks env …``: environments."""

import argparse
import sys

from ...errors import SetupError
from .api_spec import resolved_version
from .destination import add_flags, destination
from .opening import Commands, add_output, add_words, app, group_of, log, print_table, word, words


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    group = group_of(commands, everywhere, "env", "environments")
    adding = word(group, everywhere, "add", "make an environment", _add)
    add_words(adding, "NAME", 1, "'env add' takes exactly one argument, which is the name of the environment")
    add_flags(adding)
    _add_override(adding)
    setting = word(group, everywhere, "set", "change an environment", _set)
    add_words(setting, "NAME", 1, "'env set' takes a single argument, that is the name of the environment")
    for flag, what in (("name", "its new name"), ("namespace", "namespace"), ("server", "address of the API server")):
        setting.add_argument(f"--{flag}", default="", help=what)
    setting.add_argument("--context", default="", metavar="NAME", help="a context of kubectl's, instead of a server")
    setting.add_argument("--api-spec", default="", metavar="SPEC", help="version:vX.Y.Z or file:PATH")
    _add_override(setting)
    listing = word(group, everywhere, "list", "print a table of them", _list)
    add_words(listing, "", 0, "'env list' takes zero arguments")
    add_output(listing)
    describing = word(group, everywhere, "describe", "print all about one", _describe)
    add_words(describing, "NAME", 1, "env describe <environment>")
    removing = word(group, everywhere, "rm", "remove one; what runs in its cluster stays", _rm)
    add_words(removing, "NAME", 1, "'env rm' takes a single argument, that is the name of the environment")
    _add_override(removing)
    targets = word(group, everywhere, "targets", "say which modules one renders; without --module the root", _targets)
    message = (
        "'env targets' takes only one argument. "
        "Pass the environment name followed by the module flag with the target module"
    )
    add_words(targets, "NAME", 1, message)
    targets.add_argument("--module", action="append", default=[], metavar="NAME", help="a module; repeatable")
    _add_override(targets)
    current = word(group, everywhere, "current", "print or change the one that is meant where none is named", _current)
    add_words(current, "", 0, "'env current' takes no arguments")
    current.add_argument("--set", default="", metavar="NAME", help="make it this one")
    current.add_argument("--unset", action="store_true", help="make it none")
    updating = word(group, everywhere, "update", "make the library of one anew", _update)
    add_words(updating, "NAME", 1, "'env update' takes a single argument, that is the name of the environment")


def _add_override(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--override", action="store_true", help="in app.override.yaml")


def _add(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
    from ...ks.app.templates import DEFAULT_API_SPEC
    from ...ks.edits.environments import add_environment, check_new

    found = destination(arguments)
    if found is None:
        raise SetupError("No current context found. Make sure a kubeconfig file is present")
    check_new(tree, name, arguments.override)
    spec = arguments.api_spec or DEFAULT_API_SPEC
    log(
        "info",
        f'Creating environment "{name}" with namespace "{found.namespace}", '
        f'pointing to "{spec}" cluster at address "{found.server}"',
    )
    version = resolved_version(spec)
    version.install(tree)
    add_environment(tree, name, found.server, found.namespace, version.name, arguments.override)


def _set(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
    from ...deploy.kube.target import CONTEXT_PREFIX
    from ...ks.edits.environments import change_environment

    if arguments.context and arguments.server:
        raise SetupError("--server and --context are two ways to say where the cluster is: take one")
    server = CONTEXT_PREFIX + arguments.context if arguments.context else arguments.server
    version = resolved_version(arguments.api_spec) if arguments.api_spec else None
    is_renamed = arguments.name not in ("", name)
    if is_renamed:
        log("info", f'Setting environment name from "{name}" to "{arguments.name}"')
    change_environment(
        tree, name, arguments.name, arguments.namespace, server, version.name if version else "", arguments.override
    )
    if version is not None:
        version.install(tree)
    if is_renamed:
        log("info", f'Successfully moved "{name}" to "{arguments.name}"')


def _list(arguments: argparse.Namespace) -> None:
    words(arguments)
    tree = app(arguments)
    from ...ks.app.app import load_app

    header = ["name", "override", "kubernetes-version", "namespace", "server"]
    rows = [
        [found.name, "*" if found.is_override else "", found.k8s_version, found.namespace, found.server]
        for found in load_app(tree).environments.values()
    ]
    print_table("envList", header, rows, arguments.output)


def _describe(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
    from ...ks.edits.environments import description
    from ...manifests.printing import in_order

    sys.stdout.write(in_order(description(tree, name)))


def _rm(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
    from ...ks.edits.environments import ROOT, remove_environment

    log("info", f'Deleting environment "{name}" with metadata at path "{tree.shown(f"{ROOT}/{name}")}"')
    remove_environment(tree, name, arguments.override)
    log("info", f"Successfully removed environment '{name}'")


def _targets(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
    from ...ks.edits.environments import set_targets

    modules = [module for given in arguments.module for module in given.split(",")]
    set_targets(tree, name, modules, arguments.override)


def _current(arguments: argparse.Namespace) -> None:
    words(arguments)
    tree = app(arguments)
    from ...ks.app.app import current_environment
    from ...ks.edits.environments import set_current

    if arguments.set and arguments.unset:
        raise SetupError("set and unset are exclusive")
    if arguments.set or arguments.unset:
        set_current(tree, arguments.set)
    else:
        print(current_environment(tree))


def _update(arguments: argparse.Namespace) -> None:
    [name] = words(arguments)
    tree = app(arguments)
    from ...ks.app.spec_files import SpecFiles

    resolved_version(f"version:{SpecFiles(tree).environment(name)['k8sVersion']}").update(tree)
