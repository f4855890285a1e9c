"""The Dockerfile of a component: it takes the steps of s2i, and no value can break out of its place."""

import re
from pathlib import Path

import pytest

from scorekit.cli import main
from scorekit.errors import SetupError
from scorekit.image import DockerfileRecipe, dockerfile, named_files

EXAMPLE = Path(__file__).parents[2] / "seldon-ml-score-component"


def folder(path: Path, environment: str = "MODEL_NAME=Mine\n", **files: str) -> Path:
    (path / ".s2i").mkdir(parents=True)
    (path / ".s2i" / "environment").write_text(environment)
    for name, text in files.items():
        file = path / name.replace("__", ".")
        file.write_text(text)
    return path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["dockerfile", *arguments]) == 0
    return capsys.readouterr().out


def test_the_example_has_its_packages_in_a_layer_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Packages are installed before the sources are copied, so that a new model installs nothing."""
    text = printed(capsys, str(EXAMPLE))
    steps = re.findall(r"^(?:FROM|COPY|RUN|CMD) .*$", text, re.MULTILINE)
    kinds = [re.sub(r"--\S+ ", "", step).split(" AS ")[0] for step in steps]
    assert kinds == [
        "FROM scorekit/seldon-s2i-python3:0.1.0",
        'COPY ["requirements.txt", "/tmp/src/"]',
        'RUN ["/s2i/bin/assemble", "--packages"]',
        'COPY [".", "/tmp/src/"]',
        'RUN ["/s2i/bin/assemble", "--stage"]',
        "FROM scorekit/seldon-s2i-python3:0.1.0",
        'RUN ["chmod", "0555", "/opt/component", "/microservice"]',
        'COPY ["/opt/component", "/opt/component"]',
        'COPY ["/microservice", "/microservice"]',
        'CMD ["/s2i/bin/run"]',
    ]
    assert text.count('ENV MODEL_NAME="MLModel" \\\n    SERVICE_TYPE="MODEL" \\\n') == 2


def test_no_secret_is_asked_for_where_the_engine_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    """`--no-secret` prints a Dockerfile for engines without BuildKit."""
    assert "--mount=type=secret,id=pip.conf" in printed(capsys, str(EXAMPLE))
    assert "--mount" not in printed(capsys, str(EXAMPLE), "--no-secret")


@pytest.mark.parametrize("value", ['"', "\\", "$HOME", "a\\", '" \\\nRUN ["id"]', "x # y", "$(id)`id`"])
def test_a_value_stands_for_itself(value: str) -> None:
    """A value is quoted so that nothing in it ends the quotes or is expanded; a value with a line end is refused."""
    recipe = DockerfileRecipe("builder", {"A": value})
    if not value.isprintable():
        with pytest.raises(SetupError, match="cannot be printed"):
            dockerfile(recipe)
        return
    (line, _) = [line for line in dockerfile(recipe).splitlines() if line.startswith("ENV A=")]
    inside = line.removeprefix('ENV A="').removesuffix('"')
    assert not re.search(r'(?<!\\)(?:\\\\)*["$]', inside)
    assert re.sub(r'\\(["\\$])', r"\1", inside) == value


@pytest.mark.parametrize(
    ("recipe", "fault"),
    [
        (DockerfileRecipe("builder\nRUN id", {}), "not the name of an image"),
        (DockerfileRecipe("builder AS x", {}), "not the name of an image"),
        (DockerfileRecipe("builder", {"A B": "x"}), "is not a valid variable"),
        (DockerfileRecipe("builder", {"A\nRUN": "x"}), "is not a valid variable"),
        (DockerfileRecipe("builder", {"A": "x\ty"}), "cannot be printed"),
        (DockerfileRecipe("builder", {}, ["../x"]), "cannot be copied"),
        (DockerfileRecipe("builder", {}, ["a/../../x"]), "cannot be copied"),
        (DockerfileRecipe("builder", {}, ["--from=x"]), "cannot be copied"),
        (DockerfileRecipe("builder", {}, ['a", "/etc/passwd']), "cannot be copied"),
        (DockerfileRecipe("builder", {}, ["/etc/passwd"]), "cannot be copied"),
    ],
)
def test_a_name_that_could_be_more_is_refused(recipe: DockerfileRecipe, fault: str) -> None:
    """Images, variables and paths consist of allowed characters; anything else is refused in one sentence."""
    with pytest.raises(SetupError, match=fault):
        dockerfile(recipe)


def test_index_settings_stay_in_the_first_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Index settings are arguments of a stage that is not in the image, also those of .s2i/environment."""
    text = printed(capsys, str(folder(tmp_path / "x", "MODEL_NAME=Mine\nEXTRA_INDEX_URL=https://u:p@a.example/$x\n")))
    first, last = text.split("\nFROM ")
    assert 'ARG EXTRA_INDEX_URL="https://u:p@a.example/\\$x"' in first
    assert "EXTRA_INDEX_URL" not in last
    assert "ENV EXTRA_INDEX_URL" not in text


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("numpy>=1.23\nscikit-learn  # a comment\n\n# another\n", []),
        ("numpy==1.26.4 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n", []),
        ('a[x,y]>=1; python_version < "3.12"\n--extra-index-url https://p.example\n-i https://p.example\n', []),
        ("-r more.txt\n--constraint=limits.txt\n-c sub/limits.txt\n", ["more.txt", "limits.txt", "sub/limits.txt"]),
        ("--require-hashes\n--no-binary=:all:\n", []),
        ("six @ https://p.example/six.whl\n", []),
        ("six @ file:///microservice/six.whl\n", None),
        ("-e .\n", None),
        ("./wheels/x.whl\n", None),
        ("wheels/x.whl\n", None),
        ("x-1.0-py3-none-any.whl\n", None),
        (".\n", None),
        ("--find-links wheels\n", None),
        ("-r ../x.txt\n", None),
        ("-r https://p.example/x.txt\n", None),
    ],
)
def test_requirements_that_name_more_of_the_folder_are_seen(text: str, files: list[str] | None) -> None:
    """Further requirement files are found; if any other file is needed, there is no layer of packages."""
    assert named_files(text) == files


def test_named_requirement_files_are_copied_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All files that requirements.txt names, directly or indirectly, are copied before packages are installed."""
    made = folder(tmp_path / "x", requirements__txt="-r deep/more.txt\n")
    (made / "deep").mkdir()
    (made / "deep" / "more.txt").write_text("six\n-c limits.txt\n")
    (made / "deep" / "limits.txt").write_text("six<2\n")
    text = printed(capsys, str(made))
    assert '["requirements.txt", "/tmp/src/"]' in text
    assert '["deep/more.txt", "deep/limits.txt", "/tmp/src/deep/"]' in text


@pytest.mark.parametrize(
    ("environment", "files", "sentence"),
    [
        ("SERVICE_TYPE=MODEL\n", {}, "which class is the model? Set MODEL_NAME"),
        ("MODEL_NAME=Mine\n", {"environment__yml": "name: x\n"}, "environment.yml needs conda"),
        ("MODEL_NAME\n", {}, "line 1: expected KEY=value"),
        ("MODEL_NAME=Mine\nA-B=x\n", {}, "'A-B' in .s2i/environment is not a valid variable"),
    ],
)
def test_a_folder_that_cannot_become_an_image_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment: str, files: dict[str, str], sentence: str
) -> None:
    """Folders that the builder would refuse are refused before a Dockerfile is written."""
    assert main(["dockerfile", str(folder(tmp_path / "x", environment, **files))]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
