"""A Kubernetes control plane on loopback: real etcd, kube-apiserver and kube-controller-manager, without nodes.

Of the controllers there run those that make and remove what no person asks for: garbage collection, namespaces, service
accounts. Those that run workloads do not: the tests write the status that they and a kubelet would.
"""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..ports import free_ports
from .pki import Authority, Pair, encoded

READY_WITHIN_S, STOPPED_WITHIN_S = 120, 20
HTTP_OK = 200
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorekit" / "bin"
CONTROLLERS = [
    *("garbage-collector-controller", "namespace-controller", "clusterrole-aggregation-controller"),
    *("serviceaccount-controller", "serviceaccount-token-controller", "root-ca-certificate-publisher-controller"),
]


class MissingTool(Exception):
    """A binary of the cluster cannot be found."""


def tool(name: str) -> Path:
    """A binary: by TEST_ASSET_…, in KUBEBUILDER_ASSETS, in script/tools' folder or on PATH, in this order."""
    given = os.environ.get(f"TEST_ASSET_{name.upper().replace('-', '_')}")
    folders = [Path(folder) for folder in (os.environ.get("KUBEBUILDER_ASSETS"),) if folder] + [CACHE]
    candidates = [Path(given)] if given else [folder / name for folder in folders]
    candidates += [Path(path) for path in (shutil.which(name),) if path and not given]
    for path in candidates:
        if path.is_file():
            return path
    raise MissingTool(f"{name}: not in {', '.join(map(str, candidates))}; script/tools builds it")


def kubeconfig(server: str, authority: Path, user: dict[str, Any], namespace: str = "", name: str = "test") -> str:
    """A kubeconfig with one context, as JSON, which is YAML."""
    cluster = {"server": server, "certificate-authority-data": encoded(authority)}
    context = {"cluster": name, "user": name} | ({"namespace": namespace} if namespace else {})
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": context}],
        }
    )


def certificate_user(pair: Pair) -> dict[str, Any]:
    """A user of kubeconfig with a client certificate."""
    certificate, key = pair.data()
    return {"client-certificate-data": certificate, "client-key-data": key}


class ControlPlane:
    """Runs the three processes in ``folder``; ``kubeconfig`` is an administrator's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.authority = Authority(folder)
        self.port, self._etcd, self._peers = free_ports("127.0.0.1", 3)
        self.server = f"https://127.0.0.1:{self.port}"
        self.kubeconfig = self.kubeconfig_of("admin", "system:masters")

    def kubeconfig_of(self, user: str, group: str = "", namespace: str = "") -> Path:
        """The path of a kubeconfig for a user with a client certificate."""
        pair = self.authority.client(user, group)
        path = self._folder / f"{user.replace(':', '-')}.kubeconfig"
        path.write_text(kubeconfig(self.server, self.authority.certificate, certificate_user(pair), namespace))
        return path

    def start(self) -> None:
        serving = self.authority.server("apiserver", ("localhost", "kubernetes.default.svc"))
        service_accounts = self.authority.signing_key()
        tokens = self._folder / "tokens.csv"
        tokens.write_text("admin-token,token-admin,1,system:masters\n")
        manager = self.kubeconfig_of("system:kube-controller-manager", "system:masters")
        etcd = f"http://127.0.0.1:{self._etcd}"
        peers = f"http://127.0.0.1:{self._peers}"
        self._run(
            "etcd",
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
        )
        self._run(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={self.port}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            f"--client-ca-file={self.authority.certificate}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={service_accounts}",
            f"--service-account-key-file={service_accounts}",
        )
        self._until_ready()
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={manager}",
            f"--controllers={','.join(CONTROLLERS)}",
            "--leader-elect=false",
            "--secure-port=0",
            f"--service-account-private-key-file={service_accounts}",
            f"--root-ca-file={self.authority.certificate}",
            "--concurrent-namespace-syncs=10",
        )

    def stop(self) -> None:
        for _, process in reversed(self._running):
            process.terminate()
            try:
                process.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _run(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([tool(name), *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._running.append((name, process))

    def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._is_ready():
            for name, process in self._running:
                assert process.poll() is None, f"{name} ended by itself:\n{self._log(name)}"
            assert time.monotonic() < deadline, f"not ready in {READY_WITHIN_S} s:\n{self._log('kube-apiserver')}"
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        context = self.authority.trust()
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz", headers={"Authorization": "Bearer admin-token"})
            return connection.getresponse().status == HTTP_OK
        return False

    def _log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")[-5000:]


@contextlib.contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    plane = ControlPlane(folder)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()
