"""The output of a child process is read, it is restarted after a pause, and stopped with all it has started."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scorekit.errors import SetupError
from scorekit.local.processes import ChildProcess, Command, RestartBackoff

pytestmark = pytest.mark.e2e


def command(source: str, name: str = "child") -> Command:
    return Command(name, [sys.executable, "-u", "-c", source], dict(os.environ), Path.cwd())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z" if Path("/proc").exists() else True


def test_pauses_double_up_to_a_limit_and_start_again() -> None:
    """Pauses grow while a process exits at once each time, and are short again after it has lived for a while."""
    backoff = RestartBackoff(first_s=1, most_s=5, stable_s=30)
    assert [backoff.after(0) for _ in range(4)] == [1, 2, 4, 5]
    assert backoff.after(31) == 1


def test_lines_get_the_name_of_their_process() -> None:
    """Both streams of a child are read line by line, and the last line is kept for the error message."""
    said: list[str] = []

    async def run() -> tuple[int, str]:
        source = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"
        child = await ChildProcess.start(command(source), said.append)
        return await child.ended(), child.why(3)

    assert asyncio.run(run()) == (3, "two")
    assert said == ["child: one", "child: two"]


def test_a_line_of_megabytes_is_skipped() -> None:
    """A child that writes megabytes without a line end is read further."""

    async def run() -> str:
        child = await ChildProcess.start(command("print('x' * 5_000_000); print('end')"), lambda line: None)
        return child.why(await child.ended())

    assert asyncio.run(run()) == "end"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import os; print('loading'); os.kill(os.getpid(), 9)", "it was killed by signal 9"),
        ("print('scorekit: no model'); print('bye'); raise SystemExit(1)", "no model"),
        ("raise SystemExit(7)", "it ended with status 7"),
    ],
)
def test_the_reason_of_an_exit_is_the_most_specific_one(source: str, why: str) -> None:
    """The signal comes first, then the error message of a scorekit command, then the last line, then the status."""

    async def run() -> str:
        child = await ChildProcess.start(command(source), lambda line: None)
        return child.why(await child.ended())

    assert asyncio.run(run()) == why


def test_stop_ends_what_the_child_started() -> None:
    """Stopping a child stops its own children too, even one that ignores SIGTERM."""
    said: list[str] = []
    grandchild = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    start = f"p = subprocess.Popen([sys.executable, '-c', {grandchild!r}])"
    source = f"import subprocess, sys, time; {start}; print(p.pid); time.sleep(60)"

    async def run() -> None:
        child = await ChildProcess.start(command(source), said.append)
        while len(said) < 2:
            await asyncio.sleep(0.01)
        await child.stop(grace_s=5)

    asyncio.run(run())
    pid = next(int(line.split()[1]) for line in said if line != "child: up")
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)


def test_a_child_that_ignores_sigterm_is_killed() -> None:
    """A child that ignores SIGTERM gets SIGKILL after the grace time, and a line says so."""
    said: list[str] = []
    source = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"

    async def run() -> int:
        child = await ChildProcess.start(command(source), said.append)
        while not said:
            await asyncio.sleep(0.01)
        await child.stop(grace_s=0.2)
        return await child.ended()

    assert asyncio.run(run()) == -signal.SIGKILL
    assert "child: still running 0.2 s after SIGTERM; killed" in said


def test_a_command_that_cannot_be_started_is_an_error() -> None:
    """The error names the command and the system's reason."""
    with pytest.raises(SetupError, match=r"envoy could not be started: .*No such file"):
        asyncio.run(ChildProcess.start(Command("envoy", ["/nowhere/envoy"], {}, Path.cwd()), print))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_children_do_not_outlive_a_parent_that_is_killed() -> None:
    """A child exits when its parent is killed, even by SIGKILL."""
    parent = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from scorekit.local.processes import ChildProcess, Command\n"
        "async def run():\n"
        "    argv = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "    child = await ChildProcess.start(Command('child', argv, {}, Path.cwd()), print)\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(run())\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.kill()
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)
