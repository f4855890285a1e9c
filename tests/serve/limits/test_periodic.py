"""Guards that cannot die: each is given an exception, and goes on."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from scorekit.errors import SetupError
from scorekit.serve.guard import file_watch
from scorekit.serve.limits import periodic
from scorekit.serve.limits.open_connections import ClientTimeouts, close_after_reading, close_slow_clients
from scorekit.serve.workers.watchdog import Watchdog
from scorekit.settings import Workers


class PlantedError(Exception):
    """What the tests make guards fail with."""


def run_for(work: Awaitable[None], until: Callable[[], bool]) -> None:
    """Run ``work`` until ``until()`` or, at most, for ten seconds."""

    async def run() -> None:
        task = asyncio.ensure_future(work)
        for _ in range(1000):
            await asyncio.sleep(0.01)
            if until() or task.done():
                break
        task.cancel()

    asyncio.run(run())
    assert until()


class Connection:
    """A connection whose check fails, or which counts its checks."""

    open_requests = 0

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.checked, self.aborted = fails, 0, False

    def drain(self) -> None: ...

    def close_if_quiet(self) -> None: ...

    def abort(self) -> None:
        self.aborted = True

    def check_time(self, now: float, timeouts: ClientTimeouts) -> None:
        self.checked += 1
        if self.fails:
            raise PlantedError


def test_a_connection_whose_check_fails_is_closed_and_the_others_keep_their_limits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A connection whose check raises is aborted, once; all others are checked again and again."""
    good, bad = Connection(), Connection(fails=True)
    connections: Any = {good, bad}
    run_for(close_slow_clients(connections, ClientTimeouts(), every_s=0.001), lambda: good.checked >= 3)
    assert (bad.aborted, bad.checked, good.aborted) == (True, 1, False)
    assert caplog.text.count("guard.failed") == 1


def test_a_check_that_fails_is_logged_once_and_repeated(caplog: pytest.LogCaptureFixture) -> None:
    """A check that always raises goes on, with one traceback; after it has worked, the next failure is logged again."""
    results = [PlantedError(), PlantedError(), PlantedError(), None, PlantedError(), PlantedError()]
    done: list[Any] = []

    def check() -> None:
        done.append(results[len(done)] if len(done) < len(results) else None)
        if done[-1] is not None:
            raise done[-1]

    run_for(periodic.repeat("planted", check, 0.001), lambda: len(done) > 8)
    assert caplog.text.count("guard.failed name=planted") == 2


def test_a_file_watch_survives_what_load_raises(tmp_path: Path) -> None:
    """The file watch loads a file that changes again after any exception, not only after one that it expects."""
    file = tmp_path / "keys"
    file.write_text("a")
    errors: list[Exception | None] = [PlantedError(), SetupError("planted"), None]
    loaded: list[int] = []

    def load() -> None:
        loaded.append(1)
        file.write_text("a" * (len(loaded) + 1))
        if len(loaded) <= len(errors) and (error := errors[len(loaded) - 1]):
            raise error

    async def watch() -> None:
        task = asyncio.ensure_future(file_watch.watch([str(file)], load, 0.001))
        await asyncio.sleep(0.01)
        file.write_text("changed")
        await task

    run_for(watch(), lambda: len(loaded) > 3)


class Executor:
    """An executor that cannot say for how long its call has been running."""

    @property
    def running_s(self) -> float:
        raise PlantedError


def test_the_watchdog_survives_an_exception() -> None:
    """A watchdog whose check raises goes on sending heartbeats."""
    beats: list[bytes] = []
    watchdog = Watchdog(
        Workers(predict_timeout_s=0.004),  # type: ignore[arg-type]  # seconds need not be whole
        executor=Executor(),  # type: ignore[arg-type]  # as much of one as is needed
        thread=None,  # type: ignore[arg-type]  # not asked
        metrics=None,  # type: ignore[arg-type]  # not asked
        send=lambda kind, payload: beats.append(kind),
        stuck=lambda: None,
    )
    run_for(watchdog.watch(), lambda: len(beats) > 3)


SUPERVISOR = """
import logging, os, signal
from scorekit.serve.workers.custom_service import CustomService
from scorekit.serve.workers.deadlines import Deadlines
from scorekit.serve.workers.launch import Work
from scorekit.serve.workers.process_table import ProcessTable
from scorekit.serve.workers.slots import Slot
from scorekit.serve.workers.supervisor import Supervisor

planted, calls = Supervisor.{name}, []

def fail_twice(self, *arguments):
    calls.append(1)
    if len(calls) < 3:
        raise ArithmeticError("planted")
    return planted(self, *arguments)

def work(sockets, supervisor):
    supervisor.sendall(b"Z\\0\\0\\0\\1x" * 3)  # frames of no kind that there is
    signal.pause()

Supervisor.{name} = fail_twice
logging.basicConfig()
pid = os.getpid()
if not os.fork():
    import time
    for _ in range(3):
        time.sleep(0.3)
        os.kill(pid, signal.SIGTERM)
    os._exit(0)
table = ProcessTable([Slot(0, [])], first_alone=False)
custom_service = CustomService(lambda: None)
work = Work(serve=work, reads="everything")
Supervisor(table, work, lambda states: None, Deadlines(60, 60), custom_service=custom_service).run()
assert len(calls) >= 2, calls
"""


@pytest.mark.parametrize("name", ["_begin_replacement", "_signalled"])
def test_the_supervisor_survives_an_exception(name: str) -> None:
    """Exceptions in the supervisor are logged once and end neither it nor its workers; SIGTERM still does."""
    ran = subprocess.run(
        [sys.executable, "-c", SUPERVISOR.replace("{name}", name)], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("guard.failed name=") == 1


def test_a_transport_is_closed_twice_without_harm() -> None:
    """Closing a connection after reading can be asked for again, before and after it is closed."""

    async def close() -> None:
        ours, theirs = socket.socketpair()
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        close_after_reading(transport)
        close_after_reading(transport)
        transport.close()
        close_after_reading(transport)
        theirs.close()

    asyncio.run(close())
