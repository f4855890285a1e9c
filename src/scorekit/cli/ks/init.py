"""``ks init``."""

import argparse
from pathlib import Path

from ...errors import SetupError
from .app_folder import open_folder
from .commands import Commands, add_command, add_positionals, positionals
from .destination import Destination, add_flags, destination
from .logrus import log

# Without a kubeconfig no address is known. A person has to set one before the app is deployed.
_PLACEHOLDER = Destination("https://localhost:6443", "default")


def add(commands: Commands) -> None:
    """Add ``init``."""
    examples = ["ks init my-app --context minikube", "ks init my-app --server https://10.0.0.1:6443 -n models"]
    parser = add_command(commands, "init", "make a new app in a new folder", _init, examples=examples)
    add_positionals(parser, "NAME", 1, "'init' takes a single argument that names the application we're initializing")
    parser.add_argument("--env", default="", metavar="NAME", help="the first environment (default: default)")
    parser.add_argument("--skip-default-registries", action="store_true", help="do not add the registry incubator")
    add_flags(parser)


def _init(arguments: argparse.Namespace) -> None:
    from ...ks.app.templates import DEFAULT_API_SPEC, DEFAULT_ENVIRONMENT, INCUBATOR, make_app
    from ...ks.edits.environments import add_environment, check_name
    from .api_spec import resolved_version

    [name] = positionals(arguments)
    root = Path(getattr(arguments, "dir", None) or name).absolute()
    environment = arguments.env or DEFAULT_ENVIRONMENT
    check_name(environment)
    target = destination(arguments)
    if target is None:
        target = Destination(_PLACEHOLDER.server, arguments.namespace or _PLACEHOLDER.namespace)
        log(
            "warning",
            f'No current context found: environment "{environment}" points to {target.server}; '
            f"`ks env set {environment} --server=URL` changes that",
        )
    if root.exists():
        raise SetupError(f"Could not create app; directory '{root}' already exists")
    spec = arguments.api_spec or DEFAULT_API_SPEC
    # Everything that can fail comes before the first file is written: a failed `init` leaves nothing behind.
    version = resolved_version(spec)
    tree = open_folder(root)
    make_app(tree, name, {} if arguments.skip_default_registries else INCUBATOR)
    log(
        "info",
        f'Creating environment "{environment}" with namespace "{target.namespace}", '
        f'pointing to "{spec}" cluster at address "{target.server}"',
    )
    version.install(tree)
    add_environment(tree, environment, server=target.server, namespace=target.namespace, k8s_version=version.name)
