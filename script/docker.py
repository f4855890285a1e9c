"""Provides a container engine and a base image for the tests, on a machine that has neither. Standard library only.

`script/docker start|stop|base` runs it. An engine that answers already is used and left alone. An engine that was
started here is ended by its process id. Two runs at the same time wait for each other. A failure is reported in one
sentence.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorekit"
PID, LOG, LOCK = CACHE / "dockerd.pid", CACHE / "dockerd.log", CACHE / "docker.lock"
STARTS_WITHIN_S, STOPS_WITHIN_S = 90, 60

SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
LEFT_OUT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "proc", "sys")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
REPOSITORY = "scorekit-test/python"


class NoEngine(Exception):
    """There is no engine; the message is one sentence that says why."""


def say(text: str) -> None:
    print(f"docker: {text}", file=sys.stderr, flush=True)


def answers() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def alone() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(package: str, command: str) -> None:
    """Installs Debian's package if ``command`` is missing. Raises ``NoEngine`` if this process may not."""
    if shutil.which(command):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoEngine(f"{command} is not installed, and this script can install it only as root on Debian")
    say(f"installing {package} with apt-get")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "-y", "--no-install-recommends", package]):
        done = subprocess.run(["apt-get", *step], env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoEngine(f"{package} was not installed: {' / '.join(done.stderr.splitlines()[-3:])}")


def start() -> None:
    with alone():
        if answers():
            say("an engine answers already")
            return
        install("docker.io", "dockerd")
        install("docker-cli", "docker")  # a separate package in newer Debians
        say(f"starting dockerd; its log is {LOG}")
        with LOG.open("ab") as log:
            command = ["dockerd", "--data-root", str(CACHE / "docker")]
            # The engine outlives this script: it gets a session of its own and does not inherit our lock.
            engine = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=True
            )
        PID.write_text(str(engine.pid))
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not answers():
            if engine.poll() is not None or time.monotonic() > deadline:
                end(engine.pid)
                PID.unlink()
                last = " / ".join(LOG.read_text(errors="replace").splitlines()[-3:])
                raise NoEngine(f"dockerd did not start: {last}")
            time.sleep(0.2)


def stop() -> None:
    """Ends the engine that `start` started, and no other."""
    with alone():
        if not PID.exists():
            say("nothing to stop: no engine was started by this script")
            return
        pid = int(PID.read_text())
        PID.unlink()
        if is_dockerd(pid):
            end(pid)


def is_dockerd(pid: int) -> bool:
    """Whether the process id is still the engine's: process ids are reused."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "dockerd"
    except OSError:
        return False


def end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOPS_WITHIN_S
    while is_dockerd(pid):
        if time.monotonic() > deadline:
            say(f"dockerd (process {pid}) did not end")
            return
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.1)


def base() -> str:
    """Returns the name of an image of Debian with Python, like the official ones; makes it once, without a registry.

    The image trusts the certificates that this machine trusts, so that pip reaches the same package index from inside.
    Raises ``NoEngine`` if it cannot be made.
    """
    trusted = authorities()
    key = hashlib.sha256("\n".join([SUITE, PACKAGES, *LEFT_OUT, platform.machine(), trusted]).encode()).hexdigest()
    name = f"{REPOSITORY}:{SUITE}-{key[:12]}"
    with alone():
        if subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0:
            return name
        install("debootstrap", "debootstrap")
        if os.geteuid() != 0:
            raise NoEngine("debootstrap, which makes the base image, needs root")
        say(f"making the base image {name}: a minute, once")
        with tempfile.TemporaryDirectory(prefix="scorekit-base-") as folder:
            make_base(Path(folder), trusted, name)
    return name


def authorities() -> str:
    """Returns the certificates that pip trusts here, or else those that this machine trusts."""
    configured = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.cert"], capture_output=True, text=True, check=False
    )
    for file in (
        os.environ.get("PIP_CERT"),
        configured.stdout.strip() if configured.returncode == 0 else None,
        str(AUTHORITIES),
    ):
        if file and Path(file).is_file():
            return Path(file).read_text()
    return ""


def make_base(folder: Path, trusted: str, name: str) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise NoEngine(f"debootstrap failed: {' / '.join(made.stdout.splitlines()[-3:])}")
    if trusted:
        (folder / AUTHORITIES.relative_to("/")).write_text(trusted)
    left_out = [f"--exclude=./{each}/*" for each in LEFT_OUT]
    path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8"
    with subprocess.Popen(["tar", "-C", str(folder), *left_out, "-cf", "-", "."], stdout=subprocess.PIPE) as packed:
        imported = ["docker", "import", "--change", path, "--change", 'CMD ["python3"]', "-", name]
        done = subprocess.run(imported, stdin=packed.stdout, capture_output=True, text=True, check=False)
    if packed.returncode or done.returncode:
        raise NoEngine(f"the base image was not imported: {done.stderr.strip()}")


def main(arguments: list[str]) -> None:
    if arguments == ["start"]:
        start()
    elif arguments == ["stop"]:
        stop()
    elif arguments == ["base"]:
        print(base())
    else:
        sys.exit("usage: script/docker start|stop|base")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except NoEngine as error:
        sys.exit(f"docker: {error}")
    except OSError as error:
        sys.exit(f"docker: {error}")
