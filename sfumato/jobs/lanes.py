"""Who works: the lanes of jobs, the workers that serve each, and what waits there."""

from dataclasses import dataclass

from sqlalchemy import func, select

from sfumato.actions import Act, query
from sfumato.jobs.queue import ALIVE, database_now
from sfumato.jobs.records import Job, Worker

LANES = {
    "quick": "what somebody waits for, such as drawing",
    "desk": "what takes minutes, such as collecting, checking and evaluating",
    "long": "what takes hours, such as training",
}


@dataclass(frozen=True)
class Lane:
    """A lane: what it is for, how many workers serve it, and how many jobs of the project run and wait in it."""

    name: str
    says: str
    workers: int
    running: int
    waiting: int

    @property
    def stuck(self) -> bool:
        """Whether something waits that nobody will do."""
        return self.waiting > 0 and self.workers == 0


@query("job.lanes", needs="job.read", doors=("api",))
def list_lanes(act: Act) -> list[Lane]:
    """The lanes with their living workers, and what runs and waits in each."""
    since = database_now(act.session) - ALIVE
    alive = [
        lanes or list(LANES)
        for lanes in act.session.scalars(select(Worker.lanes).where(Worker.seen_at > since, Worker.only_job.is_(None)))
    ]
    open_jobs = (
        select(Job.lane, Job.status, func.count(Job.id))
        .where(Job.status.in_(("waiting", "running")))
        .group_by(Job.lane, Job.status)
    )
    there = {(lane, status): n for lane, status, n in act.session.execute(open_jobs)}
    return [
        Lane(
            name, says, sum(name in lanes for lanes in alive), there.get((name, "running"), 0),
            there.get((name, "waiting"), 0),
        )
        for name, says in LANES.items()
    ]  # fmt: skip
