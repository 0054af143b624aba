"""Comments on any record: plain words of a person, which they may mend or take back; what was said before is kept."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from sfumato.actions import Act, action, query
from sfumato.db import new_id
from sfumato.db.kinds import get_record
from sfumato.errors import Conflict, Forbidden, NotFound
from sfumato.people.addressees import kept_to, names_of
from sfumato.people.asking_records import Ask, Comment
from sfumato.people.asks import check_ref
from sfumato.people.wording import check_words, shortened

MOST = 200


@dataclass(frozen=True)
class CommentView:
    """A comment as it stands: `id` names these very words, `first` the thread of what replaced what."""

    id: str
    first: str
    about: str
    by: str
    by_name: str
    text: str
    made_at: datetime
    edited_at: datetime | None


@action("comment.write", needs="comment.write", doors=("api", "cli"))
def write_comment(act: Act, *, about: str, text: str) -> CommentView:
    """Say something on a record (kind/ID); who made it, or asked it, is told."""
    about = check_ref(act.session, about)
    key = new_id()
    row = Comment(
        id=key, first=key, made_by=act.actor.id, about=about, text=check_words(text, "The comment"),
        private_to=kept_to(act.session, about),
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.says(f"commented: {shortened(text)}", subject=row.ref, private=bool(row.private_to), about=about)
    _tell(act, about)
    return _views(act.session, [row])[0]


@action("comment.edit", needs="comment.write", doors=("api", "cli"))
def edit_comment(act: Act, *, comment: str, text: str) -> CommentView:
    """Put other words in the place of one's own; `comment` is the id of the words that were seen.

    Raises Conflict where they were changed or taken back meanwhile.
    """
    before = _find(act, comment)
    if before.made_by != act.actor.id:
        raise _not_theirs()
    row = _supersede(act, before, text=check_words(text, "The comment"), withdrawn=False)
    act.says(f"changed a comment to: {shortened(text)}", subject=row.ref, private=bool(row.private_to), about=row.about)
    _tell(act, row.about)
    return _views(act.session, [row])[0]


@action("comment.withdraw", needs="comment.write", doors=("api", "cli"))
def withdraw_comment(act: Act, *, comment: str) -> None:
    """Take a comment back; it is shown no more, and that it was there stays on record."""
    before = _find(act, comment)
    if before.made_by != act.actor.id and "admin" not in act.actor.roles:
        raise _not_theirs()
    row = _supersede(act, before, text="", withdrawn=True)
    act.says("took a comment back", subject=row.ref, private=bool(row.private_to), about=row.about)


@query("comment.of", doors=("api", "cli"))
def comments_on(act: Act, *, about: str, after: str | None = None, limit: int = 50) -> list[CommentView]:
    """What stands on a record, oldest first; `after` is the last thread (`first`) of the page before.

    Raises NotFound for a record that is not here, or not shown to me.
    """
    check_ref(act.session, about)
    later = aliased(Comment)
    which = (
        select(Comment)
        .where(Comment.about == about, ~Comment.withdrawn)
        .where(~select(later.id).where(later.supersedes == Comment.id).exists())
        .order_by(Comment.first)
        .limit(min(max(limit, 1), MOST))
    )
    if after is not None:
        which = which.where(Comment.first > after)
    return _views(act.session, list(act.session.scalars(which)))


def _find(act: Act, said: str) -> Comment:
    row = act.session.get(Comment, said.removeprefix("comment/"))
    if row is None:
        raise NotFound("There is no such comment.", hint="`sfumato comments list kind/ID` shows what there is.")
    return row


def _not_theirs() -> Forbidden:
    return Forbidden("Only who wrote a comment may change it or take it back.", hint="Write one of your own.")


def _supersede(act: Act, before: Comment, *, text: str, withdrawn: bool) -> Comment:
    """Add what replaces a comment; the database lets one replacement in, so a second is told."""
    row = Comment(
        id=new_id(), first=before.first, made_by=act.actor.id, about=before.about,
        text=text, supersedes=before.id, withdrawn=withdrawn, private_to=before.private_to,
    )  # fmt: skip
    there = act.session.scalar(select(Comment.id).where(Comment.supersedes == before.id))
    if there is not None or before.withdrawn:
        raise _changed()
    try:
        with act.session.begin_nested():
            act.session.add(row)
    except IntegrityError as raced:
        raise _changed() from raced
    return row


def _changed() -> Conflict:
    return Conflict("The comment was changed or taken back meanwhile; nothing was changed.", hint="Look at it again.")


def _tell(act: Act, about: str) -> None:
    """Tell who made the record, and of an ask also whom it was asked."""
    row = get_record(act.session, about)
    if row is not None:
        act.concerns(row.made_by)
    if isinstance(row, Ask):
        act.concerns(row.to)


def _views(session: Session, rows: list[Comment]) -> list[CommentView]:
    firsts = select(Comment.id, Comment.made_at).where(Comment.id.in_([row.first for row in rows]))
    began = {key: at for key, at in session.execute(firsts)}
    names = names_of(session, {row.made_by for row in rows})
    return [
        CommentView(
            row.id, row.first, row.about, row.made_by, names[row.made_by], row.text, began[row.first],
            None if row.id == row.first else row.made_at,
        )
        for row in rows
    ]  # fmt: skip
