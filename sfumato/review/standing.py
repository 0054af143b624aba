"""What stands: of each person the newest verdict and the newest rating that they have not taken back.

Of several people's verdicts on one subject the newest decides, and those who said otherwise are told beside it.
A picture so counts once, as approved or as rejected, and anybody may reopen it by saying why.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from sfumato.people.addressees import names_of
from sfumato.review.records import Judgement


@dataclass(frozen=True)
class Opinion:
    """What one person holds of a subject at present: a verdict or a rating."""

    id: str
    ref: str
    subject: str
    by: str
    by_name: str
    verdict: str | None
    rating: int | None
    reason: str
    made_at: datetime


def withdrawn(of: Any = Judgement) -> ColumnElement[bool]:
    """Whether a judgement was taken back by a later one."""
    undo = aliased(Judgement)
    return select(undo.id).where(undo.supersedes == of.id, undo.withdraws).exists()


def same_sort(one: Any, other: Any) -> ColumnElement[bool]:
    """Whether two judgements are both verdicts, or both ratings."""
    verdicts = and_(one.verdict.is_not(None), other.verdict.is_not(None))
    return or_(verdicts, and_(one.rating.is_not(None), other.rating.is_not(None)))


def stands(of: Any = Judgement) -> ColumnElement[bool]:
    """Whether a judgement is its person's newest of its sort that was not taken back."""
    later = aliased(Judgement)
    newer = select(later.id).where(
        later.subject == of.subject, later.made_by == of.made_by, later.turn > of.turn, same_sort(later, of),
        ~later.withdraws, ~withdrawn(later),
    )  # fmt: skip
    return and_(~of.withdraws, ~withdrawn(of), ~newer.exists())


def opinions(session: Session, subjects: Iterable[str]) -> list[Opinion]:
    """What stands of these subjects, newest first."""
    which = select(Judgement).where(Judgement.subject.in_(list(subjects)), stands())
    rows = list(session.scalars(which.order_by(Judgement.made_at.desc(), Judgement.id.desc())))
    names = names_of(session, {row.made_by for row in rows})
    return [
        Opinion(
            row.id, row.ref, row.subject, row.made_by, names[row.made_by], row.verdict, row.rating, row.reason,
            row.made_at,
        )
        for row in rows
    ]  # fmt: skip


def decisions(session: Session, subjects: Select[Any]) -> dict[str, str]:
    """The verdict that decides, by subject, over those that a statement selects."""
    which = (
        select(Judgement.subject, Judgement.verdict)
        .where(Judgement.verdict.is_not(None), Judgement.subject.in_(subjects), stands())
        .order_by(Judgement.made_at, Judgement.id)
    )
    return {subject: str(verdict) for subject, verdict in session.execute(which)}


def decision(held: Iterable[Opinion]) -> Opinion | None:
    """The verdict that decides among opinions of one subject that are given newest first."""
    return next((one for one in held if one.verdict is not None), None)
