"""Builds the builder image, and a component's image with it. `script/image` runs it.

If pip's settings on this machine name an index, the builds use it too: as build arguments of a stage that is not part
of the image, or as a pip.conf that is mounted for the build. The images keep nothing of it.
"""

import argparse
import configparser
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scorekit import __version__
from scorekit.cli.dockerfile import recipe
from scorekit.errors import SetupError
from scorekit.image.dockerfile import BUILDER, dockerfile

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "seldon-ml-score-component", "alexioannides/seldon-ml-score-component"
SETTINGS = {"index-url": "PIP_INDEX_URL", "extra-index-url": "PIP_EXTRA_INDEX_URL", "trusted-host": "PIP_TRUSTED_HOST"}
_BUILDKIT_BY_ITSELF = 23
"""From this version on, Docker's client uses BuildKit if it has buildx; before, if DOCKER_BUILDKIT is set."""


@dataclass(frozen=True, slots=True)
class Engine:
    """``docker`` or ``podman``, and whether it supports build secrets."""

    command: str
    environ: dict[str, str]
    secrets: bool

    @property
    def is_podman(self) -> bool:
        return Path(self.command).name == "podman"

    def build(self, *arguments: str, dockerfile: str | None = None) -> None:
        # podman's default format has no HEALTHCHECK.
        form = ["--format", "docker"] if self.is_podman else []
        run([self.command, "build", *form, *arguments], self.environ, dockerfile)


def engine(requested: str | None = None) -> Engine:
    """Returns the requested engine, or the first one that answers. Raises ``SetupError`` if there is none."""
    for command in [requested] if requested else ["docker", "podman"]:
        if shutil.which(command) and _quiet([command, "info"]).returncode == 0:
            return _known(command)
    raise SetupError(
        f"{requested or 'neither docker nor podman'} answers: start one, or install Debian's with script/docker start"
    )


def _known(command: str) -> Engine:
    environ = dict(os.environ)
    if Path(command).name == "podman":
        return Engine(command, environ, True)
    version = _quiet([command, "version", "--format", "{{.Client.Version}}"]).stdout.partition(".")[0]
    if version.isdigit() and int(version) < _BUILDKIT_BY_ITSELF:
        return Engine(command, environ | {"DOCKER_BUILDKIT": "1"}, True)
    return Engine(command, environ, _quiet([command, "buildx", "version"]).returncode == 0)


def _quiet(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(command: list[str], environ: dict[str, str], text: str | None = None) -> None:
    """Runs a command with its output shown. Raises ``SetupError`` that names the command if it fails."""
    done = subprocess.run(command, env=environ, input=text, text=True, check=False)
    if done.returncode:
        raise SetupError(f"{Path(command[0]).name} {command[1]} ended with status {done.returncode}; see above")


def index_settings() -> dict[str, str]:
    """Returns pip's settings on this machine that say where packages come from, by their names in pip.conf."""
    listed = _quiet([sys.executable, "-m", "pip", "config", "list"]).stdout
    found = re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listed, re.MULTILINE)
    return {name: value.replace("\\n", " ").strip() for name, value in found if name in SETTINGS}


@contextlib.contextmanager
def pip_conf(settings: dict[str, str]) -> Iterator[Path | None]:
    """Yields a temporary pip.conf with the settings, or ``None`` if there are no settings."""
    if not settings:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="scorekit-image-") as folder:
        file = Path(folder) / "pip.conf"
        config = configparser.RawConfigParser()
        config["global"] = settings
        with file.open("w", encoding="utf-8") as text:
            config.write(text)
        file.chmod(0o644)  # another user reads it inside the build; only we can enter the folder around it
        yield file


def build_builder(chosen: Engine, name: str) -> None:
    base = os.environ.get("BASE_IMAGE")
    arguments = [f"BASE_IMAGE={base}"] if base else []
    arguments += [f"{SETTINGS[each]}={value}" for each, value in index_settings().items()]
    flags = [flag for each in arguments for flag in ("--build-arg", each)]
    chosen.build("--tag", name, "--file", str(ROOT / "s2i" / "Dockerfile"), *flags, str(ROOT))


def build_component(chosen: Engine, folder: Path, builder: str, name: str, incremental: bool, by_s2i: bool) -> None:
    settings = index_settings()
    with pip_conf(settings) as file:
        if by_s2i:
            mount = ["--volume", f"{file}:/run/secrets/pip.conf:ro"] if file else []
            flags = ["--incremental"] if incremental else []
            run(["s2i", "build", *mount, *flags, str(folder), builder, name], chosen.environ)
            return
        text = dockerfile(recipe(folder, builder, chosen.secrets))
        flags = []
        if chosen.secrets:
            flags = ["--secret", f"id=pip.conf,src={file}"] if file else []
        else:
            flags = [flag for each, value in settings.items() for flag in ("--build-arg", f"{SETTINGS[each]}={value}")]
        chosen.build("--tag", name, *flags, "--file", "-", str(folder), dockerfile=text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/image", description="Build the builder image, then a component's.")
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", help=f"the component ({EXAMPLE[0].name})")
    parser.add_argument("name", metavar="NAME", nargs="?", help="the image (the folder's name; the example's own)")
    parser.add_argument("--builder", default=f"{BUILDER}:{__version__}", help=f"({BUILDER}:{__version__})")
    parser.add_argument("--only-builder", action="store_true", help="do not build a component")
    parser.add_argument("--engine", help="docker or podman (the first that answers)")
    parser.add_argument("--no-s2i", action="store_true", help="use `scorekit dockerfile` even if s2i is on PATH")
    parser.add_argument("--incremental", action="store_true", help="reuse the packages of the existing image (s2i)")
    parser.epilog = "The variable BASE_IMAGE is the base of the builder (python:3.12-slim-bookworm)."
    arguments = parser.parse_args()
    try:
        chosen = engine(arguments.engine)
        build_builder(chosen, arguments.builder)
        if arguments.only_builder:
            return
        folder, name = EXAMPLE
        if arguments.folder is not None:
            folder, name = arguments.folder, arguments.name or arguments.folder.resolve().name.lower()
        by_s2i = not arguments.no_s2i and not chosen.is_podman and shutil.which("s2i") is not None
        build_component(chosen, folder, arguments.builder, name, arguments.incremental, by_s2i)
    except SetupError as error:
        sys.exit(f"image: {error}")
    print(f"image: {name} is built; docker run --rm -p 5000:5000 {name}")


if __name__ == "__main__":
    main()
