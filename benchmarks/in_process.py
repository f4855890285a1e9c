"""The server's whole call path in this process: the bytes of a request go in, the bytes of its answer come out.

There are no sockets, no worker processes and no event loop: the loop's turns are run by hand. What this leaves out is
the operating system's part and the loop's own.
"""

from typing import Any

from scorekit.contract.columns import Contract
from scorekit.contract.enforce import ContractCheck
from scorekit.inference.executor import Executor
from scorekit.inference.service import Service
from scorekit.metrics.registry import Metrics
from scorekit.model.component import Component
from scorekit.serve.accept import request_counter
from scorekit.serve.detect import ProtocolDetector
from scorekit.serve.http1.connection import Http1Connection
from scorekit.serve.limits.open_connections import OpenConnections
from scorekit.serve.rest import RestRoutes, refuse
from scorekit.testing import ManualLoop


class Transport:
    """A transport that keeps what was written last, and the protocol that owns it."""

    def __init__(self) -> None:
        self.answer = b""
        self.protocol: Any = None

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def write(self, data: bytes) -> None:
        self.answer = data

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Server:
    """One model behind REST, batching on; requests are checked where there is a ``contract``."""

    def __init__(self, model: object, contract: Contract | None = None) -> None:
        self._loop = ManualLoop()
        self._fleet: OpenConnections = set()
        metrics = Metrics({})
        check = None if contract is None else ContractCheck(contract)
        executor = Executor(self._loop, observe=metrics.calls.observe)
        component = Component(model, "Model")
        self._rest = RestRoutes(
            Service(component, self._loop, max_batch_rows=1024, metrics=metrics, check=check, executor=executor)
        )
        self._observe = request_counter(metrics)

    def finish(self) -> None:
        """Run loop of the loop until every request that came has its answer."""
        while self._loop.run_once():
            pass

    def http1(self) -> Http1Connection:
        """The protocol of one HTTP/1.1 connection."""
        return Http1Connection(self._rest, refuse, self._fleet, 1 << 30, observe=self._observe)

    def connection(self) -> tuple[Http1Connection, Transport]:
        """A connection known to speak HTTP/1.1, and its transport."""
        transport, connection = Transport(), self.http1()
        connection.connection_made(transport)  # type: ignore[arg-type]  # as much of one as is needed
        return connection, transport

    def undecided(self) -> tuple[ProtocolDetector, Transport]:
        """A connection that has not said yet what it speaks, and its transport. Needs a running event loop."""
        transport, detect = Transport(), ProtocolDetector(self.http1, self.http1, self._fleet)
        detect.connection_made(transport)  # type: ignore[arg-type]  # as above
        return detect, transport


def request(body: bytes) -> bytes:
    """The bytes of a prediction over HTTP/1.1 with this JSON body."""
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body
