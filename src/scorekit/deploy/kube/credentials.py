"""How requests say who asks: tokens, passwords, certificates and plugins that print them."""

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
from .config import Cluster, Exec, Source, User

_VERSIONS = tuple(f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1"))
_REREAD_AFTER_S = 60.0  # kubelet changes a service account's token long before the old one ends
_HEADER = re.compile(r"[^\x00-\x1f\x7f]*")
_FORBIDDEN_EXTRA = frozenset(" %/:")  # client-go escapes what no header name may have


@dataclass(frozen=True, slots=True)
class Shown:
    """What a plugin printed."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    expires: float | None = None


class Credentials:
    """A user's, renewed when they run out. ``headers`` and ``certificate`` raise ``SetupError``."""

    def __init__(self, user: User, cluster: Cluster) -> None:
        self._user = user
        self._cluster = cluster
        self._shown: Shown | None = None
        self._token = ""
        self._read_at = -_REREAD_AFTER_S

    def headers(self) -> list[tuple[str, str]]:
        """Who asks, for one request; a name may come several times. A token goes before a password, as with kubectl.

        Values are bytes as latin-1, as ``http.client`` takes them.
        """
        found = _impersonation(self._user)
        token = self._bearer()
        if token:
            found.append(("Authorization", f"Bearer {token}"))
        elif self._user.username:
            pair = f"{self._user.username}:{self._user.password}".encode()
            found.append(("Authorization", f"Basic {base64.b64encode(pair).decode()}"))
        for name, value in found:
            if not _HEADER.fullmatch(value):  # http.client's own error would repeat it
                raise SetupError(
                    f"the {name} that kubeconfig or the flags give has a line end or another control character in it"
                )
        return [(name, value.encode().decode("latin-1")) for name, value in found]

    def certificate(self) -> tuple[Source, Source]:
        """The client's certificate and key, PEM in base64 or files; empty where it shows none."""
        if self._user.certificate:
            return self._user.certificate, self._user.key
        shown = self._plugin()
        encode = base64.b64encode
        return Source(encode(shown.certificate.encode()).decode()), Source(encode(shown.key.encode()).decode())

    def renew(self) -> bool:
        """After a 401: whether there is something to ask anew."""
        self._shown, self._read_at = None, -_REREAD_AFTER_S
        return bool(self._user.exec or self._user.token_file)

    def _bearer(self) -> str:
        if self._user.token_file:
            now = time.monotonic()
            if now - self._read_at >= _REREAD_AFTER_S:
                try:
                    self._token = Path(self._user.token_file).read_text().strip()
                except (OSError, UnicodeDecodeError) as error:
                    raise SetupError(f"the token file of kubeconfig cannot be read: {error}") from error
                self._read_at = now
            return self._token
        if self._user.token or self._user.username:
            return self._user.token
        return self._plugin().token

    def _plugin(self) -> Shown:
        if self._user.exec is None:
            return Shown()
        shown = self._shown
        if shown is None or (shown.expires is not None and time.time() >= shown.expires):
            shown = self._shown = run(self._user.exec, self._cluster)
        return shown


def run(plugin: Exec, cluster: Cluster) -> Shown:
    """What the plugin prints. It may talk to the person on a terminal. Raises ``SetupError`` in words that help."""
    if plugin.api_version not in _VERSIONS:
        raise SetupError(
            f"the exec plugin {plugin.command} speaks {plugin.api_version or 'no version'}; known are "
            f"{' and '.join(_VERSIONS)}: update it, and let it write kubeconfig anew"
        )
    can_ask = plugin.interactive_mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
    if plugin.interactive_mode == "Always" and not can_ask:
        raise SetupError(f"the exec plugin {plugin.command} wants to ask something, but there is no terminal")
    spec: dict[str, object] = {"interactive": can_ask}
    if plugin.wants_cluster:
        spec["cluster"] = _told(cluster)
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
        raise SetupError(f"the exec plugin {plugin.command} ended with exit status {done.returncode}")
    return _shown(done.stdout, plugin)


def _shown(printed: bytes, plugin: Exec) -> Shown:
    # What it printed is a secret, right or wrong: no message repeats it.
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
        raise SetupError(f"the exec plugin {plugin.command} printed no ExecCredential") from error
    if version != plugin.api_version:
        raise SetupError(f"the exec plugin {plugin.command} answers as {version}, asked as {plugin.api_version}")
    if not token and not (certificate and key):
        raise SetupError(f"the exec plugin {plugin.command} printed neither a token nor a certificate with its key")
    return Shown(token, certificate, key, expires)


def _told(cluster: Cluster) -> dict[str, object]:
    raw = cluster.raw
    told = {
        key: raw[key] for key in raw if key in ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
    }
    told |= {"server": cluster.server}
    if "certificate-authority-data" in raw:
        told["certificate-authority-data"] = raw["certificate-authority-data"]
    elif cluster.authority.file:
        told["certificate-authority-data"] = base64.b64encode(Path(cluster.authority.file).read_bytes()).decode()
    for extension in raw.get("extensions") or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            told["config"] = extension.get("extension")
    return told


def _impersonation(user: User) -> list[tuple[str, str]]:
    found = [("Impersonate-User", user.act_as)] if user.act_as else []
    found += [("Impersonate-Uid", user.act_as_uid)] if user.act_as_uid else []
    found += [("Impersonate-Group", group) for group in user.act_as_groups]
    for key, values in user.act_as_extra.items():
        name = "".join(f"%{ord(each):02X}" if each in _FORBIDDEN_EXTRA else each for each in key)
        found += [(f"Impersonate-Extra-{name}", value) for value in values]
    return found
