"""`assemble`, called by the real s2i: which folders become an image, and why the others do not."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .engine import HARDENED, Container, ask, beside, component, get, inspected, output_of, ran

pytestmark = pytest.mark.e2e

ECHO = "class Mine:\n    def predict(self, X, names): return X\n"
CONTRACT = json.dumps(
    {
        "features": [{"name": "x", "dtype": "FLOAT", "ftype": "continuous", "range": [0, 10], "repeat": 2}],
        "targets": [{"name": "y", "dtype": "FLOAT", "ftype": "continuous", "range": [0, 10], "repeat": 2}],
    }
)

Build = Callable[..., tuple[int, str]]
Run = Callable[..., Container]


def wheel(folder: Path, name: str, source: str) -> Path:
    """Writes a package of one module as a wheel; returns its path."""
    file = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    about = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in about.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in [*about.items(), (f"{info}/RECORD", record)]:
            archive.writestr(path, text)
    return file


@pytest.mark.parametrize(
    ("source", "environment", "files", "sentence"),
    [
        pytest.param(
            "raise ValueError('no weights')\n", "", {}, "ValueError: no weights (Mine.py, line 1)", id="import"
        ),
        pytest.param("import torch\n", "", {}, "Mine needs the package 'torch', which is not installed", id="package"),
        pytest.param("class mine: pass\n", "", {}, "has no class Mine; it has: mine; did you mean mine?", id="class"),
        pytest.param(
            "class Mine:\n    def predict(self, X, names): return X[:, :1]\n",
            "",
            {"contract__json": CONTRACT},
            "row 0 has 1 values; the contract has 2 targets",
            id="contract",
        ),
        pytest.param(
            "class Mine:\n    def predict(self, X, names): raise KeyError('column')\n",
            "",
            {"contract__json": CONTRACT},
            "predict for a row of the contract: answered 500",
            id="predict",
        ),
        pytest.param(ECHO, "", {"contract__json": "{"}, "contract.json is not JSON", id="no contract"),
        pytest.param(ECHO, "SERVICE_TYPE=MODELL\n", {}, "it must be one of MODEL, ROUTER", id="type"),
        pytest.param(
            ECHO, "SERVER=gunicorn\n", {}, "SERVER is 'gunicorn'; it must be scorekit or seldon-core", id="server"
        ),
        pytest.param(
            ECHO, "SERVER=seldon-core\n", {}, "SERVER is seldon-core, which cannot be imported", id="stock is missing"
        ),
        pytest.param(
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
            "",
            {},
            "ended by SIGKILL (perhaps out of memory",
            id="killed",
        ),
        pytest.param(ECHO, "", {"environment__yml": "name: x\n"}, "environment.yml needs conda", id="conda"),
        pytest.param(
            ECHO,
            "",
            {"requirements__txt": "numpy\nno-such-package-scorekit==1.0\n"},
            "No matching distribution found for no-such-package-scorekit==1.0 in the package index",
            id="no such package",
        ),
        pytest.param(
            ECHO, "", {"requirements__txt": "numpy>=2 0\n"}, "requirements.txt: Invalid requirement", id="typo"
        ),
        pytest.param(
            ECHO,
            "",
            {"requirements__txt": "numpy<1.20\n"},
            "Cannot install numpy<1.20 because these package versions have conflicting dependencies",
            id="older than can be served",
        ),
        pytest.param(
            ECHO,
            "",
            {"requirements__txt": f"six==1.16.0 --hash=sha256:{'0' * 64}\n"},
            "does not match its hash in requirements.txt",
            id="hash",
        ),
        pytest.param(
            ECHO,
            "",
            {"requirements__txt": f"packaging\nsix==1.16.0 --hash=sha256:{'0' * 64}\n"},
            "has hashes, so every package needs one",
            id="one hash of two",
        ),
        pytest.param(
            ECHO,
            "",
            {
                "pyproject__toml": "[project]\nname='x'\nversion='1'\n[build-system]\nrequires=['setuptools']\n",
                "setup__py": "from setuptools import Extension, setup\n"
                "setup(name='x', version='1', py_modules=['Mine'], ext_modules=[Extension('x', ['x.c'])])\n",
                "x__c": "int x;\n",
            },
            "the image has no compiler on purpose",
            id="compiler",
        ),
        pytest.param(
            ECHO,
            "EXTRA_INDEX_URL=https://user:word@packages.example/simple\n",
            {},
            "EXTRA_INDEX_URL contains a user or a password, and s2i keeps it in the image",
            id="password",
        ),
    ],
)
def test_what_is_not_fit_never_becomes_an_image(
    quick_builder: str,
    s2i_build: Build,
    tmp_path: Path,
    source: str,
    environment: str,
    files: dict[str, str],
    sentence: str,
) -> None:
    """For a folder that cannot be served, s2i fails, the builder's last sentence says why, and there is no image."""
    folder = component(tmp_path / "mine", source, environment, **files)
    status, output = s2i_build(folder, quick_builder, "scorekit-test/once-unfit")
    assert status != 0
    sentences = [line for line in output.splitlines() if line.startswith("assemble: ")]
    assert sentence in sentences[-1]
    assert "word@" not in output
    assert ran("docker", "image", "inspect", "scorekit-test/once-unfit").returncode != 0


