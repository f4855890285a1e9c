"""Commands that are started with a closed or full standard output or error."""

import subprocess
import sys

import pytest

REPLACED = """
import os, sys
from scorekit.cli.streams import open_missing_streams
open_missing_streams()
sys.stdout.write("x"); sys.stdout.flush(); sys.stderr.write("x"); sys.stderr.flush()
sys.exit([os.path.realpath(f"/proc/self/fd/{each}") for each in range(3)].count("/dev/null"))
"""


def run(redirection: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with ``arguments`` below a shell that redirects its streams."""
    command = ["/bin/sh", "-c", f'exec "$0" "$@" {redirection}', sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.PIPE)


@pytest.mark.parametrize(("redirection", "closed"), [("", 0), (">&-", 1), ("2>&-", 1), (">&- 2>&-", 2), ("<&- >&-", 2)])
def test_closed_streams_are_replaced(redirection: str, closed: int) -> None:
    """Each closed stream becomes /dev/null, and no other file or socket takes its number."""
    assert run(redirection, "-c", REPLACED).returncode == closed


def test_a_full_disk_behind_the_output_is_one_sentence() -> None:
    """A command whose output cannot be written says so and exits with 1; one that prints nothing is not concerned."""
    ran = run(">/dev/full", "-m", "scorekit", "--version")
    assert "Traceback" not in ran.stderr
    ran = run(">/dev/full", "-m", "scorekit", "serve", "--explain", ".")
    assert (ran.returncode, ran.stderr) == (1, "scorekit: the output cannot be written: no space left\n")
