"""All slots of a server, and every process in them."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .process import WorkerProcess
from .slots import Slot


class ProcessTable:
    """The slots by their numbers, and the workers that have been asked to leave and no longer have a slot."""

    def __init__(self, slots: Sequence[Slot], first_alone: bool) -> None:
        """With ``first_alone`` all slots but one are kept back until :meth:`release` or :meth:`drop_others`."""
        at_once = 1 if first_alone else len(slots)
        self.slots = {slot.number: slot for slot in slots[:at_once]}
        self._others = slots[at_once:]
        self.leaving: list[WorkerProcess] = []

    def __repr__(self) -> str:
        return f"<ProcessTable {list(self.slots.values())} leaving={self.leaving}>"

    def __iter__(self) -> Iterator[WorkerProcess]:
        for slot in self.slots.values():
            yield from filter(None, (slot.current, slot.successor))
        yield from self.leaving

    def ready_states(self) -> list[Mapping[str, Any]] | None:
        """Return what every worker has reported; ``None`` unless all slots have one that is ready."""
        current = [slot.current for slot in self.slots.values()]
        states = [each.state for each in current if each is not None and each.ready]
        return states if len(states) == len(current) else None

    @property
    def in_crash_loop(self) -> bool:
        """Whether no worker serves, and those of all slots have crashed too often in a row."""
        return all(
            slot.in_crash_loop and not (slot.current is not None and slot.current.ready) for slot in self.slots.values()
        )

    def strangers(self, own: Slot | None = None) -> list[socket.socket]:
        """Return the sockets that a process in the slot ``own`` must not keep; one without a slot may keep none."""
        strangers = [each.channel for each in self if each.channel is not None]
        slots = (*self.slots.values(), *self._others)
        return strangers + [held for each in slots if each is not own for held in each.sockets]

    def release(self) -> Sequence[Slot]:
        """Add the slots that were kept back, and return them."""
        others, self._others = self._others, ()
        self.slots |= {slot.number: slot for slot in others}
        return others

    def drop_others(self) -> bool:
        """Close the slots that were kept back, and return whether there were any."""
        others, self._others = self._others, ()
        for slot in others:
            slot.close()
        return bool(others)
