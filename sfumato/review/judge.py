"""Judging: rating, approving and rejecting, one thing or many at once, and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from sfumato.actions import Act, action, query
from sfumato.db import new_id, parents
from sfumato.db.kinds import find_record, get_record
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.people.addressees import kept_to, names_of
from sfumato.people.wording import check_words, shortened
from sfumato.review.records import Judgement
from sfumato.review.standing import Opinion, decision, opinions, same_sort, stands, withdrawn

MOST = 500  # subjects that one act may judge
SHOWN = 500


@dataclass(frozen=True)
class Judged:
    """What one act said, of which subjects; `batch` names the act, so that it can be taken back as one."""

    batch: str
    verdict: str | None
    rating: int | None
    subjects: list[str]
    judgements: list[str]
    changed: bool = True


@dataclass(frozen=True)
class JudgementView:
    """One judgement of a subject's history."""

    id: str
    by: str
    by_name: str
    verdict: str | None
    rating: int | None
    reason: str
    made_at: datetime
    stands: bool
    withdraws: str | None


@dataclass(frozen=True)
class Review:
    """All that people said of a subject: what decides, what stands per person, and everything, newest first."""

    subject: str
    decision: Opinion | None
    mean_rating: float | None
    standing: list[Opinion]
    history: list[JudgementView]


@action("review.rate", needs="review.write", doors=("api", "cli"))
def rate(act: Act, *, subjects: list[str], rating: int, reason: str = "") -> Judged:
    """Rate pictures, or other records, from 1 to 5; it says nothing on whether they may be used."""
    if not 1 <= rating <= 5:
        raise InvalidInput(f"A rating of {rating} cannot be.", hint="Rate from 1 (poor) to 5 (excellent).")
    check_words(reason, "The reason", may_be_empty=True)
    return _judge(act, subjects, reason, rating=rating)


@action("review.approve", needs="review.write", doors=("api", "cli"))
def approve(act: Act, *, subjects: list[str], reason: str = "") -> Judged:
    """Approve pictures, or other records, in one act."""
    check_words(reason, "The reason", may_be_empty=True)
    return _judge(act, subjects, reason, verdict="approved")


@action("review.reject", needs="review.write", doors=("api", "cli"))
def reject(act: Act, *, subjects: list[str], reason: str) -> Judged:
    """Reject pictures, or other records, in one act; the reason is told wherever somebody asks to use one."""
    check_words(reason, "The reason of a rejection")
    return _judge(act, subjects, reason, verdict="rejected")


@action("review.withdraw", needs="review.write", doors=("api", "cli"))
def withdraw(act: Act, *, subjects: list[str] | None = None, batch: str | None = None) -> Judged:
    """Take back one's newest judgement of each subject, or all that one act said; what stood before stands again.

    Raises NotFound where there is nothing to take back, Conflict where one has judged again since.
    """
    if (subjects is None) == (batch is None):
        raise InvalidInput("Name what was judged, or the act that judged it.", hint="One of both is enough.")
    rows = _of_batch(act, batch) if batch is not None else _newest_of_mine(act, subjects or [])
    own = new_id()
    undone = [
        Judgement(
            id=new_id(), made_by=act.actor.id, subject=row.subject, supersedes=row.id, withdraws=True, batch=own,
            turn=_turn(act, row.subject), private_to=row.private_to,
        )
        for row in rows
    ]  # fmt: skip
    return _write(act, own, undone, "took back what was said of")


@query("review.of", doors=("api", "cli"))
def review_of(act: Act, *, subject: str) -> Review:
    """All judgements of a subject, newest first, what stands now per person, and what decides."""
    ref = subject_of(act.session, subject)
    held = opinions(act.session, [ref])
    standing = {one.id for one in held}
    which = select(Judgement).where(Judgement.subject == ref).order_by(Judgement.made_at.desc(), Judgement.turn.desc())
    rows = list(act.session.scalars(which.limit(SHOWN)))
    names = names_of(act.session, {row.made_by for row in rows})
    told = [
        JudgementView(
            row.id, row.made_by, names[row.made_by], row.verdict, row.rating, row.reason, row.made_at,
            row.id in standing, row.supersedes if row.withdraws else None,
        )
        for row in rows
    ]  # fmt: skip
    ratings = [one.rating for one in held if one.rating is not None]
    return Review(ref, decision(held), sum(ratings) / len(ratings) if ratings else None, held, told)


def subject_of(session: Session, said: str) -> str:
    """The reference of what is judged, by kind/ID, an id or the end of one; a file that left counts as its picture.

    Raises NotFound, or InvalidInput where several records fit.
    """
    row = get_record(session, said) or find_record(session, said)
    if row.KIND == "published":
        return next((ref for role, ref in parents(session, row.ref) if role == "published from"), row.ref)
    if row.KIND in ("judgement", "event"):
        raise InvalidInput(f"A record of the kind '{row.KIND}' cannot be judged.", hint="Judge what it is about.")
    return row.ref


