"""Labelling: a task to be done by key, picture after picture, each answer of which is a decision on its picture."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.data.collect import NAME, find_dataset
from sfumato.data.decide import apply
from sfumato.data.editing import attribute_edits, caption_of, write_captions
from sfumato.data.history import DecisionView
from sfumato.data.items import ItemView, view
from sfumato.data.narrowing import Where, narrow
from sfumato.data.records import KEPT, Dataset, Decided, Decision, Item, Labelling
from sfumato.data.verdicts import says
from sfumato.errors import Conflict, InvalidInput, NotFound, unknown
from sfumato.people.wording import check_words, shortened

CAPTION = "name"
CHOICES = 35  # as many as there are keys: 1 to 9, then letters
VERB, SKIP = "label", "skip"
Choice = Annotated[str, Field(min_length=1, max_length=60)]


@dataclass(frozen=True)
class LabellingView:
    """A labelling task: its question, what can be answered, and how far it is."""

    id: str
    dataset: str
    name: str
    question: str
    column: str
    choices: list[str]
    where: dict[str, Any]
    closed: bool
    made_at: datetime
    n: int
    answered: int
    skipped: int
    counts: dict[str, int]

    @property
    def left(self) -> int:
        """How many pictures wait for an answer."""
        return max(self.n - self.answered - self.skipped, 0)


@action("data.make_labelling", needs="dataset.write", doors=("api", "cli"))
def make_labelling(
    act: Act,
    *,
    name: str,
    labelling: Annotated[str, Field(min_length=1, max_length=80)],
    question: Annotated[str, Field(min_length=1, max_length=500)],
    column: Annotated[str, Field(min_length=1, max_length=60)],
    choices: list[Choice] | None = None,
    where: Where | None = None,
) -> LabellingView:
    """Make a task to label pictures: what is asked, the attribute that answers set ("name" is the caption), choices.

    A caption is answered in free words, an attribute by one of 2 to 35 choices.
    """
    dataset = find_dataset(act.session, name)
    offered = list(dict.fromkeys(" ".join(one.split()) for one in choices or []))
    if not NAME.fullmatch(labelling):
        raise InvalidInput(f"'{labelling}' cannot be a task's name.", hint="Use letters, digits, dots and dashes.")
    if column == CAPTION and offered:
        raise InvalidInput("A caption is answered in free words.", hint="Give no choices, or ask for an attribute.")
    if column != CAPTION and not 2 <= len(offered) <= CHOICES:
        raise InvalidInput(f"An attribute has 2 to {CHOICES} choices.", hint="Give each of them once.")
    if act.session.scalar(_named(dataset, labelling)) is not None:
        raise Conflict(f"There is a task '{labelling}' already.", hint="Take another name.")
    row = Labelling(
        made_by=act.actor.id, dataset_id=dataset.id, name=labelling, question=check_words(question, "The question"),
        column=column, choices=offered, closed=False,
        where=(where or Where()).model_dump(mode="json", exclude_defaults=True),
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.says(f"made the labelling task {labelling} for {name}: {shortened(question, 120)}", subject=dataset.ref)
    return _view(act.session, dataset, row)


@query("data.labellings", doors=("api", "cli"))
def list_labellings(act: Act, *, name: str, after: str | None = None, limit: int = 50) -> list[LabellingView]:
    """The labelling tasks of a dataset, oldest first; `after` is the id of the last one seen."""
    dataset = find_dataset(act.session, name)
    found = select(Labelling).where(Labelling.dataset_id == dataset.id).order_by(Labelling.id).limit(limit)
    if after:
        found = found.where(Labelling.id > after)
    return [_view(act.session, dataset, row) for row in act.session.scalars(found)]


@query("data.show_labelling", doors=("api", "cli"))
def show_labelling(act: Act, *, name: str, labelling: str) -> LabellingView:
    """A labelling task, and how far it is."""
    dataset = find_dataset(act.session, name)
    return _view(act.session, dataset, find_labelling(act.session, dataset, labelling))


@query("data.label_next", doors=("api", "cli"))
def label_next(act: Act, *, name: str, labelling: str, count: int = 1) -> list[ItemView]:
    """The next pictures that nobody has answered or skipped, at most twenty, in the order in which they came."""
    dataset = find_dataset(act.session, name)
    row = find_labelling(act.session, dataset, labelling)
    waiting = _meant(dataset, row, select(Item)).where(Item.id.not_in(_answered(row)))
    found = act.session.scalars(waiting.order_by(Item.id).limit(max(1, min(count, 20))))
    return [view(item, dataset.name) for item in found]


@action("data.label", needs="dataset.write", doors=("api", "cli"))
def label(
    act: Act, *, name: str, labelling: str, id: str, answer: str, revision: int | None = None
) -> DecisionView:
    """Answer a labelling task for one picture, by its id; raises Conflict where somebody has answered it before."""
    dataset = find_dataset(act.session, name)
    row = _open(act.session, dataset, labelling)
    said = caption_of(answer)
    if row.choices and said not in row.choices:
        raise unknown("answer", said, row.choices)
    if not said:
        raise InvalidInput("An answer says something.", hint="Skip the picture if there is nothing to say.")
    _refuse_answered(act.session, row, id)
    details = {"labelling": row.id, "answer": said}
    title = f"{row.name}: {shortened(said, 100)}"
    expected = {id: revision} if revision is not None else None
    if row.column == CAPTION:
        edits: dict[str, dict[str, Any]] = {id: {CAPTION: said}}
        return write_captions(
            act, dataset, edits, verb=VERB, reason="", title=title, expected=expected, details=details, touch=True
        )
    edits = attribute_edits(act, [id], {row.column: said}) or {id: {"attributes": {row.column: said}}}
    decision = apply(
        act, dataset, edits, verb=VERB, name=title, expected=expected, details=details, touch=True
    )
    return says(act, dataset, decision)


@action("data.label_skip", needs="dataset.write", doors=("api", "cli"))
def label_skip(act: Act, *, name: str, labelling: str, id: str) -> DecisionView:
    """Skip a picture of a labelling task: it is not shown again, and nothing is said of it."""
    dataset = find_dataset(act.session, name)
    row = _open(act.session, dataset, labelling)
    _refuse_answered(act.session, row, id)
    decision = apply(act, dataset, {id: {}}, verb=SKIP, name=f"{row.name}: skipped", details={"labelling": row.id})
    return says(act, dataset, decision)


@query("data.label_last", doors=("api", "cli"))
def label_last(act: Act, *, name: str, labelling: str) -> DecisionView:
    """One's own last answer of a labelling task that stands: what undoing would take back. Raises NotFound for none."""
    from sfumato.data.history import seen
    from sfumato.people.names import names_in

    dataset = find_dataset(act.session, name)
    row = find_labelling(act.session, dataset, labelling)
    own = _standing(row).where(Decision.made_by == act.actor.id).order_by(Decision.id.desc()).limit(1)
    last = act.session.scalar(own)
    if last is None:
        raise NotFound("You have answered nothing here that stands.", hint="Answer a picture first.")
    return seen(last, dataset.name, names_in(act.session, [last.made_by]))


