"""Distributions and counts of a dataset as a page draws them: bars, the brush over them, and addresses."""

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

from sfumato.data.explore import Histogram, Overview, Values
from sfumato.data.narrowing import EQUAL, Where
from sfumato.web.wheres import NONE, address, pairs_of, title
from sfumato.web.words import number

LEAST = 3.0  # percent of the height that a bar with a single picture has
FIRST = ("brightness", "contrast", "sharpness", "colourfulness", "hue", "caption_letters", "width", "aspect")


@dataclass(frozen=True)
class Bin:
    """One bar: where it stands and how high it is in percent, of all pictures and of those that are meant."""

    x: int
    every: float
    kept: float


@dataclass(frozen=True)
class Brush:
    """A histogram that can be narrowed; `low` and `high` are places of its edges."""

    column: str
    title: str
    bins: list[Bin]
    edges: list[float]
    whole: bool
    low: int
    high: int
    low_says: str
    high_says: str
    missing: int
    narrows: bool
    other: list[tuple[str, str]]


@dataclass(frozen=True)
class Choice:
    """A value that can be chosen, with its share of the most common one, and where that goes."""

    text: str
    n: int
    every: int
    length: str
    href: str
    chosen: bool


@dataclass(frozen=True)
class Choices:
    """The values of one column."""

    column: str
    title: str
    choices: list[Choice]
    more: int
    open: bool


@dataclass(frozen=True)
class Facets:
    """All by which a dataset can be narrowed; what a person looks at least is folded."""

    brushes: list[Brush]
    folded: list[Brush]
    values: list[Choices]


def facets_of(path: str, seen: Overview, where: Where, titles: dict[str, str] | None = None) -> Facets:
    """What a page draws of distributions; `titles` say what checks are called."""
    brushes = [_brush(one, where) for one in seen.histograms]
    first = [one for name in FIRST for one in brushes if one.column == name]
    folded = [one for one in brushes if one.column not in FIRST]
    values = [_choices(path, one, where, titles or {}) for one in seen.values if len(one.values) > 1 or one.chosen]
    return Facets(first, folded, values)


def _brush(one: Histogram, where: Where) -> Brush:
    top = max(*one.every, 1)
    bins = [Bin(place, _height(every, top), _height(kept, top))
            for place, (every, kept) in enumerate(zip(one.every, one.kept, strict=True))]  # fmt: skip
    last = len(one.edges) - 1
    slack = min(high - low for low, high in pairwise(one.edges)) * 1e-3
    low = 0 if one.low is None else min(max(bisect_right(one.edges, one.low + slack) - 1, 0), last - 1)
    high = last if one.high is None else max(min(bisect_left(one.edges, one.high - slack), last), low + 1)
    rest = where.model_copy(update={"ranges": {k: v for k, v in where.ranges.items() if k != one.column}})
    return Brush(
        one.column, title(one.column), bins, one.edges, one.whole, low, high, _edge(one.edges[low], one.whole, True),
        _edge(one.edges[high], one.whole, False), one.missing, (one.low, one.high) != (None, None),
        pairs_of(rest),
    )  # fmt: skip


def _height(n: int, top: int) -> float:
    return round(max(100 * n / top, LEAST), 1) if n else 0.0


def _edge(value: float, whole: bool, is_low: bool) -> str:
    if whole:
        return number(math.ceil(value) if is_low else math.floor(value))
    return number(round(value, 3))


def _choices(path: str, one: Values, where: Where, titles: dict[str, str]) -> Choices:
    top = max([n for _, n, _ in one.values], default=1) or 1
    choices = [
        Choice(
            titles.get(value, value.replace("_", " ").capitalize()) if one.column == "check"
            else value or NONE.get(one.column, "not declared"),
            kept, every, f"{100 * kept / top:.1f}%", _toggled(path, one, value, where), value == one.chosen,
        )
        for value, every, kept in one.values
    ]  # fmt: skip
    opened = one.column in ("check", "state", "style", "licence") or one.chosen is not None
    return Choices(one.column, title(one.column), choices, one.more, opened)


def _toggled(path: str, one: Values, value: str, where: Where) -> str:
    """The address with this value chosen, or without it where it is chosen already."""
    if one.column.startswith("attribute "):
        name = one.column.removeprefix("attribute ")
        rest = {key: said for key, said in where.attributes.items() if key != name}
        changed = {"attributes": rest if value == one.chosen else {**rest, name: value}}
    elif one.column in (*EQUAL, "check"):
        changed = {one.column: None if value == one.chosen else value}  # type: ignore[dict-item]
    else:
        changed = {}
    return address(path, where.model_copy(update=changed))
