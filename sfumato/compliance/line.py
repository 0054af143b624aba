"""What waits, in words: the place of each job in the line, what is before it, and what keeps the workers."""

from dataclasses import dataclass, field

from sqlalchemy import select

from sfumato.actions import Act, query
from sfumato.compliance.work import titles_of
from sfumato.jobs.lanes import LANES
from sfumato.jobs.line import Turn, turns
from sfumato.jobs.records import Job

OTHERS = "somebody else's work"


@dataclass(frozen=True)
class Place:
    """Where a job stands in the line: 1 is the next; `busy` is what its workers do now, by the job's id.

    `seconds` is how long it takes until the first of them has done that, None where nobody can say. What is before
    it takes its own time, which nobody knows.
    """

    job: str
    place: int
    says: str
    busy: list[str] = field(default_factory=list)
    seconds: float | None = None


@query("job.line", needs="job.read", doors=("api", "cli"))
def show_line(act: Act) -> list[Place]:
    """The jobs of the project that wait, the next one first, each with its place among all and why it waits."""
    found = turns(act.session)
    wanted = {key for one in found for key in (one.job, *one.before, *(busy.job for busy in one.busy))}
    rows = list(act.session.scalars(select(Job).where(Job.id.in_(wanted)))) if wanted else []
    titles = titles_of(act, rows)
    return [_place(one, titles) for one in found if one.job in titles]


def _place(turn: Turn, titles: dict[str, tuple[str, str]]) -> Place:
    seconds = turn.busy[0].seconds if turn.busy and not turn.free else None
    return Place(
        turn.job, turn.ahead + 1, _says(turn, titles),
        [one.job for one in turn.busy if one.job in titles], seconds,
    )  # fmt: skip


def _says(turn: Turn, titles: dict[str, tuple[str, str]]) -> str:
    """Its place, what stands before it, and why it has to wait, as one sentence."""
    if turn.lane not in LANES:
        return "The command that asked for it does it itself"
    if turn.own:
        return "A worker of its own begins with it in a moment"
    place = "Next in line" if not turn.ahead else f"{ordinal(turn.ahead + 1)} in line, {_after(turn, titles)}"
    if not turn.workers:
        return f"{place}: no worker is there to take it"
    if turn.free:
        return f"{place}: a worker is free and takes what is next"
    first = turn.busy[0]
    more = len(turn.busy) - 1
    beside = f"; {more:,} more {'is' if more == 1 else 'are'} at work" if more else ""
    return f"{place}: {_does(titles.get(first.job))}, {roughly(first.seconds)}{beside}"


def _after(turn: Turn, titles: dict[str, tuple[str, str]]) -> str:
    """What stands before a job, named as far as the reader may know of it."""
    named = [titles[one][0] for one in turn.before if one in titles]
    more = turn.ahead - len(named)
    if not named:
        return f"after {more:,} of others"
    return "after " + " and ".join([*(f"“{one}”" for one in named), *([f"{more:,} more"] if more else [])])


def _does(told: tuple[str, str] | None) -> str:
    """What a job is doing, in words."""
    if told is None:
        return f"{OTHERS} is being done"
    title, kind = told
    if kind == "training.train":
        return f"the run “{title.removeprefix('Train ')}” is training"
    return f"“{title}” is being done"


def roughly(seconds: float | None) -> str:
    """A time that is left, only as exact as it can be known."""
    if seconds is None:
        return "how long that still takes is not known"
    if seconds < 45:
        return "less than a minute left"
    if seconds < 90 * 60:
        minutes = max(1, round(seconds / 60))
        return f"about {minutes:,} {'minute' if minutes == 1 else 'minutes'} left"
    return f"about {seconds / 3600:.1f} hours left"


def ordinal(number: int) -> str:
    """A place in words: 2nd, 3rd, 11th."""
    tail = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{tail}"
