"""Kubeconfig as kubectl reads it: several files merged, contexts, clusters and users, a pod's service account."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ...errors import RenderError, SetupError
from ...manifests.documents import documents

_Shape = TypeVar("_Shape", dict[str, Any], list[Any])

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER = "in-cluster"
IN_CLUSTER_URL = "https://kubernetes.default.svc"


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes that a kubeconfig holds itself, in base64, or by the path of a file. Empty: neither."""

    data: str = ""
    file: str = ""

    def __bool__(self) -> bool:
        return bool(self.data or self.file)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where an API server is and how it is recognised."""

    server: str
    authority: Source = Source()
    is_insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)  # what an exec plugin may ask to be told


@dataclass(frozen=True, slots=True)
class Exec:
    """A command that prints credentials (client.authentication.k8s.io)."""

    api_version: str
    command: str
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    install_hint: str = ""
    wants_cluster: bool = False
    interactive_mode: str = "IfAvailable"


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. Several kinds of credentials may stand together; see ``credentials`` for which wins."""

    token: str = field(default="", repr=False)
    token_file: str = ""
    certificate: Source = field(default=Source(), repr=False)
    key: Source = field(default=Source(), repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    exec: Exec | None = None
    act_as: str = ""
    act_as_groups: tuple[str, ...] = ()
    act_as_uid: str = ""
    act_as_extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """A cluster and a user by their names, the namespace it prefers, and the file that it is written in."""

    cluster: str
    user: str
    namespace: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class KubeConfig:
    """All that the files say; ``where`` names them."""

    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)
    current: str = ""
    where: str = ""


def load(given: str, environ: Mapping[str, str], service_account: Path = SERVICE_ACCOUNT) -> KubeConfig:
    """The kubeconfig of ``--kubeconfig``, else of ``KUBECONFIG``'s list, else of ``~/.kube/config``.

    A file that is given must exist; of a list, those that do not are passed over. Where none says anything, a pod's
    service account is a context of the name ``in-cluster``. Raises ``SetupError`` for what cannot be read.
    """
    paths = _paths(given, environ)
    found = merged(_files(paths))
    if found.clusters or found.contexts:
        return found
    inside = in_cluster(environ, service_account)
    where = ", ".join(map(str, paths))
    return inside or KubeConfig(found.clusters, found.users, found.contexts, found.current, where)


