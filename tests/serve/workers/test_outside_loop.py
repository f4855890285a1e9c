"""Code that runs outside of the event loop may start another one, and the first goes on."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from scorekit.serve.workers.outside_loop import run_outside_loop


async def answer() -> int:
    await asyncio.sleep(0.001)
    return 42


def own_loop() -> int:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(answer())
    finally:
        loop.close()


@pytest.mark.parametrize(
    "work",
    [lambda: asyncio.run(answer()), own_loop, lambda: uvloop.run(answer())],
    ids=["asyncio.run", "own loop", "uvloop.run"],
)
def test_another_loop_may_run_inside_of_a_callback(work: Callable[[], int]) -> None:
    """Its result is there, and the outer loop still runs its own callbacks and tasks."""
    results: list[object] = []

    def callback(done: asyncio.Future[None]) -> None:
        run_outside_loop(lambda: results.append(work()))
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


def test_the_marker_comes_back_after_an_error() -> None:
    """An exception leaves the outer loop as it was."""

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            run_outside_loop(lambda: 1 // 0)
        assert asyncio.get_running_loop().is_running()

    asyncio.run(main())
