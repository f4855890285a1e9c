"""The repository's locks, scripts and setup, and texts that no committed file may contain."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import group_of

ROOT = Path(__file__).parents[1]
SCRIPTS = [
    *(
        f"script/{name}"
        for name in (
            "setup",
            "server",
            "test",
            "lock",
            "tools",
            "docker",
            "image",
            "cluster",
            "bench",
            "soak",
            "fuzz",
            "hops",
            "models",
        )
    ),
    ".ci/run",
]


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "script")
    import locks

    return locks


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Returns the module behind script/setup, which here writes into the test's folder only."""
    monkeypatch.syspath_prepend(ROOT / "script")
    import environment

    monkeypatch.setattr(environment, "LOG", tmp_path / "setup.log")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    return environment


def test_the_locks_are_up_to_date_and_name_no_host(locks: ModuleType) -> None:
    """Both locks match Pipfile and pyproject.toml, and name no package index."""
    assert locks.faults() == []
    for pipfile in locks.MADE_WITH:
        lock = json.loads(locks.lock_of(pipfile).read_text())
        entries = [entry for category in ("default", "develop") for entry in lock[category].values()]
        assert lock["_meta"]["sources"] == []
        assert all("index" not in entry and (entry.get("hashes") or entry.get("editable")) for entry in entries)


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("Pipfile", ("[packages]", '[packages]\nflask = "*"'), "is older than"),
        ("pyproject.toml", ("PyYAML>=6.0.1", "PyYAML>=6.0.2"), "is older than"),
        ("Pipfile", ("[packages]", '[[source]]\nurl = "https://packages.example"\n[packages]'), "names a host"),
        ("Pipfile.lock", ('"sources": []', '"sources": ["mirror.example.org"]'), "names a host"),
    ],
)
def test_a_stale_lock_is_noticed(
    locks: ModuleType, tmp_path: Path, name: str, change: tuple[str, str], fault: str
) -> None:
    """A dependency that changed after locking, in either file, is a fault, and so is a package host."""
    for each in ("Pipfile", "Pipfile.lock", "Pipfile-py313.lock", "pyproject.toml"):
        text = (ROOT / each).read_text()
        (tmp_path / each).write_text(text.replace(*change) if each == name else text)
    assert any(fault in each for each in locks.faults(tmp_path))


def test_a_comment_does_not_make_a_lock_stale(locks: ModuleType, tmp_path: Path) -> None:
    """Comments and tool settings may change without a new lock."""
    (tmp_path / "Pipfile").write_text("# a new comment\n" + (ROOT / "Pipfile").read_text())
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + '\n[tool.other]\nsetting = "x"\n')
    assert locks.dependencies_digest(tmp_path) == locks.dependencies_digest(ROOT)


def test_no_committed_file_names_a_package_index() -> None:
    """No committed file names a host of the package index: each machine's settings do."""
    hosts = [b"pypi" + b".org", b"pythonhosted" + b".org"]
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nothing tells which files are committed")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]
    assert not [path for path in files if any(host in path.read_bytes() for host in hosts)]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_can_be_run(name: str) -> None:
    """Each script is executable and is a POSIX shell script without syntax errors."""
    assert os.access(ROOT / name, os.X_OK)
    assert (ROOT / name).read_text().startswith("#!/bin/sh\n")
    subprocess.run(["/bin/sh", "-n", ROOT / name], check=True)


