"""Small charts drawn by the server: lines for curves that are still growing, bars for shares with their intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from sfumato.web.words import number

SETTLED, STEEP = 0.05, 2.0  # from which share of x on heights count, and how much higher what came before must reach
FINEST = 1e-4  # of the values themselves, which an axis spans at least
ACROSS, DOWN = 1000, 1000  # the plot's own units, stretched over whatever room there is
MOST = 240  # points drawn of one line; of each stretch its lowest and its highest


@dataclass(frozen=True)
class Series:
    """One named line: places along x and what was measured there."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, as a share of the axis, and what it says."""

    at: float
    text: str

    @property
    def percent(self) -> str:
        """Where it is, as SVG attributes want it."""
        return f"{100 * self.at:.2f}%"


@dataclass(frozen=True)
class Line:
    """A line as it is drawn, with the last thing that it says."""

    name: str
    path: str
    last: str
    ends: tuple[str, str] | None = None


@dataclass(frozen=True)
class Bar:
    """A bar: its share of the axis, its whisker, and what it says."""

    name: str
    length: str
    text: str
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class Chart:
    """What the template needs to draw a chart, and the table that says the same."""

    title: str
    x_label: str
    y_label: str
    lines: list[Line] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    x_ticks: list[Tick] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    says: str = ""


def line_chart(
    title: str, series: Sequence[Series], x_label: str, y_label: str, *, rows: int = 12, falls: bool = False
) -> Chart:  # fmt: skip
    """Draw lines over common axes; what is not a finite number is left out.

    Of lines that fall from far above, as losses do, `falls` lets the first few go out at the top, and says so.
    """
    kept = [Series(one.name, _finite(one.points)) for one in series]
    places = [x for one in kept for x, _ in one.points]
    if not places:
        return Chart(title, x_label, y_label, says="There is nothing to draw yet.")
    x_low, x_high = min(places), max(places)
    heights = [y for one in kept for _, y in one.points]
    if falls and (settled := _settled(kept, x_low, x_high)):
        y_label = f"{y_label}; begins at {number(max(heights))}, above the chart"
        heights = settled
    y_marks = ticks(min(heights), max(heights), 4)
    y_low, y_high = min(y_marks[0], *heights), max(y_marks[-1], *heights)
    x_at, y_at = _scale(x_low, x_high), _scale(y_low, y_high)
    return Chart(
        title, x_label, y_label, lines=[_line(one, x_at, y_at) for one in kept if one.points],
        x_ticks=[Tick(x_at(x), number(x)) for x in ticks(x_low, x_high, 5) if x_low <= x <= x_high],
        y_ticks=[Tick(1 - y_at(y), text) for y, text in zip(y_marks, marked(y_marks), strict=True)],
        head=[x_label, *(one.name for one in kept)], rows=_rows(kept, rows), says=_says(kept, x_label),
    )  # fmt: skip


def _settled(series: Sequence[Series], low: float, high: float) -> list[float]:
    """The heights after the beginning, where those before would flatten them; none where all can be seen as it is."""
    begin = low + SETTLED * (high - low)
    later = [y for one in series for x, y in one.points if x > begin]
    if len(later) < 4 or max(later) <= min(later):
        return []
    top, bottom = max(y for one in series for _, y in one.points), min(later)
    return later if top - bottom > STEEP * (max(later) - bottom) else []


def bar_chart(
    title: str, bars: Sequence[tuple[str, float, float | None, float | None]], y_label: str, *,
    most: float | None = None, unit: str = "",
) -> Chart:  # fmt: skip
    """Draw bars of (name, value, low, high); bounds that are None have no whisker."""
    top = most or max([high if high is not None else value for _, value, _, high in bars] or [1]) or 1
    tail = f" {unit}" if unit else ""

    def at(value: float | None) -> str:
        return "" if value is None else f"{100 * max(0.0, min(1.0, value / top)):.2f}%"

    def span(low: float | None, high: float | None) -> str:
        return "" if low is None or high is None else f" ({number(low)}–{number(high)}{tail})"

    drawn = [
        Bar(name, at(value), f"{number(value)}{tail}{span(low, high)}", at(low), at(high))
        for name, value, low, high in bars
    ]
    return Chart(
        title,
        "",
        y_label,
        bars=drawn,
        head=["", y_label],
        rows=[[one.name, one.text] for one in drawn],
        says="; ".join(f"{one.name} {one.text}" for one in drawn),
    )


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round marks that enclose a range, some `about` of them, in steps of 1, 2 or 5."""
    if high <= low:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    if (short := FINEST * max(abs(low), abs(high)) - (high - low)) > 0:  # marks that differ in their seventh digit
        low, high = low - short / 2, high + short / 2
    rough = (high - low) / about
    ten = 10.0 ** math.floor(math.log10(rough))
    step = next(one * ten for one in (1, 2, 5, 10) if one * ten >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def marked(places: Sequence[float]) -> list[str]:
    """Write the marks of one axis with as many decimals as their step needs."""
    step = abs(places[1] - places[0]) if len(places) > 1 else 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{place:,.{decimals}f}" for place in places]


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return sorted((x, y) for x, y in points if math.isfinite(x) and math.isfinite(y))


class _scale:
    """From a value to its share of the axis."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.length = low, (high - low) or 1.0

    def __call__(self, value: float) -> float:
        return (value - self.low) / self.length


def _thin(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep the lowest and the highest point of each stretch, so that no spike is lost, and the very last one."""
    if len(points) <= MOST:
        return list(points)
    size = math.ceil(2 * len(points) / MOST)
    kept = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        kept += sorted({min(stretch, key=lambda one: one[1]), max(stretch, key=lambda one: one[1])})
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def _line(one: Series, x_at: _scale, y_at: _scale) -> Line:
    def down(y: float) -> float:
        return 1 - min(1.0, max(0.0, y_at(y)))

    steps = [f"{ACROSS * x_at(x):.1f} {DOWN * down(y):.1f}" for x, y in _thin(one.points)]
    last = one.points[-1]
    ends = (f"{100 * x_at(last[0]):.2f}%", f"{100 * down(last[1]):.2f}%")
    return Line(one.name, "M" + "L".join(steps), number(last[1]), ends)


def _rows(series: Sequence[Series], most: int) -> list[list[str]]:
    """A table of at most so many places, evenly taken, the last one among them."""
    places = sorted({x for one in series for x, _ in one.points})
    step = max(1, math.ceil(len(places) / most))
    taken = sorted({*places[::-1][::step]})
    values = [dict(one.points) for one in series]
    return [[number(x), *(number(known.get(x)) for known in values)] for x in taken]


def _says(series: Sequence[Series], x_label: str) -> str:
    ends = [(one.name, one.points[0], one.points[-1]) for one in series if one.points]
    return "; ".join(
        f"{name} from {number(first[1])} to {number(last[1])} at {number(last[0])} {x_label}"
        for name, first, last in ends
    )