AWKWARD = {
    "PLAIN": "one two",
    "SHELL": "$(touch /tmp/harm) `id` ; rm -rf / && x | y > z",
    "DOLLAR": "${HOME} $PATH",
    "QUOTES": """a "b" 'c'""",
    "SLASHES": "back\\slash \\n \\$x",
    "EQUALS": "a=b,c=d",
    "HASH": "#not a comment",
    "WIDE": "größe ✓",
}
TELLING = (
    f"import os\nNAMES = {sorted(AWKWARD)!r}\nclass Mine:\n"
    "    def init_metadata(self):\n"
    "        return {'name': 'mine', 'versions': [], 'custom': {name: os.environ.get(name, '?') for name in NAMES}}\n"
    "    def predict(self, X, names): return X\n"
)


@pytest.mark.parametrize("way", ["s2i", "dockerfile"])
def test_values_of_the_environment_are_data(
    quick_builder: str, s2i_build: Build, run: Run, tmp_path: Path, way: str
) -> None:
    """The model reads each value of .s2i/environment unchanged, in an image of s2i and in one of the Dockerfile."""
    lines = "".join(f"{name}={value}\n" for name, value in AWKWARD.items())
    folder = component(tmp_path / "mine", TELLING, lines)
    name = f"scorekit-test/once-data-{way}"
    if way == "s2i":
        status, output = s2i_build(folder, quick_builder, name)
        assert status == 0, output
        assert "there is no contract.json, so no request was sent" in output
    else:
        text = output_of(beside("scorekit"), "dockerfile", folder, "--builder", quick_builder, "--no-secret")
        output = output_of("docker", "build", "--tag", name, "--file", "-", folder, text=text)
    container = run(name).serving()
    assert json.loads(get(container.port(9000), "/metadata"))["custom"] == AWKWARD
    assert {f"{key}={value}" for key, value in AWKWARD.items()} <= set(inspected(name)["Config"]["Env"])
    assert container.inside("ls", "/tmp/harm").returncode != 0


def test_packages_of_the_earlier_build_are_taken_again(
    quick_builder: str, s2i_build: Build, run: Run, tmp_path: Path
) -> None:
    """An incremental build installs nothing if the requirements are the same, and everything if they have changed."""
    source = "import one\nclass Mine:\n    def predict(self, X, names): return X + one.N\n"
    folder = component(tmp_path / "mine", source, requirements__txt="./one-1.0-py3-none-any.whl\n")
    wheel(folder, "one", "N = 1\n")
    name = "scorekit-test/once-incremental"
    status, output = s2i_build(folder, quick_builder, name)
    assert status == 0, output
    assert "Successfully installed one-1.0" in output

    (folder / "Mine.py").write_text(source.replace("X + one.N", "X + one.N + 1"))
    status, output = s2i_build(folder, quick_builder, name, "--incremental", "--rm")
    assert status == 0, output
    assert "reusing the packages of the earlier build" in output
    assert "Collecting" not in output + "Processing"
    container = run(name, *HARDENED).serving()
    assert ask("127.0.0.1", container.port(5000), [[1, 2]])["data"]["ndarray"] == [[3, 4]]

    (folder / "requirements.txt").write_text("./one-1.0-py3-none-any.whl\npackaging\n")
    status, output = s2i_build(folder, quick_builder, name, "--incremental")
    assert status == 0, output
    assert "have changed: installing the packages anew" in output
    assert "Successfully installed" in output


