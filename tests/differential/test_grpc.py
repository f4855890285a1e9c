"""``scorekit serve`` answers gRPC calls as seldon-core 1.17.1 was recorded to answer them."""

import importlib.util

import grpc
import pytest

from . import golden
from .asking import call
from .cases import Server, grpc_calls, servers
from .compare import call_differences, expected_call
from .test_rest import served

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    "server", servers([], grpc_calls()), ids=lambda each: "-".join([each.component, *dict(each.env)])
)
def test_the_same_answers(server: Server) -> None:
    """Every call of this component in this environment is answered as recorded, except the listed differences."""
    if server.component.startswith("seldon_based") and importlib.util.find_spec("seldon_core") is None:
        pytest.skip("the component imports seldon-core 1.17.1, which needs numpy<2; no wheels for this Python")
    recorded = golden.read("grpc.json")
    with served(server) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answers = {each.id: call(channel, each) for each in server.calls}
    wrong = [
        f"{call_id}: {line}"
        for call_id, answer in answers.items()
        for line in call_differences(expected_call(call_id, recorded[call_id]), answer)
    ]
    assert not wrong, "\n".join(["differs from the stock wrapper:", *wrong])