def _judge(
    act: Act, subjects: Sequence[str], reason: str, *, verdict: str | None = None, rating: int | None = None
) -> Judged:
    """Add one judgement to each subject; repeating what stands already changes nothing."""
    refs = _subjects(act.session, subjects)
    batch = new_id()
    fresh = []
    for ref in refs:
        before = _standing(act, ref, verdict is not None)
        if before and (before.verdict, before.rating, before.reason) == (verdict, rating, reason):
            continue
        fresh.append(
            Judgement(
                id=new_id(), made_by=act.actor.id, subject=ref, verdict=verdict, rating=rating, reason=reason,
                supersedes=before.id if before else None, turn=_turn(act, ref), batch=batch,
                private_to=kept_to(act.session, ref),
            )
        )  # fmt: skip
    said = verdict or f"rated {rating} of 5:"
    return _write(act, batch, fresh, said, reason) if fresh else Judged(batch, verdict, rating, refs, [], changed=False)


def _subjects(session: Session, said: Sequence[str]) -> list[str]:
    if not said:
        raise InvalidInput("Nothing was named to be judged.", hint="Name at least one picture.")
    if len(said) > MOST:
        raise InvalidInput(f"{len(said):,} things at once are too many; at most {MOST:,}.", hint="Judge them in parts.")
    return list(dict.fromkeys(subject_of(session, one) for one in said))


def _standing(act: Act, ref: str, is_verdict: bool) -> Judgement | None:
    sort = Judgement.verdict if is_verdict else Judgement.rating
    which = select(Judgement).where(Judgement.subject == ref, Judgement.made_by == act.actor.id, sort.is_not(None))
    return act.session.scalar(which.where(stands()))


def _turn(act: Act, ref: str) -> int:
    mine = (Judgement.subject == ref, Judgement.made_by == act.actor.id)
    return (act.session.scalar(select(func.max(Judgement.turn)).where(*mine)) or 0) + 1


def _newest_of_mine(act: Act, subjects: Sequence[str]) -> list[Judgement]:
    """The newest judgement of mine, of each subject, that was not taken back."""
    found = []
    for ref in _subjects(act.session, subjects):
        which = select(Judgement).where(Judgement.subject == ref, Judgement.made_by == act.actor.id)
        which = which.where(~Judgement.withdraws, ~withdrawn()).order_by(Judgement.turn.desc()).limit(1)
        row = act.session.scalar(which)
        if row is None:
            raise NotFound(
                f"You have said nothing of {ref} that could be taken back.", hint="Each takes back their own."
            )
        found.append(row)
    return found


def _of_batch(act: Act, batch: str) -> list[Judgement]:
    """What one act of mine said; raises Conflict, naming them, where I have judged some again since."""
    mine = (Judgement.batch == batch, Judgement.made_by == act.actor.id, ~Judgement.withdraws)
    rows = list(act.session.scalars(select(Judgement).where(*mine, ~withdrawn()).order_by(Judgement.id)))
    if not rows:
        raise NotFound("There is nothing to take back.", hint="It was taken back already, or somebody else did it.")
    later = aliased(Judgement)
    again = list(act.session.scalars(
        select(Judgement.subject).where(*mine, ~withdrawn()).join(
            later, (later.subject == Judgement.subject) & (later.made_by == Judgement.made_by)
            & (later.turn > Judgement.turn) & same_sort(later, Judgement) & ~later.withdraws & ~withdrawn(later),
        ).distinct()
    ))  # fmt: skip
    if again:
        named = ", ".join(again[:4]) + (" …" if len(again) > 4 else "")
        raise Conflict(f"You have judged {named} again since; nothing was changed.", hint="Take that back first.")
    return rows


def _write(act: Act, batch: str, rows: list[Judgement], said: str, reason: str = "") -> Judged:
    """Add the judgements and say so in one event; who made a picture is told."""
    try:
        with act.session.begin_nested():
            act.session.add_all(rows)
    except IntegrityError as raced:
        raise Conflict("You judged this in another window at the same moment.", hint="Look at it again.") from raced
    refs = [row.subject for row in rows]
    what = "a picture" if len(refs) == 1 and refs[0].startswith("image/") else _counted(refs)
    why = f": {shortened(reason)}" if reason else ""
    facts: dict[str, Any] = {"batch": batch, "subjects": refs, "judgements": [row.ref for row in rows]}
    subject, private = refs[0] if len(refs) == 1 else f"batch/{batch}", any(row.private_to for row in rows)
    act.says(f"{said} {what}{why}", subject=subject, private=private, **facts)
    makers = {row.made_by for row in (get_record(act.session, ref) for ref in refs) if row is not None}
    act.concerns(*makers)
    return Judged(batch, rows[0].verdict, rows[0].rating, refs, [row.ref for row in rows])


def _counted(refs: list[str]) -> str:
    kind = "pictures" if all(ref.startswith("image/") for ref in refs) else "records"
    return refs[0] if len(refs) == 1 else f"{len(refs):,} {kind}"
