"""What a frozen version rests on: the decisions that stand since the version before it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, query
from sfumato.data.history import DecisionView, seen
from sfumato.data.records import Dataset, DatasetVersion, Decision
from sfumato.people.names import names_in

LINKED = 12  # decisions of most pictures, of which a trace tells


@dataclass(frozen=True)
class Rests:
    """The decisions that stand since the version before: how many, up to which one, and which a trace tells of."""

    n: int = 0
    since: str = ""
    until: str = ""
    links: tuple[str, ...] = ()

    @property
    def summary(self) -> dict[str, Any]:
        """What a version's summary keeps; no words of anybody, since models carry it with them."""
        return {"n": self.n, "since": self.since, "until": self.until}


@dataclass(frozen=True)
class Lineage:
    """What a frozen version rests on: the version before it, and what was decided between both."""

    version: str
    before: str
    left_out: dict[str, int]
    decisions: list[DecisionView]
    says: str


def rests_of(session: Session, dataset: Dataset) -> Rests:
    """What a version that is frozen now rests on."""
    versions = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id)
    last = session.scalar(versions.order_by(DatasetVersion.id.desc()).limit(1))
    since = ""
    if last is not None:
        since = str(last.summary.get("decisions", {}).get("until", "")) or last.id
    until = session.scalar(select(func.max(Decision.id)).where(Decision.dataset_id == dataset.id)) or ""
    if until <= since:
        return Rests(since=since, until=since if last is not None and "decisions" in last.summary else "")
    rows = standing(session, dataset.id, since, until)
    largest = sorted(rows, key=lambda row: -row.n)[:LINKED]
    return Rests(len(rows), since, until, tuple(row.id for row in largest))


def standing(session: Session, dataset_id: str, since: str, until: str) -> list[Decision]:
    """The decisions after one and up to another that stand, oldest first, without what was done and undone between."""
    found = select(Decision).where(
        Decision.dataset_id == dataset_id, Decision.id > since, Decision.id <= until
    )
    rows = session.scalars(found.order_by(Decision.id)).all()
    last = {str(row.details.get("of", row.id)): row for row in rows}  # of each, what was done with it last
    return [row for root, row in last.items() if row.details.get("stands", True) or root <= since]


@query("data.lineage", doors=("api", "cli"))
def show_lineage(act: Act, *, label: str) -> Lineage:
    """What a frozen version (NAME@VERSION) rests on: what was left out, and what was decided since the one before."""
    from sfumato.data.freeze import version_row

    row, dataset = version_row(act.session, label)
    kept = row.summary.get("decisions", {})
    found = standing(act.session, dataset.id, kept.get("since", ""), kept.get("until", "")) if kept else []
    before = act.session.scalar(
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id == dataset.id, DatasetVersion.id < row.id)
        .order_by(DatasetVersion.id.desc())
        .limit(1)
    )
    names = names_in(act.session, {one.made_by for one in found})
    views = [seen(one, dataset.name, names) for one in found]
    since = f"{dataset.name}@{before.name}" if before else ""
    return Lineage(
        f"{dataset.name}@{row.name}", since, row.summary.get("left_out", {}), views, in_words(views, since)
    )  # fmt: skip


def in_words(decisions: list[DecisionView], since: str) -> str:
    """Decisions as a sentence: "3 decisions since mine@ab12: left out 40 near copies (Bea); …"."""
    when = f" since {since}" if since else ""
    if not decisions:
        return f"Nothing was decided{when}."
    said = "; ".join(f"{one.name} ({one.by_name})" for one in decisions[:5])
    more = f"; and {len(decisions) - 5:,} more" if len(decisions) > 5 else ""
    return f"{len(decisions):,} decision{'s' * (len(decisions) > 1)}{when}: {said}{more}."
