"""Asking a model server over HTTP: one kept connection, and no wait without an end."""

import http.client
import ssl
import urllib.parse

from .errors import SetupError
from .verify.wire import Answer, Ask, NoAnswer, Unreachable

_FEEDBACK = {"/predict": "/send-feedback", "/predictions": "/feedback"}


class RestClient:
    """A server's routes behind ``verify.Transport``.

    ``url`` is the server (``http://host:port``: the wrapper's ``/predict``), a gateway's prefix
    (``…/seldon/mymodel``: ``/api/v1.0/predictions`` below it), or the prediction route itself.
    """

    def __init__(self, url: str, timeout_s: float = 10) -> None:
        try:
            parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
            port = parts.port
        except ValueError as error:
            raise SetupError(f"{url} is not an address: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SetupError(f"{url} is not an address: expected http://HOST:PORT or https://HOST")
        self.url = url
        self.timeout_s = timeout_s
        path = parts.path.rstrip("/")
        whole = next((end for end in _FEEDBACK if path.endswith(end)), None)
        if whole is None:
            whole = "/predictions" if path else "/predict"
            path += "/api/v1.0/predictions" if path else "/predict"
        base = path.removesuffix(whole)
        self.routes = {"predict": path, "send-feedback": base + _FEEDBACK[whole]}
        for verb in ("transform-input",):
            self.routes[verb] = path if parts.path.endswith(verb) else f"{base}/{verb}"
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            secure = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(parts.hostname, port, timeout=timeout_s, context=secure)
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, port, timeout=timeout_s)

    def __repr__(self) -> str:
        return f"<RestClient {self.url} {self.routes['predict']}>"

    def address(self, verb: str = "predict") -> str:
        """The URL that ``verb`` is sent to."""
        scheme = "https" if isinstance(self._connection, http.client.HTTPSConnection) else "http"
        return f"{scheme}://{self._connection.host}:{self._connection.port}{self.routes[verb]}"

    def close(self) -> None:
        self._connection.close()

    def send(self, ask: Ask, /) -> Answer:
        """The answer. Raises ``Unreachable`` when no connection can be had, ``NoAnswer`` when one ends unanswered."""
        fresh = self._connection.sock is None
        try:
            return self._exchange(ask)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            # A kept connection may have been closed while it was idle; a fresh one closes because of this request.
            if fresh:
                raise self._dropped(error) from error
        try:
            return self._exchange(ask)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            raise self._dropped(error) from error

    def _exchange(self, ask: Ask) -> Answer:
        if self._connection.sock is None:
            try:
                self._connection.connect()
            except OSError as error:
                self._connection.close()
                why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
                raise Unreachable(f"{self.url} cannot be reached: {why}; is the server running there?") from error
        try:
            headers = {"Content-Type": ask.content_type, "Accept": "application/json"}
            self._connection.request("POST", self.routes[ask.verb], ask.body(), headers)
            response = self._connection.getresponse()
            return Answer(response.status, response.read())
        except TimeoutError as error:
            self._connection.close()
            raise NoAnswer(f"no answer within {self.timeout_s:g} s", hung=True) from error
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._connection.close()
            raise
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise NoAnswer(f"the answer is not HTTP: {str(error) or type(error).__name__}", hung=False) from error

    def _dropped(self, error: Exception) -> NoAnswer:
        return NoAnswer(f"the server closed the connection without an answer ({type(error).__name__})", hung=False)
