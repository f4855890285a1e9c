"""The flags that say which cluster a command means, each declared once."""

import argparse
import re

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
_CLUSTER = "which cluster, and as which user; without these flags, the environment and kubeconfig decide"


def add_context_flags(group: argparse._ActionsContainer, *, server: str, context: str, namespace: str) -> None:
    """Add ``--kubeconfig``, ``--context``, ``--server`` and ``--namespace``, the last three with these help texts."""
    add = group.add_argument
    add(
        "--kubeconfig",
        default="",
        metavar="FILE",
        help="use this kubeconfig (default: $KUBECONFIG, else ~/.kube/config)",
    )
    add("--context", default="", metavar="NAME", help=context)
    add("--server", default="", metavar="URL", help=server)
    add("-n", "--namespace", default="", metavar="NAME", help=namespace)


def add_cluster_flags(parser: argparse.ArgumentParser) -> None:
    """Add kubectl's flags to a command that asks a cluster, and ``--retry-for``."""
    group = parser.add_argument_group("cluster", _CLUSTER)
    add_context_flags(
        group,
        server="use this address of the API server",
        context="use this context of kubeconfig, not the environment's",
        namespace="the namespace of objects that name none (default: the environment's)",
    )
    add = group.add_argument
    add("--cluster", default="", metavar="NAME", help="use this cluster of kubeconfig")
    add("--user", default="", metavar="NAME", help="use this user of kubeconfig")
    add("--token", default="", metavar="TOKEN", help="authenticate with this bearer token")
    add("--as", dest="act_as", default="", metavar="USER", help="impersonate this user")
    add(
        "--as-group",
        action="append",
        default=[],
        metavar="GROUP",
        help="impersonate a member of this group; repeatable",
    )
    add(
        "--insecure-skip-tls-verify",
        action="store_true",
        help="do not verify the server's certificate: anybody in between can read and change what is sent",
    )
    add(
        "--retry-for",
        type=seconds,
        default=60.0,
        metavar="TIME",
        help="how long to retry each request while the server is overloaded or does not answer (default: 60s)",
    )


def add_timeout(parser: argparse.ArgumentParser, default_s: float) -> None:
    """Add ``--timeout`` to a command that waits."""
    help_text = f"how long to wait, such as 90s or 5m (default: {default_s:.0f}s)"
    parser.add_argument("--timeout", type=seconds, default=default_s, metavar="TIME", help=help_text)


def boolean(text: str) -> bool:
    """The value of a flag that is a boolean in Go: true, t, 1, false, f or 0, in any case.

    Raises ``ArgumentTypeError`` for anything else.
    """
    if text.lower() in ("true", "t", "1"):
        return True
    if text.lower() in ("false", "f", "0"):
        return False
    raise argparse.ArgumentTypeError(f"expected true or false, not {text!r}")


def seconds(text: str) -> float:
    """The seconds of a duration such as ``90``, ``90s``, ``5m`` or ``1h30m``.

    Raises ``ArgumentTypeError`` for anything else.
    """
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise argparse.ArgumentTypeError(f"expected a duration such as 90s or 5m, not {text!r}")
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest
