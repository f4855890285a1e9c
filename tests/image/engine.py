"""Commands, containers and builds with a real engine, for the tests of this folder."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WITHIN_S = 120
HARDENED = [
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges", "--user", "12345:0"),
]
"""Flags of a careful cluster: nothing writable but /tmp, no rights, an unknown user id."""


def output_of(*command: str | Path, cwd: Path = ROOT, text: str | None = None) -> str:
    """Runs a command that must succeed; returns what it prints on both streams."""
    done = ran(*command, cwd=cwd, text=text)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def ran(*command: str | Path, cwd: Path = ROOT, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=cwd,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
        errors="replace",
    )


def inspected(image: str) -> Any:
    return json.loads(output_of("docker", "image", "inspect", image))[0]


def until(true: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.05)


class Container:
    """A running container of ``image``, with its ports published on free ports of this machine."""

    def __init__(self, image: str, *flags: str, command: Sequence[str] = ()) -> None:
        published = [flag for port in (5000, 9000, 6000) for flag in ("-p", f"127.0.0.1::{port}")]
        self.id = output_of("docker", "run", "--detach", *published, *flags, image, *command).split()[-1]

    @property
    def state(self) -> Any:
        return json.loads(output_of("docker", "inspect", self.id))[0]["State"]

    @property
    def address(self) -> str:
        """The container's own address, which refuses connections as soon as it is gone; a published port does not."""
        return str(json.loads(output_of("docker", "inspect", self.id))[0]["NetworkSettings"]["IPAddress"])

    def port(self, inside: int) -> int:
        return int(output_of("docker", "port", self.id, str(inside)).split(":")[-1])

    def logs(self) -> str:
        return ran("docker", "logs", self.id).stdout

    def inside(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return ran("docker", "exec", self.id, *command)

    def wait_for(self, text: str) -> "Container":
        def there() -> bool:
            if text in self.logs():
                return True
            assert self.state["Running"], f"it ended before {text!r}:\n{self.logs()}"
            return False

        until(there, lambda: f"no {text!r}:\n{self.logs()}")
        return self

    def serving(self) -> "Container":
        return self.wait_for("serve.ready")

    def ended(self) -> int:
        """Waits until the container has ended by itself; returns its exit status."""
        until(lambda: not self.state["Running"], lambda: f"it still runs:\n{self.logs()}")
        return int(self.state["ExitCode"])

    def stop(self) -> int:
        output_of("docker", "stop", "--time", "60", self.id)
        return self.ended()

    def remove(self) -> None:
        ran("docker", "rm", "--force", "--volumes", self.id)


def ask(address: str, port: int, rows: Any, timeout_s: float = 60) -> Any:
    body = json.dumps({"data": {"ndarray": rows}}).encode()
    request = urllib.request.Request(f"http://{address}:{port}/predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout_s) as response:
        return json.loads(response.read())


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return str(response.read().decode())


def listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def component(folder: Path, source: str, environment: str = "", **files: str) -> Path:
    """Writes a component's folder that any user can read; returns its path."""
    (folder / ".s2i").mkdir(parents=True)
    (folder / "Mine.py").write_text(source)
    (folder / ".s2i" / "environment").write_text(f"MODEL_NAME=Mine\n{environment}")
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    folder.chmod(0o755)
    return folder


def in_place_of(folder: Path) -> list[str]:
    """Returns the flags with which an image of the example serves another component."""
    return ["-v", f"{folder}:/microservice:ro", "-e", "MODEL_NAME=Mine", "-e", "CONTRACT=", "-e", "BATCHING=off"]


_SPARE = ("/tmp", "/var/tmp", "/run/lock", "/var/lock")
"""Paths that everybody may write on Debian."""


def writable(image: str, user: str) -> list[str]:
    """Returns the paths that ``user`` may write in an image without a read-only root, except Debian's own."""
    looked = "find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*' 2>/dev/null; true"
    output = output_of("docker", "run", "--rm", "--user", user, image, "sh", "-c", looked)
    return [line for line in output.splitlines() if not line.startswith(_SPARE)]


def beside(name: str) -> Path:
    """Returns the path of a command of the environment that runs the tests."""
    return Path(sys.executable).parent / name


CI = os.environ.get("CI") == "true"
