"""Which cluster an environment means, and as whom it is asked: flags, the app's destination and kubeconfig together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

from ...errors import SetupError
from .config import IN_CLUSTER, IN_CLUSTER_URL, Cluster, Context, KubeConfig, Source, User

CONTEXT_PREFIX = "context:"
"""Before the name of a context, where an environment's ``destination.server`` has that instead of an address."""

_Entry = TypeVar("_Entry")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kubectl's flags say; empty says nothing."""

    context: str = ""
    cluster: str = ""
    user: str = ""
    server: str = ""
    token: str = ""
    act_as: str = ""
    act_as_groups: tuple[str, ...] = ()
    is_insecure: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster and who asks it; ``name`` is what a person calls it."""

    name: str
    cluster: Cluster
    user: User


def target(config: KubeConfig, wanted: Wanted, destination: str, environment: str) -> Target:
    """The cluster that ``environment`` with this ``destination.server`` is meant for.

    Flags win over the destination. ``context:NAME`` as a destination is that context of kubeconfig; a URL is that of a
    cluster in kubeconfig, which must be there: an app's address alone says nothing about how to trust it (ksonnet went
    there without verifying anything). Without a destination it is the current context. Raises ``SetupError``.
    """
    name, context = _context(config, wanted, destination, environment)
    cluster = _entry(config.clusters, wanted.cluster or context.cluster, "cluster", config) or Cluster("")
    user = _entry(config.users, wanted.user or context.user, "user", config) or User()
    if wanted.server:
        cluster = replace(cluster, server=wanted.server.rstrip("/"))
    if wanted.is_insecure:
        cluster = replace(cluster, is_insecure=True, authority=Source())
    if wanted.token:
        user = replace(user, token=wanted.token, token_file="", exec=None, username="", password="")
    if wanted.act_as or wanted.act_as_groups:
        user = replace(user, act_as=wanted.act_as, act_as_groups=wanted.act_as_groups)
    if not cluster.server:
        raise SetupError(f"No current context found. Make sure a kubeconfig file is present ({_there_is(config)})")
    return Target(name or cluster.server, cluster, user)


def _context(config: KubeConfig, wanted: Wanted, destination: str, environment: str) -> tuple[str, Context]:
    if destination.startswith(CONTEXT_PREFIX) and not wanted.context:
        wanted = replace(wanted, context=destination.removeprefix(CONTEXT_PREFIX))
    if wanted.context:
        if wanted.context not in config.contexts:
            raise SetupError(f'there is no context "{wanted.context}" in kubeconfig; {_there_is(config)}')
        return wanted.context, config.contexts[wanted.context]
    if destination and not wanted.server and not wanted.cluster and not destination.startswith(CONTEXT_PREFIX):
        return _by_address(config, wanted, destination, environment)
    return config.current, config.contexts.get(config.current, Context("", ""))


def _by_address(config: KubeConfig, wanted: Wanted, address: str, environment: str) -> tuple[str, Context]:
    wished = _normal(address)
    here = {name for name, cluster in config.clusters.items() if _normal(cluster.server) == wished}
    if IN_CLUSTER in config.clusters and wished in map(_normal, (IN_CLUSTER_URL, f"{IN_CLUSTER_URL}.cluster.local")):
        here.add(IN_CLUSTER)
    if not here:
        raise SetupError(
            f"Attempting to deploy to environment '{environment}' at '{address}', but cannot locate a server at that "
            f"address; {_there_is(config)}. Say --context NAME, or bind the environment to one for good: "
            f"`ks env set {environment} --context NAME`"
        )
    leading = {name: context for name, context in config.contexts.items() if context.cluster in here}
    if config.current in leading:
        return config.current, leading[config.current]
    if wanted.user:
        return "", Context(min(here), wanted.user)
    if len({(context.cluster, context.user) for context in leading.values()}) != 1:
        why = (
            f"several contexts lead there ({', '.join(leading)})" if leading else "no context of kubeconfig leads there"
        )
        raise SetupError(f"environment '{environment}' is at '{address}', but {why}: say --context NAME or --user NAME")
    return next(iter(leading.items()))


def _entry(entries: Mapping[str, _Entry], name: str, what: str, config: KubeConfig) -> _Entry | None:
    if name and name not in entries:
        raise SetupError(f'there is no {what} "{name}" in kubeconfig; {_there_is(config)}')
    return entries.get(name)


def _there_is(config: KubeConfig) -> str:
    contexts = ", ".join(
        f"{name} ({config.clusters[context.cluster].server})" if context.cluster in config.clusters else name
        for name, context in config.contexts.items()
    )
    return f"{config.where or 'kubeconfig'} has the contexts: {contexts or 'none'}"


def _normal(address: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:  # no address at all, which is like itself alone
        return "", "", 0, address
    return parts.scheme, (parts.hostname or "").rstrip("."), port, parts.path.rstrip("/")
