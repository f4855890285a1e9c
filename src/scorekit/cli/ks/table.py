"""ksonnet's tables (ksonnet-rules.md#commands)."""

import json
from collections.abc import Sequence


def as_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, one space apart; each heading underlined; no outer spaces."""
    lines = [[name.upper() for name in header], ["=" * len(name) for name in header], *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (" ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(line.strip() + "\n" for line in padded)


def as_json(kind: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One object per row, keyed by heading, indented by tabs."""
    data = [dict(sorted(zip(header, row, strict=True))) for row in rows]
    text = json.dumps({"kind": kind, "data": data}, indent="\t", ensure_ascii=False)
    for character in "<>&\u2028\u2029":  # as Go's encoder has it
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"
