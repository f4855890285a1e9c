"""The same REST requests to ``scorekit serve`` as were put to seldon-core 1.17.1, and the same answers."""

import contextlib
import fnmatch
import importlib.util
import sys

import pytest

from scorekit.sockets import free_ports

from ..e2e.conftest import Command
from . import golden
from .asking import ask
from .cases import Case, Server, rest_cases, servers
from .compare import differences, expected

pytestmark = pytest.mark.e2e

COMPONENTS = golden.FOLDER.parent / "components"
PENDING: tuple[str, ...] = ()
"""Patterns of the ids of cases that ``scorekit serve`` does not answer yet."""


def pending(case: Case) -> bool:
    return any(fnmatch.fnmatchcase(case.id, pattern) for pattern in PENDING)


SERVERS = servers([case for case in rest_cases() if not pending(case)], [])


@pytest.mark.parametrize("server", SERVERS, ids=lambda each: "-".join([each.component, *dict(each.env)]))
def test_the_same_answers(server: Server) -> None:
    """Every case of this component in this environment is answered as recorded, but for the listed differences."""
    if server.component.startswith("seldon_based") and importlib.util.find_spec("seldon_core") is None:
        pytest.skip("the component imports seldon-core 1.17.1, which needs numpy<2; no wheels for this Python")
    recorded = golden.read("rest.json")
    port = free_ports("127.0.0.1", 1)[0]
    ports = ("--http-port", str(port), "--host", "127.0.0.1")
    command = Command("serve", server.component, *ports, cwd=COMPONENTS, **dict(server.env))
    found: list[str] = []
    try:
        command.wait_for("serve.ready")
        for case in server.cases:
            try:
                answer = ask(port, case)
            except OSError as error:
                found.append(f"{case.id}: no answer: {error!r}")
                continue
            found += [f"{case.id}: {line}" for line in differences(expected(case.id, recorded[case.id]), answer)]
    finally:
        with contextlib.suppress(ProcessLookupError):
            command.process.kill()
        command.ended()
        assert command.process.stdout is not None
        command.process.stdout.close()
    assert not found, "\n".join(["differs from the stock wrapper:", *found])


def test_pending_cases_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """How much of the protocol is still to come stands in the output of every run; each pattern has its cases."""
    cases = rest_cases()
    with capsys.disabled():
        print(f"\n{sum(map(pending, cases))} of {len(cases)} REST cases pending", file=sys.stderr)  # noqa: T201
    for pattern in PENDING:
        assert fnmatch.filter([case.id for case in cases], pattern), f"{pattern} matches no case"
