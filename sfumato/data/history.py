"""The history of a dataset: what was decided, by whom and why, and what became of each picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, query
from sfumato.data.collect import find_dataset
from sfumato.data.records import Dataset, Decided, Decision, Finding, Item, called
from sfumato.errors import NotFound
from sfumato.people.names import names_in


@dataclass(frozen=True)
class DecisionView:
    """A decision: what was done to how many pictures of a dataset, by whom, when and why."""

    id: str
    dataset: str
    verb: str
    name: str
    reason: str
    n: int
    made_by: str
    by_name: str
    made_at: datetime
    undoes: str
    undone_by: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DecidedView:
    """What a decision made of one picture: its columns as they were and as they became."""

    item_id: str
    item: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class FoundOn:
    """What a check proposes about a picture, and whether somebody has answered it."""

    id: str
    check: str
    score: float
    reason: str
    state: str
    group: str
    beside_id: str
    settled_by: str


@dataclass(frozen=True)
class Touched:
    """A decision that touched a picture, and what it made of it."""

    decision: DecisionView
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class ItemHistory:
    """All that was found and decided of one picture: what is open, and what was decided, the newest first."""

    item_id: str
    revision: int
    findings: list[FoundOn]
    decisions: list[Touched]


@query("data.decisions")
def list_decisions(
    act: Act, *, name: str, after: str | None = None, limit: int = 50, verb: str = "", made_by: str = ""
) -> list[DecisionView]:
    """What was decided of a dataset's pictures, the newest first; `after` is the id of the last one seen."""
    dataset = find_dataset(act.session, name)
    found = select(Decision).where(Decision.dataset_id == dataset.id).order_by(Decision.id.desc()).limit(limit)
    if after:
        found = found.where(Decision.id < after)
    if verb:
        found = found.where(Decision.verb == verb)
    if made_by:
        found = found.where(Decision.made_by == made_by)
    rows = act.session.scalars(found).all()
    names = names_in(act.session, {row.made_by for row in rows})
    return [seen(row, dataset.name, names) for row in rows]


@query("data.show_decision", doors=("api", "cli"))
def show_decision(act: Act, *, id: str) -> DecisionView:
    """One decision, by its id or the end of it."""
    row, dataset = find_decision(act.session, id)
    return seen(row, dataset.name, names_in(act.session, [row.made_by]))


@query("data.decided", doors=("api", "cli"))
def list_decided(act: Act, *, id: str, after: str | None = None, limit: int = 50) -> list[DecidedView]:
    """What a decision made of each picture; `after` is the `item_id` of the last one seen."""
    row, _ = find_decision(act.session, id)
    found = (
        select(Decided, Item.name, Item.key)
        .join(Item, Item.id == Decided.item_id)
        .where(Decided.decision_id == row.id)
        .order_by(Decided.item_id)
        .limit(limit)
    )
    if after:
        found = found.where(Decided.item_id > after)
    return [
        DecidedView(one.item_id, called(name, key), shown(one.before), shown(one.after), one.reason)
        for one, name, key in act.session.execute(found)
    ]


@query("data.item_history", doors=("api", "cli"))
def item_history(act: Act, *, id: str) -> ItemHistory:
    """What was found of a picture, and what was decided of it, the newest first."""
    from sfumato.data.items import find_item

    item, dataset = find_item(act.session, id)
    findings = act.session.scalars(
        select(Finding).where(Finding.item_id == item.id, Finding.state != "gone").order_by(Finding.score.desc())
    )
    both = select(Decided, Decision).join(Decision, Decision.id == Decided.decision_id)
    rows = act.session.execute(both.where(Decided.item_id == item.id)).all()
    touched = sorted(rows, key=lambda row: -int(row[0].after["revision"]))
    names = names_in(act.session, {decision.made_by for _, decision in touched})
    return ItemHistory(
        item.id,
        item.revision,
        [
            FoundOn(row.id, row.check, row.score, row.reason, row.state, row.group, row.beside_id, row.answered_by)
            for row in findings
        ],
        [
            Touched(seen(decision, dataset, names), shown(one.before), shown(one.after), one.reason)
            for one, decision in touched
        ],
    )


def find_decision(session: Session, said: str) -> tuple[Decision, Dataset]:
    """The decision of this id, or the end of it, and its dataset; raises NotFound."""
    key = said.rpartition("/")[2].strip()
    same = Decision.id == key if len(key) >= 36 else Decision.id.endswith(key, autoescape=True)
    both = select(Decision, Dataset).join(Dataset, Dataset.id == Decision.dataset_id).where(same).limit(2)
    rows = session.execute(both).all() if len(key) >= 4 else []
    if len(rows) != 1:
        raise NotFound(f"There is no single decision '{said}'.", hint="`sfumato data history NAME` lists them.")
    return rows[0][0], rows[0][1]


def seen(row: Decision, dataset: str, names: Mapping[str, str]) -> DecisionView:
    """Copy a row into what may leave its session."""
    return DecisionView(
        row.id, dataset, row.verb, row.name, row.reason, row.n, row.made_by, names[row.made_by], row.made_at,
        row.undoes, row.undone_by, dict(row.details),
    )  # fmt: skip


def shown(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that somebody set, without those that keep account of it."""
    return {name: value for name, value in columns.items() if name not in ("edited", "revision")}
