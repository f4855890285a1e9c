"""The process above the workers: it starts them, starts them again, and gathers what they count.

It never predicts and has no threads and no event loop, so that a fork of it is a sound beginning: after one predict in
the parent an OpenMP model hangs in every child (measured with HistGradientBoosting). Each slot has listening sockets of
its own, made and held here: what waits on them while a worker is replaced is taken by its successor (measured: of 40
waiting connections a socket that the worker owned lost 20 at kill -9, a held one none).
"""

import atexit
import contextlib
import gc
import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from ..errors import SetupError
from ..exposition import from_plain
from ..settings import ENV_WORKER
from . import channel
from .channel import Frames, frame, say
from .tally import Tally

log = logging.getLogger(__name__)

GRACE_S = 20.0
"""How long workers may drain: their own limit and what closing takes."""

_SCRAPE_S = 0.5  # how long a worker may take to tell its counts; then its last ones stand

# A worker that ends sooner than this after it began has failed to start; so many in a row are a crash loop.
_LIVED_S = 10.0
_MAX_FAILURES = 5

Work = Callable[[list[socket.socket], socket.socket], None]
"""What a worker does, given its listening sockets and its end of the channel."""

Ready = Callable[[list[Mapping[str, Any]]], None]
"""Told what each worker said when the last of them was ready for the first time."""


class Slot:
    """A place for one worker, and the listening sockets that stay when workers come and go."""

    def __init__(self, number: int, sockets: list[socket.socket]) -> None:
        self.number = number
        self.sockets = sockets
        self.pid = 0
        self.channel: socket.socket | None = None
        self.frames = Frames()
        self.state: Mapping[str, Any] = {}
        self.since = 0.0
        """When the state began."""
        self.began = 0.0
        self.fresh = False
        """Whether its worker is an interpreter of its own, not a fork."""
        self.failures = 0
        self.due: float | None = None
        """When to start its next worker."""
        self.outgoing = b""

    def __repr__(self) -> str:
        return f"<Slot {self.number} pid={self.pid} {self.state.get('state', 'empty')}>"

    @property
    def ready(self) -> bool:
        return self.state.get("state") == "ready"


