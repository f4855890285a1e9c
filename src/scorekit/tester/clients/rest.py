"""Asking a model server over HTTP: one kept connection, and no wait without an end."""

import http.client
import ssl

from ...errors import SetupError
from ..wire import Answer, Ask, NoAnswer, Unreachable, Unsendable
from .address import Address

_DROPPED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class RestClient:
    """A server's routes. ``authorities`` is a file of certificates to trust in place of the system's.

    A ``key`` goes with every request, as ``X-API-Key``.
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
        self._connection.close()

    def send(self, ask: Ask, /) -> Answer:
        """The answer. Raises ``Unreachable`` when no connection can be had, ``NoAnswer`` when one ends unanswered."""
        if ask.verb not in self.address.routes:
            raise Unsendable(f"a gateway has no route for {ask.verb}")
        fresh = self._connection.sock is None
        try:
            return self._exchange(ask)
        except _DROPPED as error:
            # A kept connection may have been closed while it was idle; a fresh one closes because of this request.
            if fresh:
                raise _dropped(error) from error
        try:
            return self._exchange(ask)
        except _DROPPED as error:
            raise _dropped(error) from error

    def _exchange(self, ask: Ask) -> Answer:
        if self._connection.sock is None:
            try:
                self._connection.connect()
            except OSError as error:
                self._connection.close()
                raise Unreachable(f"{self.address.url} cannot be reached: {_why(error)}") from error
        try:
            self._connection.request("POST", self.address.routes[ask.verb], ask.body(), self._headers)
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
    """What decides whom to trust. Raises ``SetupError`` for a file that holds no certificates."""
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise SetupError(f"{authorities} is no file of certificates: {error.strerror or error}") from error


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); --cacert FILE names whom to trust"
    if isinstance(error, ssl.SSLError):
        return f"no TLS is spoken there ({error.reason or error})"
    why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
    return f"{why}; is the server running there?"


def _dropped(error: Exception) -> NoAnswer:
    return NoAnswer(f"the server closed the connection without an answer ({type(error).__name__})", hung=False)
