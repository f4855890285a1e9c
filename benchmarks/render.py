"""Renders results/bench.json as tables and plots into benchmarks/README.md, and as a chart into the README.

Run it in an environment with matplotlib (`benchmarks/bench.py` does).
"""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "scorekit"  # the same file for the same numbers

from chart import in_words  # noqa: E402
from chart import main as draw_chart  # noqa: E402  after the settings above
from matplotlib import pyplot as plt  # noqa: E402

HERE = Path(__file__).parent
ROOT = HERE.parent
COLOURS = {
    "scorekit": "#d62728",
    "seldon-core": "#1f77b4",
    "FastAPI": "#2ca02c",
    "LitServe": "#9467bd",
    "MLServer": "#ff7f0e",
    "BentoML": "#8c564b",
}
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def main() -> None:
    record = json.loads((HERE / "results" / "bench.json").read_text())
    latency_plot(record)
    rows_plot(record)
    memory_plot(record)
    draw_chart()
    put(HERE / "README.md", whole(record))
    put(ROOT / "README.md", first_screen(record))


def put(path: Path, text: str) -> None:
    """Replaces the text between the marks."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text.strip()}\n{END}{after}")


def where(record: Any) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return (
        f"{record['date'][:10]}, {record['machine']}, Python {record['python']}, {record['seconds']:.0f} s a case; "
        f"{versions}."
    )


def rate(value: float) -> str:
    return f"{value:,.0f}"


def first_screen(record: Any) -> str:
    """Returns the README's chart of the case that most readers compare, with a line that says how it was measured."""
    case = record["cases"]["REST 1 × 4, ndarray"]
    speeds = {name: case[name]["requests_per_s"] for name in order(case)}
    return (
        f"![{in_words(speeds)}](benchmarks/results/requests.svg)\n\n"
        "A logistic regression behind each server with its best settings; scorekit with `BATCHING=auto`.\n"
        f"{where(record)}\n"
        "[More measurements, and how to repeat them](benchmarks/README.md)\n"
    )


def order(case: Any) -> list[str]:
    """Returns the names of the servers, the fastest first, without nginx."""
    return sorted((name for name in case if name != "nginx"), key=lambda name: -case[name]["requests_per_s"])


