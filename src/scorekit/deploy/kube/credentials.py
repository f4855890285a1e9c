"""The headers and certificates that authenticate requests: tokens, passwords, certificates and exec plugins.

A user of kubeconfig may have several kinds of credentials. As with kubectl, the first of these is used, and a client
certificate is presented in addition if there is one::

    tokenFile               read again every minute
    token
    username, password
    exec                    a command that prints a token, or a certificate with its key

How an exec plugin works (API group client.authentication.k8s.io, versions v1 and v1beta1): it gets an
``ExecCredential`` as JSON in the variable ``KUBERNETES_EXEC_INFO``, may talk to the user on a terminal, and prints an
``ExecCredential`` with the credentials in ``status``. They are kept until ``status.expirationTimestamp``, or until the
server answers 401, whichever is first. After a 401 the plugin runs once more; a second 401 is an error. Without a
working plugin no request is sent: one without credentials would only fail in a way that explains less.

What a plugin prints, a token file or a header value never appears in a message: it may be a secret even if it is wrong.
"""

import base64
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ...errors import SetupError
from .config import ClusterEntry, ExecConfig, PemSource, UserEntry

_VERSIONS = tuple(f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1"))
# The kubelet replaces a service account's token in its file long before the old token expires.
_REREAD_AFTER_S = 60.0
_HEADER = re.compile(r"[^\x00-\x1f\x7f]*")
_FORBIDDEN_EXTRA = frozenset(" %/:")  # characters that client-go escapes in the name of a header
_TO_PLUGIN = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")


@dataclass(frozen=True, slots=True)
class ExecCredential:
    """The ``status`` that an exec plugin printed; ``expires`` is in seconds since the epoch."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    expires: float | None = None


class Credentials:
    """The credentials of one user for one cluster, renewed when they expire."""

    def __init__(self, user: UserEntry, cluster: ClusterEntry) -> None:
        self._user = user
        self._cluster = cluster
        self._printed: ExecCredential | None = None
        self._token = ""
        self._read_at = -_REREAD_AFTER_S

    def headers(self) -> list[tuple[str, str]]:
        """The headers of one request: ``Authorization`` and the user to impersonate. A name may come several times.

        Values are UTF-8 bytes decoded as latin-1, which is the form that ``http.client`` sends unchanged. Raises
        ``SetupError`` for credentials that cannot be had, and for values that no header can have.
        """
        headers = _impersonation(self._user)
        token = self._bearer()
        if token:
            headers.append(("Authorization", f"Bearer {token}"))
        elif self._user.username:
            pair = f"{self._user.username}:{self._user.password}".encode()
            headers.append(("Authorization", f"Basic {base64.b64encode(pair).decode()}"))
        for name, value in headers:
            if not _HEADER.fullmatch(value):  # http.client would refuse it too, and repeat the secret in its message
                raise SetupError(
                    f"the header {name} from kubeconfig or the flags contains a line break or another control character"
                )
        return [(name, value.encode().decode("latin-1")) for name, value in headers]

    def certificate(self) -> tuple[PemSource, PemSource]:
        """The client's certificate and its key; both empty if it has none. Raises ``SetupError`` like :func:`run`."""
        if self._user.certificate:
            return self._user.certificate, self._user.key
        printed = self._plugin()
        certificate, key = (base64.b64encode(pem.encode()).decode() for pem in (printed.certificate, printed.key))
        return PemSource(certificate), PemSource(key)

    def renew(self) -> bool:
        """Forget what can be had anew. Returns whether there is such a thing, so that a request can be repeated."""
        self._printed, self._read_at = None, -_REREAD_AFTER_S
        return bool(self._user.exec or self._user.token_file)

    def _bearer(self) -> str:
        if self._user.token_file:
            now = time.monotonic()
            if now - self._read_at >= _REREAD_AFTER_S:
                try:
                    self._token = Path(self._user.token_file).read_text().strip()
                except (OSError, UnicodeDecodeError) as error:
                    raise SetupError(f"the token file that kubeconfig names cannot be read: {error}") from error
                self._read_at = now
            return self._token
        if self._user.token or self._user.username:
            return self._user.token
        return self._plugin().token

    def _plugin(self) -> ExecCredential:
        if self._user.exec is None:
            return ExecCredential()
        printed = self._printed
        if printed is None or (printed.expires is not None and time.time() >= printed.expires):
            printed = self._printed = run(self._user.exec, self._cluster)
        return printed


def run(plugin: ExecConfig, cluster: ClusterEntry) -> ExecCredential:
    """The credentials that an exec plugin prints. It may talk to the user if stdin is a terminal.

    Raises ``SetupError`` for a plugin of another API version, one that needs a terminal where there is none, one that
    cannot be started or fails, and one that prints something else.
    """
    if plugin.api_version not in _VERSIONS:
        raise SetupError(
            f"the exec plugin {plugin.command} uses the API version {plugin.api_version or '(none)'}, but only "
            f"{' and '.join(_VERSIONS)} are supported: update the plugin, and write the kubeconfig with it again"
        )
    can_ask = plugin.interactive_mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not can_ask:
        raise SetupError(f"the exec plugin {plugin.command} needs a terminal to ask for input, and there is none")
    spec: dict[str, object] = {"interactive": can_ask}
    if plugin.wants_cluster:
        spec["cluster"] = _cluster_info(cluster)
    info = json.dumps({"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec})
    command = [plugin.command, *plugin.arguments]
    environ = {**os.environ, **plugin.environ, "KUBERNETES_EXEC_INFO": info}
    try:
        done = subprocess.run(
            command, env=environ, stdout=subprocess.PIPE, stdin=None if can_ask else subprocess.DEVNULL, check=False
        )
    except OSError as error:
        hint = f"\n{plugin.install_hint.strip()}" if plugin.install_hint else ""
        raise SetupError(f"the exec plugin {plugin.command} cannot be run: {error.strerror}{hint}") from error
    if done.returncode != 0:
        raise SetupError(f"the exec plugin {plugin.command} failed with exit status {done.returncode}")
    return _parsed(done.stdout, plugin)


def _parsed(printed: bytes, plugin: ExecConfig) -> ExecCredential:
    try:
        answer = json.loads(printed)
        status = answer["status"]
        version = answer.get("apiVersion")
        token, certificate, key = (
            str(status.get(name) or "") for name in ("token", "clientCertificateData", "clientKeyData")
        )
        ends = status.get("expirationTimestamp")
        expires = datetime.fromisoformat(ends).timestamp() if ends else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(f"the exec plugin {plugin.command} did not print an ExecCredential") from error
    if version != plugin.api_version:
        raise SetupError(
            f"the exec plugin {plugin.command} answered with the API version {version} instead of {plugin.api_version}"
        )
    if not token and not (certificate and key):
        raise SetupError(f"the exec plugin {plugin.command} printed neither a token nor a certificate with its key")
    return ExecCredential(token, certificate, key, expires)


def _cluster_info(cluster: ClusterEntry) -> dict[str, object]:
    """``spec.cluster`` of the ``ExecCredential`` that a plugin gets if it asks for it (``provideClusterInfo``).

    The certificate authority always goes as data, and the plugin's own settings are an extension of the cluster's
    entry.
    """
    raw = cluster.raw
    info: dict[str, object] = {key: raw[key] for key in _TO_PLUGIN if key in raw}
    info["server"] = cluster.server
    if "certificate-authority-data" in raw:
        info["certificate-authority-data"] = raw["certificate-authority-data"]
    elif cluster.authority.file:
        info["certificate-authority-data"] = base64.b64encode(Path(cluster.authority.file).read_bytes()).decode()
    for extension in raw.get("extensions") or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info


def _impersonation(user: UserEntry) -> list[tuple[str, str]]:
    headers = [("Impersonate-User", user.act_as)] if user.act_as else []
    headers += [("Impersonate-Uid", user.act_as_uid)] if user.act_as_uid else []
    headers += [("Impersonate-Group", group) for group in user.act_as_groups]
    for key, values in user.act_as_extra.items():
        name = "".join(f"%{ord(each):02X}" if each in _FORBIDDEN_EXTRA else each for each in key)
        headers += [(f"Impersonate-Extra-{name}", value) for value in values]
    return headers
