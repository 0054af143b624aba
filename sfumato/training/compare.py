"""Runs side by side: their curves over the same axis, the options that differ, the last previews, and how fast."""

from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from sfumato.actions import Act, query
from sfumato.errors import InvalidInput
from sfumato.training.records import DRAWS_NOTHING
from sfumato.training.verdicts import Entry, Verdict, is_loss, judge
from sfumato.training.watching import Curves, RunCard, curves_of, list_checkpoints, previews_of, show_card

MOST = 8
ALIKE = ("data", "size", "held_out", "spread")  # what two runs of a recipe share where their losses mean the same


@dataclass(frozen=True)
class Compared:
    """One of the runs: how it stands, its curves, and where it ended."""

    name: str
    status: str
    data: str
    samples_seen: int
    images_per_second: float
    loss: float | None
    held_out: float | None
    curves: Curves
    mean_held_out: list[tuple[float, float]] = field(default_factory=list)
    preview: int | None = None
    cpu_seconds: float = 0.0
    draws: bool = False  # whether there is a model of it to create with, by its name


@dataclass(frozen=True)
class Comparison:
    """Up to eight runs, and what differs in their options: for each such option its value in each run."""

    runs: list[Compared]
    differing: dict[str, list[Any]]
    best: str = ""  # that ended lowest, where all can be compared
    verdicts: list[Verdict] = field(default_factory=list)
    why_not: list[str] = field(default_factory=list)


@query("training.compare")
def compare(act: Act, *, names: str) -> Comparison:
    """Two to eight runs, by names with commas between, beside each other, and which is lower by held-out loss.

    Told after as many pictures, after as much processor time and at their ends, with whether it is more than noise.
    Held-out losses can only be compared between runs of one recipe on one data version; no verdict is given else.
    Raises NotFound with the nearest name, or InvalidInput for too few or too many.
    """
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not 2 <= len(wanted) <= MOST:
        raise InvalidInput(f"{len(wanted)} runs cannot be compared.", hint=f"Name two to {MOST}.")
    cards = [show_card(act.workspace, name=name) for name in wanted]
    runs = [_compared(act, card) for card in cards]
    options = [{"recipe": card.run.recipe, "data": card.data, **card.run.options} for card in cards]
    keys = list(dict.fromkeys(key for one in options for key in one))
    values = {key: [one.get(key) for one in options] for key in keys}
    differing = {key: told for key, told in values.items() if len(set(map(repr, told))) > 1}
    entries = [_entry(card, run) for card, run in zip(cards, runs, strict=True)]
    judged = judge(entries)
    ends = {one.name: one.points[-1][1] for one in entries if one.points}
    alike = len({one.kind for one in entries}) == 1 and len(ends) > 1
    best = min(ends, key=lambda name: ends[name]) if alike else ""
    return Comparison(runs, differing, best, judged.verdicts, judged.why_not)


def _entry(card: RunCard, one: Compared) -> Entry:
    known = {"data": card.data, **card.run.options}
    kind = [("recipe", card.run.recipe), *((key, str(known[key])) for key in ALIKE if key in known)]
    levels = sorted(one.curves.held_out)
    return Entry(
        one.name, card.run.recipe, (*kind, ("levels", ", ".join(levels))), one.mean_held_out, one.samples_seen,
        one.cpu_seconds, is_loss(card.run.recipe, levels) or not levels,
    )  # fmt: skip


def _compared(act: Act, card: RunCard) -> Compared:
    folder = act.workspace.path / "runs" / card.id
    curves = curves_of(folder)
    mean = mean_of(curves) if is_loss(card.run.recipe, list(curves.held_out)) else []
    previews = previews_of(folder)
    speeds = [speed for _, speed in curves.speed]
    return Compared(
        card.run.name, card.run.status, card.data, card.run.samples_seen, speeds[-1] if speeds else 0.0,
        curves.loss[-1][1] if curves.loss else None, mean[-1][1] if mean else None, curves, mean,
        previews[-1] if previews else None,
        float(card.run.details.get("provenance", {}).get("took", {}).get("cpu_seconds", 0.0)),
        card.run.recipe not in DRAWS_NOTHING and bool(list_checkpoints(act.workspace, name=card.run.name, limit=1)),
    )  # fmt: skip


def mean_of(curves: Curves) -> list[tuple[float, float]]:
    """The held-out loss as one line: the mean over levels of noise, where all of them were measured."""
    if not curves.held_out:
        return []
    levels = [dict(points) for points in curves.held_out.values()]
    return [(at, fmean(one[at] for one in levels)) for at in sorted(set(levels[0]).intersection(*levels))]
