"""Runs the model in the thread of the event loop as if there were no event loop.

``asyncio.run`` and ``run_until_complete`` refuse to start while another event loop runs in the thread. A class may use
them in ``predict``, because the stock wrapper calls it outside of any event loop. They only look at asyncio's marker of
the running loop, so the marker is unset around the user's code: 0.33 µs for a call of the model. The loop of the server
cannot notice, because it is waiting for this callback to return. It has to be a plain callback: inside of a Task,
asyncio would also remember the current task.
"""

from asyncio import _get_running_loop, _set_running_loop
from collections.abc import Callable


def run_outside_loop(work: Callable[[], object]) -> None:
    """Call ``work`` while no event loop counts as running in this thread."""
    loop = _get_running_loop()
    _set_running_loop(None)
    try:
        work()
    finally:
        _set_running_loop(loop)
