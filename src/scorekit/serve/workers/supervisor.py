"""The process above the workers: it starts them, replaces them, and adds up what they count.

It imports and builds nothing of the user's, and it has no threads and no event loop, so that a fork of it is a clean
start for a worker: an OpenMP model of the parent hangs in every child (measured with LightGBM, XGBoost and
HistGradientBoosting).

The states of a worker, as it reports them, and what ends each of them too early:

     starting ──constructor──▶ built ──load()──▶ loaded ──first prediction──▶ probed ──listens──▶ ready ──▶ exits
         │                       │                 │                            │                   │
         │                       │                 │ PROBE_TIMEOUT_S: a line    │                   │ PREDICT_TIMEOUT_S
         │                       │                 │ in the log                 │                   ▼ without a frame
         │                       │                 │                            │                SIGABRT, then SIGKILL
         └───────────────────────┴─────── exits ───┴────────────────────────────┴───────────────────┘

SIGABRT prints every stack. The first worker that is built says whether the component has a ``custom_service()``, and
whether it learns from feedback. Then it stays the only one, unless the user has set the number of workers.

What follows the exit of a worker depends on what it was:

    the only worker of its slot
        before all were ready once     the server exits with an error that says why
        otherwise: a crash             the next one starts, after a growing pause; if all slots crash, the server ends
    the successor of another one       the old one serves on; if it was a reload, no other worker is reloaded
    one that was asked to leave        its slot is free for the next replacement

A worker whose model hangs while its event loop lives says STUCK: it leaves like one that was asked to, and counts as a
crash at once.

A replacement on purpose (SIGHUP, ``--max-requests``, ``--max-rss-mb``) starts the successor first:

    slot.current    A ready ─────────────────────────────┬▶ RETIRE ▶ A leaves: drains, exits
    slot.successor        └▶ B starting ─▶ … ─▶ B ready ─┴▶ slot.current

Both have the slot's listening sockets, so at every moment somebody accepts connections. The next slot begins when the
old worker of this one has exited, so at most one model is in memory twice. SIGTERM or SIGINT: every worker gets SIGTERM
and drains; after 20 s SIGKILL follows.
"""

import gc
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from ...errors import SetupError
from ...metrics import from_plain
from ..limits.periodic import run_turns
from ..observe.lossy_output import flush_outputs
from . import channel
from .channel import frame
from .custom_service import CustomService
from .deadlines import AGAIN_S, GRACE_S, LATE_S, RETIRE_S, STUCK_GRACE_S, Deadlines, seconds_until
from .launch import Launcher, Work
from .process import WorkerProcess, exit_words
from .process_table import ProcessTable
from .scrapes import Scrapes
from .slots import ReplacementQueue, Slot
from .supervisor_channels import SupervisorChannels

log = logging.getLogger(__name__)

Ready = Callable[[list[Mapping[str, Any]]], None]
"""Called once all workers are ready for the first time, with the state that each has reported."""


