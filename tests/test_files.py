"""An app on disk."""

from pathlib import Path

import pytest

from scorekit.errors import RenderError
from scorekit.files import Directory, find_root
from scorekit.ks.tree import MemoryTree


def test_a_folder_and_a_mapping_are_the_same_tree(tmp_path: Path) -> None:
    """What holds for the tests' tree in memory holds on disk: files, folders, and what is not there."""
    files = {"app.yaml": "a", "components/x.jsonnet": "x", "components/deep/y.yaml": "y"}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for tree in (Directory(tmp_path), MemoryTree(files)):
        assert tree.read("components/../app.yaml") == "a"
        assert tree.read("components") is None
        assert tree.read("app.yaml/x") is None
        assert tree.names("") == ["app.yaml", "components/"]
        assert tree.names("components") == ["deep/", "x.jsonnet"]
        assert tree.names("app.yaml") is None
        assert tree.names("nope") is None


def test_bytes_that_are_no_text_are_our_error(tmp_path: Path) -> None:
    """With the file's name."""
    (tmp_path / "a.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(RenderError, match=r"^a\.yaml: not UTF-8: .* at byte 3$"):
        Directory(tmp_path).read("a.yaml")


def test_the_root_is_the_nearest_ancestor(tmp_path: Path) -> None:
    """An app inside an app is its own (§B.1)."""
    inner = tmp_path / "outer/inner/components"
    inner.mkdir(parents=True)
    (tmp_path / "outer/app.yaml").touch()
    assert find_root(inner) == tmp_path / "outer"
    (tmp_path / "outer/inner/app.yaml").touch()
    assert find_root(inner) == tmp_path / "outer/inner"
