"""A proxy before the API server that fails on purpose: it drops connections and answers 404, 409, 429 and 5xx."""

import json
import ssl
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .cluster import ControlPlane, kubeconfig

REASONS = {404: "NotFound", 409: "Conflict", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
DROP_BEFORE, DROP_AFTER = "drop before", "drop after"
"""The connection ends without an answer, before or after the request has reached the API server."""

Fault = int | str | None
Decide = Callable[["ProxiedRequest"], Fault]


@dataclass(frozen=True, slots=True)
class ProxiedRequest:
    """A request, with its number among all requests and among those with the same method and path, both from 1."""

    method: str
    path: str
    number: int
    attempt: int


@dataclass
class Proxy:
    """Forwards every request for which ``decide`` returns no fault, and keeps all of them in ``requests``."""

    kubeconfig: Path
    decide: Decide = lambda request: None
    after: Callable[[ProxiedRequest], None] = lambda request: None
    requests: list[ProxiedRequest] = field(default_factory=list)
    _attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, method: str, path: str) -> ProxiedRequest:
        with self._lock:
            self._attempts[method, path] += 1
            request = ProxiedRequest(method, path, len(self.requests) + 1, self._attempts[method, path])
            self.requests.append(request)
        return request


@contextmanager
def proxy(plane: ControlPlane, folder: Path) -> Iterator[Proxy]:
    pair = plane.authority.server("proxy")
    trust = plane.authority.trust()
    running = Proxy(folder / "proxy.kubeconfig")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = running.record(self.command, self.path.partition("?")[0])
            fault = running.decide(request)
            if fault == DROP_BEFORE:
                self.close_connection = True
                return
            if isinstance(fault, int):
                self._refuse(fault)
                return
            status, answer = self._forward(body)
            running.after(request)
            if fault == DROP_AFTER:
                self.close_connection = True
                return
            self._answer(status, answer)

        do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

        def _forward(self, body: bytes) -> tuple[int, bytes]:
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")
            }
            request = urllib.request.Request(
                plane.server + self.path, data=body or None, method=self.command, headers=headers
            )
            try:
                with urllib.request.urlopen(request, context=trust, timeout=60) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                return error.code, error.read()

        def _refuse(self, status: int) -> None:
            body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status}
            body |= {"reason": REASONS[status], "message": f"{status} on purpose"}
            self._answer(status, json.dumps(body).encode(), {"Retry-After": "0"} if status == 429 else {})

        def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    address = f"https://127.0.0.1:{server.server_address[1]}"
    running.kubeconfig.write_text(kubeconfig(address, plane.authority.certificate, {"token": "admin-token"}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
