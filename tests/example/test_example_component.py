"""The example component: what a server of the Seldon v1 convention may rely on, and what its files contain."""

import ast
import hashlib
import json
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "seldon-ml-score-component"

# Its modules lie where Seldon wants them, outside any package. Neither they nor the path stay behind: other tests load
# components of their own that are called MLModel too.
sys.path.insert(0, str(COMPONENT))
try:
    import MLModel as example  # noqa: N813  a module, named as Seldon asks
    import train
finally:
    sys.path.remove(str(COMPONENT))
    del sys.modules["MLModel"], sys.modules["train"]

CURL = np.array([0, 0, 1, 1]).reshape(2, 2)  # what the README's curl becomes: int64


@pytest.fixture(scope="module")
def model() -> example.MLModel:
    return example.MLModel()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Returns a copy of the component's folder that a test may damage."""
    return Path(shutil.copytree(COMPONENT, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__")))


def petals(count: int) -> npt.NDArray[np.float64]:
    """Returns rows from all over the contract's ranges (rows × 2)."""
    return np.random.default_rng(7).uniform([1.0, 0.1], [6.9, 2.5], (count, 2))


def seal(folder: Path, content: bytes) -> None:
    """Writes a model file and its correct checksum."""
    (folder / "model.npz").write_bytes(content)
    (folder / "model.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  model.npz\n")


def run(*command: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


class TestPredict:
    def test_the_readme_curl_gets_one_row_of_probabilities_per_row(self, model: example.MLModel) -> None:
        """For the integers of the curl, each row gets one float probability for each class, with a sum of 1."""
        probabilities = model.predict(CURL, ["a", "b"])
        assert probabilities.dtype == np.float64
        assert probabilities.shape == (2, len(model.class_names()))
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)

    def test_class_names_is_a_method_that_returns_the_species(self, model: example.MLModel) -> None:
        """`class_names` is a method, not the deprecated attribute, and returns plain strings."""
        assert model.class_names() == ["setosa", "versicolor", "virginica"]
        assert {type(name) for name in model.class_names()} == {str}

    @pytest.mark.parametrize(
        "same",
        [
            [[0, 0], [1, 1]],
            CURL.astype(np.float32),
            CURL.astype(object),
            np.asfortranarray(CURL.astype(float)),
            CURL.astype(bool),
        ],
        ids=["lists", "float32", "object", "column order", "bool"],
    )
    def test_the_same_numbers_give_the_same_answer_in_whatever_type_they_come(
        self, model: example.MLModel, same: Any
    ) -> None:
        """The answer depends on the numbers only, whether a server decodes them to int64, float64, objects or lists."""
        np.testing.assert_array_equal(model.predict(same, []), model.predict(CURL, []))

    def test_names_are_optional_and_do_not_move_columns(self, model: example.MLModel) -> None:
        """Columns count by position: other names, no names and null names give the same answer."""
        for names in (["a", "b"], [], None):
            np.testing.assert_array_equal(model.predict(CURL, names), model.predict(CURL))

    @pytest.mark.parametrize("size", [2, 3, 8, 64, 1000])
    def test_a_batch_answers_as_its_rows_would_alone(self, model: example.MLModel, size: int) -> None:
        """The answer for a row does not depend on the other rows, so requests may be merged."""
        rows = petals(size)
        batch = model.predict(rows, [])
        single = np.vstack([model.predict(row[None, :], []) for row in rows])
        np.testing.assert_array_equal(batch.argmax(axis=1), single.argmax(axis=1))
        np.testing.assert_allclose(batch, single, rtol=1e-9, atol=1e-12)

    def test_a_batch_without_rows_answers_without_rows(self, model: example.MLModel) -> None:
        """A batch of zero rows is answered, although scikit-learn alone would refuse it."""
        assert model.predict(np.empty((0, 2)), []).shape == (0, 3)

    @pytest.mark.parametrize(
        ("wrong", "came"),
        [
            (np.ones((1, 3)), "shape (1, 3)"),
            (np.ones((4, 1), dtype=np.int64), "shape (4, 1)"),
            (np.ones(2), "shape (2,)"),
            (np.empty(0), "shape (0,)"),
            (np.array(5), "shape ()"),
            ([[1, 2, 3]], "shape (1, 3)"),
            (np.ones((1, 2, 1)), "shape (1, 2, 1)"),
            (np.array([[1, "a"]]), "type <U21 that cannot be read as numbers"),
            (np.array([[{}, 1]], dtype=object), "type object that cannot be read as numbers"),
            ([[1], [2, 3]], "a list that cannot be read as numbers"),
            ([[10**400, 1]], "a list that cannot be read as numbers"),
            ("text", "a str that cannot be read as numbers"),
            (b"bytes", "a bytes that cannot be read as numbers"),
            ({"a": 1}, "a dict that cannot be read as numbers"),
            (np.array([[None, 1]], dtype=object), "missing"),
            (np.array([[np.nan, 1]]), "missing"),
            (np.array([[1, -np.inf]]), "infinite"),
            (np.array([[1e308, 1e308]]), "beyond ±1000000 cm"),
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_refused_with_what_was_expected_and_what_came(
        self, model: example.MLModel, wrong: Any, came: str
    ) -> None:
        """Input other than finite numbers in two columns is a ValueError of one line, not NaN and not a TypeError."""
        expected = r"expected 2 features per row \(petal_length_cm, petal_width_cm\), .*"
        with pytest.raises(ValueError, match=f"^{expected}{re.escape(came)}[^\n]*$"):
            model.predict(wrong, [])


class TestModelFile:
    @pytest.mark.slow
    def test_a_missing_model_file_stops_the_start_and_the_named_command_repairs_it(self, copy: Path) -> None:
        """If a file is missing, the start ends with a sentence that names it and a command, which repairs it."""
        (copy / "model.npz").unlink()
        start = ["-c", "import MLModel; MLModel.MLModel()"]
        stopped = run(*start, cwd=copy)
        assert stopped.returncode == 1
        sentence = stopped.stderr.splitlines()[-1]
        assert f"{copy / 'model.npz'} is missing" in sentence
        command = re.findall("`python (.*)`", sentence)
        assert command == [str(copy / "train.py")]

        made = run(*command, cwd=copy.parent)
        assert made.returncode == 0, made.stderr
        mended = run(*start, cwd=copy)
        assert mended.returncode == 0, mended.stderr

    def test_an_altered_model_file_is_refused(self, copy: Path) -> None:
        """One flipped bit is found, and the sentence names the file, its checksum and the command."""
        content = bytearray((copy / "model.npz").read_bytes())
        content[len(content) // 2] ^= 1
        (copy / "model.npz").write_bytes(content)
        with pytest.raises(
            example.ModelFileError, match=r"model\.npz is not the file that .*model\.sha256 .*train\.py"
        ):
            example.read_model(copy)

    def test_an_absent_checksum_is_refused(self, copy: Path) -> None:
        """A model file without a checksum is not loaded."""
        (copy / "model.sha256").unlink()
        with pytest.raises(example.ModelFileError, match=r"^\S*model\.sha256 is missing: .*train\.py`\.$"):
            example.read_model(copy)

    @pytest.mark.parametrize("text", ["", "\n", "é", "0" * 64 + "  other.npz\n"])
    def test_a_checksum_of_nothing_or_of_another_file_is_refused(self, copy: Path, text: str) -> None:
        """A checksum file counts only if it is a line of sha256sum for model.npz."""
        (copy / "model.sha256").write_text(text)
        with pytest.raises(example.ModelFileError, match="is not the file that"):
            example.read_model(copy)

    def test_a_file_that_cannot_be_read_is_one_sentence_too(self, copy: Path) -> None:
        """A folder in the place of the file, for example from a bad mount, is reported as such."""
        (copy / "model.npz").unlink()
        (copy / "model.npz").mkdir()
        with pytest.raises(example.ModelFileError, match=r"model\.npz cannot be read \(.+\): .*train\.py"):
            example.read_model(copy)

    def test_nothing_in_a_model_file_can_run(self, copy: Path) -> None:
        """Pickled code, in an object array or bare, is refused even with a correct checksum, and does not run."""
        trap = copy / "ran"

        class Trap:
            def __reduce__(self) -> tuple[Any, ...]:
                return Path.touch, (trap,)

        arrays: dict[str, Any] = dict.fromkeys(("coef", "intercept", "classes", "features"), np.array([Trap()]))
        np.savez(copy / "trap.npz", **arrays)
        for content in ((copy / "trap.npz").read_bytes(), pickle.dumps(Trap())):
            seal(copy, content)
            with pytest.raises(example.ModelFileError, match=r"does not hold the four plain arrays .*train\.py"):
                example.read_model(copy)
        assert not trap.exists()
        pickle.loads(pickle.dumps(Trap()))  # noqa: S301  our own bytes: shows that the trap works
        assert trap.exists()

    @pytest.mark.parametrize("damage", ["no array", "arrays of different models", "half a file", "one array"])
    def test_a_sealed_file_that_is_no_model_is_refused(self, copy: Path, damage: str) -> None:
        """A file with a correct checksum that is not a model ends the start with the same sentence."""
        with np.load(copy / "model.npz", allow_pickle=False) as archive:
            arrays: dict[str, Any] = dict(archive)
        if damage == "no array":
            del arrays["classes"]
        elif damage == "arrays of different models":
            arrays["features"] = arrays["features"][:1]
        np.savez(copy / "other.npz", **arrays)
        np.save(copy / "one.npy", arrays["coef"])
        content = (copy / ("one.npy" if damage == "one array" else "other.npz")).read_bytes()
        seal(copy, content[: len(content) // 2] if damage == "half a file" else content)
        with pytest.raises(example.ModelFileError, match=r"does not hold the four plain arrays .*train\.py"):
            example.read_model(copy)


class TestTraining:
    def test_the_committed_model_is_as_good_as_the_readme_says(self, model: example.MLModel) -> None:
        """The component's answers for the held-out rows reach the accuracy and log loss of the README."""
        figures = re.findall(r"held-out (.+) \((\d+) rows\)", (COMPONENT / "README.md").read_text())
        _, held_out = train.split()
        probabilities = model.predict(held_out.features)
        labels = np.array(model.class_names())[probabilities.argmax(axis=1)]
        accuracy = (labels == held_out.species).mean()
        of_the_true_species = probabilities[np.array(model.class_names()) == held_out.species[:, None]]
        loss = -np.log(of_the_true_species).mean()
        assert figures == [(f"accuracy {accuracy:.3f}, log loss {loss:.3f}", str(len(labels)))]
        assert accuracy >= 0.95

    def test_no_held_out_row_was_trained_on(self) -> None:
        """Both parts of the split together are the 150 rows, with each species evenly in both."""
        training, held_out = train.split()
        assert len(training.features) + len(held_out.features) == 150
        for rows, each in ((training, 30), (held_out, 20)):
            assert np.unique(rows.species, return_counts=True)[1].tolist() == [each] * 3

    def test_retraining_gives_the_committed_model(self) -> None:
        """The committed model is the one that train.py makes, within a tolerance for other releases of its packages."""
        training, _ = train.split()
        assert train.difference(train.fit(training), COMPONENT) <= train.TOLERANCE

    def test_training_twice_writes_the_same_bytes(self, tmp_path: Path) -> None:
        """Two runs of train.py write the same bytes."""
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
            train.write(train.fit(train.split()[0]), folder)
        one, two = ([(folder / name).read_bytes() for name in (example.MODEL, example.CHECKSUM)] for folder in folders)
        assert one == two

    @pytest.mark.slow
    def test_check_passes_here_and_writes_nothing(self, copy: Path) -> None:
        """`train.py --check` confirms that the committed model is the trained one, and writes nothing."""
        before = {path: path.stat().st_mtime_ns for path in copy.iterdir() if path.is_file()}
        checked = run("-B", "train.py", "--check", cwd=copy)
        assert checked.returncode == 0, checked.stderr
        assert "model.npz is the model that training gives" in checked.stdout
        assert {path: path.stat().st_mtime_ns for path in copy.iterdir() if path.is_file()} == before

    @pytest.mark.slow
    def test_check_fails_on_another_model(self, copy: Path) -> None:
        """A different model with a correct checksum ends `train.py --check` with status 1 and one sentence."""
        classifier = train.fit(train.split()[0])
        classifier.coef_ = classifier.coef_ + 0.01
        train.write(classifier, copy)
        checked = run("-B", "train.py", "--check", cwd=copy)
        assert checked.returncode == 1
        assert re.fullmatch(r"\S*model\.npz differs from a newly trained model by 1\.0e-02: .*\n", checked.stderr)


class TestFolder:
    def test_the_contract_is_the_models(self, model: example.MLModel) -> None:
        """contract.json names the model's features and classes in the model's order."""
        contract = json.loads((COMPONENT / "contract.json").read_text())
        assert (
            [feature["name"] for feature in contract["features"]] == train.FEATURES == example.read_model(COMPONENT)[1]
        )
        assert [target["name"] for target in contract["targets"]] == model.class_names()
        for column in contract["features"] + contract["targets"]:
            assert (column["ftype"], column["dtype"]) == ("continuous", "FLOAT")
        assert [target["range"] for target in contract["targets"]] == [[0, 1]] * 3

    def test_the_contracts_ranges_hold_the_data(self) -> None:
        """The ranges of the contract include all 150 flowers and the README's request."""
        contract = json.loads((COMPONENT / "contract.json").read_text())
        rows = np.vstack([*(part.features for part in train.split()), CURL])
        ranges = np.array([feature["range"] for feature in contract["features"]])
        assert (ranges[:, 0] <= rows.min(axis=0)).all()
        assert (ranges[:, 1] >= rows.max(axis=0)).all()

    def test_the_environment_file_reads_as_s2i_reads_it(self) -> None:
        """The environment file has only comments and `KEY=value` lines, and each key that stock builders require."""
        lines = (COMPONENT / ".s2i" / "environment").read_text().splitlines()
        pairs = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
        assert pairs == {
            "MODEL_NAME": "MLModel",
            "SERVICE_TYPE": "MODEL",
            "API_TYPE": "REST",
            "PERSISTENCE": "0",
            "BATCHING": "auto",
            "CONTRACT": "contract.json",
        }

    @pytest.mark.parametrize("name", [".s2i", "contract.json"])
    def test_the_names_at_the_root_are_relative_links_into_the_folder(self, name: str) -> None:
        """All files of the component are committed."""
        assert (ROOT / name).readlink() == Path("seldon-ml-score-component") / name
        assert (ROOT / name).exists()

    @pytest.mark.parametrize("name", ["MLModel.py", "train.py"])
    def test_the_code_is_any_seldon_users(self, name: str) -> None:
        """The component imports only the standard library, numpy and scikit-learn, and is valid Python 3.8."""
        tree = ast.parse((COMPONENT / name).read_text(), feature_version=(3, 8))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        others = {module.split(".")[0] for module in imported} - sys.stdlib_module_names
        assert others <= {"numpy", "sklearn", "MLModel"}
