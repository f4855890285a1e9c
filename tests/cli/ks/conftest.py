"""An app made by `ks init`, and `ks` run in it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from scorekit.cli.ks import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind: exit status, stdout and stderr."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def ks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Runs `ks` in the current folder, on a machine without a kubeconfig."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("KUBECONFIG", "GITHUB_TOKEN", "KS_GITHUB_API"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        status = main(list(arguments))
        return Ran(status, *capsys.readouterr())

    return run


@pytest.fixture
def app(ks: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new app with one environment, and the current folder in it."""
    monkeypatch.chdir(tmp_path)
    made = ks("init", "app", "--server", "https://example.test", "-n", "seldon", "--skip-default-registries")
    assert made.status == 0, made.err
    monkeypatch.chdir(tmp_path / "app")
    return tmp_path / "app"


def ok(out: str = "", err: str = "") -> Ran:
    return Ran(0, out, err)


def refused(message: str) -> Ran:
    """One error line on stderr in the form of logrus, nothing on stdout, exit status 1."""
    quoted = message.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return Ran(1, "", f'level=error msg="{quoted}"\n')


def info(message: str, **fields: str) -> str:
    quoted = message.replace('"', '\\"')
    return f'level=info msg="{quoted}"' + "".join(f" {key.replace('_', '-')}={it}" for key, it in fields.items()) + "\n"


def files(root: Path) -> dict[str, str]:
    """Every file below a folder, by path."""
    return {str(path.relative_to(root)): path.read_bytes().decode() for path in root.rglob("*") if path.is_file()}