def whole(record: Any) -> str:
    parts = [where(record), "", "## Throughput", ""]
    names = [name for name in record["versions"] if any(name in case for case in record["cases"].values())]
    parts += ["| requests/s (vs stock) | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for title, case in record["cases"].items():
        stock = case.get("seldon-core", {}).get("requests_per_s")
        cells = []
        for name in names:
            result = case.get(name)
            if result is None:
                cells.append("")
                continue
            ratio = f" ({result['requests_per_s'] / stock:.1f}×)" if stock else ""
            errors = f", {result['errors']:.0f} errors" if result["errors"] else ""
            cells.append(f"{rate(result['requests_per_s'])}{ratio}{errors}")
        parts.append(f"| {title} | " + " | ".join(cells) + " |")
    first = record["cases"]["REST 1 × 4, ndarray"]
    ours, ceiling = first["scorekit"]["requests_per_s"], first["nginx"]["requests_per_s"]
    parts += [
        "",
        f"nginx answers {rate(ceiling)} requests/s with a constant of the same length; scorekit with a model behind it "
        f"reaches {ours / ceiling:.2f} of that.",
        "",
        "![Throughput by rows](results/rows.svg)",
        "",
        "## Where the time goes",
        "",
        "Microseconds per request in one process, without sockets (`stages.py`). The operating system and the event "
        "loop take the rest.",
        "",
        "| rows × columns | parse | predict (its share of a batch) | encode | all, with HTTP, batching, metrics |"
        " all / (parse + predict + encode) |",
        "|---|---|---|---|---|---|",
    ]
    for title, stage in record["stages"].items():
        parse, predict, encode, everything = (stage[name] for name in ("parse", "predict", "encode", "whole"))
        ratio = everything / (parse + predict + encode)
        parts.append(f"| {title} | {parse:.1f} | {predict:.1f} | {encode:.1f} | {everything:.1f} | {ratio:.2f} |")
    parts += [
        "",
        "## Latency at fixed rates",
        "",
        "Open loop: latency counts from the time at which a request was due.",
        "",
    ]
    parts += ["| server | share of its own capacity | requests/s | p50 ms | p99 ms | p99.9 ms | unanswered |"]
    parts += ["|---|---|---|---|---|---|---|"]
    for name, points in record["latency"].items():
        for each in points:
            times = " | ".join(
                "" if each[key] is None else f"{each[key]:.2f}" for key in ("p50_ms", "p99_ms", "p999_ms")
            )
            parts.append(f"| {name} | {each['share']:.0%} | {rate(each['rate'])} | {times} | {each['errors']:.0f} |")
    parts += ["", "![Latency against offered load](results/latency.svg)", "", "## Memory by workers", ""]
    parts += [
        "Proportional set size of all processes together after predictions, in MB; private memory in brackets.",
        "",
    ]
    parts += [
        "| server | "
        + "1 worker | "
        + " | ".join(f"{count} workers" for count in range(2, 5))
        + " | each further, private |"
    ]
    parts += ["|---|---|---|---|---|---|"]
    for name, sizes in record["memory"].items():
        cells = [f"{each['proportional_mb']:.0f} ({each['private_mb']:.0f})" for each in sizes]
        further = (sizes[-1]["private_mb"] - sizes[0]["private_mb"]) / (len(sizes) - 1)
        parts.append(f"| {name} | " + " | ".join(cells) + f" | {further:.0f} |")
    parts += ["", "![Memory by workers](results/memory.svg)", "", "## Start", ""]
    parts += ["From the command to the first answer, measured once, with the files in the system's cache.", ""]
    parts += ["| " + " | ".join(record["start_s"]) + " |", "|---" * len(record["start_s"]) + "|"]
    parts += ["| " + " | ".join(f"{seconds:.1f} s" for seconds in record["start_s"].values()) + " |"]
    return "\n".join(parts)


def figure(title: str, x: str, y: str) -> Any:
    made, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3, which="both")
    return made, axes


def save(made: Any, name: str) -> None:
    made.savefig(HERE / "results" / f"{name}.svg", metadata={"Date": None})
    plt.close(made)


def latency_plot(record: Any) -> None:
    made, axes = figure("Latency against offered load, one row of four", "requests offered a second", "milliseconds")
    for name, measured in record["latency"].items():
        for key, style in (("p50_ms", ":"), ("p99_ms", "-")):
            points = [(each["rate"], each[key]) for each in measured if each[key] is not None]
            label = f"{name} {key[:3]}" if key == "p99_ms" else None
            axes.plot(*zip(*points, strict=True), style, marker="o", ms=3, color=COLOURS.get(name), label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(title="solid p99, dotted p50", fontsize=8)
    save(made, "latency")


def rows_plot(record: Any) -> None:
    made, axes = figure("Throughput by rows a request, 20 columns", "rows in a request", "rows answered a second")
    counts = (1, 10, 100, 1000)
    cases = [record["cases"].get(f"REST {count} × 20, ndarray", {}) for count in counts]
    for name in record["versions"]:
        points = [
            (count, case[name]["requests_per_s"] * count)
            for count, case in zip(counts, cases, strict=True)
            if name in case and not case[name]["errors"]
        ]
        if points:
            axes.plot(*zip(*points, strict=True), "-o", ms=4, color=COLOURS.get(name), label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(fontsize=8)
    save(made, "rows")


def memory_plot(record: Any) -> None:
    made, axes = figure("Memory of all processes by workers", "workers", "MB (proportional set size)")
    for name, sizes in record["memory"].items():
        counts = [each["workers"] for each in sizes]
        axes.plot(counts, [each["proportional_mb"] for each in sizes], "-o", color=COLOURS.get(name), label=name)
    axes.set_ylim(bottom=0)
    axes.set_xticks(range(1, 5))
    axes.legend(fontsize=8)
    save(made, "memory")


if __name__ == "__main__":
    main()
