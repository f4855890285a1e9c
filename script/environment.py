"""Makes .venv/ from the lock that fits this Python, through pipenv. `script/setup` runs it; standard library only.

It is quick if nothing has changed. The next run completes an interrupted one. Two runs at the same time wait for each
other. A failure is reported in one sentence, and build/setup.log has the whole log.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "made-from"  # the fingerprint that .venv was made from; absent while .venv is being made
LOG = ROOT / "build" / "setup.log"
PIPENV = "2026.10.3"
PIPFILE = ROOT / ("Pipfile" if sys.version_info < (3, 13) else "Pipfile-py313")
# If .venv's own Python runs this, the Python behind it. The path is resolved, so that every name of that Python gives
# the same fingerprint.
BASE_PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
REPORT_EVERY_S = 15

# Patterns in the log of a failed command, and the sentence that explains each of them. The first match wins.
CAUSES = [
    (
        r"(?:No such file or directory: '|unable to execute ')(?:[\w-]*(?:gcc|g\+\+)|cc|c\+\+|clang)'"
        r"|command '(?:[\w-]*(?:gcc|g\+\+)|cc|c\+\+|clang)' failed: No such file"
        r"|(?:Unknown|No acceptable) (?:C )?compiler",
        "a package has no ready-made wheel for this Python and platform, and there is no compiler to build it; "
        "install one (Debian: apt-get install build-essential; macOS: xcode-select --install) or use another Python: "
        "PYTHON=python3.12 script/setup",
    ),
    (
        r"can't find Rust compiler|Rust not found|Cargo, the Rust package manager, is not installed",
        "a package has no ready-made wheel for this Python and platform, and there is no Rust compiler to build it; "
        "install Rust or use another Python: PYTHON=python3.12 script/setup",
    ),
    (r"THESE PACKAGES DO NOT MATCH THE HASHES", "a downloaded package does not match its hash in the lock"),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Temporary failure in name resolution|SSLError|ProxyError",
        "the package index could not be reached; see pip's settings (pip config list)",
    ),
    (r"No space left on device", "the disk is full"),
]


class SetupError(Exception):
    """The environment cannot be made; the message is one sentence that says why."""


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def fingerprint() -> str:
    """Returns a digest of everything that .venv depends on, including its path: a .venv cannot be moved."""
    digest = hashlib.sha256(f"{sys.version}\n{BASE_PYTHON}\n{ROOT}\n{PIPFILE.name}".encode())
    for path in (PIPFILE, PIPFILE.with_name(f"{PIPFILE.name}.lock"), ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current() -> bool:
    return STAMP.exists() and STAMP.read_text() == fingerprint() and (VENV / "bin" / "python").exists()


def pipenv_environ() -> dict[str, str]:
    """Returns the environment without variables that would lead pipenv to another environment or project."""
    environ = {name: value for name, value in os.environ.items() if not re.match(r"PIPENV_|VIRTUAL_ENV|PYTHON", name)}
    return (
        environ
        | {"PIPENV_IGNORE_VIRTUALENVS": "1", "PIPENV_VENV_IN_PROJECT": "1", "PIPENV_YES": "1"}
        | {
            "PIPENV_NOSPIN": "1",
            "PIPENV_DONT_LOAD_ENV": "1",
            "PIPENV_PIPFILE": str(PIPFILE),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
    )


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Locks the folder against other runs. The system releases the lock when this process ends, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is working in {folder}: waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def run(command: list[str | Path], environ: Mapping[str, str] = os.environ) -> None:
    """Runs a command with its output in the log, and reports now and then that it is still running.

    Raises ``SetupError`` with the cause if it fails.
    """
    started = time.monotonic()
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            while process.poll() is None:
                try:
                    process.wait(timeout=REPORT_EVERY_S)
                except subprocess.TimeoutExpired:
                    say(f"… {time.monotonic() - started:.0f} s")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        raise SetupError(f"{cause(LOG.read_text(errors='replace'))}; the whole log is {LOG.relative_to(ROOT)}")


def cause(log: str) -> str:
    """Returns the sentence that explains a failed command's log, or the log's last lines if no pattern matches."""
    for pattern, sentence in CAUSES:
        if re.search(pattern, log):
            return sentence
    return "installing failed: " + " / ".join([line.strip() for line in log.splitlines() if line.strip()][-3:])


def need_venv() -> None:
    """Installs `venv`, which Debian and Ubuntu ship separately, if this process may. Raises ``SetupError`` if not."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not (os.geteuid() == 0 and shutil.which("apt-get") and BASE_PYTHON.is_relative_to("/usr/bin")):
        raise SetupError(
            f"{BASE_PYTHON} has no venv and ensurepip; on Debian and Ubuntu: sudo apt-get install {package}"
        )
    say(f"{BASE_PYTHON} lacks venv: installing {package} with apt-get")
    install: list[str | Path] = ["apt-get", "install", "-y", "--no-install-recommends", package]
    try:
        run(install, os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    except SetupError:
        run(["apt-get", "update"])
        run(install, os.environ | {"DEBIAN_FRONTEND": "noninteractive"})


def pipenv() -> str:
    """Returns the path of a pipenv of the pinned version; installs one in the cache if PATH has none."""
    present = shutil.which("pipenv")
    if present:
        version = subprocess.run(
            [present, "--version"], capture_output=True, text=True, env=pipenv_environ(), check=False
        )
        if version.returncode == 0 and version.stdout.split()[-1:] == [PIPENV]:
            return present
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorekit"
    place = cache / f"pipenv-{PIPENV}-py{sys.version_info.major}{sys.version_info.minor}"
    cache.mkdir(parents=True, exist_ok=True)
    with alone_in(cache):
        done = place / "done"
        if not done.exists():
            need_venv()
            say(f"installing pipenv {PIPENV} in {place}")
            run([BASE_PYTHON, "-m", "venv", "--clear", place])
            run([place / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", f"pipenv=={PIPENV}"])
            done.touch()
    return str(place / "bin" / "pipenv")


def is_usable_venv() -> bool:
    """Whether an earlier run completed .venv with this version of Python; otherwise it is made anew."""
    config = VENV / "pyvenv.cfg"
    if not (STAMP.exists() and config.exists() and (VENV / "bin" / "python").exists()):
        return False
    version = ".".join(map(str, sys.version_info[:3]))
    return re.search(rf"^version(_info)? = {re.escape(version)}\b", config.read_text(), re.MULTILINE) is not None


def make() -> None:
    started = time.monotonic()
    LOG.unlink(missing_ok=True)
    say(f"Python {sys.version.split()[0]} ({BASE_PYTHON})")
    command = pipenv()
    if VENV.exists() and not is_usable_venv():
        say("the existing .venv is incomplete or of another Python: making it anew")
        shutil.rmtree(VENV)
    STAMP.unlink(missing_ok=True)
    say(f"installing the packages of {PIPFILE.name}.lock in .venv")
    if sys.version_info >= (3, 13):
        say("without seldon-core and its tester: it needs numpy<2, which has no wheels from Python 3.13 on")
    run([command, "sync", "--dev", "--clean", "--python", BASE_PYTHON], pipenv_environ())
    STAMP.write_text(fingerprint())
    say(f"done in {time.monotonic() - started:.0f} s")


def main() -> None:
    if is_current():
        return
    with alone_in(ROOT):
        if not is_current():
            make()


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        sys.exit(f"setup: {error}")
    except KeyboardInterrupt:
        sys.exit("setup: interrupted; the next run completes it")
    except OSError as error:
        sys.exit(f"setup: {error}")
