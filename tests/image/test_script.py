"""script/image: the same image without s2i, with a layer for the packages and no trace of the index."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .engine import HARDENED, ROOT, Container, ask, component, inspected, output_of, ran, writable
from .fixtures import HIDDEN

pytestmark = pytest.mark.e2e

NAME = "scorekit-test/once-script"
Run = Callable[..., Container]


def clients(image_script: ModuleType) -> list[Any]:
    """Returns the docker on PATH, and one with and one without BuildKit if there are such."""
    engines = dict[bool, Any]()
    for command in ("docker", "/usr/bin/docker"):
        if shutil.which(command):
            chosen = image_script.engine(command)
            engines.setdefault(chosen.secrets, chosen)
            engines.setdefault(
                False, dataclasses.replace(chosen, environ=chosen.environ | {"DOCKER_BUILDKIT": "0"}, secrets=False)
            )
    return list(engines.values())


def test_the_dockerfile_makes_the_same_image(
    quick_builder: str,
    image_script: ModuleType,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With every kind of docker, the image serves, hides the index, and a new model installs nothing."""
    source = "import six\nclass Mine:\n    def predict(self, X, names): return X\n"
    folder = component(tmp_path / "mine", source, "SERVICE_TYPE=MODEL\n", requirements__txt="six\n")
    settings = image_script.index_settings()
    settings["trusted-host"] = f"{settings.get('trusted-host', '')} {HIDDEN}".strip()
    monkeypatch.setattr(image_script, "index_settings", lambda: settings)
    for number, chosen in enumerate(clients(image_script)):
        image_script.build_component(chosen, folder, quick_builder, NAME, incremental=False, by_s2i=False)
        container = run(NAME, *HARDENED).serving()
        assert ask("127.0.0.1", container.port(5000), [[1, 2]])["data"]["ndarray"] == [[1, 2]]
        assert HIDDEN not in json.dumps(inspected(NAME)) + output_of("docker", "history", "--no-trunc", NAME)
        looked = f"grep -rlsF {HIDDEN} /opt /microservice /tmp /run /etc /s2i; true"
        assert output_of("docker", "run", "--rm", "--user", "0", NAME, "sh", "-c", looked) == ""
        assert writable(NAME, "12345:0") == writable(NAME, "8888:0") == []
        config = inspected(NAME)["Config"]
        assert config["Cmd"][-1] == "/s2i/bin/run"
        assert {"MODEL_NAME=Mine", "SERVICE_TYPE=MODEL"} <= set(config["Env"])

        capfd.readouterr()
        (folder / "Mine.py").write_text(f"{source}# changed {number}\n")
        before = inspected(NAME)["RootFS"]["Layers"]
        image_script.build_component(chosen, folder, quick_builder, NAME, incremental=False, by_s2i=False)
        output = "".join(capfd.readouterr())
        assert "Downloading" not in output
        after = inspected(NAME)["RootFS"]["Layers"]
        assert [at for at, layer in enumerate(after) if layer not in before] == [len(after) - 1]
        container.remove()
        ran("docker", "image", "rm", NAME)


def test_it_builds_both_by_one_command(
    base: str, builder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`script/image DIR NAME` builds the builder and the component's image, and says how to run it."""
    monkeypatch.setenv("BASE_IMAGE", base)
    monkeypatch.setenv("PIP_TRUSTED_HOST", HIDDEN)  # as the tests' builder was made: its layers are there
    folder = component(tmp_path / "mine", "class Mine:\n    def predict(self, X, names): return X\n")
    name = "scorekit-test/once-own"
    names = ["--builder", "scorekit-test/once-builder", "--no-s2i"]
    output = output_of(ROOT / "script" / "image", folder, name, *names)
    assert output.splitlines()[-1] == f"image: {name} is built; docker run --rm -p 5000:5000 {name}"
    assert HIDDEN not in json.dumps(inspected(name))
    failed = ran(ROOT / "script" / "image", tmp_path, "scorekit-test/once-none", *names)
    assert failed.returncode == 1
    assert failed.stdout.splitlines()[-1].startswith("image: which class is the model?")


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch, image_script: ModuleType) -> None:
    """If neither docker nor podman answers, one sentence says what to do."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(image_script.SetupError, match=r"neither docker nor podman answers: start one"):
        image_script.engine()
