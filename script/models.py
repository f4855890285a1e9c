"""Makes the environment of tests/models and prints its Python. `script/models` runs it; standard library only.

The folder's name has a digest of what it is made from: the requirements and the version of Python. So a change of
either makes another environment, and two checkouts with the same requirements share one.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "tests" / "models" / "requirements.txt"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorekit"


def digest() -> str:
    """Returns the digest of everything that the environment depends on."""
    return hashlib.sha256(sys.version.encode() + REQUIREMENTS.read_bytes()).hexdigest()[:12]


def environment() -> Path:
    """Returns the Python of the environment, which is made if it does not exist or is incomplete."""
    folder = CACHE / f"models-{digest()}"
    python, complete = folder / "bin" / "python", folder / "complete"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may need it at the same time
        if not complete.exists():
            print(f"models: installing {REQUIREMENTS.relative_to(ROOT)} into {folder}", file=sys.stderr, flush=True)
            venv.create(folder, clear=True, with_pip=True)
            pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps"]
            subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True, stdout=sys.stderr)
            complete.touch()
    return python


if __name__ == "__main__":
    try:
        print(environment())
    except subprocess.CalledProcessError as error:
        sys.exit(f"models: {' '.join(error.cmd[:4])} failed with status {error.returncode}")
