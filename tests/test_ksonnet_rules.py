"""`docs/ksonnet-rules.md` is the only source of ksonnet's rules that code and tests cite."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RULES = ROOT / "docs/ksonnet-rules.md"
CITATION = re.compile(r"ksonnet-rules\.md#([\w-]+)")
NUMBERED = re.compile(r"§" + r"[ABC]\.\d")  # sections of a document that is not in the repository


def anchors(text: str) -> set[str]:
    """The anchors of a Markdown text: those that GitHub makes of headings, and those that are set by hand."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([\w-]+)">', text))


def texts() -> dict[str, str]:
    """Every Python and Markdown file of the repository that may cite the rules, by path."""
    folders = [ROOT / name for name in ("src", "tests", "docs", "script")]
    paths = [path for folder in folders for kind in ("*.py", "*.md") for path in folder.rglob(kind)]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


def test_every_cited_rule_exists() -> None:
    """Each citation leads to a section of that page, and so does each link within it."""
    known = anchors(RULES.read_text(encoding="utf-8"))
    missing = {path: set(CITATION.findall(text)) - known for path, text in texts().items()}
    assert {path: names for path, names in missing.items() if names} == {}
    assert set(re.findall(r"\]\(#([\w-]+)\)", RULES.read_text(encoding="utf-8"))) <= known


def test_every_link_of_the_rules_leads_to_a_file() -> None:
    """The page links to design notes that exist."""
    links = re.findall(r"\]\(([^)#]+)\)", RULES.read_text(encoding="utf-8"))
    assert [link for link in links if not (RULES.parent / link).exists()] == []


def test_no_numbered_section_is_cited() -> None:
    """Nothing refers to the sections of notes that a reader does not have."""
    assert [path for path, text in texts().items() if NUMBERED.search(text)] == []
