"""kubeconfig as kubectl reads it: files merged into clusters, users and contexts, or a pod's service account.

Which files are read::

    --kubeconfig FILE       this file alone; it must exist
    $KUBECONFIG             every file of the list that exists
    otherwise               ~/.kube/config, if it exists
    nothing in any of them  the service account of the pod that we run in, if we do

How they are merged, which is kubectl's way and not the usual "last one wins": of each cluster, user and context the
first file that has the name counts, and the first ``current-context`` counts as well. Entries are never merged field by
field. Relative paths belong to the file that they are written in: ``certs/me.crt`` is looked for beside that file, and
so is a plugin command that contains a slash.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ...errors import RenderError, SetupError
from ...manifests import documents

_Shape = TypeVar("_Shape", dict[str, Any], list[Any])

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes mounts a pod's service account."""
IN_CLUSTER = "in-cluster"
"""The name of the context that stands for a pod's service account."""
IN_CLUSTER_URL = "https://kubernetes.default.svc"
"""The API server's address inside of every cluster."""


@dataclass(frozen=True, slots=True)
class PemSource:
    """A certificate or a key in PEM: in base64 (``data``) or by the path of a file. Both are empty if there is none."""

    data: str = ""
    file: str = ""

    def __bool__(self) -> bool:
        return bool(self.data or self.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEntry:
    """A cluster of kubeconfig: where its API server is and how to verify it.

    ``raw`` is the entry as it is written, because exec plugins get parts of it that nobody else reads.
    """

    server: str
    authority: PemSource = PemSource()
    is_insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecConfig:
    """A command that prints credentials (an exec plugin, API group client.authentication.k8s.io)."""

    api_version: str
    command: str
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    install_hint: str = ""
    wants_cluster: bool = False
    interactive_mode: str = "IfAvailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEntry:
    """A user of kubeconfig. It may have several kinds of credentials; :mod:`.credentials` says which is used."""

    token: str = field(default="", repr=False)
    token_file: str = ""
    certificate: PemSource = field(default=PemSource(), repr=False)
    key: PemSource = field(default=PemSource(), repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    exec: ExecConfig | None = None
    act_as: str = ""
    act_as_groups: tuple[str, ...] = ()
    act_as_uid: str = ""
    act_as_extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """A context of kubeconfig: the names of a cluster and a user, a namespace, and the file that it is written in."""

    cluster: str
    user: str
    namespace: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeConfig:
    """The merged kubeconfig; ``where`` lists the files, for error messages."""

    clusters: Mapping[str, ClusterEntry] = field(default_factory=dict)
    users: Mapping[str, UserEntry] = field(default_factory=dict)
    contexts: Mapping[str, ContextEntry] = field(default_factory=dict)
    current: str = ""
    where: str = ""


def load(given: str, environ: Mapping[str, str], service_account: Path = SERVICE_ACCOUNT) -> KubeConfig:
    """The kubeconfig that ``--kubeconfig`` (``given``) and the environment lead to.

    Without any configuration it is a pod's service account, as the context ``in-cluster``, or an empty kubeconfig.
    Raises ``SetupError`` for a ``given`` file that does not exist and for files that cannot be read or understood.
    """
    paths = _paths(given, environ)
    config = merged(_files(paths))
    if config.clusters or config.contexts:
        return config
    where = ", ".join(map(str, paths))
    return in_cluster(environ, service_account) or KubeConfig(users=config.users, current=config.current, where=where)


def find_context(
    given: str, environ: Mapping[str, str], name: str = ""
) -> tuple[str, ContextEntry, ClusterEntry] | None:
    """A context's name, its entry and its cluster; the current context unless a ``name`` is given.

    ``given`` and ``environ`` are those of :func:`load`. Only contexts and clusters are read: whoever makes an
    environment for a cluster need not be able to log in to it, so errors in users do not matter here. None if there is
    no configuration at all, or no context of that name. Raises ``SetupError`` for files that cannot be read or
    understood, for a current context that does not exist and for a context whose cluster does not exist.
    """
    config = merged(_files(_paths(given, environ)), with_users=False)
    wanted = name or config.current
    if wanted not in config.contexts:
        if name or not (config.current or config.clusters):
            return None
        raise SetupError(f"context '{wanted}' does not exist in the kubeconfig file")
    context = config.contexts[wanted]
    if context.cluster not in config.clusters:
        raise SetupError(f"No cluster with name '{context.cluster}' exists")
    return wanted, context, config.clusters[context.cluster]


def merged(files: Iterable[tuple[Path, Mapping[str, Any]]], *, with_users: bool = True) -> KubeConfig:
    """One kubeconfig out of the contents of several files, each given with its path.

    Raises ``SetupError`` for entries of a wrong shape, with the file and the entry.
    """
    clusters: dict[str, ClusterEntry] = {}
    users: dict[str, UserEntry] = {}
    contexts: dict[str, ContextEntry] = {}
    current, paths = "", []
    for path, spec in files:
        paths.append(str(path))
        reader = _Reader(path)
        # What is on the right of `|` wins, and that is what earlier files had.
        clusters = reader.named(spec, "clusters", "cluster", reader.cluster) | clusters
        users = (reader.named(spec, "users", "user", reader.user) if with_users else {}) | users
        contexts = reader.named(spec, "contexts", "context", reader.context) | contexts
        current = current or str(spec.get("current-context") or "")
    return KubeConfig(clusters=clusters, users=users, contexts=contexts, current=current, where=", ".join(paths))


def in_cluster(environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> KubeConfig | None:
    """A kubeconfig made of what Kubernetes gives to every pod; None outside of a pod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    token = folder / "token"
    if not host or not port or not token.exists():
        return None
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    try:
        namespace = (folder / "namespace").read_text().strip()
    except OSError:
        namespace = ""
    return KubeConfig(
        clusters={IN_CLUSTER: ClusterEntry(server=server, authority=PemSource(file=str(folder / "ca.crt")))},
        users={IN_CLUSTER: UserEntry(token_file=str(token))},
        contexts={IN_CLUSTER: ContextEntry(IN_CLUSTER, IN_CLUSTER, namespace)},
        current=IN_CLUSTER,
        where=str(folder),
    )


def _paths(given: str, environ: Mapping[str, str]) -> list[Path]:
    if given:
        path = Path(given).expanduser()
        if not path.exists():
            raise SetupError(f"--kubeconfig: {given}: no such file")
        return [path]
    if listed := environ.get("KUBECONFIG"):
        return [Path(each).expanduser() for each in listed.split(os.pathsep) if each]
    return [Path(environ.get("HOME") or Path.home()) / ".kube" / "config"]


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    return ((path, _read(path)) for path in dict.fromkeys(paths) if path.exists())


def _read(path: Path) -> Mapping[str, Any]:
    try:
        values = documents(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"kubeconfig {path}: cannot be read: {error}") from error
    except RenderError as error:
        raise SetupError(f"kubeconfig {error}") from error
    if len(values) > 1 or not all(isinstance(each, dict) for each in values):
        raise SetupError(f"kubeconfig {path}: the file must contain one mapping")
    return values[0] if values else {}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns the entries of one file into ours."""

    path: Path

    def named(self, spec: Mapping[str, Any], group: str, key: str, make: Any) -> dict[str, Any]:
        """The entries of a ``group`` (``clusters``), by name; ``make`` gets the mapping under ``key`` and its place."""
        entries = spec.get(group) or []
        made: dict[str, Any] = {}
        for entry in entries if isinstance(entries, list) else [None]:
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise SetupError(f"kubeconfig {self.path}: {group}: every entry must be a mapping with a name")
            value = entry.get(key) or {}
            if not isinstance(value, dict):
                raise SetupError(f"kubeconfig {self.path}: {group}: {entry['name']}: {key} must be a mapping")
            made.setdefault(entry["name"], make(value, f"kubeconfig {self.path}: {key} {entry['name']}"))
        return made

    def cluster(self, spec: Mapping[str, Any], where: str) -> ClusterEntry:
        return ClusterEntry(
            server=_text(spec, "server").rstrip("/"),
            authority=self._pem(spec, "certificate-authority"),
            is_insecure=bool(spec.get("insecure-skip-tls-verify")),
            tls_server_name=_text(spec, "tls-server-name"),
            proxy_url=_text(spec, "proxy-url"),
            raw=spec,
        )

    def user(self, spec: Mapping[str, Any], where: str) -> UserEntry:
        if "auth-provider" in spec and "exec" not in spec:
            raise SetupError(
                f"{where}: auth-provider is not supported (Kubernetes 1.26 removed it); use an exec plugin (for GKE: "
                "`gcloud components install gke-gcloud-auth-plugin`, then `gcloud container clusters get-credentials`)"
            )
        extra = _within(spec, "as-user-extra", dict, where)
        return UserEntry(
            token=_text(spec, "token"),
            token_file=self._absolute(_text(spec, "tokenFile")),
            certificate=self._pem(spec, "client-certificate"),
            key=self._pem(spec, "client-key"),
            username=_text(spec, "username"),
            password=_text(spec, "password"),
            exec=self._exec(_within(spec, "exec", dict, where), where) if spec.get("exec") else None,
            act_as=_text(spec, "as"),
            act_as_groups=tuple(map(str, _within(spec, "as-groups", list, where))),
            act_as_uid=_text(spec, "as-uid"),
            act_as_extra={str(key): tuple(map(str, _within(extra, key, list, where))) for key in extra},
        )

    def context(self, spec: Mapping[str, Any], where: str) -> ContextEntry:
        return ContextEntry(_text(spec, "cluster"), _text(spec, "user"), _text(spec, "namespace"), str(self.path))

    def _exec(self, spec: Mapping[str, Any], where: str) -> ExecConfig:
        command = _text(spec, "command")
        if not command:
            raise SetupError(f"{where}: exec has no command")
        if os.sep in command:  # a command without a slash is looked for on PATH
            command = self._absolute(command)
        variables = [each for each in _within(spec, "env", list, where) if isinstance(each, dict)]
        return ExecConfig(
            api_version=_text(spec, "apiVersion"),
            command=command,
            arguments=tuple(map(str, _within(spec, "args", list, where))),
            environ={_text(each, "name"): _text(each, "value") for each in variables},
            install_hint=_text(spec, "installHint"),
            wants_cluster=bool(spec.get("provideClusterInfo")),
            interactive_mode=_text(spec, "interactiveMode") or "IfAvailable",
        )

    def _pem(self, spec: Mapping[str, Any], key: str) -> PemSource:
        return PemSource(_text(spec, f"{key}-data"), self._absolute(_text(spec, key)))

    def _absolute(self, file: str) -> str:
        return str(self.path.parent.absolute() / file) if file else ""


def _text(spec: Mapping[str, Any], key: str) -> str:
    value = spec.get(key)
    return "" if value is None else str(value)


def _within(spec: Mapping[str, Any], key: str, shape: type[_Shape], where: str) -> _Shape:
    """The mapping or list under ``key``; an empty one if there is none."""
    value = spec.get(key)
    if value is not None and not isinstance(value, shape):
        raise SetupError(f"{where}: {key} must be a {'mapping' if shape is dict else 'list'}")
    return shape() if value is None else value
