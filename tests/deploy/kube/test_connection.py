"""Every kind of credentials, trust and proxy in kubeconfig works with a real API server."""

import base64
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from scorekit.deploy import RetryPolicy
from scorekit.deploy.kube import ConfigOverrides, find_target, load
from scorekit.deploy.kube.client import Client
from scorekit.errors import ClusterError, SetupError

from ..cluster import ControlPlane
from ..pki import Authority, encoded

pytestmark = pytest.mark.e2e

AUTHENTICATION = "authentication.k8s.io/v1"
V1 = "client.authentication.k8s.io/v1"
Who = Callable[..., dict[str, Any]]


@pytest.fixture
def who(plane: ControlPlane, tmp_path: Path) -> Who:
    """The user that the API server sees, with this user in kubeconfig and these fields of the cluster changed."""

    def ask(user: Mapping[str, Any], cluster: Mapping[str, Any] | None = None, **wanted: Any) -> dict[str, Any]:
        own: dict[str, Any] = {
            "server": plane.server,
            "certificate-authority-data": encoded(plane.authority.certificate),
        }
        own = {key: value for key, value in (own | dict(cluster or {})).items() if value is not None}
        config = {
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": own}],
            "users": [{"name": "c", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(config))
        target = find_target(load(str(path), {}), ConfigOverrides(**wanted), "", "")
        client = Client(target, lambda level, line: None, RetryPolicy(limit_s=0.5))
        review = {"apiVersion": AUTHENTICATION, "kind": "SelfSubjectReview"}
        answer = client.request("POST", f"/apis/{AUTHENTICATION}/selfsubjectreviews", body=review)
        said: dict[str, Any] = answer["status"]["userInfo"]
        return said

    return ask


def test_a_certificate_as_data_and_as_files(plane: ControlPlane, who: Who) -> None:
    """A client certificate works as data and as files, and leaves no key in the temporary folder."""
    import tempfile

    pair = plane.authority.client("ann", "people")
    certificate, key = pair.data()
    before = set(Path(tempfile.gettempdir()).iterdir())
    user_info = who({"client-certificate-data": certificate, "client-key-data": key})
    assert user_info["username"] == "ann"
    assert "people" in user_info["groups"]
    assert not {path for path in set(Path(tempfile.gettempdir()).iterdir()) - before if path.is_file()}
    files = {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
    authority = {"certificate-authority-data": None, "certificate-authority": str(plane.authority.certificate)}
    assert who(files, authority)["username"] == "ann"


def test_tokens(who: Who, tmp_path: Path) -> None:
    """A token and a token file work, and --token goes before both."""
    assert who({"token": "admin-token"})["username"] == "token-admin"
    (tmp_path / "token").write_text("admin-token\n")
    assert who({"tokenFile": "token", "token": "ignored"})["username"] == "token-admin"
    assert who({"token": "wrong"}, token="admin-token")["username"] == "token-admin"  # noqa: S106
    with pytest.raises(ClusterError, match=r"Unauthorized: https.* not accept the credentials.*log in again"):
        who({"token": "wrong"})
    with pytest.raises(SetupError, match="token file that kubeconfig names cannot be read"):
        who({"tokenFile": "none"})


def test_acting_as_somebody_else(who: Who) -> None:
    """Impersonation works by flags and by kubeconfig."""
    user_info = who({"token": "admin-token"}, act_as="carl", act_as_groups=("one", "two"))
    assert user_info["username"] == "carl"
    assert set(user_info["groups"]) >= {"one", "two"}
    extra = {"as": "dora", "as-groups": ["three"], "as-user-extra": {"example.com/why": ["a", "b"]}}
    user_info = who({"token": "admin-token"} | extra)
    assert user_info["username"] == "dora"
    assert user_info["extra"]["example.com/why"] == ["a", "b"]


PLUGIN = """
import json, os, sys
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
assert info["kind"] == "ExecCredential" and info["spec"]["interactive"] is False
with open({log!r}, "a") as log:
    print(json.dumps(info), file=log)
status = json.loads(os.environ["STATUS"])
print(json.dumps({{"kind": "ExecCredential", "apiVersion": info["apiVersion"], "status": status}}))
"""


def plugin(folder: Path, status: Mapping[str, Any], version: str = "v1", **more: Any) -> dict[str, Any]:
    script = folder / "plugin.py"
    script.write_text(PLUGIN.format(log=str(folder / "log")))
    environ = [{"name": "STATUS", "value": json.dumps(status)}]
    own = {"apiVersion": f"client.authentication.k8s.io/{version}", "command": sys.executable, "args": [str(script)]}
    return {"exec": own | {"env": environ, "interactiveMode": "IfAvailable"} | more}


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_plugin_prints_a_token(who: Who, tmp_path: Path, plane: ControlPlane, version: str) -> None:
    """Both API versions of exec plugins work, and with provideClusterInfo the plugin gets the cluster."""
    user = plugin(tmp_path, {"token": "admin-token"}, version, provideClusterInfo=True)
    assert who(user)["username"] == "token-admin"
    info = json.loads((tmp_path / "log").read_text())
    assert info["apiVersion"] == f"client.authentication.k8s.io/{version}"
    assert info["spec"]["cluster"]["server"] == plane.server
    assert info["spec"]["cluster"]["certificate-authority-data"] == encoded(plane.authority.certificate)


def test_a_plugin_prints_a_certificate(who: Who, tmp_path: Path, plane: ControlPlane) -> None:
    """An exec plugin can print a certificate with its key."""
    pair = plane.authority.client("eve")
    status = {"clientCertificateData": pair.certificate.read_text(), "clientKeyData": pair.key.read_text()}
    assert who(plugin(tmp_path, status))["username"] == "eve"


def test_a_plugin_is_asked_again_when_its_token_is_refused(who: Who, tmp_path: Path) -> None:
    """After a 401 the plugin runs once more."""
    with pytest.raises(ClusterError, match="Unauthorized"):
        who(plugin(tmp_path, {"token": "expired"}))
    assert len((tmp_path / "log").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("user", "message"),
    [
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin-here"}},
            "cannot be run",
        ),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"}},
            "only .*v1beta1 are supported",
        ),
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}}, "failed with exit status 1"),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "true"}},
            "did not print an ExecCredential",
        ),
        ({"exec": {"apiVersion": V1, "command": "true", "interactiveMode": "Always"}}, "needs a terminal"),
    ],
    ids=["missing", "too old", "failing", "silent", "asking"],
)
def test_a_plugin_that_does_not_work_is_named(who: Who, user: Mapping[str, Any], message: str) -> None:
    """The error names the plugin and does not contain what it printed."""
    with pytest.raises(SetupError, match=message):
        who(user)


