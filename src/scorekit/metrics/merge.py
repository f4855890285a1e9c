"""The metrics of all workers as one, in which no count is lost with the worker that made it.

Each worker counts for itself, and sends its families to the supervisor whenever somebody asks for metrics. The page
that Prometheus reads is the sum over two parts::

    living workers   pid 7: its newest families   ┐
                     pid 8: its newest families   ├─▶ merge ─▶ text
    ended workers    one sum of all their last    ┘

* Counters and histograms are added. A counter must never decrease, or Prometheus takes it for a restart: so when a
  worker ends, its last counts move into the second part and stay.
* Of a component's own gauge the newest value counts, whichever worker set it.
* Momentary gauges (open connections, resident memory) describe a process as it is now. They are added over the living
  workers, and go with the worker.
"""

from dataclasses import replace

from .exposition import Families, exposition, merge


class MergedMetrics:
    """The newest metrics of each living worker, and the sum of those that have ended."""

    def __init__(self) -> None:
        self._living: dict[int, Families] = {}
        self._ended: Families = {}

    def __repr__(self) -> str:
        return f"<MergedMetrics living={len(self._living)}>"

    def update(self, pid: int, families: Families) -> None:
        """Replace the metrics of a living worker."""
        self._living[pid] = families

    def worker_ended(self, pid: int) -> None:
        """Keep the counts of a worker that has ended, without its momentary gauges."""
        last = self._living.pop(pid, {})
        lasting = {name: replace(family) for name, family in last.items() if not family.momentary}
        self._ended = merge([self._ended, lasting])

    def text(self) -> bytes:
        """Return the metrics of all workers, for Prometheus."""
        return exposition(merge([*self._living.values(), self._ended]))
