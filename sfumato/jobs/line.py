"""Who waits for whom: the order in which living workers take what waits, and how long what they do still takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.db import ACROSS
from sfumato.jobs.lanes import LANES
from sfumato.jobs.queue import ALIVE, JobView, database_now, view
from sfumato.jobs.records import Job, Worker

NAMED = 2  # jobs before one that are told by their ids
LEAST = 3.0  # seconds that a job has to have run until its own pace says how long it still takes


@dataclass(frozen=True)
class Busy:
    """What keeps a worker: its job, and the seconds that it still takes, None where nobody can say."""

    job: str
    seconds: float | None


@dataclass(frozen=True)
class Turn:
    """A job that waits: how many its workers take before it, the first of those, and what they do at this moment.

    `workers` is how many could take it; where one of them has nothing to do, it takes the first of the line at once.
    With `own` a worker was started for this job alone.
    """

    job: str
    lane: str
    ahead: int = 0
    before: list[str] = field(default_factory=list)
    busy: list[Busy] = field(default_factory=list)
    workers: int = 0
    own: bool = False

    @property
    def free(self) -> bool:
        """Whether a worker that could take it has nothing to do."""
        return self.workers > len(self.busy)


def turns(session: Session) -> list[Turn]:
    """Every job that waits, the oldest first, as workers will take them: of all projects, since they serve all.

    Whoever tells of them has to look up by the project and the person what may be said of a job beside its place.
    """
    moment = database_now(session)
    alive = session.execute(select(Worker.id, Worker.lanes, Worker.only_job).where(Worker.seen_at > moment - ALIVE))
    workers = [_Hand(key, frozenset(lanes or LANES), only) for key, lanes, only in alive]
    wanted = select(Job).where(Job.status.in_(("waiting", "running"))).order_by(Job.id)
    rows = list(session.scalars(wanted, execution_options=ACROSS))
    held = {row.worker or "": row for row in rows if _is_held(row, moment)}
    passed: dict[str, list[str]] = {}
    found = []
    for row in rows:
        if _is_held(row, moment):
            continue
        if row.status == "waiting":
            found.append(_turn(row, passed, held, workers, moment))
        passed.setdefault(row.lane, []).append(row.id)
    return found


@dataclass(frozen=True)
class _Hand:
    """A worker that lives."""

    name: str
    lanes: frozenset[str]
    only: str | None


def _is_held(row: Job, moment: datetime) -> bool:
    """Whether somebody works on it; what a dead worker left behind is in the line again."""
    return row.status == "running" and (row.lease_until is None or row.lease_until >= moment)


def _turn(
    row: Job, passed: dict[str, list[str]], held: dict[str, Job], workers: Sequence[_Hand], moment: datetime
) -> Turn:
    serving = [one for one in workers if one.only is None and row.lane in one.lanes]
    lanes = frozenset((row.lane,)).union(*(one.lanes for one in serving))
    before = sorted(key for lane in lanes for key in passed.get(lane, [])[:NAMED])[:NAMED]
    busy = [Busy(held[one.name].id, seconds_left(view(held[one.name]), moment)) for one in serving if one.name in held]
    busy.sort(key=lambda one: (one.seconds is None, one.seconds or 0.0))
    return Turn(
        row.id, row.lane, sum(len(passed.get(lane, [])) for lane in lanes), before, busy, len(serving),
        any(one.only == row.id for one in workers),
    )  # fmt: skip


def seconds_left(job: JobView, moment: datetime) -> float | None:
    """How long a running job still takes: as it says itself, else by its pace so far; None where that is not known."""
    if job.status != "running" or job.orphaned:
        return None
    said = (job.progress.get("extra") or {}).get("seconds_left")
    if said is not None:
        return float(said)
    done, total = float(job.progress.get("done") or 0), float(job.progress.get("total") or 0)
    spent = (moment - job.started_at).total_seconds() if job.started_at else 0.0
    if not 0 < done < total or spent < LEAST:
        return None
    return (total - done) * spent / done
