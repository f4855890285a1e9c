"""Makes the two environments of the builder image, in a stage of its Dockerfile. Standard library only.

/opt/scorekit has pip, scorekit and its dependencies except numpy, whose version the component decides. /opt/component
is empty. A component's packages go there, and it sees the packages of /opt/scorekit behind its own, so that a component
may bring its own version of any package without a change of the builder's layers.
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
    for name in ("scorekit", "ks"):  # without numpy they would not start
        (OURS / "bin" / name).unlink()
    run(python, "-m", "compileall", "-q", site(OURS))
    for path in THEIRS.rglob("*"):
        if not path.is_symlink():
            path.chmod(
                path.stat().st_mode | (path.stat().st_mode & 0o700) >> 3
            )  # the group gets the rights of the owner


if __name__ == "__main__":
    main()
