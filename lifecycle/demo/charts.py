"""Line and area charts as SVG text: enough for the demo's report, with no library and no script."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 880, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 18, 30
NUMBER_WIDTH = 12
MOST_TICKS = 16
COLOURS = ("#3b6fb6", "#d9822b", "#b3403a", "#3f8f5f", "#7a5aa6", "#6b7780")

Line = Sequence[tuple[float, float]]


def ceiling(value: float) -> float:
    """The next number above that divides into four plain steps: 1, 2, 4 or 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(power * step for step in (1, 2, 4, 8, 10) if value <= power * step)


@dataclass(frozen=True, slots=True)
class Frame:
    """The plane of a chart: x in seconds from 0 to `seconds`, y from 0 to `top`."""

    seconds: float
    top: float

    @property
    def tick_s(self) -> int:
        """Seconds between two labels of the x axis, which must not run into each other."""
        return next((step for step in (15, 30, 60, 120) if self.seconds / step <= MOST_TICKS), 300)

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(value / self.seconds, 0), 1)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(value / self.top, 0), 1)


def lines(title: str, frame: Frame, series: Mapping[str, Line], marks: Sequence[float], unit: str) -> str:
    """A chart of one or more lines. `marks` are moments, drawn as thin vertical rules and numbered from 1."""
    drawn = [
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{_points(frame, line)}"/>'
        for colour, line in zip(COLOURS, series.values(), strict=False)
    ]
    return _chart(title, frame, drawn, list(series), marks, unit)


def areas(title: str, frame: Frame, series: Mapping[str, Line], marks: Sequence[float], unit: str) -> str:
    """Areas stacked on each other. All lines have the same x values."""
    drawn: list[str] = []
    floor: Line = []
    for colour, line in zip(COLOURS, series.values(), strict=False):
        below = floor or [(x, 0.0) for x, _ in line]
        roof = [(x, y + base) for (x, y), (_, base) in zip(line, below, strict=True)]
        outline = _points(frame, [*roof, *reversed(below)])
        drawn.append(f'<polygon fill="{colour}" fill-opacity="0.75" points="{outline}"/>')
        floor = roof
    return _chart(title, frame, drawn, list(series), marks, unit)


def _points(frame: Frame, line: Line) -> str:
    return " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in line)


def _chart(
    title: str, frame: Frame, drawn: list[str], names: list[str], marks: Sequence[float], unit: str
) -> str:
    parts = [f"<figure><figcaption>{escape(title)}</figcaption>"]
    parts.append(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">')
    for step in range(5):
        value = frame.top * step / 4
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = f"{value:g}{unit}"
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for second in range(0, int(frame.seconds) + 1, frame.tick_s):
        x = frame.x(second)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{second} s</text>')
    free = 0.0
    for number, mark in enumerate(marks, 1):
        x = frame.x(mark)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        beside = max(x, free)  # numbers of moments that are close stand side by side
        parts.append(f'<text x="{beside:.1f}" y="{TOP - 4}" text-anchor="middle">{number}</text>')
        free = beside + NUMBER_WIDTH
    parts += [*drawn, "</svg>", _legend(names), "</figure>"]
    return "\n".join(parts)


def _legend(names: list[str]) -> str:
    if len(names) < 2:
        return ""
    items = "".join(
        f'<li><span style="background:{colour}"></span>{escape(name)}</li>'
        for colour, name in zip(COLOURS, names, strict=False)
    )
    return f'<ul class="legend">{items}</ul>'
