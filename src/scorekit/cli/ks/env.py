"""``ks env …``."""

import argparse
import sys

from ...errors import SetupError
from .api_spec import resolved_version, updated
from .app_folder import find_app
from .commands import Commands, add_command, add_group, add_positionals, positionals
from .destination import add_flags, destination
from .logrus import log
from .table import add_output, print_table


def add(commands: Commands) -> None:
    """Add ``env`` and its subcommands."""
    group = add_group(commands, "env", "add, change, list and remove environments")
    parser = add_command(group, "add", "add an environment", _add, examples=["ks env add gke --context gke -n models"])
    add_positionals(parser, "NAME", 1, "'env add' takes exactly one argument, which is the name of the environment")
    add_flags(parser)
    _add_override(parser)
    _add_set(group)
    parser = add_command(group, "list", "print a table of the environments", _list, examples=["ks env list"])
    add_positionals(parser, "", 0, "'env list' takes zero arguments")
    add_output(parser)
    summary = "print everything about an environment"
    parser = add_command(group, "describe", summary, _describe, examples=["ks env describe default"])
    add_positionals(parser, "NAME", 1, "env describe <environment>")
    summary = "remove an environment from the app; its objects stay on the cluster"
    parser = add_command(group, "rm", summary, _rm, examples=["ks env rm staging"])
    add_positionals(parser, "NAME", 1, "'env rm' takes a single argument, that is the name of the environment")
    _add_override(parser)
    summary = "set the modules that an environment renders; without --module, the root module"
    examples = ["ks env targets default --module / --module monitoring"]
    parser = add_command(group, "targets", summary, _targets, examples=examples)
    message = (
        "'env targets' takes only one argument. "
        "Pass the environment name followed by the module flag with the target module"
    )
    add_positionals(parser, "NAME", 1, message)
    parser.add_argument("--module", action="append", default=[], metavar="NAME", help="a module; repeatable")
    _add_override(parser)
    summary = "print or change the current environment, which commands use if none is named"
    parser = add_command(group, "current", summary, _current, examples=["ks env current --set default"])
    add_positionals(parser, "", 0, "'env current' takes no arguments")
    parser.add_argument("--set", default="", metavar="NAME", help="make this environment the current one")
    parser.add_argument("--unset", action="store_true", help="have no current environment")
    summary = "generate the jsonnet library of an environment again"
    parser = add_command(group, "update", summary, _update, examples=["ks env update default"])
    add_positionals(parser, "NAME", 1, "'env update' takes a single argument, that is the name of the environment")


def _add_set(group: Commands) -> None:
    examples = ["ks env set default --context minikube", "ks env set default --name production"]
    parser = add_command(group, "set", "change an environment", _set, examples=examples)
    add_positionals(parser, "NAME", 1, "'env set' takes a single argument, that is the name of the environment")
    parser.add_argument("--name", default="", help="the new name")
    parser.add_argument("--namespace", default="", help="the new namespace")
    parser.add_argument("--server", default="", metavar="URL", help="the new address of the API server")
    parser.add_argument("--context", default="", metavar="NAME", help="a context of kubeconfig, in place of an address")
    parser.add_argument("--api-spec", default="", metavar="SPEC", help="version:vX.Y.Z or file:PATH")
    _add_override(parser)


def _add_override(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--override", action="store_true", help="change app.override.yaml, not app.yaml")


def _add(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.templates import DEFAULT_API_SPEC
    from ...ks.edits.environments import add_environment, check_new

    target = destination(arguments)
    if target is None:
        raise SetupError("No current context found. Make sure a kubeconfig file is present")
    check_new(tree, name, arguments.override)
    spec = arguments.api_spec or DEFAULT_API_SPEC
    log(
        "info",
        f'Creating environment "{name}" with namespace "{target.namespace}", '
        f'pointing to "{spec}" cluster at address "{target.server}"',
    )
    version = resolved_version(spec)
    version.install(tree)
    add_environment(
        tree,
        name,
        server=target.server,
        namespace=target.namespace,
        k8s_version=version.name,
        is_override=arguments.override,
    )


def _set(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
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
        tree,
        name,
        new_name=arguments.name,
        namespace=arguments.namespace,
        server=server,
        k8s_version=version.name if version else "",
        is_override=arguments.override,
    )
    if version is not None:
        version.install(tree)
    if is_renamed:
        log("info", f'Successfully moved "{name}" to "{arguments.name}"')


def _list(arguments: argparse.Namespace) -> None:
    positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.app import load_app

    header = ["name", "override", "kubernetes-version", "namespace", "server"]
    rows = [
        [each.name, "*" if each.is_override else "", each.k8s_version, each.namespace, each.server]
        for each in load_app(tree).environments.values()
    ]
    print_table("envList", header, rows, arguments.output)


def _describe(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.edits.environments import description
    from ...manifests.printing import in_order

    sys.stdout.write(in_order(description(tree, name)))


def _rm(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.edits.environments import ROOT, remove_environment

    log("info", f'Deleting environment "{name}" with metadata at path "{tree.shown(f"{ROOT}/{name}")}"')
    remove_environment(tree, name, arguments.override)
    log("info", f"Successfully removed environment '{name}'")


def _targets(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.edits.environments import set_targets

    modules = [module for names in arguments.module for module in names.split(",")]
    set_targets(tree, name, modules, arguments.override)


def _current(arguments: argparse.Namespace) -> None:
    positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.app import current_environment
    from ...ks.edits.environments import set_current

    if arguments.set and arguments.unset:
        raise SetupError("set and unset are exclusive")
    if arguments.set or arguments.unset:
        set_current(tree, arguments.set)
    else:
        print(current_environment(tree))


def _update(arguments: argparse.Namespace) -> None:
    [name] = positionals(arguments)
    tree = find_app(arguments)
    from ...ks.app.spec_files import SpecFiles

    version = resolved_version(f"version:{SpecFiles(tree).environment(name)['k8sVersion']}")
    updated(tree, version).install(tree)
