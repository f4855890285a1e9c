"""The connections to one API server: TLS in both directions, and proxies. Requests are :mod:`.client`'s."""

import base64
import os
import ssl
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import SplitResult, unquote, urlsplit

import urllib3

from ...errors import SetupError
from .config import ClusterEntry, PemSource

_SCHEMES = ("https", "http")
_SOCKS = ("socks5", "socks5h", "socks4", "socks4a")
CONNECT_WITHIN_S, ANSWER_WITHIN_S = 10.0, 60.0
"""How long a connection and an answer may take before the try counts as failed."""


def pool(cluster: ClusterEntry, certificate: PemSource, key: PemSource) -> urllib3.PoolManager:
    """A pool of connections to ``cluster`` that present this client certificate, if it is not empty.

    Raises ``SetupError`` for an address or a proxy that is not a URL, for certificates that cannot be loaded, and for a
    SOCKS proxy without PySocks.
    """
    options = {
        "timeout": urllib3.Timeout(connect=CONNECT_WITHIN_S, read=ANSWER_WITHIN_S),
        "retries": False,
        "maxsize": 2,
    }
    parts = _address(cluster.server, f"the cluster's server, {cluster.server!r},", _SCHEMES)
    if parts.scheme == "https":
        options["ssl_context"] = _tls(cluster, certificate, key)
        if cluster.tls_server_name:
            options |= {"server_hostname": cluster.tls_server_name, "assert_hostname": cluster.tls_server_name}
    proxy = cluster.proxy_url or _proxy(parts.scheme, parts.hostname or "")
    if not proxy:
        return urllib3.PoolManager(**options)
    if "://" not in proxy:  # variables such as HTTPS_PROXY often lack the scheme, and Go accepts that
        proxy = f"http://{proxy}"
    # The message about a wrong proxy must not repeat it, because it may contain a password.
    parts = _address(proxy, "the proxy", (*_SCHEMES, *_SOCKS))
    if parts.scheme in _SOCKS:
        try:
            from urllib3.contrib.socks import SOCKSProxyManager
        except ImportError as error:
            raise SetupError("a socks proxy needs PySocks: pip install 'urllib3[socks]'") from error
        return SOCKSProxyManager(proxy, **options)
    headers = None
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = {"proxy-authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def _address(text: str, what: str, schemes: Sequence[str]) -> SplitResult:
    try:
        parts = urlsplit(text)
        if parts.scheme in schemes and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # a port that is not a number, or a bracket that is not closed
        pass
    raise SetupError(f"{what} must be a URL of the form {' or '.join(f'{each}://HOST:PORT' for each in schemes)}")


def _proxy(scheme: str, host: str) -> str:
    """The proxy that the environment names (``HTTPS_PROXY``, ``NO_PROXY``); none for this machine itself, as in Go."""
    if host == "localhost" or host.startswith("127.") or host == "::1" or urllib.request.proxy_bypass(host):
        return ""
    return urllib.request.getproxies().get(scheme, "")


def _tls(cluster: ClusterEntry, certificate: PemSource, key: PemSource) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if cluster.is_insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif cluster.authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            with _as_file(cluster.authority) as path:
                context.load_verify_locations(path)
        # urllib3 compares the host name itself. Version 1.26 cannot leave that to OpenSSL if the server is an IP
        # address.
        context.check_hostname = False
        if certificate and key:
            with _as_file(certificate) as public, _as_file(key) as secret:
                # The password keeps OpenSSL from asking for one on the terminal.
                context.load_cert_chain(public, secret, password=lambda: b"")
    except (OSError, ValueError) as error:  # SSLError is an OSError, binascii.Error a ValueError
        raise SetupError(f"the certificates in kubeconfig for {cluster.server} cannot be loaded: {error}") from error
    return context


@contextmanager
def _as_file(source: PemSource) -> Iterator[str]:
    """The path of a file with the PEM text.

    Python's ``ssl`` reads keys from files only. A file made for it is readable by nobody else and is removed at once.
    """
    if not source.data:
        yield source.file
        return
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(base64.b64decode(source.data, validate=False))
    try:
        yield file.name
    finally:
        os.unlink(file.name)  # noqa: PTH108
