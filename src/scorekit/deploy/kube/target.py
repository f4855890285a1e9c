"""Which cluster an environment means, and as which user: flags, the app's destination and kubeconfig together.

Nothing may be deployed to another cluster than the one that is meant, so nothing is guessed. The context is::

    --context NAME              that one
    destination context:NAME    that one
    --server or --cluster       the current one
    destination URL             the one whose cluster has that address; the current one if it is among several
    no destination              the current one

``--server`` and ``--cluster`` then replace the address or the cluster of that context, and ``--user``, ``--token``,
``--as`` and ``--insecure-skip-tls-verify`` its user and its verification. ksonnet 0.13.1 went to an unknown address
without verifying its certificate, and combined one cluster with the user of another; both are errors here
(docs/design/0029).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

from ...errors import SetupError
from .config import IN_CLUSTER, IN_CLUSTER_URL, ClusterEntry, ContextEntry, KubeConfig, PemSource, UserEntry

CONTEXT_PREFIX = "context:"
"""Precedes the name of a context in ``destination.server`` of an environment that has no address there."""

_Entry = TypeVar("_Entry")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigOverrides:
    """kubectl's flags, which go before what kubeconfig says; an empty value overrides nothing."""

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
    """A cluster and the user who sends requests to it; ``name`` is the context's, else the server's address."""

    name: str
    cluster: ClusterEntry
    user: UserEntry


def find_target(config: KubeConfig, overrides: ConfigOverrides, destination: str, environment: str) -> Target:
    """The cluster and user for ``environment``, whose ``destination.server`` is ``destination``.

    Raises ``SetupError`` if kubeconfig has no such context, cluster, user or address, or several that fit; the message
    lists the contexts that exist.
    """
    name, context = _context(config, overrides, destination, environment)
    cluster = _entry(config.clusters, overrides.cluster or context.cluster, "cluster", config) or ClusterEntry(
        server=""
    )
    user = _entry(config.users, overrides.user or context.user, "user", config) or UserEntry()
    if overrides.server:
        cluster = replace(cluster, server=overrides.server.rstrip("/"))
    if overrides.is_insecure:
        cluster = replace(cluster, is_insecure=True, authority=PemSource())
    if overrides.token:
        user = replace(user, token=overrides.token, token_file="", exec=None, username="", password="")
    if overrides.act_as or overrides.act_as_groups:
        user = replace(user, act_as=overrides.act_as, act_as_groups=overrides.act_as_groups)
    if not cluster.server:
        raise SetupError(f"No current context found. Make sure a kubeconfig file is present ({_contexts_of(config)})")
    return Target(name or cluster.server, cluster, user)


def _context(
    config: KubeConfig, overrides: ConfigOverrides, destination: str, environment: str
) -> tuple[str, ContextEntry]:
    is_context = destination.startswith(CONTEXT_PREFIX)
    name = overrides.context or (destination.removeprefix(CONTEXT_PREFIX) if is_context else "")
    if name:
        if name not in config.contexts:
            raise SetupError(f'kubeconfig has no context "{name}"; {_contexts_of(config)}')
        return name, config.contexts[name]
    if destination and not is_context and not overrides.server and not overrides.cluster:
        return _by_address(config, overrides, destination, environment)
    return config.current, config.contexts.get(config.current, ContextEntry("", ""))


def _by_address(
    config: KubeConfig, overrides: ConfigOverrides, address: str, environment: str
) -> tuple[str, ContextEntry]:
    wanted = _normal(address)
    here = {name for name, cluster in config.clusters.items() if _normal(cluster.server) == wanted}
    if IN_CLUSTER in config.clusters and wanted in map(_normal, (IN_CLUSTER_URL, f"{IN_CLUSTER_URL}.cluster.local")):
        here.add(IN_CLUSTER)
    if not here:
        raise SetupError(
            f"Attempting to deploy to environment '{environment}' at '{address}', but cannot locate a server at that "
            f"address; {_contexts_of(config)}. Use --context NAME, or bind the environment to a context: "
            f"`ks env set {environment} --context NAME`"
        )
    leading = {name: context for name, context in config.contexts.items() if context.cluster in here}
    if config.current in leading:
        return config.current, leading[config.current]
    if overrides.user:
        return "", ContextEntry(min(here), overrides.user)
    if len({(context.cluster, context.user) for context in leading.values()}) != 1:
        why = (
            f"several contexts have that address ({', '.join(leading)})"
            if leading
            else "no context of kubeconfig has that address"
        )
        raise SetupError(f"environment '{environment}' is at '{address}', but {why}: use --context NAME or --user NAME")
    return next(iter(leading.items()))


def _entry(entries: Mapping[str, _Entry], name: str, what: str, config: KubeConfig) -> _Entry | None:
    if name and name not in entries:
        raise SetupError(f'kubeconfig has no {what} "{name}"; {_contexts_of(config)}')
    return entries.get(name)


def _contexts_of(config: KubeConfig) -> str:
    """The end of an error message: the contexts that exist, with their addresses."""
    contexts = ", ".join(
        f"{name} ({config.clusters[context.cluster].server})" if context.cluster in config.clusters else name
        for name, context in config.contexts.items()
    )
    return f"contexts in {config.where or 'kubeconfig'}: {contexts or 'none'}"


def _normal(address: str) -> tuple[str, str, int, str]:
    """An address in one spelling: scheme, host, port and path. Text that is no address equals itself alone."""
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0, address
    return parts.scheme, (parts.hostname or "").rstrip("."), port, parts.path.rstrip("/")
