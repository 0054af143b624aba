"""The whole pipeline in a few numbers: what is there at each station, and when it last changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from sfumato.actions import Act, query
from sfumato.checkpoints.models import LIVE, alias_of, views
from sfumato.checkpoints.records import Alias, Checkpoint
from sfumato.data.records import KEPT, Dataset, DatasetVersion, Decision, Item
from sfumato.generation.records import Image
from sfumato.jobs.records import Job
from sfumato.review.records import Judgement
from sfumato.training.records import Run


@dataclass(frozen=True)
class Overview:
    """Counts of what a project holds, and the moments of its last changes."""

    pictures: int
    datasets: int
    versions: int
    data_at: datetime | None
    runs: int
    training: int
    runs_at: datetime | None
    models: int
    models_at: datetime | None
    drawn: int
    drawn_at: datetime | None
    judged: int
    judged_at: datetime | None
    live: str
    live_at: datetime | None


@query("project.overview", doors=("api",))
def show_overview(act: Act) -> Overview:
    """What the project holds, station by station."""

    def count(table: Any, *where: Any) -> int:
        return act.session.scalar(select(func.count(table.id)).where(*where)) or 0

    def last(table: Any) -> datetime | None:
        found: datetime | None = act.session.scalar(select(table.made_at).order_by(table.id.desc()).limit(1))
        return found

    stands = alias_of(act.session, LIVE)
    moments = [at for at in (last(Item), last(DatasetVersion), last(Decision)) if at]
    judged = act.session.scalar(select(func.count(Judgement.subject.distinct())).where(~Judgement.withdraws)) or 0
    return Overview(
        pictures=count(Item, Item.state == KEPT), datasets=count(Dataset, Dataset.archived_at.is_(None)),
        versions=count(DatasetVersion), data_at=max(moments, default=None), runs=count(Run), runs_at=last(Run),
        training=count(Job, Job.kind == "training.train", Job.status.in_(("waiting", "running"))),
        models=len(views(act)), models_at=last(Checkpoint), drawn=count(Image), drawn_at=last(Image), judged=judged,
        judged_at=last(Judgement), live=stands.model if stands else "", live_at=last(Alias) if stands else None,
    )  # fmt: skip
