"""The connections to one API server: TLS both ways, proxies, and nothing of what is said over them."""

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
from .config import Cluster, Source

_SCHEMES = ("https", "http")
_SOCKS = ("socks5", "socks5h", "socks4", "socks4a")
CONNECT_WITHIN_S, ANSWER_WITHIN_S = 10.0, 60.0


def pool(cluster: Cluster, certificate: Source, key: Source) -> urllib3.PoolManager:
    """Connections to ``cluster`` that show that certificate (if any). Raises ``SetupError``."""
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
    if "://" not in proxy:  # as the environment may have it, and Go takes it
        proxy = f"http://{proxy}"
    # It may have a password in it, so it is not repeated.
    shown = _address(proxy, "the proxy", (*_SCHEMES, *_SOCKS))
    if shown.scheme in _SOCKS:
        try:
            from urllib3.contrib.socks import SOCKSProxyManager
        except ImportError as error:
            raise SetupError("a socks proxy needs PySocks: pip install 'urllib3[socks]'") from error
        return SOCKSProxyManager(proxy, **options)
    headers = None
    if shown.username:
        pair = f"{unquote(shown.username)}:{unquote(shown.password or '')}"
        headers = {"proxy-authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def _address(text: str, what: str, schemes: Sequence[str]) -> SplitResult:
    try:
        parts = urlsplit(text)
        if parts.scheme in schemes and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # a port that is no number, a bracket that is not closed
        pass
    raise SetupError(f"{what} must be an address {' or '.join(f'{each}://HOST:PORT' for each in schemes)}")


def _proxy(scheme: str, host: str) -> str:
    """The environment's, as kubectl takes it: never for this machine itself."""
    if host == "localhost" or host.startswith("127.") or host == "::1" or urllib.request.proxy_bypass(host):
        return ""
    return urllib.request.getproxies().get(scheme, "")


def _tls(cluster: Cluster, certificate: Source, key: Source) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if cluster.is_insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif cluster.authority:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            with _as_file(cluster.authority) as path:
                context.load_verify_locations(path)
        # urllib3 compares the names itself; 1.26 cannot let OpenSSL do it where the server is an IP address.
        context.check_hostname = False
        if certificate and key:
            with _as_file(certificate) as shown, _as_file(key) as secret:
                context.load_cert_chain(shown, secret, password=lambda: b"")  # never ask on the terminal
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError, binascii.Error a ValueError
        raise SetupError(f"kubeconfig's certificates for {cluster.server} cannot be used: {error}") from error
    return context


@contextmanager
def _as_file(source: Source) -> Iterator[str]:
    """Python's ssl reads keys from files only; one made for it is readable to nobody else and gone at once."""
    if not source.data:
        yield source.file
        return
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(base64.b64decode(source.data, validate=False))
    try:
        yield file.name
    finally:
        os.unlink(file.name)  # noqa: PTH108
