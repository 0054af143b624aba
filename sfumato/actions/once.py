"""Doing a thing at most once, however often it is asked for with the same key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sfumato.actions.records import Answer
from sfumato.db import find_or_add, now
from sfumato.errors import InvalidInput

KEPT = timedelta(days=2)


@dataclass(frozen=True)
class Once:
    """The key that somebody gave, the hash of all that they asked for, and how the result is kept as JSON."""

    key: str
    asked: str
    encode: Callable[[Any], Any]


class AnsweredBefore(Exception):
    """It was done already; this is what was answered then."""

    def __init__(self, answer: Any) -> None:
        super().__init__("answered before")
        self.answer = answer


def begin(session: Session, person: str, once: Once) -> Answer:
    """Take the key within the action's own transaction; raises AnsweredBefore, or InvalidInput for another request.

    Of several at once one goes on, and the others wait for what it answers.
    """
    session.execute(delete(Answer).where(Answer.made_at < now() - KEPT))
    same = select(Answer).where(Answer.person == person, Answer.key == once.key)
    row, fresh = find_or_add(session, same, Answer(person=person, key=once.key, asked=once.asked, answer=None))
    if not fresh:
        raise AnsweredBefore(answer_of(row, once))
    return row


def answered(session: Session, person: str, once: Once) -> None:
    """Raise AnsweredBefore if it was done already, before anything is looked at anew."""
    row = session.scalar(select(Answer).where(Answer.person == person, Answer.key == once.key))
    if row is not None:
        raise AnsweredBefore(answer_of(row, once))


def answer_of(row: Answer, once: Once) -> Any:
    """What was answered; raises InvalidInput where the key was used for something else."""
    if row.asked != once.asked:
        raise InvalidInput(
            f"The key '{once.key}' was used for another request before.", hint="Take a fresh Idempotency-Key for each."
        )
    return row.answer