def find_context(given: str, environ: Mapping[str, str], name: str = "") -> tuple[str, Context, Cluster] | None:
    """A context's name, itself and its cluster; the current context unless a ``name`` is given.

    ``given`` and ``environ`` are those of :func:`load`. Only contexts and clusters are read: somebody who makes an
    environment for a cluster need not be able to log in to it, so faults of users are no concern here. None where
    there is no configuration at all, or no context of that name. Raises ``SetupError`` for files that cannot be read,
    a current context that does not exist and a context whose cluster does not exist.
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
    """One kubeconfig of several: of each name the first file that has it counts, as with kubectl.

    Relative paths are taken from the folder of the file that they stand in. Raises ``SetupError``.
    """
    clusters: dict[str, Cluster] = {}
    users: dict[str, User] = {}
    contexts: dict[str, Context] = {}
    current, seen = "", []
    for path, spec in files:
        seen.append(str(path))
        reader = _Reader(path)
        clusters = reader.named(spec, "clusters", "cluster", reader.cluster) | clusters
        users = (reader.named(spec, "users", "user", reader.user) if with_users else {}) | users
        contexts = reader.named(spec, "contexts", "context", reader.context) | contexts
        current = current or str(spec.get("current-context") or "")
    return KubeConfig(clusters, users, contexts, current, ", ".join(seen))


def in_cluster(environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> KubeConfig | None:
    """What Kubernetes gives to a pod; None where this is no pod."""
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
        {IN_CLUSTER: Cluster(server, Source(file=str(folder / "ca.crt")))},
        {IN_CLUSTER: User(token_file=str(token))},
        {IN_CLUSTER: Context(IN_CLUSTER, IN_CLUSTER, namespace)},
        IN_CLUSTER,
        str(folder),
    )


def _paths(given: str, environ: Mapping[str, str]) -> list[Path]:
    if given:
        path = Path(given).expanduser()
        if not path.exists():
            raise SetupError(f"--kubeconfig: {given}: there is no such file")
        return [path]
    if listed := environ.get("KUBECONFIG"):
        return [Path(each).expanduser() for each in listed.split(os.pathsep) if each]
    return [Path(environ.get("HOME") or Path.home()) / ".kube" / "config"]


def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    return ((path, _read(path)) for path in dict.fromkeys(paths) if path.exists())


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = documents(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"kubeconfig {path}: cannot be read: {error}") from error
    except RenderError as error:
        raise SetupError(f"kubeconfig {error}") from error
    if len(found) > 1 or not all(isinstance(each, dict) for each in found):
        raise SetupError(f"kubeconfig {path}: one mapping was expected")
    return found[0] if found else {}


@dataclass(frozen=True, slots=True)
class _Reader:
    """One file's entries."""

    path: Path

    def named(self, spec: Mapping[str, Any], group: str, key: str, make: Any) -> dict[str, Any]:
        entries = spec.get(group) or []
        found: dict[str, Any] = {}
        for entry in entries if isinstance(entries, list) else [None]:
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise SetupError(f"kubeconfig {self.path}: {group}: each entry is a mapping with a name")
            value = entry.get(key) or {}
            if not isinstance(value, dict):
                raise SetupError(f"kubeconfig {self.path}: {group}: {entry['name']}: {key} must be a mapping")
            found.setdefault(entry["name"], make(value, f"kubeconfig {self.path}: {key} {entry['name']}"))
        return found

    def cluster(self, spec: Mapping[str, Any], where: str) -> Cluster:
        return Cluster(
            _text(spec, "server").rstrip("/"),
            self._source(spec, "certificate-authority"),
            bool(spec.get("insecure-skip-tls-verify")),
            _text(spec, "tls-server-name"),
            _text(spec, "proxy-url"),
            spec,
        )

    def user(self, spec: Mapping[str, Any], where: str) -> User:
        if "auth-provider" in spec and "exec" not in spec:
            # Kubernetes 1.26 took these out of kubectl.
            raise SetupError(
                f"{where}: auth-provider is no longer understood by anyone; use an exec plugin (for GKE: "
                "`gcloud components install gke-gcloud-auth-plugin`, then `gcloud container clusters get-credentials`)"
            )
        extra = _within(spec, "as-user-extra", dict, where)
        return User(
            token=_text(spec, "token"),
            token_file=self._absolute(_text(spec, "tokenFile")),
            certificate=self._source(spec, "client-certificate"),
            key=self._source(spec, "client-key"),
            username=_text(spec, "username"),
            password=_text(spec, "password"),
            exec=self._exec(_within(spec, "exec", dict, where), where) if spec.get("exec") else None,
            act_as=_text(spec, "as"),
            act_as_groups=tuple(map(str, _within(spec, "as-groups", list, where))),
            act_as_uid=_text(spec, "as-uid"),
            act_as_extra={str(key): tuple(map(str, _within(extra, key, list, where))) for key in extra},
        )

    def context(self, spec: Mapping[str, Any], where: str) -> Context:
        return Context(_text(spec, "cluster"), _text(spec, "user"), _text(spec, "namespace"), str(self.path))

    def _exec(self, spec: Mapping[str, Any], where: str) -> Exec:
        command = _text(spec, "command")
        if not command:
            raise SetupError(f"{where}: exec has no command")
        if os.sep in command:  # else it is looked for on PATH
            command = self._absolute(command)
        variables = [each for each in _within(spec, "env", list, where) if isinstance(each, dict)]
        return Exec(
            _text(spec, "apiVersion"),
            command,
            tuple(map(str, _within(spec, "args", list, where))),
            {_text(each, "name"): _text(each, "value") for each in variables},
            _text(spec, "installHint"),
            bool(spec.get("provideClusterInfo")),
            _text(spec, "interactiveMode") or "IfAvailable",
        )

    def _source(self, spec: Mapping[str, Any], key: str) -> Source:
        return Source(_text(spec, f"{key}-data"), self._absolute(_text(spec, key)))

    def _absolute(self, file: str) -> str:
        return str(self.path.parent.absolute() / file) if file else ""


def _text(spec: Mapping[str, Any], key: str) -> str:
    value = spec.get(key)
    return "" if value is None else str(value)


def _within(spec: Mapping[str, Any], key: str, shape: type[_Shape], where: str) -> _Shape:
    value = spec.get(key)
    if value is not None and not isinstance(value, shape):
        raise SetupError(f"{where}: {key} must be a {'mapping' if shape is dict else 'list'}")
    return shape() if value is None else value
