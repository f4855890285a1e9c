"""Makes, in a stage of the builder's Dockerfile, what the image gets: two environments. Standard library only.

/opt/scorekit has pip, scorekit and what it needs but for numpy, whose version is the component's affair. /opt/component
is empty; it sees the packages of the first behind its own, and is where a component's packages go, so that a component
may bring its own version of anything and the layers of the builder stay as they are.
"""

import subprocess
import sys
from pathlib import Path

SOURCE, OURS, THEIRS = Path("/source"), Path("/opt/scorekit"), Path("/opt/component")
OPTIONAL = 'pysimdjson>=6.0; python_version < "3.14"'  # the extra `fast`; it has no wheels for newer Pythons


def run(*command: str | Path) -> None:
    print("install:", *command, flush=True)
    subprocess.run(command, check=True)


def site(environment: Path) -> Path:
    (found,) = environment.glob("lib/python3.*/site-packages")
    return found


def main() -> None:
    python = OURS / "bin" / "python"
    run(sys.executable, "-m", "venv", OURS)
    pip: list[str | Path] = [python, "-m", "pip", "install", "--no-compile", "--progress-bar", "off"]
    run(*pip, "--upgrade", "pip")
    run(*pip, SOURCE, OPTIONAL)
    run(python, "-m", "pip", "uninstall", "--yes", "--quiet", "numpy", "setuptools")
    run(sys.executable, "-m", "venv", "--without-pip", THEIRS)
    (site(THEIRS) / "scorekit.pth").write_text(f"{site(OURS)}\n")
    command = THEIRS / "bin" / "scorekit"
    command.write_text(f'#!/bin/sh\nexec {THEIRS}/bin/python -P -m scorekit "$@"\n')
    command.chmod(0o755)
    for name in ("scorekit", "ks"):  # they would not find numpy
        (OURS / "bin" / name).unlink()
    run(python, "-m", "compileall", "-q", site(OURS))
    for path in THEIRS.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (path.stat().st_mode & 0o700) >> 3)  # the group as the owner


if __name__ == "__main__":
    main()
