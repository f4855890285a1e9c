"""Where a new environment points to: the flags of ``ks init`` and ``ks env add``."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from ...errors import SetupError
from .opening import log


@dataclass(frozen=True, slots=True)
class Destination:
    server: str
    namespace: str


def add_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--server", default="", metavar="URL", help="address of the cluster's API server")
    add("--context", default="", metavar="NAME", help="a context of kubectl's, which is kept by its name")
    add("-n", "--namespace", default="", metavar="NAME", help="default: the context's, else default")
    add("--kubeconfig", default="", metavar="FILE", help="default: $KUBECONFIG, else ~/.kube/config")
    add("--api-spec", default="", metavar="SPEC", help="version:vX.Y.Z or file:PATH (version:v1.8.0)")


def destination(arguments: argparse.Namespace) -> Destination | None:
    """What the flags say, else the current context of kubectl; None where there is no context at all."""
    if arguments.server:
        return Destination(arguments.server, arguments.namespace or "default")
    from ...ks.app.kubeconfig import CONTEXT, resolve

    context = resolve(_kubeconfigs(arguments.kubeconfig), arguments.context)
    if context is not None:
        log("info", f'Using context "{context.name}" from kubeconfig file "{context.file}"')
    elif arguments.context:
        log("warning", f"context '{arguments.context}' does not exist in the kubeconfig file; its name is kept")
    else:
        return None
    server = CONTEXT + arguments.context if arguments.context else context.server if context else ""
    return Destination(server, arguments.namespace or (context.namespace if context else "") or "default")


def _kubeconfigs(explicit: str) -> list[tuple[str, str]]:
    if explicit:
        return [(explicit, _read(Path(explicit)))]
    named = os.environ.get("KUBECONFIG", "")
    paths = [Path(path) for path in named.split(os.pathsep) if path] or [Path.home() / ".kube" / "config"]
    return [(str(path), _read(path)) for path in paths if path.exists()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: cannot be read: {error}") from error
