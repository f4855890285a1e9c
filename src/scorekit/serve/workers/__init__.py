"""Processes that serve: a supervisor that never predicts, and the workers below it.

May import every other room of ``serve``. The supervisor's side is ``supervisor``, ``slots``, ``process``, ``launch``
and ``scrapes``; the worker's is ``worker``, ``endpoints``, ``probe``, ``watchdog`` and ``shutdown``; ``channel`` is
between. Begin with :mod:`~scorekit.serve.workers.supervisor`, which draws the states of a worker, then
:mod:`~scorekit.serve.workers.worker`. This face has only what starts without the event loop and the protocols.
"""

from . import cpus

__all__ = ["cpus"]
