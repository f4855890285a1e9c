"""An app on disk."""

from pathlib import Path

import pytest

from scorekit.errors import RenderError, SetupError
from scorekit.ks.io.disk import Directory, find_root
from scorekit.testing import MemoryTree


def test_a_folder_and_a_mapping_are_the_same_tree(tmp_path: Path) -> None:
    """The tree in memory that tests use reads like the one on disk."""
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


def test_a_folder_and_a_mapping_change_alike(tmp_path: Path) -> None:
    """After the same writes, moves and removals both have the same files."""
    memory = MemoryTree({})
    for tree in (Directory(tmp_path), memory):
        tree.write("a/b/one", "1\r\n")
        tree.write("a/b/two", b"2")
        tree.write("a/b/one", "one\r\n")
        tree.move("a/b", "c/d")
        tree.remove("a")
        tree.remove("nothing")
        tree.make("c/d")
        tree.remove("c/d/two")
        assert tree.read("c/d/one") == "one\r\n"  # line ends stay
        assert tree.read_bytes("c/d/one") == b"one\r\n"
        assert tree.names("c/d") == ["one"]
        assert tree.names("a") is None


def test_a_file_is_replaced_whole_where_a_link_points(tmp_path: Path) -> None:
    """A link stays a link, permissions stay, and nothing else is left in the folder."""
    target = tmp_path / "elsewhere/file"
    target.parent.mkdir()
    target.write_text("old")
    target.chmod(0o600)
    (tmp_path / "link").symlink_to(target)
    Directory(tmp_path).write("link", "new")
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o600)
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "file", "link"]
    Directory(tmp_path).remove("link")
    assert target.exists()


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ".", "", "a/.."])
def test_nothing_outside_is_changed(tmp_path: Path, path: str) -> None:
    """A path out of the folder, or to the folder itself, is refused."""
    (tmp_path / "x").write_text("kept")
    tree = Directory(tmp_path / "app")
    tree.write("file", "")
    refused = pytest.raises(SetupError, match="is not inside the app; nothing outside of it is changed")
    with refused:
        tree.write(path, "")
    with refused:
        tree.remove(path)
    with refused:
        tree.make(path)
    with refused:
        tree.move("file", path)
    with refused:
        tree.move(path, "other")
    assert (tmp_path / "x").read_text() == "kept"


def test_what_cannot_be_changed_is_our_error(tmp_path: Path) -> None:
    """The error has the path and the system's reason."""
    tree = Directory(tmp_path)
    tree.write("file", "")
    tree.write("other", "")
    with pytest.raises(SetupError, match=r"^file/x cannot be written: "):
        tree.write("file/x", "")
    with pytest.raises(SetupError, match=r"^file/x cannot be made: "):
        tree.make("file/x")
    with pytest.raises(SetupError, match=r"^file cannot be moved: other exists already$"):
        tree.move("file", "other")
    with pytest.raises(SetupError, match=r"^no cannot be moved to x: "):
        tree.move("no", "x")
    with pytest.raises(SetupError, match=r"^no cannot be read: "):
        tree.read_bytes("no")


def test_a_file_that_is_not_utf_8_is_our_error(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "a.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(RenderError, match=r"^a\.yaml: not UTF-8: .* at byte 3$"):
        Directory(tmp_path).read("a.yaml")


def test_the_root_is_the_nearest_ancestor(tmp_path: Path) -> None:
    """An app inside of an app has its own root (ksonnet-rules.md#app-folder)."""
    inner = tmp_path / "outer/inner/components"
    inner.mkdir(parents=True)
    (tmp_path / "outer/app.yaml").touch()
    assert find_root(inner) == tmp_path / "outer"
    (tmp_path / "outer/inner/app.yaml").touch()
    assert find_root(inner) == tmp_path / "outer/inner"
