"""The clients of ``scorekit test``: the server over REST and over gRPC, as its flags say."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract import Contract
from ..errors import SetupError

if TYPE_CHECKING:
    from ..tester.clients import RestClient
    from ..tester.clients.grpc import GrpcClient

    Client = GrpcClient | RestClient

_PROBE_S = 3.0


@contextlib.contextmanager
def clients(
    contract: Contract, url: str, verb: str, arguments: argparse.Namespace
) -> Iterator[tuple["Client", "Client | None"]]:
    """A client for the protocol that is tested, and one for the other protocol if the server speaks it.

    Raises ``SetupError`` for a flag that cannot be used, and ``Unreachable`` if ``--grpc-port`` does not speak gRPC.
    """
    from dataclasses import replace

    from ..tester.clients import RestClient, parse_address
    from ..tester.clients.grpc import GrpcClient

    address = parse_address(url)
    plain = address.scheme in ("http", "https")
    grpc = arguments.grpc or not plain
    calls = replace(address, port=arguments.grpc_port or address.port)
    how = arguments.timeout, arguments.cacert, _key(arguments.api_key_file)
    with contextlib.ExitStack() as stack:
        main: Client
        other: Client | None = None
        if grpc:
            main = GrpcClient(calls, *how)
            stack.callback(main.close)
            if plain:
                other = RestClient(address, *how)
        else:
            main = RestClient(address, *how)
            with contextlib.suppress(SetupError):  # without grpcio there is one protocol
                other = GrpcClient(calls, *how)
            if other is None and arguments.grpc_port:
                raise SetupError(
                    "--grpc-port: gRPC needs the package 'grpcio': pip install '.[test]' in a checkout of scorekit"
                )
            stack.callback(main.close)
        if other is not None:
            stack.callback(other.close)
            if not _is_spoken(contract, other, verb, must=bool(arguments.grpc_port) and not grpc):
                other = None
        yield main, other


def _key(file: str | None) -> str | None:
    """The first key in a file of API keys. Raises ``SetupError`` if the file cannot be read or has no key there."""
    if file is None:
        return None
    from ..serve.guard.api_keys import parse_keys

    try:
        keys = parse_keys(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"--api-key-file: {file} cannot be read: {type(error).__name__}") from error
    if not keys or not (keys[0].isascii() and keys[0].isprintable()):
        raise SetupError(f"--api-key-file: {file} has no API key in its first line")
    return keys[0]


def _is_spoken(contract: Contract, client: "Client", verb: str, must: bool) -> bool:
    """Whether the server speaks the client's protocol.

    The server's owner need not have opened the second protocol, so the question costs three seconds at most. But if a
    flag named its port, it ``must`` be there: then ``Unreachable`` is raised instead of answering no.
    """
    from ..tester import Unreachable, probe

    patience, client.timeout_s = client.timeout_s, client.timeout_s if must else min(_PROBE_S, client.timeout_s)
    try:
        probe(contract, client, verb, patient=False)
    except Unreachable:
        if must:
            raise
        return False
    finally:
        client.timeout_s = patience
    return True
