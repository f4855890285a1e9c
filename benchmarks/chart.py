"""Draws the chart of the README's first screen: requests per second of each server, as a plain SVG.

It needs nothing but ``results/bench.json``, so a test can draw the chart again and compare. A page shows the file on
white or on black, whatever theme the reader's system has: every colour here has a contrast of at least 3 against both,
and text one of at least 3.7.
"""

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

RESULTS = Path(__file__).parent / "results"
CASE = "REST 1 × 4, ndarray"
CEILING = "nginx"  # answers a constant: what the machine allows, not a rival
CAPTION = "Predictions per second: one process, one row a request, 32 connections"
WIDTH, LABEL, BAR, ROW, TOP = 720, 108, 500, 30, 40
TEXT, OURS, RIVAL = "#768390", "#2f81f7", "#8b949e"


def requests_chart(record: Any) -> str:
    """Returns one horizontal bar for each server of ``record`` (the content of bench.json), the fastest first."""
    case = record["cases"][CASE]
    speeds = {name: case[name]["requests_per_s"] for name in case if name != CEILING}
    names = sorted(speeds, key=lambda name: -speeds[name])
    height = TOP + ROW * len(names) + 6
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" font-size="14">',
        f"<title>{escape(in_words(speeds))}</title>",
        f'<text x="0" y="18" fill="{TEXT}">{CAPTION}</text>',
    ]
    for number, name in enumerate(names):
        lines += bar(name, speeds[name], speeds[names[0]], TOP + ROW * number)
    return "\n".join([*lines, "</svg>", ""])


def in_words(speeds: dict[str, float]) -> str:
    """Returns the chart in words, for readers who do not see it."""
    each = (f"{name} {speed:,.0f}" for name, speed in sorted(speeds.items(), key=lambda item: -item[1]))
    return f"Requests per second: {', '.join(each)}"


def bar(name: str, speed: float, fastest: float, top: int) -> list[str]:
    """Returns the name, the bar and the figure of one server."""
    ours = name == "scorekit"
    colour, weight = (OURS, "bold") if ours else (RIVAL, "normal")
    length = max(2.0, BAR * speed / fastest)
    base = top + 17
    return [
        f'<text x="{LABEL - 8}" y="{base}" text-anchor="end" font-weight="{weight}" '
        f'fill="{colour if ours else TEXT}">{escape(name)}</text>',
        f'<rect x="{LABEL}" y="{top + 2}" width="{length:.1f}" height="20" rx="2" fill="{colour}"/>',
        f'<text x="{LABEL + length + 8:.1f}" y="{base}" font-weight="{weight}" '
        f'fill="{colour if ours else TEXT}">{speed:,.0f}</text>',
    ]


def main() -> None:
    """Writes ``results/requests.svg`` from ``results/bench.json``."""
    record = json.loads((RESULTS / "bench.json").read_text())
    (RESULTS / "requests.svg").write_text(requests_chart(record))


if __name__ == "__main__":
    main()
