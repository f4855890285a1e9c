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
* With METRICS_WORKER_ID=true there is no sum: each series names its worker, and goes with it, as in the stock wrapper
  (seldon-core 1.17.1). Kept, they would grow with every reload. Nor can the counts move into a series of the ended
  workers: for ``sum(rate(…))`` every move would look like new requests, because Prometheus has counted them already.
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
        """Keep the counts of a worker that has ended, without its momentary gauges and the series that name it."""
        last = self._living.pop(pid, {})
        own = ("worker_id", str(pid))
        lasting = {
            name: replace(family, series={labels: each for labels, each in family.series.items() if own not in labels})
            for name, family in last.items()
            if not family.momentary
        }
        self._ended = merge([self._ended, {name: family for name, family in lasting.items() if family.series}])

    def text(self) -> bytes:
        """Return the metrics of all workers, for Prometheus."""
        return exposition(merge([*self._living.values(), self._ended]))
