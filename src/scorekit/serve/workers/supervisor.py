"""The process above the workers: it starts them, replaces them, and gathers what they count.

It never predicts and has no threads and no event loop, so that a fork of it is a sound beginning: after one predict in
the parent an OpenMP model hangs in every child (measured with HistGradientBoosting). Each slot has listening sockets of
its own, made and held here: what waits on them while a worker is replaced is taken by its successor (measured: of 40
waiting connections a socket that the worker owned lost 20 at kill -9, a held one none).
"""

import contextlib
import gc
import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from ...errors import SetupError
from ...metrics.exposition import from_plain
from . import channel
from . import start as birth
from .channel import frame
from .process import Process, ended
from .scrapes import Scrapes
from .slots import Renewals, Slot
from .sockets import take_new
from .start import Work

log = logging.getLogger(__name__)

GRACE_S = 20.0
"""How long workers may drain: their own limit and what closing takes."""

STUCK_GRACE_S = 5.0
"""How long a worker whose model hangs may take to tell its callers, or to say where it hangs."""

RETIRE_S = 30.0
"""How long one that has a successor may take to end, beside the longest prediction."""

_AGAIN_S = 1.0  # after which a worker that could not be started at all is tried again
_LATE_S = 5.0  # a supervisor that slept for so much too long was stopped itself, and its workers with it

Ready = Callable[[list[Mapping[str, Any]]], None]
"""Told what each worker said when the last of them was ready for the first time."""


