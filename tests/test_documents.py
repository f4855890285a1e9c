"""What holds for all documents: links lead somewhere, and tables name what exists."""

import re
import subprocess
from pathlib import Path

import pytest

from scorekit.tester.laws import LAWS

from .test_layers import FLOORS, MODULES

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<text>.+?)\s*$", re.MULTILINE)
ANCHOR = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
CODE_PATH = re.compile(r"`((?:src|tests|docs|script|benchmarks|s2i|ksonnet-app)/[\w./-]+)`")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    """Returns every Markdown file of the repository that is, or will be, committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so nothing tells which files are committed")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def anchors(text: str) -> set[str]:
    """Returns the anchors of a document as GitHub makes them: headings in lower case, dashes for blanks."""
    made: set[str] = set()
    text = FENCED.sub("", text)
    for heading in HEADING.finditer(text):
        words = re.sub(r"\]\([^)]*\)", "", heading["text"]).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        doubles = sum(1 for name in made if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", name))
        made.add(f"{slug}-{doubles}" if doubles else slug)
    return made | set(ANCHOR.findall(text))


def broken_links(path: Path) -> list[str]:
    """Returns the relative links of a document whose file or anchor does not exist."""
    broken = []
    text = re.sub(r"`[^`\n]*`", "", FENCED.sub("", path.read_text()))
    for link in LINK.finditer(text):
        target, _, anchor = link["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (path.parent / target).resolve() if target else path
        known = file.exists() and (not anchor or file.suffix != ".md" or anchor in anchors(file.read_text()))
        if not known:
            broken.append(f"{path.name}: {link['target']}")
    return broken


def test_every_relative_link_leads_to_a_file_and_a_heading() -> None:
    """A link to a file of the repository, with or without an anchor, has something at its end."""
    assert [broken for path in documents() for broken in broken_links(path)] == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    """A missing file and a missing heading are found; code, addresses and good links are passed over."""
    (tmp_path / "b.md").write_text("# Überschrift, `a_b` – [c](d.md)!\n\n## Twice\n\n## Twice\n")
    good = (
        "[x](b.md) ![y](b.md#twice-1) [z](https://example.org/#q) [w](b.md#überschrift-a_b--c) `[n](no.md)` [own](#own)"
    )
    (tmp_path / "a.md").write_text(f"# Own\n\n{good}\n\n```text\n[no](no.md)\n```\n\n[bad](no.md) [worse](b.md#no)\n")
    assert broken_links(tmp_path / "a.md") == ["a.md: no.md", "a.md: b.md#no"]


def test_the_laws_are_listed() -> None:
    """docs/testing.md has each law of the tester, in the order of the report, and the README their number."""
    _, _, table = (ROOT / "docs" / "testing.md").read_text().partition("| Law | What it says |\n|---|---|\n")
    assert re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE) == [law.name for law in LAWS]
    assert f"against {len(LAWS)} laws" in (ROOT / "README.md").read_text().replace("\n  ", " ")


def test_every_design_note_is_in_the_index() -> None:
    """A design note begins with its number and decision, then its date and status, as its row of the index has them."""
    folder = ROOT / "docs" / "design"
    rows = re.findall(r"^\| \[\d+\]\(.+$", (folder / "README.md").read_text(), re.MULTILINE)
    notes = sorted(folder.glob("[0-9]*.md"))
    assert len(rows) == len(notes)
    for note, row in zip(notes, rows, strict=True):
        heading = re.match(r"# (\d{4}) (.+)\n\n(\d{4}-\d\d-\d\d).* · (accepted|replaced|withdrawn)", note.read_text())
        assert heading, f"{note.name} does not begin with a number, a decision, a date and a status"
        number, decision, date, status = heading.groups()
        assert note.name.startswith(f"{number}-")
        assert row.startswith(f"| [{number}]({note.name}) | {decision} | {date} | {status}"), row


def floors_as_text() -> str:
    """Returns the floors of tests/test_layers.py as docs/architecture.md prints them."""
    lines = [f"{number:2}  {'  '.join(rooms)}" for number, rooms in enumerate(FLOORS)]
    return "```text\n" + "\n".join(lines) + "\n```\n"


def test_the_architecture_shows_the_floors_that_are_checked() -> None:
    """docs/architecture.md has the floors of tests/test_layers.py, in their order."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert floors_as_text() in text, f"put this between the marks in docs/architecture.md:\n{floors_as_text()}"


def test_paths_in_documents_exist() -> None:
    """A path of this repository that a document names in code is there."""
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in documents()
        for name in CODE_PATH.findall(path.read_text())
        if not (ROOT / name).exists()
    ]
    assert missing == []


def test_modules_on_the_map_exist() -> None:
    """A dotted name in docs/architecture.md that begins with a room is a module of that room."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {name.partition(".")[0] for name in MODULES}
    dotted = re.findall(r"(?<![\w/.])[a-z_]+(?:\.[a-z_0-9]+)+(?![\w/])", text)
    named = {name for name in dotted if name.partition(".")[0] in rooms and not name.endswith((".py", ".md", ".json"))}
    assert named - MODULES.keys() == set()
