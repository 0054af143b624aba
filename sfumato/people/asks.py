"""Asks: one person wants something of another or of a role; only what was done, or what is on record, closes one."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NoReturn

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.actions.records import Event
from sfumato.db import Version, new_id, now, rows_changed
from sfumato.db.kinds import find_record, get_record, kinds
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.people.addressees import names_of, reaching, whom
from sfumato.people.asking_records import Ask, Pin, Reply
from sfumato.people.wording import check_words, shortened

PINNED = 20  # records that one ask may be about
SHOWN = 200
DID = {"ask.answer": "answered it", "ask.withdraw": "took it back", "ask.decline": "handed it back"}
WORDS_ONLY = ("ask", "reply", "comment")  # kinds of records, and of actions, that prove nothing


@dataclass(frozen=True)
class ReplyView:
    """One thing that came of an ask."""

    kind: str
    by: str
    by_name: str
    words: str
    evidence: str
    made_at: datetime


@dataclass(frozen=True)
class AskView:
    """An ask as everybody of the project may see it."""

    id: str
    ref: str
    by: str
    by_name: str
    to: str
    to_name: str
    question: str
    refs: list[str]
    due: str
    status: str
    version: int
    made_at: datetime
    closed_at: datetime | None
    waits_for_me: bool
    replies: list[ReplyView] = field(default_factory=list)


@action("ask.make", needs="ask.write", doors=("api", "cli"))
def make_ask(act: Act, *, question: str, to: str, refs: list[str] | None = None, due: date | None = None) -> AskView:
    """Ask a role ("data scientist") or a person (person/ID) something about records that are pinned to it.

    Raises InvalidInput or NotFound for words, people, records or days that cannot be.
    """
    row = Ask(
        id=new_id(), made_by=act.actor.id, question=check_words(question, "The question"),
        to=whom(act, to), refs=_pinned(act.session, refs or []), due=_day(due),
    )  # fmt: skip
    act.session.add_all([row, *(Pin(ask_id=row.id, ref=ref) for ref in row.refs)])
    act.session.flush()
    act.says(f"asked {_name(act.session, row.to)}: {shortened(question)}", subject=row.ref, refs=row.refs)
    act.concerns(row.to)
    return _view(act, row)


@action("ask.change", needs="ask.write", doors=("api", "cli"))
def change_ask(
    act: Act, *, ask: str, version: int, question: str | None = None, to: str | None = None, due: date | None = None
) -> AskView:
    """Change what one has asked, whom, or until when; `version` is the one that was seen.

    What is not given stays. Raises Conflict, naming who, where it was changed meanwhile.
    """
    row = _mine(act, ask)
    changed = {
        "question": row.question if question is None else check_words(question, "The question"),
        "to": row.to if to is None else whom(act, to),
        "due": row.due if due is None else _day(due),
    }
    _step(act, row, version, **changed)
    act.says(f"changed what was asked of {_name(act.session, row.to)}: {shortened(row.question)}", subject=row.ref)
    act.concerns(row.to)
    return _view(act, row)


@action("ask.answer", needs="ask.write", doors=("api", "cli"))
def answer_ask(act: Act, *, ask: str, words: str, evidence: str, version: int | None = None) -> AskView:
    """Close an ask with what was done (event/ID of one's own, made since) or with a record that answers it.

    Raises InvalidInput where that proves nothing, Conflict where somebody else was first.
    """
    row = _asked_of_me(act, ask)
    check_words(words, "The answer")
    _check_open(act, row, version)
    proof = _evidence(act, row, evidence)
    _step(act, row, version, status="closed", closed_at=now())
    act.session.add(Reply(made_by=act.actor.id, ask_id=row.id, kind="answered", words=words, evidence=proof))
    act.says(f"answered “{shortened(row.question, 60)}”: {shortened(words)}", subject=row.ref, evidence=proof)
    act.concerns(row.made_by)
    act.session.flush()
    return _view(act, row)


@action("ask.decline", needs="ask.write", doors=("api", "cli"))
def decline_ask(act: Act, *, ask: str, reason: str, version: int | None = None) -> AskView:
    """Hand an ask back to who asked, with a reason. It stays open, for others of the role or for another to be asked.

    Words alone close nothing. Raises Conflict where one has declined it already.
    """
    row = _asked_of_me(act, ask)
    check_words(reason, "The reason")
    if any(one.kind == "declined" and one.made_by == act.actor.id for one in _replies(act.session, [row.id])):
        raise Conflict("You have handed this back already.", hint="Who asked decides what comes next.")
    _step(act, row, version)
    act.session.add(Reply(made_by=act.actor.id, ask_id=row.id, kind="declined", words=reason))
    act.says(f"handed back “{shortened(row.question, 60)}”: {shortened(reason)}", subject=row.ref)
    act.concerns(row.made_by)
    act.session.flush()
    return _view(act, row)


@action("ask.withdraw", needs="ask.write", doors=("api", "cli"))
def withdraw_ask(act: Act, *, ask: str, reason: str = "", version: int | None = None) -> AskView:
    """Take back what one has asked; it stays on record and waits for nobody any more."""
    row = _mine(act, ask)
    check_words(reason, "The reason", may_be_empty=True)
    _step(act, row, version, status="withdrawn", closed_at=now())
    act.session.add(Reply(made_by=act.actor.id, ask_id=row.id, kind="withdrawn", words=reason))
    act.says(f"took back “{shortened(row.question, 60)}”", subject=row.ref)
    act.concerns(row.to)
    act.session.flush()
    return _view(act, row)


@query("ask.waiting", doors=("api", "cli"))
def asks_waiting(act: Act, *, limit: int = SHOWN) -> list[AskView]:
    """Open asks that wait for me: those to me, and those of others to a role that I hold here; the first due first.

    What was asked of a role that nobody holds waits for the admins.
    """
    handed_back = select(Reply.ask_id).where(Reply.kind == "declined", Reply.made_by == act.actor.id)
    order = (Ask.due.is_(None), Ask.due, Ask.id)
    theirs = (Ask.made_by != act.actor.id) | (Ask.to == act.actor.id)
    which = (Ask.status == "open", theirs, Ask.to.in_(reaching(act)), Ask.id.not_in(handed_back))
    return _views(
        act, list(act.session.scalars(select(Ask).where(*which).order_by(*order).limit(min(max(limit, 1), SHOWN))))
    )


@query("ask.mine", doors=("api", "cli"))
def asks_of_mine(act: Act, *, after: str | None = None, limit: int = 50) -> list[AskView]:
    """What I have asked and what came of it, newest first; `after` is the last id of the page before."""
    which = select(Ask).where(Ask.made_by == act.actor.id).order_by(Ask.id.desc()).limit(min(max(limit, 1), SHOWN))
    if after is not None:
        which = which.where(Ask.id < after)
    return _views(act, list(act.session.scalars(which)))


@query("ask.show", doors=("api", "cli"))
def show_ask(act: Act, *, ask: str) -> AskView:
    """One ask with everything that came of it, by its id or the end of it. Raises NotFound."""
    return _view(act, _find(act.session, ask))


@query("ask.about", doors=("api", "cli"))
def asks_about(act: Act, *, ref: str) -> list[AskView]:
    """Asks to which a record is pinned, newest first."""
    pinned = select(Pin.ask_id).where(Pin.ref == ref)
    rows = act.session.scalars(select(Ask).where(Ask.id.in_(pinned)).order_by(Ask.id.desc()).limit(SHOWN))
    return _views(act, list(rows))


def _find(session: Session, said: str) -> Ask:
    try:
        row = find_record(session, f"ask/{said.removeprefix('ask/')}")
    except NotFound as missing:
        raise NotFound(f"There is no ask '{said}'.", hint="`sfumato asks list` shows what there is.") from missing
    assert isinstance(row, Ask)
    return row


def _mine(act: Act, said: str) -> Ask:
    row = _find(act.session, said)
    if row.made_by != act.actor.id and "admin" not in act.actor.roles:
        raise Forbidden(f"Only {_name(act.session, row.made_by)}, who asked, may do this.", hint="Write a comment.")
    return row


def _asked_of_me(act: Act, said: str) -> Ask:
    row = _find(act.session, said)
    if row.to not in reaching(act) and "admin" not in act.actor.roles:
        raise Forbidden(f"This was asked of {_name(act.session, row.to)}, not of you.", hint="Write a comment instead.")
    return row


def _step(act: Act, row: Ask, version: int | None, **values: object) -> None:
    """Change an open ask, if it still is as it was seen; raises Conflict that says who did what meanwhile."""
    _check_open(act, row, version)
    where = (Ask.id == row.id, Ask.version == row.version, Ask.status == "open")
    if not rows_changed(act.session, update(Ask).where(*where).values(version=Ask.version + 1, **values)):
        act.session.refresh(row)
        _met(act, row)
    act.session.refresh(row)


def _check_open(act: Act, row: Ask, version: int | None) -> None:
    if row.status != "open" or version not in (None, row.version):
        _met(act, row)


def _met(act: Act, row: Ask) -> NoReturn:
    last = act.session.scalar(select(Event).where(Event.subject == row.ref).order_by(Event.position.desc()).limit(1))
    who = "somebody" if last is None else "you" if last.made_by == act.actor.id else _name(act.session, last.made_by)
    did = DID.get(last.action if last else "", "changed it")
    raise Conflict(
        f"Nothing was changed: {who} {did} meanwhile (it is {row.status}, version {row.version}).",
        hint="Look at it again, then decide.",
    )


def _evidence(act: Act, ask: Ask, said: str) -> str:
    """The reference of what closes an ask; raises InvalidInput unless it was done since, or is on record."""
    kind, _, key = said.partition("/")
    if kind in WORDS_ONLY:
        raise InvalidInput(
            "Words alone close no ask.", hint="Name what you did (event/ID) or a record that answers it."
        )
    row = get_record(act.session, said) if key else None
    if row is None:
        raise InvalidInput(
            f"There is no record '{shortened(said)}' to show as evidence.",
            hint="Name what you did (event/ID) or a record: kind/ID.",
        )
    if isinstance(row, Event):
        asked = act.session.scalar(select(Event.position).where(Event.subject == ask.ref, Event.action == "ask.make"))
        if row.made_by != act.actor.id or row.position <= (asked or 0):
            raise InvalidInput(
                "What closes an ask by having been done must be your own act, done since it was asked.",
                hint="Name a record that answers it, or do what is asked first.",
            )
        if row.action.partition(".")[0] in WORDS_ONLY:
            raise InvalidInput("Words alone close no ask.", hint="Name a record, or something that you did.")
    return row.ref


def _pinned(session: Session, refs: list[str]) -> list[str]:
    wanted = list(dict.fromkeys(refs))
    if len(wanted) > PINNED:
        raise InvalidInput(f"{len(wanted)} records are pinned; at most {PINNED} can be.", hint="Name the most telling.")
    return [check_ref(session, ref) for ref in wanted]


def check_ref(session: Session, ref: str) -> str:
    """The reference, if there is such a record here, or if it names frozen content by its hash; else NotFound."""
    kind, _, key = ref.partition("/")
    if get_record(session, ref) is None and not _is_hash_of_version(kind, key):
        raise NotFound(f"There is no record '{shortened(ref)}' in this project.", hint="Records are named kind/ID.")
    return ref


def _is_hash_of_version(kind: str, key: str) -> bool:
    """Whether it names a frozen thing by its content, such as the weights that ship with Sfumato."""
    table = kinds().get(kind)
    hexadecimal = len(key) == 64 and all(one in "0123456789abcdef" for one in key)
    return table is not None and issubclass(table, Version) and hexadecimal


def _day(due: date | None) -> date | None:
    if due is not None and due < now().date() - timedelta(days=1):  # it may still be yesterday where they are
        raise InvalidInput(f"{due.isoformat()} is past.", hint="Name a day to come, or none.")
    return due


def _name(session: Session, ref: str) -> str:
    return names_of(session, [ref])[ref]


def _replies(session: Session, ids: list[str]) -> list[Reply]:
    return list(session.scalars(select(Reply).where(Reply.ask_id.in_(ids)).order_by(Reply.id)))


def _view(act: Act, row: Ask) -> AskView:
    return _views(act, [row])[0]


def _views(act: Act, rows: list[Ask]) -> list[AskView]:
    replies = _replies(act.session, [row.id for row in rows])
    names = names_of(act.session, {one.made_by for one in [*rows, *replies]} | {row.to for row in rows})
    told: dict[str, list[ReplyView]] = {row.id: [] for row in rows}
    back = {(one.ask_id, one.made_by) for one in replies if one.kind == "declined"}
    for one in replies:
        told[one.ask_id].append(
            ReplyView(one.kind, one.made_by, names[one.made_by], one.words, one.evidence, one.made_at)
        )
    me, mine = act.actor.id, reaching(act)
    return [
        AskView(
            row.id, row.ref, row.made_by, names[row.made_by], row.to, names[row.to], row.question, list(row.refs),
            row.due.isoformat() if row.due else "", row.status, row.version, row.made_at, row.closed_at,
            row.status == "open" and row.to in mine and (row.id, me) not in back, told[row.id],
        )
        for row in rows
    ]  # fmt: skip