def test_any_user_may_build(builder: str, quick_builder: str, tmp_path: Path) -> None:
    """`assemble` runs as an unknown user id of group 0, as OpenShift chooses one."""
    folder = component(tmp_path / "mine", ECHO, contract__json=CONTRACT)
    mounted = ["-v", f"{folder}:/sources:ro", "--user", "54321:0", "--cap-drop", "ALL"]
    built = "cp -R /sources /tmp/src && /s2i/bin/assemble"
    output = output_of("docker", "run", "--rm", *mounted, quick_builder, "sh", "-c", built)
    assert "Mine answers predict for a row of contract.json" in output


@pytest.mark.parametrize("kind", ["setup.py", "pyproject.toml"])
def test_a_package_of_ones_own_is_installed(
    quick_builder: str, s2i_build: Build, run: Run, tmp_path: Path, kind: str
) -> None:
    """Without requirements.txt, the folder itself is installed in editable mode, with its dependencies."""
    texts = {
        "setup.py": "from setuptools import setup\nsetup(name='mine', version='1', py_modules=['Mine'],"
        " install_requires=['six'])\n",
        "pyproject.toml": "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n"
        "[project]\nname = 'mine'\nversion = '1'\ndependencies = ['six']\n[tool.setuptools]\npy-modules = ['Mine']\n",
    }[kind]
    source = "import six\nclass Mine:\n    def predict(self, X, names): return [[six.__name__, __file__]]\n"
    folder = component(tmp_path / "mine", source, **{kind.replace(".", "__"): texts})
    name = f"scorekit-test/once-{kind.replace('.', '-')}"
    status, output = s2i_build(folder, quick_builder, name)
    assert status == 0, output
    container = run(name, *HARDENED).serving()
    answer = ask("127.0.0.1", container.port(5000), [[1, 2]])
    assert answer["data"]["ndarray"] == [["six", "/microservice/Mine.py"]]


def test_hashes_are_honoured(quick_builder: str, s2i_build: Build, tmp_path: Path) -> None:
    """Requirements with hashes are installed as they are locked, beside scorekit and its dependencies."""
    folder = component(tmp_path / "mine", "import one\n" + ECHO)
    file = wheel(folder, "one", "")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "requirements.txt").write_text(f"--require-hashes\n./{file.name} --hash=sha256:{digest}\n")
    status, output = s2i_build(folder, quick_builder, "scorekit-test/once-hashes")
    assert status == 0, output
    assert "Successfully installed one-1.0" in output


def test_locked_requirements_must_include_scorekits_dependencies(
    builder: str, s2i_build: Build, tmp_path: Path
) -> None:
    """If requirements have hashes, nothing is added to them, and a missing dependency is named."""
    folder = component(tmp_path / "mine", ECHO)
    file = wheel(folder, "one", "")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "requirements.txt").write_text(f"./{file.name} --hash=sha256:{digest}\n")
    status, output = s2i_build(folder, builder, "scorekit-test/once-lock")
    assert status != 0
    assert "which has hashes, lacks a package: scorekit" in output
    assert "requires numpy" in output


STOCK = "seldon-core==1.17.1\nsetuptools<80\nnumpy<2\n"


def test_the_stock_wrapper_runs_if_required(builder: str, s2i_build: Build, run: Run, tmp_path: Path) -> None:
    """With SERVER=seldon-core and seldon-core required, the same image runs the stock wrapper, as hardened as ours."""
    folder = component(
        tmp_path / "mine",
        ECHO,
        "SERVICE_TYPE=MODEL\nAPI_TYPE=REST\nPERSISTENCE=0\nSERVER=seldon-core\n",
        requirements__txt=STOCK,
        contract__json=CONTRACT,
    )
    python = output_of(
        "docker", "run", "--rm", builder, "python", "-c", "import sys; print(sys.version_info >= (3, 13))"
    )
    if python.strip() == "True":
        pytest.skip("seldon-core 1.17.1 needs numpy<2, which has no wheels for the base's Python")
    status, output = s2i_build(folder, builder, "scorekit-test/once-stock")
    assert status == 0, output
    container = run("scorekit-test/once-stock", *HARDENED).wait_for("gunicorn")
    container.wait_for("Listening at: http://0.0.0.0:9000")
    assert ask("127.0.0.1", container.port(9000), [[1, 2]])["data"]["ndarray"] == [[1, 2]]
    assert container.inside("/s2i/bin/health").returncode == 0
    assert container.stop() == 0
