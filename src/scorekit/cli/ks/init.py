"""``ks init``: a new app."""

import argparse
from pathlib import Path

from ...errors import SetupError
from .destination import Destination, add_flags, destination
from .opening import Commands, add_words, log, opened, word, words

# Without a kubeconfig there is no address to point to; this one is changed before it is used.
_NOWHERE = Destination("https://localhost:6443", "default")


def add(commands: Commands, everywhere: argparse.ArgumentParser) -> None:
    parser = word(commands, everywhere, "init", "make a new app", _init)
    add_words(parser, "NAME", 1, "'init' takes a single argument that names the application we're initializing")
    parser.add_argument("--env", default="", metavar="NAME", help="the first environment (default)")
    parser.add_argument("--skip-default-registries", action="store_true", help="leave the registry incubator out")
    add_flags(parser)


def _init(arguments: argparse.Namespace) -> None:
    from ...ks.app.templates import DEFAULT_API_SPEC, DEFAULT_ENVIRONMENT, INCUBATOR, is_valid_name, make_app
    from ...ks.edits.environments import add_environment
    from .api_spec import resolved_version

    [name] = words(arguments)
    root = Path(getattr(arguments, "dir", None) or name).absolute()
    environment = arguments.env or DEFAULT_ENVIRONMENT
    if not is_valid_name(environment):
        raise SetupError(
            f'environment name "{environment}" is not valid; '
            "must not contain punctuation, spaces, or begin or end with a slash"
        )
    found = destination(arguments)
    if found is None:
        found = Destination(_NOWHERE.server, arguments.namespace or _NOWHERE.namespace)
        log(
            "warning",
            f'No current context found: environment "{environment}" points to {found.server}; '
            f"`ks env set {environment} --server=URL` changes that",
        )
    if root.exists():
        raise SetupError(f"Could not create app; directory '{root}' already exists")
    spec = arguments.api_spec or DEFAULT_API_SPEC
    version = resolved_version(spec)
    tree = opened(root)
    make_app(tree, name, {} if arguments.skip_default_registries else INCUBATOR)
    log(
        "info",
        f'Creating environment "{environment}" with namespace "{found.namespace}", '
        f'pointing to "{spec}" cluster at address "{found.server}"',
    )
    version.install(tree)
    add_environment(tree, environment, found.server, found.namespace, version.name)
