"""The metrics of all workers as one: no count is lost with the worker that made it."""

from dataclasses import replace

from .exposition import Families, exposition, merged


class Tally:
    """What each worker last told of itself, and what those told that are no more."""

    def __init__(self) -> None:
        self._living: dict[int, Families] = {}
        self._gone: Families = {}

    def __repr__(self) -> str:
        return f"<Tally living={len(self._living)}>"

    def told(self, pid: int, families: Families) -> None:
        """Keep the newest counts of a worker."""
        self._living[pid] = families

    def ended(self, pid: int) -> None:
        """Keep a worker's counts, but not what it told of its present."""
        last = self._living.pop(pid, {})
        lasting = {name: replace(family) for name, family in last.items() if not family.momentary}
        self._gone = merged([self._gone, lasting])

    def text(self) -> bytes:
        """The metrics of all, for Prometheus."""
        return exposition(merged([*self._living.values(), self._gone]))
