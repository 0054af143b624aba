"""Which of several runs is lower by held-out loss: after as many pictures, after as much work, and at their ends."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from sfumato.training.records import OWN

LOSSES = ("t=", "noise=")  # how levels of noise begin; what is measured by other names need not be a loss
WINDOW = 12  # measurements up to a place by which the noise there is told
FEWEST = 3  # places off a line that have to be known until there is a noise to speak of
BRIEF = 10.0  # seconds of processor time below which nothing is said of equal time: most of them is the start
ALIKE = 0.01  # share of the pictures by which equal time has to be another place than equal pictures
SURE = 2.0  # times the noise of a difference from which on it counts as more than noise
SHOWN = 0.00005  # the smallest difference that four digits show

Points = Sequence[tuple[float, float]]  # (pictures seen, held-out loss), in the order of the pictures


@dataclass(frozen=True)
class Entry:
    """A run as far as verdicts need it; `kind` is all that two runs have to share for their losses to mean the same."""

    name: str
    recipe: str
    kind: tuple[tuple[str, str], ...]
    points: Points
    seen: int
    cpu_seconds: float
    is_loss: bool = True


@dataclass(frozen=True)
class Verdict:
    """Which run is lower at one place, and whether by more than the noise between measurements; None: not known.

    `where` is "pictures", "time" or "end"; `values` the losses there, `after` the pictures that each had seen.
    """

    where: str
    title: str
    says: str
    values: dict[str, float]
    after: dict[str, float]
    lowest: str
    gap: float
    noise: float | None = None
    clear: bool | None = None


@dataclass(frozen=True)
class Judged:
    """The verdicts on all runs that can be compared, and why there are none on the others."""

    verdicts: list[Verdict] = field(default_factory=list)
    why_not: list[str] = field(default_factory=list)


def is_loss(recipe: str, levels: Sequence[str]) -> bool:
    """Whether what a run measures on held-out pictures is a loss, so that lower is better."""
    return bool(levels) and (recipe == OWN or all(level.startswith(LOSSES) for level in levels))


def judge(entries: Sequence[Entry]) -> Judged:
    """Compare those runs whose held-out losses mean the same, and say why others are not compared."""
    why = [f"{one.name} has measured no held-out loss yet." for one in entries if one.is_loss and not one.points]
    for recipe in sorted({one.recipe for one in entries if not one.is_loss}):
        why.append(
            f"What {recipe} measures on held-out pictures is no loss that tells which run draws better. Look at what "
            "they draw, or evaluate the models."
        )
    able = sorted((one for one in entries if one.is_loss and one.points), key=lambda one: one.kind)
    groups = [list(some) for _, some in groupby(able, key=lambda one: one.kind)]
    why += _apart([some[0] for some in groups])
    return Judged([verdict for some in groups if len(some) > 1 for verdict in _verdicts(some)], why)


def _apart(firsts: Sequence[Entry]) -> list[str]:
    """Why runs of different kinds get no verdict between them."""
    if len(firsts) < 2:
        return []
    kinds = [dict(one.kind) for one in firsts]
    keys = dict.fromkeys(key for kind in kinds for key in kind)
    values = {key: sorted({kind.get(key, "none") for kind in kinds}) for key in keys}
    differing = [key for key, some in values.items() if len(some) > 1]
    if "recipe" in differing:
        named = " and ".join(sorted({one.recipe for one in firsts}))
        return [f"{named} measure different losses: a lower number of one says nothing beside one of the other."]
    said = ", ".join(f"{key.replace('_', ' ')} {' and '.join(values[key])}" for key in differing)
    return [f"Not all are measured on the same ({said}): between those that differ no loss is lower."]


def _verdicts(entries: Sequence[Entry]) -> list[Verdict]:
    """At the last place that all have, at equal processor time, and at the ends where these are not the same."""
    unit = "steps" if entries[0].recipe == OWN else "pictures"
    common = min(one.points[-1][0] for one in entries)
    found = [_verdict(entries, "pictures", {one.name: common for one in entries}, f"After {common:,.0f} {unit}",
                      "the last number that all have seen")]  # fmt: skip
    if all(one.cpu_seconds > 0 and one.seen for one in entries):
        time = min(one.cpu_seconds * one.points[-1][0] / one.seen for one in entries)
        after = {one.name: one.seen * time / one.cpu_seconds for one in entries}
        other = any(abs(after[one.name] - common) > ALIKE * common for one in entries)
        if other and time >= BRIEF and all(after[one.name] >= one.points[0][0] for one in entries):
            title = f"After {_time(time)} of processor time each"
            found.append(_verdict(entries, "time", after, title, f"reckoned evenly over a run's {unit}"))
    ends = {one.name: one.points[-1][0] for one in entries}
    if len(set(ends.values())) > 1:
        found.append(_verdict(entries, "end", ends, "Where each has come to", "not after the same work"))
    return [one for one in found if one is not None]


def _verdict(
    entries: Sequence[Entry], where: str, after: dict[str, float], title: str, besides: str
) -> Verdict | None:
    values = {one.name: _value(one.points, after[one.name]) for one in entries}
    known = {name: value for name, value in values.items() if value is not None}
    if len(known) < len(entries):
        return None
    first, second = sorted(entries, key=lambda one: known[one.name])[:2]
    gap = known[second.name] - known[first.name]
    noises = [wobble(one.points, after[one.name]) for one in (first, second)]
    noise = math.hypot(*(one for one in noises if one is not None)) if None not in noises else None
    clear = False if gap < SHOWN else None if noise is None else gap > SURE * noise
    unit = "steps" if first.recipe == OWN else "pictures"
    read = {one.name for one in entries if after[one.name] not in dict(one.points)}
    listed = ", ".join(
        f"{name} {value:.4f}" + (f" after {after[name]:,.0f} {unit}" if where != "pictures" else "")
        + (", read between two measurements" if name in read else "")
        for name, value in sorted(known.items(), key=lambda one: one[1])
    )  # fmt: skip
    says = f"{_first_up(besides)}: {listed}. {_told(first.name, second.name, gap, noise)}"
    head = _head(first.name, gap, clear)
    return Verdict(where, f"{title}: {head}", says, known, after, first.name, gap, noise, clear)


def _head(first: str, gap: float, clear: bool | None) -> str:
    if gap < SHOWN:
        return "both are the same"
    if clear is False:
        return "no difference beyond noise"
    return f"{first} is lower" if clear else f"{first} is lower, noise or not is not known"


def _told(first: str, second: str, gap: float, noise: float | None) -> str:
    """How much lower the first is than the second, and whether that is more than noise."""
    if gap < SHOWN:
        return f"{first} and {second} are the same{' to four digits' if gap else ''}."
    if noise is None:
        return f"{first} is lower than {second} by {gap:.4f}; too few measurements to tell whether that is noise."
    if gap > SURE * noise:
        return f"{first} is lower than {second} by {gap:.4f}, more than the noise between measurements ({noise:.4f})."
    return f"They are {gap:.4f} apart, no more than the noise between measurements ({noise:.4f}) may make of nothing."


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _value(points: Points, at: float) -> float | None:
    """The loss after so many pictures, on the line between two measurements; None where there is none before it."""
    if at == points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if left < at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return None


def wobble(points: Points, at: float) -> float | None:
    """The noise of one measurement near a place: how far measurements lie off the line between their neighbours.

    A measurement y off the line through both neighbours, which it divides as w to 1 - w, has the variance of y times
    1 + w^2 + (1 - w)^2 where all three are alike and independent; where the curve bends that is too much, and so the
    noise is rather told too large than too small. Held-out pictures and noise are the same each time, so this is how
    far training itself moves a run about, and nothing of how far another seed would. None: too few.
    """
    near = [one for one in points if one[0] <= at][-WINDOW:]
    squares = []
    for (left, low), (place, value), (right, high) in zip(near, near[1:], near[2:], strict=False):
        share = (place - left) / (right - left)
        off = value - (low + (high - low) * share)
        squares.append(off**2 / (1 + share**2 + (1 - share) ** 2))
    return math.sqrt(sum(squares) / len(squares)) if len(squares) >= FEWEST else None
