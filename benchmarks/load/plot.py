"""Bar charts as one SVG file. matplotlib lives in an environment of its own, which runs this very file."""

import importlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

REQUIREMENTS = ("matplotlib==3.11.2",)
OURS, THEIRS = "#1f6f8b", "#b8c4cc"
ROW_IN, HEAD_IN, WIDTH_IN = 0.26, 0.75, 9.0


@dataclass(frozen=True, slots=True)
class Chart:
    """One bar per system, in the order of their values."""

    title: str
    unit: str
    values: Mapping[str, float]


def draw(charts: Sequence[Chart], target: Path) -> None:
    """Draw the charts below each other into `target`. Raises RuntimeError if matplotlib cannot be had."""
    from benchmarks.load.environments import prepare

    interpreter = prepare(sys.executable, REQUIREMENTS)
    told = json.dumps([asdict(chart) for chart in charts])
    command = [str(interpreter), __file__, str(target)]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-500:])


def main(target: str) -> None:
    """Inside that environment: charts as JSON on standard input."""
    matplotlib, pyplot = importlib.import_module("matplotlib"), importlib.import_module("matplotlib.pyplot")
    # The same figures give the same bytes.
    matplotlib.rcParams.update({"svg.hashsalt": "headrace", "svg.fonttype": "none", "font.size": 8})
    charts = [Chart(**told) for told in json.load(sys.stdin)]
    heights = [HEAD_IN + ROW_IN * len(chart.values) for chart in charts]
    size = (WIDTH_IN, sum(heights))
    figure, axes = pyplot.subplots(
        len(charts), 1, figsize=size, height_ratios=heights, squeeze=False, layout="constrained"
    )
    for chart, (axis,) in zip(charts, axes, strict=True):
        rows = sorted(chart.values.items(), key=lambda row: row[1])
        names, values = [name for name, _ in rows], [value for _, value in rows]
        bars = axis.barh(names, values, color=[OURS if name == "Headrace" else THEIRS for name in names])
        axis.bar_label(
            bars, [f"{value:,.0f}" if value >= 100 else f"{value:.2f}" for value in values], padding=3
        )
        axis.set_title(f"{chart.title} ({chart.unit})", loc="left", fontweight="bold")
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.xaxis.set_visible(False)
        axis.margins(x=0.12)
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(sys.argv[1])
