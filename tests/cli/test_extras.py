"""Commands whose packages are not installed say in one sentence how to get them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("yaml", "_gojsonnet", "urllib3"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from scorekit.cli import main
from scorekit.cli.ks import main as ks
sys.exit((ks if sys.argv[1] == "ks" else main)(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "command",
    [
        ["scorekit", "up", "ksonnet-app"],
        ["ks", "init", "app"],
        ["ks", "--dir", str(ROOT / "ksonnet-app"), "validate", "default"],
    ],
)
def test_a_missing_package_is_one_sentence(command: list[str], tmp_path: Path) -> None:
    """No traceback, and no name of an index's package that somebody else may own."""
    argv = [sys.executable, "-c", WITHOUT, *command]
    folder = ROOT if command[0] == "scorekit" else tmp_path
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "pip install '.[" in done.stderr.replace("\\", "")
    assert "in a checkout of scorekit" in done.stderr
