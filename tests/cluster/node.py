"""What the tests of this folder do with a running node: commands in its network, waiting, load."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCRIPT = [sys.executable, str(ROOT / "script" / "cluster.py")]  # script/cluster, with the tests' own Python
BIN = Path(sys.executable).parent
WITHIN_S = 120


class Node:
    """A node that runs. Commands run in its network, with its kubeconfig and this environment's `ks` and `scorekit`."""

    def command(self, *command: str | Path) -> list[str]:
        """The words that run ``command`` where the cluster can be reached."""
        return [*SCRIPT, "shell", "--", *map(str, command)]

    def ran(
        self, *command: str | Path, cwd: Path = ROOT, text: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """What became of a command; both streams are in its ``stdout``."""
        return subprocess.run(
            self.command(*command),
            cwd=cwd,
            env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    def said(self, *command: str | Path, cwd: Path = ROOT, text: str | None = None) -> str:
        """What a command that must succeed prints."""
        done = self.ran(*command, cwd=cwd, text=text)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout

    def kubectl(self, *arguments: str | Path, text: str | None = None) -> str:
        """What kubectl prints; it must succeed."""
        return self.said("kubectl", *arguments, text=text)

    def read(self, *arguments: str) -> Any:
        """An object or a list, as `kubectl get` has it."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def until(self, true: Callable[[], bool], otherwise: Callable[[], str]) -> None:
        """Wait for something that comes by itself."""
        deadline = time.monotonic() + WITHIN_S
        while not true():
            assert time.monotonic() < deadline, otherwise()
            time.sleep(0.2)


class Load:
    """Counting clients of a Service, REST and gRPC, from construction to :meth:`stop`."""

    def __init__(self, node: Node, host: str, http: int, grpc: int, *more: str) -> None:
        words = [sys.executable, "-m", "tests.cluster.load", host, str(http), str(grpc), *more]
        self._process = subprocess.Popen(
            node.command(*words), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def more_than(self, count: int) -> dict[str, Any]:
        """Wait until so many more have been answered of each kind; the counts then."""
        first = self.now()
        while True:
            now = self.now()
            if all(now[kind]["answered"] - first[kind]["answered"] >= count for kind in now):
                return now

    def stop(self) -> dict[str, Any]:
        """Let the clients end their last requests; the counts of all."""
        told, _ = self._process.communicate("", timeout=WITHIN_S)
        assert self._process.returncode == 0
        last: dict[str, Any] = json.loads(told.splitlines()[-1])
        return last

    def now(self) -> dict[str, Any]:
        """The counts up to now."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the load ended by itself with status {self._process.wait()}"
        counts: dict[str, Any] = json.loads(line)
        return counts
