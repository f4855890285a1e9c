"""The sections of docs/kubernetes.md that need no image of others run on a real node, word for word."""

import shutil
from pathlib import Path

import pytest

from ..test_readme import read_blocks
from .node import ROOT, Node

pytestmark = [pytest.mark.e2e, pytest.mark.cluster]

DOCUMENT = (ROOT / "docs" / "kubernetes.md").read_text()


@pytest.mark.parametrize("heading", ["Which cluster", "The model's image without Seldon", "A plain container"])
def test_the_section_runs(node: Node, component: str, heading: str, tmp_path: Path) -> None:
    """Each of its shell blocks succeeds in the folder of the app."""
    assert component
    (section,) = (each for each in DOCUMENT.split("\n## ") if each.startswith(heading))
    blocks = [block for block in read_blocks(section) if block.how == "run"]
    assert blocks
    (tmp_path / "seldon-ml-score-component").symlink_to(ROOT / "seldon-ml-score-component")
    folder = shutil.copytree(ROOT / "ksonnet-app", tmp_path / "ksonnet-app")
    for block in blocks:
        node.said("bash", "-euo", "pipefail", "-c", block.code, cwd=folder)