def test_whom_to_trust(who: Who, tmp_path: Path) -> None:
    """Another authority or name is not trusted; tls-server-name and insecure-skip-tls-verify change that."""
    token = {"token": "admin-token"}
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    with pytest.raises(ClusterError, match="is not trusted"):
        who(token, {"certificate-authority-data": encoded(Authority(stranger).certificate)})
    with pytest.raises(ClusterError, match="is not trusted"):
        who(token, {"tls-server-name": "another.test"})
    assert who(token, {"tls-server-name": "kubernetes.default.svc"})["username"] == "token-admin"
    blind = {"certificate-authority-data": None, "insecure-skip-tls-verify": True}
    assert who(token, blind)["username"] == "token-admin"
    assert who(token, {"certificate-authority-data": None}, is_insecure=True)["username"] == "token-admin"
    with pytest.raises(SetupError, match=r"certificates in kubeconfig for .* cannot be loaded"):
        who(token, {"certificate-authority-data": base64.b64encode(b"nonsense").decode()})


@contextmanager
def connect_proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy for CONNECT alone: its address, and the requests that it got."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with closing(sink):
            while data := source.recv(65536):
                sink.sendall(data)

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            asked.append(near.recv(65536).decode())
            host, _, port = asked[0].split()[1].partition(":")
            far = socket.create_connection((host, int(port)))
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_quietly, args=(pump, *pair), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://ann:secret@127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def _quietly(work: Callable[..., None], *arguments: Any) -> None:
    with suppress(OSError):
        work(*arguments)


def test_through_a_proxy(who: Who, plane: ControlPlane) -> None:
    """Requests go through `proxy-url` with its password, and TLS is end to end."""
    with connect_proxy() as (address, asked):
        assert who({"token": "admin-token"}, {"proxy-url": address})["username"] == "token-admin"
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{plane.port} ")
    assert f"Basic {base64.b64encode(b'ann:secret').decode()}" in asked[0]


def test_from_within_a_pod(plane: ControlPlane, client: Client, tmp_path: Path) -> None:
    """A service account's token and certificate, as in a pod, are enough."""
    request = {"apiVersion": AUTHENTICATION, "kind": "TokenRequest", "spec": {}}
    made = client.request("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", body=request)
    (tmp_path / "token").write_text(made["status"]["token"])
    (tmp_path / "ca.crt").write_bytes(plane.authority.certificate.read_bytes())
    (tmp_path / "namespace").write_text("default")
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(plane.port), "HOME": "/none"}
    inside = Client(find_target(load("", environ, tmp_path), ConfigOverrides(), "", ""), lambda level, line: None)
    review = {"apiVersion": AUTHENTICATION, "kind": "SelfSubjectReview"}
    answer = inside.request("POST", f"/apis/{AUTHENTICATION}/selfsubjectreviews", body=review)
    assert answer["status"]["userInfo"]["username"] == "system:serviceaccount:default:default"