class Supervisor:
    """Keeps a worker in every slot until SIGTERM or SIGINT."""

    def __init__(self, slots: Sequence[Slot], work: Work, ready: Ready, probe_timeout_s: float) -> None:
        self._slots = list(slots)
        self._work = work
        self._ready = ready
        self._probe_timeout_s = probe_timeout_s
        self._selector = selectors.DefaultSelector()
        self._tally = Tally()
        self._told_ready = False
        self._stopping: float | None = None
        self._failed: SetupError | None = None
        self._scrapers: list[Slot] = []
        self._missing: set[int] = set()
        self._scraped = 0.0

    def __repr__(self) -> str:
        return f"<Supervisor {self._slots}>"

    def run(self) -> None:
        """Serve. Raises ``SetupError`` when the workers cannot start, or end again and again."""
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self._selector.register(reader, selectors.EVENT_READ)
        gc.collect()
        gc.freeze()  # what is built by now is not looked at again, so its pages stay shared
        try:
            for slot in self._slots:
                self._fork(slot)
            while any(slot.pid for slot in self._slots) or (self._stopping is None and not self._failed):
                for key, _ in self._selector.select(self._patience()):
                    if key.fileobj is reader:
                        if {signal.SIGTERM, signal.SIGINT} & set(reader.recv(4096)):
                            self._stop()
                    else:
                        self._hear(key.data)
                self._look_after()
        finally:
            signal.set_wakeup_fd(-1)
            for slot in self._slots:
                if slot.pid:
                    os.kill(slot.pid, signal.SIGKILL)
                    os.waitpid(slot.pid, 0)
        if self._failed is not None:
            raise self._failed

    # -- starting workers

    def _fork(self, slot: Slot) -> None:
        theirs = self._opened(slot)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        slot.pid = os.fork()
        if slot.pid == 0:
            self._become_worker(slot, theirs)
        theirs.close()

    def _spawn(self, slot: Slot) -> None:
        """Start a worker by the command this process was started with, in an interpreter that inherits no state."""
        theirs = self._opened(slot)
        inherited = [theirs, *slot.sockets]
        for each in inherited:
            each.set_inheritable(True)
        told = json.dumps({"channel": theirs.fileno(), "sockets": [each.fileno() for each in slot.sockets]})
        slot.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, *sys.orig_argv[1:]],
            {**os.environ, ENV_WORKER: told},
            setsigdef=[signal.SIGTERM, signal.SIGINT],
        )
        for each in inherited:
            each.set_inheritable(False)
        theirs.close()
        slot.fresh = True

    def _opened(self, slot: Slot) -> socket.socket:
        """A channel to a worker to be. Returns its end."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        slot.channel, slot.frames, slot.outgoing = ours, Frames(), b""
        slot.state, slot.due = {"state": "starting"}, None
        slot.began = slot.since = time.monotonic()
        self._selector.register(ours, selectors.EVENT_READ, slot)
        return theirs

    def _become_worker(self, slot: Slot, theirs: socket.socket) -> None:
        """Never returns."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            self._selector.close()
            for each in self._slots:
                if each.channel is not None:
                    each.channel.close()
                if each is not slot:
                    for held in each.sockets:
                        held.close()
            status = entered(self._work, slot.sockets, theirs)
        finally:
            with contextlib.suppress(Exception):  # as an interpreter does at its end
                atexit._run_exitfuncs()
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    # -- listening to them

    def _hear(self, slot: Slot) -> None:
        if slot.channel is None:
            return
        try:
            data = slot.channel.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(slot)
            return
        for kind, payload in slot.frames.feed(data):
            if kind == channel.STATE:
                self._is_now(slot, orjson.loads(payload))
            elif kind == channel.FAMILIES:
                self._tally.told(slot.pid, from_plain(orjson.loads(payload)))
                self._missing.discard(slot.pid)
            elif kind == channel.SCRAPE:
                self._scrape(slot)
        self._answer_scrapes()

    def _is_now(self, slot: Slot, state: Mapping[str, Any]) -> None:
        slot.state, slot.since = state, time.monotonic()
        log.debug("worker.%s slot=%d pid=%d", state["state"], slot.number, slot.pid)
        if state["state"] == "failed":
            if not self._told_ready and self._failed is None:
                self._failed = SetupError(state["why"])
                self._stop()
            else:
                log.error("worker.failed slot=%d pid=%d cause=%s", slot.number, slot.pid, state["why"])
        elif slot.ready and self._told_ready:
            log.info("worker.ready slot=%d pid=%d", slot.number, slot.pid)
        elif all(each.ready for each in self._slots):
            self._told_ready = True
            self._ready([each.state for each in self._slots])

    def _scrape(self, slot: Slot) -> None:
        if not self._scrapers:
            self._scraped = time.monotonic()
            self._missing = {each.pid for each in self._slots if each.ready}
            for each in self._slots:
                if each.ready:
                    self._send(each, frame(channel.COUNT))
        self._scrapers.append(slot)

    def _answer_scrapes(self) -> None:
        late = time.monotonic() - self._scraped > _SCRAPE_S
        if self._scrapers and (late or not self._missing):
            text = frame(channel.TEXT, self._tally.text())
            for slot in {id(each): each for each in self._scrapers}.values():
                self._send(slot, text)
            self._scrapers.clear()

    def _send(self, slot: Slot, data: bytes) -> None:
        """Send what the worker takes at once; a worker that takes nothing in is not waited for."""
        if slot.channel is None:
            return
        slot.outgoing += data
        try:
            while slot.outgoing:
                slot.outgoing = slot.outgoing[slot.channel.send(slot.outgoing) :]
        except BlockingIOError:
            self._selector.modify(slot.channel, selectors.EVENT_READ | selectors.EVENT_WRITE, slot)
        except OSError:
            self._hang_up(slot)
        else:
            self._selector.modify(slot.channel, selectors.EVENT_READ, slot)

    def _hang_up(self, slot: Slot) -> None:
        if slot.channel is not None:
            self._selector.unregister(slot.channel)
            slot.channel.close()
            slot.channel = None

    # -- looking after them

    def _patience(self) -> float:
        """Seconds until something is due even if nothing is heard."""
        now = time.monotonic()
        waits = [60.0]
        waits += [max(0.0, slot.due - now) for slot in self._slots if slot.due is not None]
        waits += [
            max(0.0, slot.since + self._probe_timeout_s - now)
            for slot in self._slots
            if slot.state.get("state") == "loaded" and not slot.fresh
        ]
        if self._scrapers:
            waits.append(max(0.0, self._scraped + _SCRAPE_S - now) + 0.01)
        if self._stopping is not None:
            waits.append(max(0.0, self._stopping + GRACE_S - now))
        return min(waits)

    def _look_after(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.outgoing:
                self._send(slot, b"")
            if slot.pid:
                pid, status = os.waitpid(slot.pid, os.WNOHANG)
                if pid:
                    self._ended(slot, os.waitstatus_to_exitcode(status))
            if slot.pid and slot.state.get("state") == "loaded" and not slot.fresh and self._stopping is None:
                if now - slot.since >= self._probe_timeout_s:
                    log.warning(
                        "worker.stuck slot=%d pid=%d: no first prediction within %g s, as when a library's threads do "
                        "not outlive a fork; it is started again in a fresh interpreter",
                        slot.number,
                        slot.pid,
                        self._probe_timeout_s,
                    )
                    self._replace(slot)
            elif slot.due is not None and now >= slot.due and self._stopping is None:
                (self._spawn if slot.fresh else self._fork)(slot)
        self._answer_scrapes()
        if self._stopping is not None and now - self._stopping > GRACE_S:
            for slot in self._slots:
                if slot.pid:
                    log.warning(
                        "worker.killed slot=%d pid=%d: it did not end within %g s", slot.number, slot.pid, GRACE_S
                    )
                    os.kill(slot.pid, signal.SIGKILL)

    def _replace(self, slot: Slot) -> None:
        os.kill(slot.pid, signal.SIGKILL)
        os.waitpid(slot.pid, 0)
        self._forget(slot)
        self._spawn(slot)

    def _forget(self, slot: Slot) -> None:
        while slot.channel is not None:  # what it said last
            before = slot.channel
            self._hear(slot)
            if slot.channel is before:
                break
        self._hang_up(slot)
        self._tally.ended(slot.pid)
        self._missing.discard(slot.pid)
        self._scrapers = [each for each in self._scrapers if each is not slot]
        slot.pid, slot.outgoing = 0, b""

    def _ended(self, slot: Slot, code: int) -> None:
        pid, how = slot.pid, _how(code)
        self._forget(slot)
        was, slot.state = slot.state.get("state"), {}
        if self._stopping is not None:
            if code not in (0, -signal.SIGTERM):  # one that still loads has nothing to drain, and ends by the signal
                log.warning("worker.ended slot=%d pid=%d %s", slot.number, pid, how)
            return
        if not self._told_ready:
            self._failed = SetupError(f"the worker ended {how} {_DURING.get(str(was), 'before it was ready')}")
            self._stop()
            return
        slot.failures = slot.failures + 1 if time.monotonic() - slot.began < _LIVED_S else 0
        if slot.failures >= _MAX_FAILURES:
            self._failed = SetupError(f"the worker in slot {slot.number} ended {how}, {slot.failures} times in a row")
            self._stop()
            return
        delay = 0.0 if slot.failures < 2 else 0.1 * 2 ** (slot.failures - 2)
        log.error("worker.ended slot=%d pid=%d %s; the next one starts in %g s", slot.number, pid, how, delay)
        slot.due = time.monotonic() + delay

    def _stop(self) -> None:
        if self._stopping is not None:
            return
        self._stopping = time.monotonic()
        for slot in self._slots:
            slot.due = None
            if slot.pid:
                os.kill(slot.pid, signal.SIGTERM)
            for held in slot.sockets:
                held.close()  # a worker's own are now the last, and end what comes in when it closes them


_DURING = {"starting": "while it loaded the model", "loaded": "during its first prediction"}


def _how(code: int) -> str:
    if code >= 0:
        return f"with status {code}"
    name = signal.Signals(-code).name
    return f"by {name}" + (", as when memory runs out" if name == "SIGKILL" else "")


def entered(work: Work, sockets: list[socket.socket], supervisor: socket.socket) -> int:
    """Do a worker's work. Returns its exit status; why it could not start is told to the supervisor."""
    try:
        work(sockets, supervisor)
    except SetupError as error:
        with contextlib.suppress(OSError):
            say(supervisor, "failed", why=str(error))
        return 1
    except Exception:
        # The outermost handler of this process.
        log.exception("worker.crashed")
        return 1
    return 0
