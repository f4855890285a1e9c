"""The cluster that an environment and the flags mean, and the objects that go there."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import SetupError
from .app_folder import find_app
from .logrus import log
from .show import environment_name, rendered

if TYPE_CHECKING:
    from ...deploy.kube.client import Client
    from ...ks.app.app import Environment
    from ...ks.io.disk import Directory

_COLOURS = {"-": "31", "+": "32"}


def connect(arguments: argparse.Namespace, environment: "Environment") -> "Client":
    """The cluster of an environment. Raises ``SetupError`` where kubeconfig leads to none."""
    try:
        from ...deploy.kube.client import Client
    except ImportError as error:
        raise SetupError(f"asking a cluster needs {error.name}: pip install 'scorekit[ks]'") from error
    from ...deploy.backoff import Backoff
    from ...deploy.kube.config import load
    from ...deploy.kube.target import Wanted, target

    wanted = Wanted(
        arguments.context,
        arguments.cluster,
        arguments.user,
        arguments.server,
        arguments.token,
        arguments.act_as,
        tuple(arguments.as_group),
        arguments.insecure_skip_tls_verify or getattr(arguments, "tls_skip_verify", False),
    )
    if wanted.act_as_groups and not wanted.act_as:
        raise SetupError("--as-group needs --as")
    config = load(arguments.kubeconfig, os.environ)
    found = target(config, wanted, environment.server, environment.name)
    return Client(found, tell, Backoff(limit_s=arguments.retry_for))


def tell(level: str, message: str) -> None:
    """A log line for each line: what is to be read must not be one long line with ``\\n`` in it."""
    for line in message.split("\n"):
        log(level, line)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a word that deploys begins with."""

    environment: "Environment"
    objects: "list[dict[str, Any]]"
    namespace: str
    client: "Client"


def deployment(arguments: argparse.Namespace) -> Deployment:
    """The environment that is asked for, rendered, and its cluster. Raises ``SetupError`` and ``RenderError``."""
    from ...deploy.stamp import distinct

    tree = find_app(arguments)
    name = environment_name(tree, arguments.environment)
    environment = environment_of(tree, name)
    objects = rendered(tree, name, arguments)
    namespace = arguments.namespace or environment.namespace
    distinct(objects, namespace)
    return Deployment(environment, objects, namespace, connect(arguments, environment))


def environment_of(tree: "Directory", name: str) -> "Environment":
    """Raises ``SetupError`` in ksonnet's words where the app has none of that name."""
    from ...ks.app.app import UnknownEnvironment, load_app

    try:
        return load_app(tree).environment(name)
    except UnknownEnvironment as error:
        raise SetupError(f"find objects: get modules: {error}") from error


def paint(text: str, sign: str) -> str:
    """Green for ``+``, red for ``-``, on a terminal only (and not where NO_COLOR is set)."""
    colour = _COLOURS.get(sign)
    is_plain = colour is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if is_plain else f"\x1b[{colour}m{text}\x1b[0m"


class LiveLine:
    """What is still waited for, on stderr: one line that changes on a terminal, else a log line for each change."""

    def __init__(self) -> None:
        self._last: tuple[tuple[str, str], ...] = ()
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, waiting: Sequence[tuple[str, str]]) -> None:
        now = tuple(waiting)
        if now == self._last:
            return
        known, self._last = set(self._last), now
        if self._is_terminal:
            text = "; ".join(f"{title}: {words}" for title, words in now)
            room = os.get_terminal_size(sys.stderr.fileno()).columns - 1
            print(f"\r\x1b[K{f'waiting for {text}'[:room] if text else ''}", end="", file=sys.stderr, flush=True)
            return
        for title, words in now:
            if (title, words) not in known:
                log("info", f"waiting for {title}: {words}")

    def clear(self) -> None:
        """Before other lines are written."""
        if self._is_terminal and self._last:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._last = ()
