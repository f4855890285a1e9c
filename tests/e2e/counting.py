"""Clients that count what becomes of every request they send. None of them ever sends one twice."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence

import grpc

from scorekit.proto import message_class

_WITHIN_S = 30


class Counts:
    """How many requests were answered, refused before anything was sent, and lost, with how."""

    def __init__(self) -> None:
        self.answered = 0
        self.refused = 0
        self.lost: Counter[str] = Counter()
        self.connections = 0

    def __repr__(self) -> str:
        lost = dict(self.lost) or 0
        return f"answered={self.answered} refused={self.refused} lost={lost} connections={self.connections}"


class Load:
    """Clients of one kind, until :meth:`stop`. With ``ends`` the server will end, and a refusal ends its client."""

    def __init__(self, ends: bool) -> None:
        self.counts = Counts()
        self._ends = ends
        self._over = False
        self._clients: list[asyncio.Task[None]] = []

    async def more_than(self, answered: int) -> None:
        """Until so many have been answered."""
        while self.counts.answered < answered:
            if self._clients and all(client.done() for client in self._clients):
                raise AssertionError(f"the clients have given up: {self.counts}")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Let every client end its last request."""
        self._over = True
        await asyncio.wait_for(asyncio.gather(*self._clients), _WITHIN_S)

    async def given_up(self) -> None:
        """Until every client has been refused."""
        await asyncio.wait_for(asyncio.gather(*self._clients), _WITHIN_S)


class Rest(Load):
    """HTTP/1.1: some over kept connections without a pause, some with pauses, some over a new connection each time."""

    def __init__(
        self, port: int, path: str, body: bytes, ends: bool = False, each: int = 4, host: str = "127.0.0.1"
    ) -> None:
        super().__init__(ends)
        self._address = host, port
        head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        self._request = f"{head}Content-Length: {len(body)}\r\n".encode(), b"\r\n" + body
        kinds = [(0.0, False)] * each + [(0.05, False)] * each + [(0.0, True)] * each
        self._clients = [asyncio.ensure_future(self._client(*kind)) for kind in kinds]

    async def _client(self, pause_s: float, always_new: bool) -> None:
        head, rest = self._request
        request = head + (b"Connection: close\r\n" if always_new else b"") + rest
        streams = None
        while not self._over:
            if streams is None:
                try:
                    streams = await asyncio.wait_for(asyncio.open_connection(*self._address), _WITHIN_S)
                    self.counts.connections += 1
                except OSError:
                    self.counts.refused += 1
                    if self._ends:
                        return
                    await asyncio.sleep(0.01)
                    continue
            reader, writer = streams
            if reader.at_eof():  # closed while it was quiet: nothing was sent on it
                writer.close()
                streams = None
                continue
            closes = always_new
            try:
                writer.write(request)
                answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _WITHIN_S)
                lowered = answer.lower()
                length = int(lowered.split(b"content-length: ")[1].split(b"\r\n")[0])
                await asyncio.wait_for(reader.readexactly(length), _WITHIN_S)
                if answer.startswith(b"HTTP/1.1 200"):
                    self.counts.answered += 1
                else:
                    self.counts.lost[answer.split(b"\r\n")[0].decode()] += 1
                closes = closes or b"\r\nconnection: close" in lowered
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                self.counts.lost[type(error).__name__ + (" on a new connection" if always_new else "")] += 1
                closes = True
            if closes:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
                streams = None
            if pause_s:
                await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311  no secret
        if streams is not None:
            streams[1].close()


class Grpc(Load):
    """gRPC: several calls at once on several channels, as the library has it, without a retry policy."""

    def __init__(
        self,
        port: int,
        headers: Sequence[tuple[str, str]] = (),
        ends: bool = False,
        channels: int = 4,
        each: int = 2,
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(ends)
        request = message_class("seldon.protos.SeldonMessage")()
        request.data.tensor.shape.extend([1, 2])
        request.data.tensor.values.extend([1, 1])
        self._message = request.SerializeToString()
        self._headers = tuple(headers)
        self._channels = [
            grpc.aio.insecure_channel(f"{host}:{port}", [("grpc.use_local_subchannel_pool", 1)])
            for _ in range(channels)
        ]
        self._clients = [asyncio.ensure_future(self._client(channel)) for channel in self._channels * each]

    async def _client(self, channel: grpc.aio.Channel) -> None:
        call = channel.unary_unary("/seldon.protos.Seldon/Predict")
        while not self._over:
            try:
                await call(self._message, timeout=_WITHIN_S, metadata=self._headers)
                self.counts.answered += 1
            except grpc.aio.AioRpcError as error:
                told = error.details() or ""
                if error.code() is grpc.StatusCode.UNAVAILABLE and told.startswith(
                    "failed to connect"
                ):  # no call was sent
                    self.counts.refused += 1
                    if self._ends:
                        return
                    await asyncio.sleep(0.01)
                else:
                    self.counts.lost[f"{error.code().name}: {told}"] += 1

    async def close(self) -> None:
        """Close the channels."""
        for channel in self._channels:
            await channel.close()
