"""Code that runs outside of the event loop may start another one, and the first goes on."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from scorekit.inference import Executor
from scorekit.serve.workers.outside_loop import mark_running_loop


async def answer() -> int:
    await asyncio.sleep(0.001)
    return 42


def own_loop() -> int:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(answer())
    finally:
        loop.close()


class Call:
    """A task that calls a function."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    def begin(self) -> bool:
        return True

    def run(self) -> None:
        self._call()

    def finish(self) -> None:
        """Do nothing: the function has kept its result."""

    def drop_abandoned(self) -> bool:
        return False

    def give_up(self, why: Exception) -> None:
        raise AssertionError(why)


@pytest.mark.parametrize(
    "work",
    [lambda: asyncio.run(answer()), own_loop, lambda: uvloop.run(answer())],
    ids=["asyncio.run", "own loop", "uvloop.run"],
)
def test_another_loop_may_run_inside_of_a_callback(work: Callable[[], int]) -> None:
    """Its result is there, and the outer loop still runs its own callbacks and tasks."""
    results: list[object] = []

    def callback(done: asyncio.Future[None]) -> None:
        loop = asyncio.get_running_loop()
        Executor(loop, mark_running_loop=mark_running_loop).submit(Call(lambda: results.append(work())))
        results.append(asyncio.get_running_loop() is done.get_loop())
        done.set_result(None)

    async def main() -> int:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.call_soon(callback, done)
        await done
        return await answer()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) == 42
    assert results == [42, True]