def run_setup(folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    script = ROOT / "script" / "setup"
    (folder / "script").mkdir()
    (folder / "script" / "setup").write_bytes(script.read_bytes())
    command = ["/bin/sh", str(folder / "script" / "setup")]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def fake(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def tools(folder: Path) -> Path:
    """Returns a PATH with the one program that the script needs before it has found a Python."""
    (folder / "bin").mkdir()
    (folder / "bin" / "dirname").symlink_to("/usr/bin/dirname")
    return folder / "bin"


def test_an_old_python_is_one_sentence(tmp_path: Path) -> None:
    """Without a Python 3.11 or newer, setup fails and says which names it tried and how to give another."""
    path = tools(tmp_path)
    fake(path / "python3", "exit 1")
    done = run_setup(tmp_path, PATH=str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("setup: no Python 3.11 or newer on PATH")
    assert done.stderr.count("\n") == 1


def test_a_named_python_is_not_replaced(tmp_path: Path) -> None:
    """If $PYTHON is too old, setup fails and does not use another Python."""
    path = tools(tmp_path)
    fake(path / "python3.11", "exit 0")
    fake(path / "old", "exit 1")
    done = run_setup(tmp_path, PATH=str(path), PYTHON="old")
    assert (done.returncode, done.stderr) == (1, "setup: PYTHON=old does not exist or is older than 3.11\n")


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("x\nerror: command 'gcc' failed: No such file or directory\n", "no compiler"),
        ("error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'\n", "no compiler"),
        ("error: can't find Rust compiler\n", "no Rust compiler"),
        ("Rust not found, installing into a temporary directory\n", "no Rust compiler"),
        ("../meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang']]\n", "no compiler"),
        ("error: command 'gcc' failed with exit code 1\n", "installing failed"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n", "does not match its hash"),
        ("Failed to establish: NewConnectionError(...)\n", "could not be reached"),
        ("one\n\ntwo\nthree\nfour\n", "two / three / four"),
    ],
)
def test_a_failed_install_is_one_sentence(environment: ModuleType, log: str, sentence: str) -> None:
    """Setup explains the cause in a log, such as a missing compiler, or prints the log's last lines."""
    assert sentence in environment.cause(log)
    assert "\n" not in environment.cause(log)


def test_a_failed_command_names_its_log(environment: ModuleType) -> None:
    """The error of a failed step names the log, and the log has the step's output."""
    with pytest.raises(environment.SetupError, match=r"oh no; the whole log is setup\.log"):
        environment.run([sys.executable, "-c", "import sys; sys.exit('oh no')"])
    assert environment.LOG.read_text() == "oh no\n"


@pytest.fixture
def debian_without_venv(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(environment, "BASE_PYTHON", Path("/usr/bin/python3.11"))
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else name)
    return environment


def test_a_missing_venv_is_installed_as_root(
    debian_without_venv: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As root on Debian, setup installs a missing venv with apt-get, after an update if the lists are old."""
    fake(
        tmp_path / "bin" / "apt-get", f'[ "$1" = update ] && touch "{tmp_path}/new"; echo "$*"; [ -e "{tmp_path}/new" ]'
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    debian_without_venv.need_venv()
    install = f"install -y --no-install-recommends python{sys.version_info.major}.{sys.version_info.minor}-venv"
    assert debian_without_venv.LOG.read_text().splitlines() == [install, "update", install]
    assert "lacks venv: installing python3." in capsys.readouterr().out


def test_a_missing_venv_is_reported_without_root(
    debian_without_venv: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without root, the error has the command that installs venv."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(debian_without_venv.SetupError, match=r"sudo apt-get install python3\.\d+-venv"):
        debian_without_venv.need_venv()


def test_tests_that_share_a_cluster_share_a_worker() -> None:
    """All tests of the cluster, and all of the container engine, run on one worker; of other tests, those of a file."""
    assert group_of("tests/deploy/kube/test_config.py::test_a") == group_of("tests/deploy/test_apply.py::test_b[c::d]")
    assert group_of("tests/image/test_script.py::test_a") == group_of("tests/cluster/test_component.py::test_b")
    assert group_of("tests/e2e/test_up.py::test_a") == group_of("tests/e2e/test_up.py::test_b")
    assert len({group_of(f"tests/{name}/test_it.py::test_a") for name in ("image", "deploy", "e2e", "codec")}) == 4


def test_children_of_tests_have_default_signals(tmp_path: Path) -> None:
    """Children of a test can be interrupted even where pytest runs in the background and ignores SIGINT itself."""
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_signals.py").write_text(
        "import signal, subprocess, sys\n"
        "def test_it():\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    ask = 'import signal; print(signal.SIG_IGN in map(signal.getsignal, (1, 2, 3, 15)))'\n"
        "    assert subprocess.check_output([sys.executable, '-c', ask]) == b'False\\n'\n"
    )
    command = f"trap '' HUP INT QUIT; exec {sys.executable} -m pytest -q -p no:cacheprovider test_signals.py"
    environ = os.environ | {"PYTHONPATH": str(ROOT)}  # conftest.py names a plugin of ours
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_seldon_core_is_installed_up_to_python_3_12() -> None:
    """The developers' environment has seldon-core up to Python 3.12; in CI it may not be missing there."""
    if find_spec("seldon_core") is None:
        if os.environ.get("CI") == "true":
            assert sys.version_info >= (3, 13), "seldon-core is not installed; CI needs its tester"
        pytest.skip("seldon-core is not installed: its numpy<2 has no wheels from Python 3.13 on")
