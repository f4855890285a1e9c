"""Renders results/{overload,drain,soak}.json as plots, and as tables in docs/robustness.md; needs matplotlib."""

import json
from typing import Any

from matplotlib import pyplot as plt
from render import COLOURS, HERE, ROOT, figure, put, rate, save

RESULTS = HERE / "results"


def main() -> None:
    parts: list[str] = []
    for name, make in (("overload", overload), ("drain", drain), ("soak", soak)):
        path = RESULTS / f"{name}.json"
        if path.exists():
            parts += [make(json.loads(path.read_text())), ""]
    put(ROOT / "docs" / "robustness.md", "\n".join(parts))


def where(record: Any) -> str:
    return f"{record['date'][:10]}, {record['machine']}, Python {record['python']}"


def overload(record: Any) -> str:
    made, both = plt.subplots(1, len(record["cases"]), figsize=(11, 4.5), layout="constrained", squeeze=False)
    lines = [
        "### Overload",
        "",
        "| model | server | capacity | in time at 3 × (of the peak) | refused: median | health: median, 99 %, max |",
        "|---|---|---|---|---|---|",
    ]
    for axes, (case, servers) in zip(both[0], record["cases"].items(), strict=True):
        axes.set_title(case)
        axes.set_xlabel("requests offered, as multiples of the server's capacity")
        axes.grid(alpha=0.3)
        for name, found in servers.items():
            points = found["points"]
            most = max(each["goodput_per_s"] for each in points)
            shares = [each["goodput_per_s"] / most for each in points]
            label = f"{name}: peak {rate(most)}/s"
            axes.plot([each["share"] for each in points], shares, "-o", ms=4, color=COLOURS[name], label=label)
            at_three = next(each for each in points if each["share"] == 3.0)
            refused = at_three["refused_p50_ms"]
            cells = [
                case,
                name,
                f"{rate(found['capacity_per_s'])}/s",
                f"{rate(at_three['goodput_per_s'])}/s ({at_three['goodput_per_s'] / most:.2f})",
                "none" if refused is None else f"{refused:.1f} ms",
                f"{at_three['health_p50_ms']:.0f}, {at_three['health_p99_ms']:.0f}, {at_three['health_max_ms']:.0f} ms",
            ]
            lines.append("| " + " | ".join(cells) + " |")
        axes.set_ylim(0, 1.1)
        axes.legend(fontsize=8, loc="lower left")
    both[0][0].set_ylabel("answered within a second, as a share of the peak")
    save(made, "overload")
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines += ["", f"{where(record)}, three rounds of {record['seconds']:.0f} s a point, medians; {versions}.", ""]
    return "\n".join([*lines, "![Answered in time against offered load](../benchmarks/results/overload.svg)"])


def drain(record: Any) -> str:
    lines = [
        "### Drain, reload, recycling",
        "",
        "| case | REST and gRPC answered, run by run | lost |",
        "|---|---|---|",
    ]
    for cases in zip(*record["runs"], strict=True):
        answered = ", ".join(rate(each["rest"]["answered"] + each["grpc"]["answered"]) for each in cases)
        lost = sum(sum(each[kind]["lost"].values()) for each in cases for kind in ("rest", "grpc"))
        lines.append(f"| {cases[0]['case']} | {answered} | {lost} |")
    return "\n".join([*lines, "", f"{where(record)}."])


def soak(record: Any) -> str:
    samples, result = record["samples"], record["verdict"]
    made, axes = figure(f"{record['minutes']:g} minutes of mixed traffic", "seconds", "MB, descriptors")
    seconds = [each["s"] for each in samples]
    axes.plot(seconds, [each["rss_mb"] for each in samples], color=COLOURS["scorekit"], label="resident memory, MB")
    axes.plot(seconds, [each["descriptors"] for each in samples], color=COLOURS["seldon-core"], label="descriptors")
    axes.set_ylim(bottom=0)
    other = axes.twinx()
    other.plot(seconds, [each["p99_ms"] for each in samples], color=COLOURS["FastAPI"], lw=0.7, label="p99, ms")
    other.plot(seconds, [each["errors"] for each in samples], color="black", label="errors")
    other.set_ylabel("ms, errors")
    other.set_ylim(bottom=0)
    made.legend(fontsize=8, loc="outside lower center", ncols=4)
    save(made, "soak")
    asked = samples[-1]["requests"]
    return "\n".join(
        [
            "### Soak",
            "",
            f"{record['minutes']:g} minutes, {rate(asked)} requests, {result['errors']} errors: "
            f"{result['rss_mb_after_first_minute']:.1f} MB after the first minute, "
            f"{result['rss_mb_at_the_end']:.1f} MB at the end ({result['growth']:+.1%}). {where(record)}.",
            "",
            "![Memory, descriptors, latency and errors](../benchmarks/results/soak.svg)",
        ]
    )


if __name__ == "__main__":
    main()
