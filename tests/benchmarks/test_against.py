"""`script/bench --against`: two revisions measured beside each other."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def against(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The module behind `script/bench --against`, with a cache of its own."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import against

    monkeypatch.setattr(against, "CACHE", tmp_path)
    return against


def test_the_verdict_is_the_median_of_paired_ratios(against: ModuleType) -> None:
    """One pair that the machine has spoilt does not change the verdict, and neither does a machine that slows down."""
    figure = against.Figure("one row, REST", "requests/s", [(99, 100), (49, 50), (9.9, 10), (1, 10)])
    assert figure.ratios == [0.99, 0.98, 0.99, 0.1]
    assert figure.median == pytest.approx(0.985)
    assert "0.985" in figure.line()


def test_the_sources_of_a_revision_are_unpacked_and_served(against: ModuleType, tmp_path: Path) -> None:
    """The earlier tree's server runs the earlier tree's code, whatever is installed."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so there is no earlier revision")
    tree = against.revision("HEAD")
    assert tree.source.is_relative_to(tmp_path / "against")
    server = against.server_of(tree)
    assert server.source == tree.source
    code = "import scorekit; print(scorekit.__file__)"
    command = server.command(Path(sys.executable).parent, tmp_path, [1, 2, 3])
    assert command[1:3] == ["-m", "scorekit"]
    printed = subprocess.run(
        [command[0], "-c", code], env={"PYTHONPATH": str(tree.source)}, capture_output=True, text=True, check=True
    ).stdout
    assert Path(printed.strip()).is_relative_to(tree.source)


def test_an_unknown_revision_is_one_sentence(against: ModuleType) -> None:
    """A revision that git does not know ends with a sentence that names it."""
    with pytest.raises(SystemExit, match="git knows no commit 'no-such-branch'"):
        against.revision("no-such-branch")


def test_too_few_rounds_are_refused(against: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A median of fewer than five rounds is no verdict."""
    monkeypatch.setattr("sys.argv", ["against", "HEAD", "--rounds", "4"])
    with pytest.raises(SystemExit, match="2"):
        against.main()