@action("data.close_labelling", needs="dataset.write", doors=("api", "cli"))
def close_labelling(act: Act, *, name: str, labelling: str, closed: bool = True) -> LabellingView:
    """Close a labelling task, or open it again; what was answered stays."""
    dataset = find_dataset(act.session, name)
    row = find_labelling(act.session, dataset, labelling)
    if row.closed != closed:
        row.closed = closed
        what = "closed" if closed else "opened"
        act.says(f"{what} the labelling task {labelling} of {name}", subject=dataset.ref)
    return _view(act.session, dataset, row)


def find_labelling(session: Session, dataset: Dataset, name: str) -> Labelling:
    """The task of this name or id; raises NotFound with the nearest name."""
    row = session.scalar(_named(dataset, name))
    if row is None:
        known = session.scalars(select(Labelling.name).where(Labelling.dataset_id == dataset.id))
        raise unknown("labelling task", name, known)
    return row


def _named(dataset: Dataset, name: str) -> Select[Any]:
    same = (Labelling.name == name) | (Labelling.id == name)
    return select(Labelling).where(Labelling.dataset_id == dataset.id, same)


def _open(session: Session, dataset: Dataset, name: str) -> Labelling:
    row = find_labelling(session, dataset, name)
    if row.closed:
        raise Conflict(f"The task '{row.name}' is closed.", hint="Open it again first.")
    return row


def _meant(dataset: Dataset, row: Labelling, statement: Select[Any]) -> Select[Any]:
    """The pictures that a task asks about: those that are kept, unless it says otherwise."""
    where = Where(**row.where)
    where = where if where.state is not None else where.model_copy(update={"state": KEPT})
    return narrow(statement, dataset.id, where)


def _standing(row: Labelling) -> Select[Any]:
    """The answers and skips of a task that stand."""
    return select(Decision).where(*_of(row))


def _of(row: Labelling) -> tuple[ColumnElement[bool], ...]:
    return (
        Decision.dataset_id == row.dataset_id, Decision.verb.in_((VERB, SKIP)), Decision.undone_by == "",
        Decision.details["labelling"].as_string() == row.id,
    )  # fmt: skip


def _answered(row: Labelling) -> Select[Any]:
    return select(Decided.item_id).join(Decision, Decision.id == Decided.decision_id).where(*_of(row))


def _refuse_answered(session: Session, row: Labelling, item_id: str) -> None:
    from sfumato.people.names import names_in

    both = _standing(row).join(Decided, Decided.decision_id == Decision.id).where(Decided.item_id == item_id)
    last = session.scalar(both.limit(1))
    if last is not None:
        who = names_in(session, [last.made_by])[last.made_by]
        raise Conflict(f"{who} has answered this picture: {last.name}.", hint="Take the next one, or undo that first.")


def _view(session: Session, dataset: Dataset, row: Labelling) -> LabellingView:
    said = Decision.details["answer"].as_string()
    rows = session.execute(select(Decision.verb, said, func.count()).where(*_of(row)).group_by(Decision.verb, said))
    counts: dict[str, int] = {}
    skipped = answered = 0
    for verb, answer, n in rows:
        answered += n if verb == VERB else 0
        skipped += n if verb == SKIP else 0
        if verb == VERB and row.choices:
            counts[str(answer)] = int(n)
    done = _meant(dataset, row, select(func.count(Item.id))).where(Item.id.not_in(_answered(row)))
    left = int(session.scalar(done) or 0)
    return LabellingView(
        row.id, dataset.name, row.name, row.question, row.column, list(row.choices), dict(row.where), row.closed,
        row.made_at, left + answered + skipped, answered, skipped, counts,
    )  # fmt: skip