class Supervisor:
    """Keeps a worker in every slot until SIGTERM or SIGINT; SIGHUP replaces each by one that has read everything anew.

    A worker that is replaced on purpose serves until its successor is ready. One that is silent for
    ``predict_timeout_s`` is ended: its event loop is blocked.
    """

    def __init__(
        self, slots: Sequence[Slot], work: Work, ready: Ready, probe_timeout_s: float, predict_timeout_s: float
    ) -> None:
        self._slots = list(slots)
        self._work = work
        self._ready = ready
        self._probe_timeout_s = probe_timeout_s
        self._predict_timeout_s = predict_timeout_s
        self._selector = selectors.DefaultSelector()
        self._leaving: list[Process] = []
        self._renewals = Renewals()
        self._scrapes = Scrapes(self._send)
        self._told_ready = False
        self._stopping: float | None = None
        self._failed: SetupError | None = None

    def __repr__(self) -> str:
        return f"<Supervisor {self._slots} leaving={self._leaving}>"

    def run(self) -> None:
        """Serve. Raises ``SetupError`` when the workers cannot start, or end again and again."""
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        self._selector.register(reader, selectors.EVENT_READ)
        gc.collect()
        gc.freeze()  # what is built by now is not looked at again, so its pages stay shared
        try:
            for slot in self._slots:
                slot.current = self._start(slot, slot.fresh)
                if slot.current is None:
                    raise SetupError("a worker cannot be started; the log says why")
            while any(self._processes()) or (self._stopping is None and not self._failed):
                patience_s = self._patience_s()
                slept = time.monotonic()
                heard = self._selector.select(patience_s)
                if time.monotonic() - slept > patience_s + _LATE_S:
                    self._forgive()
                for key, _ in heard:
                    if key.fileobj is reader:
                        self._signalled(set(reader.recv(4096)))
                    else:
                        self._hear(key.data)
                self._look_after()
        finally:
            signal.set_wakeup_fd(-1)
            for process in self._processes():
                process.signal(signal.SIGKILL)
                os.waitpid(process.pid, 0)
        if self._failed is not None:
            raise self._failed

    def _processes(self) -> Iterator[Process]:
        for slot in self._slots:
            yield from filter(None, (slot.current, slot.successor))
        yield from self._leaving

    # -- starting workers

    def _start(self, slot: Slot, fresh: bool) -> Process | None:
        """A new worker; ``None`` where the system has no more processes, memory or files. The others serve on."""
        process = None
        strangers = [each.channel for each in self._processes() if each.channel is not None]
        strangers += [held for each in self._slots if each is not slot for held in each.sockets]
        try:
            process = Process(slot, fresh)
            if process.channel is not None:
                strangers.append(process.channel)
                self._selector.register(process.channel, selectors.EVENT_READ, process)
            if fresh:
                birth.spawn(process)
            else:
                birth.fork(process, self._work, self._selector.close, strangers)
        except OSError as error:
            log.warning("worker.not_started slot=%d cause=%s", slot.number, error.strerror)
            if process is not None:
                self._hang_up(process)
                process.theirs.close()
            return None
        return process

    def _begin_renewal(self, now: float) -> None:
        found = self._renewals.begin(now) if self._told_ready and self._stopping is None else None
        if found is None:
            return
        number, fresh = found
        slot = next(each for each in self._slots if each.number == number)
        if slot.current is not None and slot.current.ready:
            self._start_successor(slot, fresh or slot.fresh)
            return
        self._renewals.done(slot)
        if slot.current is None:
            slot.fresh = slot.fresh or fresh  # its next worker is a new one anyway
        else:
            slot.postponed = fresh

    def _start_successor(self, slot: Slot, fresh: bool) -> None:
        slot.successor = self._start(slot, fresh)
        if slot.successor is None:
            self._not_renewed(slot, fresh)

    def _not_renewed(self, slot: Slot, fresh: bool) -> None:
        self._renewals.failed(slot, time.monotonic())
        if fresh:
            self._renewals.give_up_reload()

    # -- listening to them

    def _signalled(self, numbers: set[int]) -> None:
        if {signal.SIGTERM, signal.SIGINT} & numbers:
            self._stop()
        elif signal.SIGHUP in numbers:
            log.info("serve.reload workers=%d: each is replaced by one that reads everything anew", len(self._slots))
            for slot in self._slots:
                self._renewals.want(slot, fresh=True)

    def _hear(self, process: Process) -> None:
        frames = process.hear()
        if frames is None:
            self._hang_up(process)
            return
        slot = process.slot
        for kind, payload in frames:
            if kind == channel.STATE:
                self._is_now(process, orjson.loads(payload))
            elif kind == channel.FAMILIES:
                self._scrapes.told(process, from_plain(orjson.loads(payload)))
            elif kind == channel.SCRAPE:
                self._scrapes.ask(process, [each for each in self._processes() if each.ready])
            elif kind == channel.RENEW and process is slot.current and slot.successor is None:
                if self._renewals.want(slot, fresh=False):
                    log.info("worker.renewed slot=%d pid=%d %s", slot.number, process.pid, payload.decode())
            elif kind == channel.STUCK and process is slot.current and self._stopping is None:
                self._let_go(process, STUCK_GRACE_S)
                self._replace_crashed(process, "with a model that does not come back")
        self._scrapes.answer()

    def _is_now(self, process: Process, state: Mapping[str, Any]) -> None:
        process.state, process.since = state, time.monotonic()
        slot = process.slot
        log.debug("worker.%s slot=%d pid=%d", state["state"], slot.number, process.pid)
        if why := process.failed_to_start:
            if not self._told_ready and self._failed is None:
                self._failed = SetupError(why)
                self._stop()
            else:
                log.error("worker.failed slot=%d pid=%d cause=%s", slot.number, process.pid, why)
        elif process.ready and self._told_ready:
            log.info("worker.ready slot=%d pid=%d", slot.number, process.pid)
            if process is slot.successor:
                self._succeed(slot)
            if slot.postponed is not None:
                self._renewals.want(slot, slot.postponed)
                slot.postponed = None
        elif not self._told_ready:
            ready = [each.current.state for each in self._slots if each.current and each.current.ready]
            if len(ready) == len(self._slots):
                self._told_ready = True
                self._ready(ready)

    def _succeed(self, slot: Slot) -> None:
        """The successor serves; the old worker takes no more connections and ends when its last one does."""
        old, slot.current, slot.successor = slot.current, slot.successor, None
        if slot.current is not None:
            slot.fresh = slot.current.fresh
        if old is None or self._stopping is not None:
            self._renewals.done(slot)
            return
        self._let_go(old, self._predict_timeout_s + RETIRE_S)
        self._send(old, frame(channel.RETIRE))

    def _let_go(self, process: Process, grace_s: float) -> None:
        slot = process.slot
        if process is slot.current:
            slot.current, slot.successor = slot.successor, None
        self._leaving.append(process)
        process.kill_at = time.monotonic() + grace_s

    def _send(self, process: Process, data: bytes) -> None:
        if not process.say(data):
            self._hang_up(process)
        elif process.channel is not None:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if process.has_unsent else 0)
            self._selector.modify(process.channel, events, process)

    def _hang_up(self, process: Process) -> None:
        if process.channel is not None:
            self._selector.unregister(process.channel)
            process.channel.close()
            process.channel = None

    # -- looking after them

    def _patience_s(self) -> float:
        """Seconds until something is due even if nothing is heard."""
        now = time.monotonic()
        waits = [60.0]
        waits += [slot.due - now for slot in self._slots if slot.due is not None]
        for process in self._processes():
            if (until := self._until(process)) is not None:
                waits.append(until - now)
        if (due_s := self._renewals.due_s(now)) is not None and self._told_ready:
            waits.append(due_s)
        if (late_s := self._scrapes.late_s(now)) is not None:
            waits.append(late_s)
        if self._stopping is not None:
            waits.append(self._stopping + GRACE_S - now)
        return max(0.0, min(waits)) + 0.005

    def _until(self, process: Process) -> float | None:
        """By when ``process`` must have been heard, or have ended."""
        if process.kill_at is not None:
            return process.kill_at
        if self._stopping is not None:
            return None
        if process.state["state"] == "loaded" and not process.fresh:
            return process.since + self._probe_timeout_s
        return process.beat + self._predict_timeout_s + 1.0 if process.ready else None

    def _look_after(self) -> None:
        now = time.monotonic()
        for process in list(self._processes()):
            if process.has_unsent:
                self._send(process, b"")
            pid, status = os.waitpid(process.pid, os.WNOHANG)
            if pid:
                self._ended(process, os.waitstatus_to_exitcode(status))
            elif (until := self._until(process)) is not None and now >= until:
                self._too_late(process)
        for slot in self._slots:
            if slot.due is not None and now >= slot.due and self._stopping is None:
                slot.current = self._start(slot, slot.fresh)
                slot.due = None if slot.current else now + _AGAIN_S
        self._begin_renewal(now)
        self._scrapes.answer()
        if self._stopping is not None and now - self._stopping > GRACE_S:
            for process in self._processes():
                self._kill(process, f"it did not end within {GRACE_S:g} s")

    def _too_late(self, process: Process) -> None:
        number, pid = process.slot.number, process.pid
        if process.kill_at is not None:
            self._kill(process, "it did not end by itself")
            process.kill_at = float("inf")
        elif process.ready:
            log.error(
                "worker.hung slot=%d pid=%d: not heard for %g s, so its model has blocked it; where it is follows",
                number,
                pid,
                self._predict_timeout_s,
            )
            process.signal(signal.SIGABRT)  # has it print what every thread is at
            process.kill_at = time.monotonic() + STUCK_GRACE_S
        else:
            log.warning(
                "worker.stuck slot=%d pid=%d: no first prediction within %g s, as when a library's threads do not "
                "outlive a fork; it is started again in a fresh interpreter",
                number,
                pid,
                self._probe_timeout_s,
            )
            process.signal(signal.SIGKILL)
            os.waitpid(pid, 0)
            self._forget(process)
            process.slot.fresh = True
            if process is process.slot.current:
                process.slot.current, process.slot.due = None, time.monotonic()
            else:
                self._start_successor(process.slot, fresh=True)

    def _forgive(self) -> None:
        """Nobody has been silent: this process was stopped, and with it most likely all."""
        for process in self._processes():
            process.beat = time.monotonic()

    def _kill(self, process: Process, why: str) -> None:
        log.warning("worker.killed slot=%d pid=%d: %s", process.slot.number, process.pid, why)
        process.signal(signal.SIGKILL)

    def _forget(self, process: Process) -> None:
        self._hear(process)  # what it said last
        self._hang_up(process)
        self._scrapes.ended(process)

    def _ended(self, process: Process, code: int) -> None:
        self._forget(process)
        slot, pid, how = process.slot, process.pid, ended(code)
        if process in self._leaving:
            self._leaving.remove(process)
            self._renewals.done(slot)
            log.log(logging.WARNING if code else logging.INFO, "worker.left slot=%d pid=%d %s", slot.number, pid, how)
        elif process is slot.successor:
            slot.successor = None
            self._not_renewed(slot, process.fresh)
            log.error("worker.not_renewed slot=%d pid=%d ended %s; the old one serves on", slot.number, pid, how)
        else:
            slot.current, slot.successor = slot.successor, None
            if slot.current is not None:
                self._renewals.done(slot)
            if self._stopping is not None:
                if code not in (0, -signal.SIGTERM):  # one that still loads has nothing to drain
                    log.warning("worker.ended slot=%d pid=%d %s", slot.number, pid, how)
            elif not self._told_ready:
                was = _DURING.get(str(process.state["state"]), "before it was ready")
                self._failed = SetupError(f"the worker ended {how} {was}")
                self._stop()
            else:
                self._replace_crashed(process, how)

    def _replace_crashed(self, process: Process, how: str) -> None:
        slot = process.slot
        for held in slot.sockets:
            take_new(held)  # one that was told to end by somebody else has shut the door behind it
        pause_s = slot.crashed(process, time.monotonic())
        if slot.current is not None:
            slot.due = None  # its successor has begun already
        if pause_s is None:
            self._failed = SetupError(f"the worker in slot {slot.number} ended {how}, {slot.failures} times in a row")
            self._stop()
        else:
            pid = process.pid
            log.error("worker.ended slot=%d pid=%d %s; the next one starts in %g s", slot.number, pid, how, pause_s)

    def _stop(self) -> None:
        if self._stopping is not None:
            return
        self._stopping = time.monotonic()
        for process in self._processes():
            process.signal(signal.SIGTERM)
        for slot in self._slots:
            slot.due = None
            for held in slot.sockets:
                with contextlib.suppress(OSError):
                    held.close()  # a worker's own are now the last, and end what comes in when it closes them


_DURING = {"starting": "while it loaded the model", "loaded": "during its first prediction"}
