"""`scorekit init`: a component folder that works without a change."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scorekit.cli import main
from scorekit.cli.init import class_name
from scorekit.codec import json as codec
from scorekit.contract import parse_contract
from scorekit.contract.enforce import ContractCheck
from scorekit.errors import SetupError
from scorekit.settings import parse_environment_file

FILES = {
    *("Wine.py", "train.py", "contract.json", "requirements.txt"),
    *(".s2i/environment", "test_model.py", "README.md"),
}


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-B", "-W", "error", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.e2e
@pytest.mark.parametrize("how", ["npz", "joblib"])
def test_the_folder_trains_and_passes_its_own_test(tmp_path: Path, how: str) -> None:
    """The folder trains its model, and its own test passes; the default model file is not a pickle."""
    assert main(["init", str(tmp_path / "wine"), "--model-file", how]) == 0
    folder = tmp_path / "wine"
    assert written(folder) == FILES
    assert f"wrote model.{how}" in run(folder, "train.py")
    assert "3 passed" in run(folder, "-m", "pytest", "-p", "no:cacheprovider")
    if how == "npz":
        with np.load(folder / "model.npz", allow_pickle=False) as arrays:
            assert {array.dtype.kind for array in arrays.values()} == {"f", "U"}
        assert "joblib" not in (folder / "Wine.py").read_text()
    model = folder / f"model.{how}"
    model.write_bytes(model.read_bytes() + b"x")
    with pytest.raises(AssertionError, match=r"run train\.py again"):
        run(folder, "-c", "import Wine; Wine.Wine()")


def test_the_folder_has_what_the_builder_and_the_server_need(tmp_path: Path) -> None:
    """It has the four variables that the stock builders require, and a contract that its own sample keeps."""
    assert main(["init", str(tmp_path), "--name", "Wine"]) == 0
    environment = parse_environment_file((tmp_path / ".s2i" / "environment").read_text())
    required = {"MODEL_NAME": "Wine", "SERVICE_TYPE": "MODEL", "API_TYPE": "REST", "PERSISTENCE": "0"}
    assert environment == {**required, "BATCHING": "auto", "CONTRACT": "contract.json"}
    contract = parse_contract((tmp_path / environment["CONTRACT"]).read_text())
    ContractCheck(contract)(codec.from_value(contract.sample()))
    assert json.loads((tmp_path / "contract.json").read_text())["targets"]
    assert not [path for path in FILES if "$" in (tmp_path / path).read_text()]


def test_a_folder_with_files_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --force nothing is written beside other files; with it, files of other names stay."""
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["init", str(tmp_path), "--name", "Wine"]) == 1
    assert "is not empty; name a new folder, or use --force" in capsys.readouterr().err
    assert written(tmp_path) == {"mine.txt"}
    assert main(["init", str(tmp_path), "--name", "Wine", "--force"]) == 0
    assert written(tmp_path) == {"mine.txt", *FILES}
    assert main(["init", str(tmp_path / "mine.txt"), "--name", "Wine"]) == 1
    assert "is a file; name a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "folder", "name"),
    [
        (None, "wine-model", "WineModel"),
        (None, "wine_model.v2", "WineModelV2"),
        (None, "MLModel", "MLModel"),
        ("Mine", "9", "Mine"),
    ],
)
def test_a_class_is_named_after_its_folder(given: str | None, folder: str, name: str) -> None:
    """The words of the folder's name make the name of the class, unless --name gives one."""
    assert class_name(given, Path(folder)) == name


@pytest.mark.parametrize("given", ["", "9", "a-b", "class", "None", "a.b", "../x", "_x", "Modèle", "a\nb"])
def test_a_name_that_no_class_can_have_is_refused(given: str) -> None:
    """A name can make neither a broken class nor a file outside of the folder."""
    with pytest.raises(SetupError, match="needs a name of letters and digits"):
        class_name(given, Path("x"))


@pytest.mark.parametrize("given", ["train", "Train", "json", "numpy", "Sklearn", "scorekit"])
def test_a_name_that_hides_a_module_is_refused(given: str) -> None:
    """The folder comes first on the import path, so a class must not have the name of a module."""
    with pytest.raises(SetupError, match="would hide the module"):
        class_name(given, Path("x"))


def test_a_folder_name_without_a_word_asks_for_one() -> None:
    """The error says to choose a name."""
    with pytest.raises(SetupError, match="choose one, for example --name Model"):
        class_name(None, Path("2026"))
