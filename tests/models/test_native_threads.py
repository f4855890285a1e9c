"""Models whose libraries start threads of their own: they answer wherever they are read, and the server ends."""

import signal
import threading
import time
import urllib.error
from collections.abc import Callable
from http.client import HTTPException

import pytest

from ..e2e.conftest import Command
from ..e2e.test_serve import ask, serving
from ..e2e.test_workers import workers
from .conftest import TrainedModel
from .train import ROWS

pytestmark = pytest.mark.e2e

Trained = Callable[[str, str, bool], TrainedModel]

EXIT_WITHIN_S = 15
ASK = {"data": {"ndarray": ROWS}}


def answers(port: int) -> list[float]:
    return list(ask(port, ASK)["data"]["ndarray"])


@pytest.mark.parametrize("contract", [False, True], ids=["without contract", "with contract"])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("place", ["__init__", "load"])
@pytest.mark.parametrize("library", ["lightgbm", "sklearn", "xgboost"])
def test_a_model_with_threads_answers_is_reloaded_and_stops_under_load(
    start: Callable[..., Command], trained: Trained, port: int, library: str, place: str, count: int, contract: bool
) -> None:
    """The answers are those that the library gives without a server, before and after a reload; SIGTERM ends it."""
    model = trained(library, place, contract)
    began = time.monotonic()
    command = serving(start, port, str(model.folder), GUNICORN_WORKERS=str(count))
    assert answers(port) == pytest.approx(model.answers)
    print(f"{library} {model.version}: {time.monotonic() - began:.1f} s to the first answer")
    before = set(workers(command))
    assert len(before) == count

    stopping, finished = threading.Event(), threading.Event()
    wrong: list[object] = []
    counts = [0, 0]

    def load(client: int) -> None:
        while not finished.is_set():
            try:
                if answers(port) != pytest.approx(model.answers):
                    wrong.append("another answer")
                counts[client] += 1
            except (OSError, HTTPException, urllib.error.URLError) as error:
                if not stopping.is_set():
                    wrong.append(error)
                time.sleep(0.01)

    clients = [threading.Thread(target=load, args=(client,)) for client in range(len(counts))]
    for client in clients:
        client.start()
    command.process.send_signal(signal.SIGHUP)
    command.wait_for("worker.left", count)
    assert not before & set(workers(command))
    while min(counts) < 20:
        time.sleep(0.01)
    assert not wrong
    began = time.monotonic()
    stopping.set()
    assert command.stop() == 0
    assert time.monotonic() - began < EXIT_WITHIN_S
    finished.set()
    for client in clients:
        client.join()
    assert not wrong
    assert workers(command) == []


@pytest.mark.parametrize("library", ["lightgbm", "sklearn", "xgboost"])
def test_a_model_with_threads_is_not_preloaded(
    start: Callable[..., Command], trained: Trained, port: int, library: str
) -> None:
    """The threads that the library starts in the constructor are counted, and the log says that nothing is shared."""
    model = trained(library, "__init__", False)
    command = serving(start, port, str(model.folder), GUNICORN_WORKERS="2", PRELOAD="true")
    assert "preload.unsafe" in command.output
    assert answers(port) == pytest.approx(model.answers)
    assert command.stop() == 0
