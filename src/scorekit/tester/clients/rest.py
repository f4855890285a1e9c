"""A client for a model server's REST API, on http.client.

The connection is kept between requests, as a real client would keep it. A server may close a kept connection while it
is idle, and the client notices only when it sends the next request; that says nothing against the server, so the
request is sent once more on a fresh connection. If the fresh connection is closed without an answer too, that is
because of this very request, and a finding.

Redirects, proxies and compression are all left out: the tester judges the bytes of one server.
"""

import http.client
import ssl

from ...errors import SetupError
from ..transport import Answer, NoAnswer, Query, Unreachable, Unsendable
from .address import Address

_DROPPED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class RestClient:
    """A client for the routes of ``address``, with a timeout for each step of a request.

    ``authorities`` is a file of certificates to trust in place of the system's. The ``key`` is sent with every request,
    as ``X-API-Key``. Raises ``SetupError`` if the file holds no certificates.
    """

    def __init__(
        self, address: Address, timeout_s: float = 10, authorities: str | None = None, key: str | None = None
    ) -> None:
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key is not None:
            self._headers["X-API-Key"] = key
        self.address = address
        self.timeout_s = timeout_s
        self._connection: http.client.HTTPConnection
        if address.secure:
            secure = ssl_context(authorities)
            self._connection = http.client.HTTPSConnection(
                address.host, address.port, timeout=timeout_s, context=secure
            )
        else:
            self._connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)

    def __repr__(self) -> str:
        return f"<RestClient {self.where()}>"

    def where(self, verb: str = "predict", /) -> str:
        """The URL that ``verb`` is sent to."""
        scheme = "https" if self.address.secure else "http"
        host = f"[{self.address.host}]" if ":" in self.address.host else self.address.host
        return f"{scheme}://{host}:{self.address.port}{self.address.routes.get(verb, '')}"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, query: Query, /) -> Answer:
        """The server's answer.

        Raises ``Unreachable`` if there is no connection, ``NoAnswer`` if the connection ends or time is up before the
        answer, and ``Unsendable`` for a verb that a gateway has no route for.
        """
        if query.verb not in self.address.routes:
            raise Unsendable(f"a gateway has no route for {query.verb}")
        fresh = self._connection.sock is None
        try:
            return self._exchange(query)
        except _DROPPED as error:
            if fresh:
                raise _dropped(error) from error
        try:
            return self._exchange(query)
        except _DROPPED as error:
            raise _dropped(error) from error

    def _exchange(self, query: Query) -> Answer:
        if self._connection.sock is None:
            try:
                self._connection.connect()
            except OSError as error:
                self._connection.close()
                raise Unreachable(f"{self.address.url} cannot be reached: {_why(error)}") from error
        try:
            self._connection.request("POST", self.address.routes[query.verb], query.body(), self._headers)
            response = self._connection.getresponse()
            return Answer(response.status, response.read())
        except TimeoutError as error:
            self._connection.close()
            raise NoAnswer(f"no answer within {self.timeout_s:g} s", hung=True) from error
        except _DROPPED:
            self._connection.close()
            raise
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise NoAnswer(f"the answer is not HTTP: {str(error) or type(error).__name__}", hung=False) from error


def ssl_context(authorities: str | None) -> ssl.SSLContext:
    """The TLS settings of a client. Raises ``SetupError`` for a file that holds no certificates."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise SetupError(f"{authorities} is not a file of certificates: {error.strerror or error}") from error


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); --cacert FILE names the authority to trust"
    if isinstance(error, ssl.SSLError):
        return f"the server does not speak TLS ({error.reason or error})"
    why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
    return f"{why}; is the server running there?"


def _dropped(error: Exception) -> NoAnswer:
    return NoAnswer(f"the server closed the connection without an answer ({type(error).__name__})", hung=False)
