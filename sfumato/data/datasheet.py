"""The datasheet of a dataset: filled from what was measured, with the questions that only people can answer."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.data.cleaning import cleaned
from sfumato.data.collect import find_dataset
from sfumato.data.composition import Composition, compose
from sfumato.data.exports.outgoing import lines_of
from sfumato.data.freeze import VersionView
from sfumato.data.measured import Known, measure
from sfumato.data.narrowing import Where
from sfumato.data.questions import QUESTIONS, SECTIONS, find_question
from sfumato.data.records import (
    KEPT,
    LEFT_OUT,
    Dataset,
    DatasetVersion,
    DatasheetAnswer,
    Finding,
    Item,
    Quarantined,
    Scan,
)
from sfumato.data.rests import standing
from sfumato.data.tables import rows_now
from sfumato.data.versions import open_version
from sfumato.db import now
from sfumato.errors import Conflict, InvalidInput
from sfumato.people.names import names_in

LONGEST = 20_000  # letters of an answer
LAST = "z"  # after the id of every decision


@dataclass(frozen=True)
class Answered:
    """A question with what was measured, and what a person answered; open while it waits for a person."""

    key: str
    asks: str
    measured: str
    answer: str
    answered_by: str
    revision: int
    open: bool


@dataclass(frozen=True)
class Section:
    """One section of a datasheet."""

    title: str
    questions: list[Answered]


@dataclass(frozen=True)
class Datasheet:
    """A dataset's datasheet: of what it holds now, or of a frozen version."""

    dataset: str
    version: str
    content_hash: str
    made_on: str
    n: int
    sections: list[Section]
    open_questions: int
    licences: dict[str, int]
    facts: dict[str, Any]

    @property
    def title(self) -> str:
        """The dataset's name, with the version's."""
        return f"{self.dataset}@{self.version}" if self.version else self.dataset

    def find(self, key: str) -> Answered:
        """The question with this short name."""
        return next(one for section in self.sections for one in section.questions if one.key == key)


@dataclass(frozen=True)
class Told:
    """What a project knows of a dataset beside its pictures, and what was answered, by question."""

    known: Known
    decided: dict[str, int]  # left out since it was collected
    answers: dict[str, tuple[str, str, int]]


def datasheet(workspace: Workspace, *, name: str) -> Datasheet:
    """The datasheet of a dataset as it is now, or of NAME@VERSION: what is measured, and what is open."""
    if "@" not in name:
        kept = [row for row in rows_now(workspace, name=name) if row["state"] == KEPT]
        told = read_told(workspace, name=name)
        return _filled(told, compose(kept), told.decided, name)
    version = open_version(workspace, name)
    lines, left = lines_of(version, Where())
    made = compose(line.model_dump(exclude={"place"}) for line in lines)
    view = version.view
    gone = Counter(view.summary.get("left_out", {})) + left
    told = read_told(workspace, name=view.dataset, version=view.name)
    why = ", ".join(f"{n:,} {reason}" for reason, n in left.items())
    since = f"{view.n:,} were frozen; of these must not be used any more: {why}." if left else ""
    return _filled(told, made, gone, view.dataset, view, since)


def _filled(
    told: Told, made: Composition, gone: dict[str, int], dataset: str, view: VersionView | None = None, since: str = ""
) -> Datasheet:
    """The questions with what was measured and answered; `gone` are pictures that are not in it any more, by reason."""
    version, content_hash = (view.name, view.content_hash) if view else ("", "")
    left_out = dict(Counter(told.known.left_out) + Counter(gone))
    measured = measure(made, replace(told.known, left_out=left_out))
    if "errors" in measured and version:
        measured["errors"] = measured["errors"].replace("open findings", "open findings of the dataset by now")
    if since:
        measured["count"] = f"{measured.get('count', '')} {since}".strip()
    sections = []
    for title in SECTIONS:
        questions = []
        for one in QUESTIONS:
            if one.section == title:
                said = measured.get(one.key, "")
                text, by, revision = told.answers.get(one.key, ("", "", 0))
                waits = not text and (one.for_a_person or not said)
                questions.append(Answered(one.key, one.asks, said, text, by, revision, waits))
        sections.append(Section(title, questions))
    still_open = sum(one.open for section in sections for one in section.questions)
    facts = {
        "captions": made.captions, "copies": made.copies, "splits": dict(made.by["split"]),
        "consent": dict(made.by["consent"]), "opt_out": dict(made.by["opt_out"]), "left_out": left_out,
        "findings": told.known.findings, "decisions": len(told.known.decisions),
        "attributes": {key: made.intervals(key) for key in sorted(made.attributes)},
    }  # fmt: skip
    today, licences = now().date().isoformat(), dict(made.by["licence"])
    return Datasheet(dataset, version, content_hash, today, made.n, sections, still_open, licences, facts)