class Supervisor:
    """Keeps a worker in every slot until SIGTERM or SIGINT; SIGHUP replaces each by one that reads everything again."""

    def __init__(
        self, table: ProcessTable, work: Work, ready: Ready, deadlines: Deadlines, *, custom_service: CustomService
    ) -> None:
        self._table = table
        self._custom_service = custom_service
        self._ready = ready
        self._deadlines = deadlines
        self._channels = SupervisorChannels()
        self._launcher = Launcher(work, self._channels)
        self._replacements = ReplacementQueue()
        self._scrapes = Scrapes(self._channels.send)
        self._was_built = self._was_ready = False
        self._stopping_since: float | None = None
        self._error: SetupError | None = None

    def __repr__(self) -> str:
        return f"<Supervisor {self._table!r}>"

    def run(self) -> None:
        """Serve. Raises ``SetupError`` if the workers cannot start, or crash again and again."""
        with self._channels.signals(signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
            # The garbage collector writes into the objects it visits, and forks do not share a page that is written to.
            gc.collect()
            gc.freeze()
            try:
                for slot in self._table.slots.values():
                    slot.current = self._start(slot)
                    if slot.current is None:
                        raise SetupError("a worker cannot be started; the log says why")
                run_turns({"events": self._wait, "checks": self._check, "log": flush_outputs}, self._has_work)
            finally:
                for process in self._table:
                    process.signal(signal.SIGKILL)
                    os.waitpid(process.pid, 0)
        if self._error is not None:
            raise self._error

    def _has_work(self) -> bool:
        if self._stopping_since is not None and time.monotonic() - self._stopping_since > 2 * GRACE_S:
            return False  # the checks that should have killed the workers fail; run() does it
        return any(self._table) or (self._stopping_since is None and not self._error)

    def _start(self, slot: Slot, reload: bool = False) -> WorkerProcess | None:
        """Return a new worker; ``None`` if the system has no more processes, memory or files. The others serve on."""
        return self._launcher.start(slot, reload, self._table.strangers(slot))

    def _first_built(self, facts: Mapping[str, Any]) -> None:
        self._was_built = True
        if facts["custom_service"]:
            self._custom_service.start(lambda body: self._launcher.start_beside(body, self._table.strangers()))
        if not facts["learns"]:
            for slot in self._table.release():
                slot.due = time.monotonic()
        elif self._table.drop_others():
            log.warning(
                "workers.one reason=the component has send_feedback(), and workers do not share what they learn"
            )

    def _begin_replacement(self, now: float) -> None:
        turn = self._replacements.begin(now) if self._was_ready and self._stopping_since is None else None
        if turn is None:
            return
        slot, reload = self._table.slots[turn[0]], turn[1]
        if slot.current is not None and slot.current.ready:
            self._start_successor(slot, reload)
            return
        self._replacements.done(slot.number)
        if slot.current is not None:  # otherwise its next worker reads everything again anyway
            slot.postponed = reload

    def _start_successor(self, slot: Slot, reload: bool) -> None:
        slot.successor = self._start(slot, reload)
        if slot.successor is None:
            self._not_replaced(slot, reload)

    def _not_replaced(self, slot: Slot, reload: bool) -> None:
        self._replacements.failed(slot.number, time.monotonic())
        if reload:
            self._replacements.cancel_reload()

    def _wait(self) -> None:
        """Wait for the next signal or frame, or until a deadline, and act on what has arrived."""
        timeout_s = self._next_deadline_s()
        before = time.monotonic()
        events = self._channels.wait(timeout_s)
        if time.monotonic() - before > timeout_s + LATE_S:
            # This process was stopped (SIGSTOP, a laptop's lid), and most likely all workers too: none has been silent.
            for process in self._table:
                process.heard_at = time.monotonic()
        for sender in events:
            if sender is None:
                self._signalled(self._channels.received_signals())
            else:
                self._receive(sender)

    def _signalled(self, numbers: set[int]) -> None:
        if {signal.SIGTERM, signal.SIGINT} & numbers:
            self._stop()
        elif signal.SIGHUP in numbers:
            workers, reads = len(self._table.slots), self._launcher.work.reads
            log.info("serve.reload workers=%d: each is replaced; the new one reads %s", workers, reads)
            for number in range(workers):
                self._replacements.request(number, reload=True)

    def _receive(self, process: WorkerProcess) -> None:
        frames = process.receive()
        if frames is None:
            self._channels.hang_up(process)
            return
        slot = self._table.slots[process.slot]
        for kind, payload in frames:
            if kind == channel.STATE:
                self._state_changed(process, orjson.loads(payload))
            elif kind == channel.FAMILIES:
                self._scrapes.received(process, from_plain(orjson.loads(payload)))
            elif kind == channel.SCRAPE:
                self._scrapes.request(process, [each for each in self._table if each.ready])
            elif kind == channel.RENEW and process is slot.current and slot.successor is None:
                if self._replacements.request(slot.number, reload=False):
                    log.info("worker.renewed slot=%d pid=%d %s", slot.number, process.pid, payload.decode())
            elif kind == channel.STUCK and process is slot.current and self._stopping_since is None:
                process.hung_s = self._deadlines.predict_timeout_s
                self._let_leave(process, STUCK_GRACE_S)
                self._replace_crashed(process, "because its model hangs")
        self._scrapes.answer()

    def _state_changed(self, process: WorkerProcess, state: Mapping[str, Any]) -> None:
        process.state, process.since = state, time.monotonic()
        slot = self._table.slots[process.slot]
        log.debug("worker.%s slot=%d pid=%d", state["state"], slot.number, process.pid)
        if why := process.start_error:
            if not self._was_ready and self._error is None:
                self._error = SetupError(why)
                self._stop()
            else:
                log.error("worker.failed slot=%d pid=%d cause=%s", slot.number, process.pid, why)
        elif state["state"] == "built" and not self._was_built and self._stopping_since is None:
            self._first_built(state)
        elif process.ready and self._was_ready:
            log.info("worker.ready slot=%d pid=%d", slot.number, process.pid)
            if process is slot.successor:
                self._succeed(slot)
            if slot.postponed is not None:
                self._replacements.request(slot.number, slot.postponed)
                slot.postponed = None
        elif not self._was_ready:
            states = self._table.ready_states()
            if states is not None:
                self._was_ready = True
                self._ready(states)

    def _succeed(self, slot: Slot) -> None:
        """Make the successor the current worker, and ask the old one to leave."""
        old, slot.current, slot.successor = slot.current, slot.successor, None
        if old is None or self._stopping_since is not None:
            self._replacements.done(slot.number)
            return
        self._let_leave(old, self._deadlines.predict_timeout_s + RETIRE_S)
        self._channels.send(old, frame(channel.RETIRE))

    def _let_leave(self, process: WorkerProcess, grace_s: float) -> None:
        slot = self._table.slots[process.slot]
        if process is slot.current:
            slot.current, slot.successor = slot.successor, None
        self._table.leaving.append(process)
        process.kill_at = time.monotonic() + grace_s

    def _next_deadline_s(self) -> float:
        """Return the seconds until something is due even if nothing arrives."""
        now = time.monotonic()
        stopping = self._stopping_since is not None
        times = [slot.due for slot in self._table.slots.values()]
        times += [self._deadlines.of(process, stopping) for process in self._table]
        if (due_s := self._replacements.due_s(now)) is not None and self._was_ready:
            times.append(now + due_s)
        if (due_s := self._scrapes.due_s(now)) is not None:
            times.append(now + due_s)
        if self._stopping_since is not None:
            times.append(self._stopping_since + GRACE_S)
        return seconds_until(now, times)

    def _check(self) -> None:
        """Reap workers that have exited, enforce deadlines, and start what is due."""
        now = time.monotonic()
        for process in list(self._table):
            if process.has_unsent:
                self._channels.send(process, b"")
            pid, status = os.waitpid(process.pid, os.WNOHANG)
            if pid:
                self._exited(process, os.waitstatus_to_exitcode(status))
                continue
            deadline = self._deadlines.of(process, self._stopping_since is not None)
            if deadline is not None and now >= deadline:
                self._too_late(process)
        for slot in self._table.slots.values():
            if slot.due is not None and now >= slot.due and self._stopping_since is None:
                slot.current = self._start(slot)
                slot.due = None if slot.current else now + AGAIN_S
        self._begin_replacement(now)
        self._scrapes.answer()
        if self._stopping_since is not None and now - self._stopping_since > GRACE_S:
            for process in self._table:
                self._kill(process, f"it did not exit within {GRACE_S:g} s")

    def _too_late(self, process: WorkerProcess) -> None:
        number, pid, timeouts = process.slot, process.pid, self._deadlines
        if process.kill_at is not None:
            self._kill(process, "it did not exit by itself")
            process.kill_at = float("inf")
        elif process.ready:
            log.error(
                "worker.hung slot=%d pid=%d: no heartbeat for %g s, its model blocks the event loop; stacks follow",
                *(number, pid, timeouts.predict_timeout_s),
            )
            process.hung_s = timeouts.predict_timeout_s
            process.signal(signal.SIGABRT)  # faulthandler prints the stack of every thread
            process.kill_at = time.monotonic() + STUCK_GRACE_S
        else:
            text = "worker.slow slot=%d pid=%d: no first prediction within %g s; it is not ready before that"
            log.warning(text, number, pid, timeouts.probe_timeout_s)
            process.reported_slow = True

    def _kill(self, process: WorkerProcess, why: str) -> None:
        log.warning("worker.killed slot=%d pid=%d: %s", process.slot, process.pid, why)
        process.signal(signal.SIGKILL)

    def _forget(self, process: WorkerProcess) -> None:
        self._receive(process)  # what it has sent last
        self._channels.hang_up(process)
        self._scrapes.ended(process)

    def _exited(self, process: WorkerProcess, code: int) -> None:
        self._forget(process)
        slot, pid, how = self._table.slots[process.slot], process.pid, exit_words(code)
        if process in self._table.leaving:
            self._table.leaving.remove(process)
            self._replacements.done(slot.number)
            log.log(logging.WARNING if code else logging.INFO, "worker.left slot=%d pid=%d %s", slot.number, pid, how)
        elif process is slot.successor:
            slot.successor = None
            self._not_replaced(slot, process.reload)
            log.error("worker.not_renewed slot=%d pid=%d ended %s; the old worker serves on", slot.number, pid, how)
        else:
            slot.current, slot.successor = slot.successor, None
            if slot.current is not None:
                self._replacements.done(slot.number)
            if self._stopping_since is not None:
                if code not in (0, -signal.SIGTERM) and not process.start_error:  # one that loads has nothing to drain
                    log.warning("worker.ended slot=%d pid=%d %s", slot.number, pid, how)
            elif not self._was_ready:
                self._error = SetupError(f"the worker ended {how} {process.start_step}")
                self._stop()
            else:
                self._replace_crashed(process, how)

    def _replace_crashed(self, process: WorkerProcess, how: str) -> None:
        slot = self._table.slots[process.slot]
        slot.accept_connections()  # a worker that somebody else has stopped may have made the kernel drop them
        pause_s = slot.crashed(process, time.monotonic())
        if slot.current is not None:
            slot.due = None  # its successor has been started already
        if self._table.in_crash_loop:
            self._error = SetupError(f"the worker in slot {slot.number} ended {how}, {slot.failures} times in a row")
            self._stop()
        else:
            text = "worker.ended slot=%d pid=%d %s; the next one starts in %g s"
            log.error(text, slot.number, process.pid, how, pause_s)

    def _stop(self) -> None:
        if self._stopping_since is not None:
            return
        self._stopping_since = time.monotonic()
        for process in self._table:
            process.signal(signal.SIGTERM)
        for slot in self._table.slots.values():
            slot.due = None
            slot.close()  # the worker has the last copy then: when it closes that, new connections are refused
