"""Makes the two locks of the Pipfile (`script/lock`), and checks them (`script/lock --check`, and the tests).

A lock is stale if the Pipfile or the dependencies in pyproject.toml have changed since it was made. The package itself
is installed editable, so its dependencies are locked too, but pipenv's own hash does not cover them.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import environment

ROOT = Path(__file__).resolve().parents[1]
MADE_WITH = {"Pipfile": "python3.11", "Pipfile-py313": "python3.13"}  # the oldest Python that each lock serves
DEPENDENCIES_KEY = "dependencies-sha256"
# Package hosts come and go, so any address, and any dotted name that ends like a host, is a fault.
HOST = re.compile(r"://|\b[\w-]+\.(?:org|com|net|io|dev|cn)\b")


def lock_of(pipfile: str, root: Path = ROOT) -> Path:
    return root / f"{pipfile}.lock"


def dependencies_digest(root: Path = ROOT) -> str:
    """Returns the SHA-256 of everything that requires a package, without comments and tool settings."""
    pipfile = tomllib.loads((root / "Pipfile").read_text())
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    asked = [pipfile, project["dependencies"], project["optional-dependencies"], project["requires-python"]]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def faults(root: Path = ROOT) -> list[str]:
    """Returns the faults of the locks, one sentence each."""
    found = []
    for pipfile in MADE_WITH:
        lock = lock_of(pipfile, root)
        if not lock.exists():
            found.append(f"{lock.name} is missing: run script/lock")
        elif json.loads(lock.read_text())["_meta"].get(DEPENDENCIES_KEY) != dependencies_digest(root):
            found.append(f"{lock.name} is older than the dependencies in Pipfile or pyproject.toml: run script/lock")
    for path in sorted([*root.glob("Pipfile*"), *root.glob("*/requirements*.txt")]):
        if host := HOST.search(path.read_text()):
            found += [f"{path.relative_to(root)} names a host ({host[0]}): pip's settings say where packages come from"]
    return found


def without_hosts(lock: dict[str, Any], digest: str) -> dict[str, Any]:
    """Returns the lock without package indexes; versions and hashes stay."""
    categories = {name: entries for name, entries in lock.items() if name != "_meta"}
    for entries in categories.values():
        for entry in entries.values():
            entry.pop("index", None)
    return {"_meta": lock["_meta"] | {"sources": [], DEPENDENCIES_KEY: digest}, **categories}


def make(pipfile: str, pipenv: str) -> None:
    python = working_python(MADE_WITH[pipfile])
    print(f"lock: {lock_of(pipfile).name} with {python}", flush=True)
    # In a new folder, with nothing of the package but its metadata, so that no older lock and no .venv interfere.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("pyproject.toml", "LICENSE", "src/scorekit/__init__.py"):
            (folder / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / each, folder / each)
        shutil.copyfile(ROOT / "Pipfile", folder / pipfile)
        (folder / "README.md").touch()
        env = environment.pipenv_environ() | {"PIPENV_PIPFILE": str(folder / pipfile)}
        subprocess.run([pipenv, "--python", python, "lock", "--dev"], cwd=folder, env=env, check=True)
        made = json.loads(lock_of(pipfile, folder).read_text())
    lock_of(pipfile).write_text(json.dumps(without_hosts(made, dependencies_digest()), indent=4) + "\n")


def working_python(name: str) -> str:
    """Returns the interpreter behind a name on PATH. A pyenv shim of an inactive version does not count.

    Raises ``SystemExit`` if there is none.
    """
    try:
        asked = [name, "-c", "import sys; print(sys.executable)"]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        sys.exit(f"lock: no {name} on PATH; each lock is made with the oldest Python it serves")


def main(arguments: list[str]) -> None:
    if arguments not in ([], ["--check"]):
        sys.exit("usage: script/lock [--check]")
    if not arguments:
        pipenv = environment.pipenv()
        for pipfile in MADE_WITH:
            make(pipfile, pipenv)
    if found := faults():
        sys.exit("\n".join(found))
    print("lock: both locks are up to date")


if __name__ == "__main__":
    main(sys.argv[1:])
