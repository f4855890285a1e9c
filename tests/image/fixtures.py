"""A real engine; the builder and the example's image are built once for all tests, by the commands of docs/image.md."""

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ..test_readme import BLOCKS
from .engine import CI, ROOT, Container, output_of, ran

BUILDER, EXAMPLE = "scorekit-test/builder", "scorekit-test/example"
SCRIPT: list[str | Path] = [sys.executable, ROOT / "script" / "docker.py"]  # script/docker, with the tests' own Python
HIDDEN = "hidden-index.example"
"""A host that the builds are given as a trusted host; no image may name it."""


def missing(what: str) -> None:
    """Skips the test; in CI, where no tool may be missing, fails it."""
    if CI:
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """Provides Docker. CI starts it if it is not running, and ends it."""
    started = False
    if shutil.which("docker") is None or ran("docker", "info").returncode:
        if not CI:
            pytest.skip("no Docker answers here: start one, or have Debian's: script/docker start")
        output_of(*SCRIPT, "start")
        started = True
    yield
    # What one test needed goes; the builder and the example stay for the next run.
    once = ["--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=scorekit-test/once*"]
    for name in ran("docker", "image", "ls", *once).stdout.split():
        ran("docker", "image", "rm", name)
    if started:
        output_of(*SCRIPT, "stop")


@pytest.fixture(scope="session")
def base(engine: None) -> str:
    """Returns the name of an image of Debian with Python, like the official ones."""
    if named := os.environ.get("BASE_IMAGE"):
        return named
    made = ran(*SCRIPT, "base")
    if made.returncode:
        missing(f"there is no base image; BASE_IMAGE names one: {made.stdout}")
    return made.stdout.split()[-1]


@pytest.fixture(scope="session")
def image_script() -> ModuleType:
    """Returns the module behind script/image."""
    path = ROOT / "script" / "image.py"
    spec = importlib.util.spec_from_file_location("image_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["image_script"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def s2i() -> str:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorekit" / "bin" / "s2i"
    program = str(cache) if cache.exists() else shutil.which("s2i")
    if program is None:
        missing("s2i is not here: script/tools builds it")
    assert program is not None
    return program


@pytest.fixture(scope="session")
def index_arguments(image_script: ModuleType) -> list[str]:
    """Returns the build arguments for this machine's package index, and for a host that no image may name."""
    settings = {image_script.SETTINGS[name]: value for name, value in image_script.index_settings().items()}
    settings["PIP_TRUSTED_HOST"] = f"{settings.get('PIP_TRUSTED_HOST', '')} {HIDDEN}".strip()
    return [flag for name, value in settings.items() for flag in ("--build-arg", f"{name}={value}")]


def document_commands() -> list[str]:
    """Returns the commands of docs/image.md that build and start the example's image."""
    (code,) = (block.code for block in BLOCKS["docs/image.md"] if block.how == "image")
    return code.replace("\\\n", "").splitlines()


@pytest.fixture(scope="session")
def builder(base: str, index_arguments: list[str]) -> str:
    """Builds the builder image by the first command of docs/image.md, with another name and base; returns its name."""
    command = shlex.split(document_commands()[0])
    assert command[:2] == ["docker", "build"]
    at = command.index("--tag") + 1
    command[at] = BUILDER
    output_of(*command[:2], "--build-arg", f"BASE_IMAGE={base}", *index_arguments, *command[2:])
    return BUILDER


@pytest.fixture(scope="session")
def pip_volume(image_script: ModuleType) -> Iterator[list[str]]:
    """Yields s2i's flags for this machine's index, always with a pip.conf, so that tests can look for its traces."""
    settings = image_script.index_settings()
    settings["trusted-host"] = f"{settings.get('trusted-host', '')} {HIDDEN}".strip()
    with image_script.pip_conf(settings) as file:
        yield ["--volume", f"{file}:/run/secrets/pip.conf:ro"]


@pytest.fixture(scope="session")
def s2i_build(s2i: str, pip_volume: list[str]) -> Callable[..., tuple[int, str]]:
    """Returns a function that runs `s2i build DIR BUILDER NAME` and returns its exit status and its output."""

    def build(folder: Path | str, builder: str, name: str, *flags: str) -> tuple[int, str]:
        done = ran(s2i, "build", *pip_volume, *flags, folder, builder, name)
        return done.returncode, done.stdout

    return build


@pytest.fixture(scope="session")
def example(builder: str, s2i_build: Callable[..., tuple[int, str]]) -> str:
    """Builds the example's image by the second command of docs/image.md; returns its name."""
    command = shlex.split(document_commands()[1])
    assert command[:3] == ["s2i", "build", "seldon-ml-score-component"]
    before = ran("docker", "image", "ls", "--quiet", EXAMPLE).stdout.split()
    status, output = s2i_build(command[2], builder, EXAMPLE)
    assert status == 0, output
    assert "answers predict for a row of contract.json" in output
    if before:
        ran("docker", "image", "rm", before[0])  # the last run's
    return EXAMPLE


@pytest.fixture(scope="session")
def quick_builder(builder: str, image_script: ModuleType) -> str:
    """Returns a builder with numpy, extended as a user may do it: small components build in a second or two."""
    settings = {image_script.SETTINGS[name]: value for name, value in image_script.index_settings().items()}
    flags = [flag for name, value in settings.items() for flag in ("--build-arg", f"{name}={value}")]
    text = f"FROM {builder}\n" + "".join(f"ARG {name}\n" for name in settings)
    text += 'RUN ["python", "-m", "pip", "install", "--no-cache-dir", "numpy"]\n'
    output_of("docker", "build", "--tag", f"{BUILDER}-quick", *flags, "-", text=text)
    return f"{BUILDER}-quick"


@pytest.fixture
def run(engine: None) -> Iterator[Callable[..., Container]]:
    """Yields a function that starts containers; they are removed after the test."""
    started: list[Container] = []

    def start(image: str, *flags: str, command: tuple[str, ...] = ()) -> Container:
        started.append(Container(image, *flags, command=command))
        return started[-1]

    yield start
    for each in started:
        each.remove()
