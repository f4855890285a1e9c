"""``scorekit serve`` answers REST requests as seldon-core 1.17.1 was recorded to answer them."""

import contextlib
import importlib.util
from collections.abc import Iterator

import pytest

from ..e2e.conftest import Command
from ..ports import free_ports
from . import golden
from .asking import ask
from .cases import Server, rest_cases, servers
from .compare import differences, expected

pytestmark = pytest.mark.e2e

COMPONENTS = golden.FOLDER.parent / "components"


@pytest.mark.parametrize(
    "server", servers(rest_cases(), []), ids=lambda each: "-".join([each.component, *dict(each.env)])
)
def test_the_same_answers(server: Server) -> None:
    """Every case of this component in this environment is answered as recorded, except the listed differences."""
    if server.component.startswith("seldon_based") and importlib.util.find_spec("seldon_core") is None:
        pytest.skip("the component imports seldon-core 1.17.1, which needs numpy<2; no wheels for this Python")
    found = different(server)
    wrong = [f"{case_id}: {line}" for case_id, lines in found.items() for line in lines]
    assert not wrong, "\n".join(["differs from the stock wrapper:", *wrong])


STOCK = {"hooking.Methods", "predicting.Returns", "predicting.Describe", "seldon_based.Raises"}


@pytest.mark.parametrize(
    "server",
    [each for each in servers(rest_cases(), []) if each.component in STOCK and not each.env],
    ids=lambda each: each.component,
)
def test_the_stock_ways(server: Server) -> None:
    """With SCOREKIT_COMPATIBILITY=stock only the differences remain that it does not remove."""
    if server.component.startswith("seldon_based") and importlib.util.find_spec("seldon_core") is None:
        pytest.skip("the component imports seldon-core 1.17.1, which needs numpy<2; no wheels for this Python")
    found = different(server, stock=True)
    wrong = [f"{case_id}: {line}" for case_id, lines in found.items() for line in lines]
    assert not wrong, "\n".join(["differs from the stock wrapper:", *wrong])


@contextlib.contextmanager
def served(server: Server, stock: bool = False) -> Iterator[int]:
    """Yields the port of a ``scorekit serve`` once it answers REST and gRPC. It is ended afterwards."""
    port = free_ports("127.0.0.1", 1)[0]
    environ = {**dict(server.env), **({"SCOREKIT_COMPATIBILITY": "stock"} if stock else {})}
    ports = ("--http-port", str(port), "--host", "127.0.0.1")
    command = Command("serve", server.component, *ports, cwd=COMPONENTS, **environ)
    try:
        command.wait_for("serve.ready")
        yield port
    finally:
        command.close()


def different(server: Server, stock: bool = False) -> dict[str, list[str]]:
    """Returns the differences in the answers of ``scorekit serve``, by the id of the case."""
    recorded = golden.read("rest.json")
    found: dict[str, list[str]] = {}
    with served(server, stock) as port:
        for case in server.cases:
            try:
                answer = ask(port, case)
            except OSError as error:
                found[case.id] = [f"no answer: {error!r}"]
            else:
                found[case.id] = differences(expected(case.id, recorded[case.id], stock), answer)
    return {case_id: lines for case_id, lines in found.items() if lines}
