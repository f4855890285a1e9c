"""Why and how a worker exits."""

import asyncio

from scorekit.serve.workers.shutdown import Shutdown, ShutdownReason


def test_the_first_reason_counts() -> None:
    """A worker that retires and is then stopped keeps its reason, but hurries from then on."""
    shutdown = Shutdown()
    shutdown.retire()
    assert not shutdown.urgent
    shutdown.stop()
    assert shutdown.reason is ShutdownReason.RETIRED
    assert shutdown.urgent


def test_a_model_that_hangs_replaces_any_other_reason() -> None:
    """The process must then exit without waiting for the model, whatever it was asked to do before."""
    shutdown = Shutdown()
    shutdown.stop()
    shutdown.stuck()
    assert shutdown.reason is ShutdownReason.STUCK


def test_a_request_to_exit_ends_the_wait() -> None:
    """The main loop goes on once there is a reason to exit."""

    async def run() -> ShutdownReason | None:
        shutdown = Shutdown()
        asyncio.get_running_loop().call_soon(shutdown.retire)
        await asyncio.wait_for(shutdown.requested(), 5)
        return shutdown.reason

    assert asyncio.run(run()) is ShutdownReason.RETIRED
