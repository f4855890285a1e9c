"""ksonnet's tables, as text or JSON (ksonnet-rules.md#commands)."""

import argparse
import json
import sys
from collections.abc import Sequence

from ...errors import SetupError


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add ``-o`` to a command that prints a table."""
    parser.add_argument("-o", "--output", default="table", metavar="table|json", help="output format (default: table)")


def print_table(kind: str, header: Sequence[str], rows: Sequence[Sequence[str]], output: str) -> None:
    """Print a table in the format ``output``. Raises ``SetupError`` for an unknown format."""
    if output not in ("table", "json"):
        raise SetupError(f'detecting output format: unknown output format "{output}"')
    sys.stdout.write(as_json(kind, header, rows) if output == "json" else as_text(header, rows))


def as_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, one space apart, without spaces at the ends; headings are underlined."""
    lines = [[name.upper() for name in header], ["=" * len(name) for name in header], *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (" ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(line.strip() + "\n" for line in padded)


def as_json(kind: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """``{"kind": …, "data": [{heading: cell, …}, …]}``, indented with tabs and escaped as Go's encoder does."""
    data = [dict(sorted(zip(header, row, strict=True))) for row in rows]
    text = json.dumps({"kind": kind, "data": data}, indent="\t", ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"