@query("data.datasheet")
def read_told(act: Act, *, name: str, version: str = "") -> Told:
    """The datasheet of a dataset as it is now, or of NAME@VERSION: what is measured, and what is open."""
    dataset = find_dataset(act.session, name)
    found = act.session.scalars(select(DatasheetAnswer).where(DatasheetAnswer.dataset_id == dataset.id))
    rows = list(found)
    names = names_in(act.session, {row.answered_by for row in rows})
    answers = {row.question: (row.text, names.get(row.answered_by, row.answered_by), row.revision) for row in rows}
    states = select(Item.state, func.count()).where(Item.dataset_id == dataset.id, Item.state != KEPT)
    by_state = act.session.execute(states.group_by(Item.state))
    decided = {f"{state} by decision" if state == LEFT_OUT else state: int(n) for state, n in by_state}
    return Told(_known(act.session, dataset, version), decided, answers)


def _known(session: Session, dataset: Dataset, version: str) -> Known:
    """What the project knows of a dataset beside its pictures."""

    def counted(table: Any, column: Any, *where: Any) -> dict[str, int]:
        found = select(column, func.count()).where(table.dataset_id == dataset.id, *where).group_by(column)
        return {str(value): int(n) for value, n in session.execute(found.order_by(column))}

    when = session.execute(
        select(func.min(Item.collected_at), func.max(Item.collected_at)).where(Item.dataset_id == dataset.id)
    ).one()
    mended = select(func.count()).select_from(Item)
    mended = mended.where(Item.dataset_id == dataset.id, Item.collected_sha256 != "")
    found = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id).order_by(DatasetVersion.id)
    versions = {row.name: row for row in session.scalars(found)}
    until = LAST
    if version in versions:
        until = str(versions[version].summary.get("decisions", {}).get("until", ""))
    decided = standing(session, dataset.id, "", until)
    checks = session.scalars(select(Scan.checks).where(Scan.dataset_id == dataset.id))
    return Known(
        left_out=counted(Quarantined, Quarantined.reason),
        collected=tuple(_day(one) for one in when),  # type: ignore[arg-type]
        mended=session.scalar(mended) or 0,
        decisions=[(row.name, row.n, row.reason, row.made_at) for row in decided],
        versions=list(versions),
        checks=sorted({name for names in checks for name in names}),
        findings=counted(Finding, Finding.check, Finding.state == "open"),
        cleaned=cleaned(session, decided).says,
    )


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


@query("data.open_questions", doors=())
def count_open(act: Act, *, name: str) -> int:
    """How many questions only people can answer, and nobody has, of a dataset that holds pictures."""
    dataset = find_dataset(act.session, name)
    asked = [one.key for one in QUESTIONS if one.for_a_person]
    answered = select(func.count()).where(
        DatasheetAnswer.dataset_id == dataset.id, DatasheetAnswer.text != "", DatasheetAnswer.question.in_(asked)
    )
    return len(asked) - (act.session.scalar(answered) or 0)


@action("data.answer_question", needs="dataset.write")
def answer_question(act: Act, *, name: str, question: str, text: str, revision: int | None = None) -> int:
    """Answer a question of a dataset's datasheet; an empty text opens it again. Returns the answer's revision.

    `revision` is that of the answer that was seen, 0 for none: raises Conflict, naming who, if it is another by now.
    """
    dataset = find_dataset(act.session, name)
    asked = find_question(question)
    text = text.strip()
    if len(text) > LONGEST:
        raise InvalidInput(f"An answer has at most {LONGEST:,} letters, not {len(text):,}.")
    row = act.session.scalar(
        select(DatasheetAnswer)
        .where(DatasheetAnswer.dataset_id == dataset.id, DatasheetAnswer.question == asked.key)
        .with_for_update()
    )
    present = row.revision if row else 0
    if revision is not None and revision != present:
        who = names_in(act.session, [row.answered_by]).get(row.answered_by, "somebody") if row else "nobody"
        raise Conflict(
            f"The answer to '{asked.key}' is another by now: {who} wrote it.", hint="Read it, then answer again."
        )
    if row is None:
        row = DatasheetAnswer(
            made_by=act.actor.id, dataset_id=dataset.id, question=asked.key, text=text, answered_by=act.actor.id,
            revision=1,
        )  # fmt: skip
        act.session.add(row)
    elif row.text != text:
        row.text, row.answered_by, row.revision = text, act.actor.id, present + 1
    else:
        return row.revision
    act.session.flush()
    act.says(f"answered '{asked.key}' of the datasheet of {name}", subject=row.ref)
    return row.revision
