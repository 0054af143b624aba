"""Asks: what waits for me, what I asked and what came of it; asking, answering, handing back, taking back."""

from datetime import date
from typing import Annotated

from fastapi import Form, Query
from starlette.responses import Response

from sfumato.actions.events import EventView, list_events
from sfumato.actions.permissions import ASSIGNABLE, may
from sfumato.actions.registry import allowed
from sfumato.errors import InvalidInput, SfumatoError
from sfumato.generation.pictures import list_images
from sfumato.people.asks import (
    WORDS_ONLY,
    AskView,
    answer_ask,
    asks_of_mine,
    asks_waiting,
    change_ask,
    decline_ask,
    make_ask,
    show_ask,
    withdraw_ask,
)
from sfumato.people.comments import comments_on
from sfumato.people.members import list_members
from sfumato.people.notices import unread
from sfumato.web.addresses import Router
from sfumato.web.asking import Card, cards
from sfumato.web.desks import Desk, Page
from sfumato.web.sentences import Sentence, sentences
from sfumato.web.shown import ref_of, shown
from sfumato.web.visits import Here, Visit

router = Router()
DESK = Desk(
    "asks", "Asks", "/asks", "message-circle-question-mark", order=70,
    says="What people want of each other, and what came of it.",
)  # fmt: skip
PART = 20
OFFERED = 8  # pictures that are offered to be pinned, or as evidence
Text = Annotated[str, Form(max_length=10_000)]
Word = Annotated[str, Form(max_length=400)]
Words = Annotated[list[str] | None, Form(max_length=60)]
NO_ANSWER = (*WORDS_ONLY, "notice", "people", "project", "token", "tour")  # what is done of these answers nobody
ASKING = "You need the permission 'ask.write' to ask for something. An admin of the project can give it."


@router.get("/asks")
def list_asks(visit: Here) -> Response:
    """What waits for me, the first due first."""
    waiting = cards(visit, asks_waiting(visit.workspace))
    return _list(visit, "For me to do", waiting, n=len(waiting))


@router.get("/asks/mine")
def list_mine(visit: Here, after: Annotated[str | None, Query(max_length=40)] = None) -> Response:
    """What I have asked, and what came of it."""
    rows = asks_of_mine(visit.workspace, after=after, limit=PART + 1)
    older = f"/asks/mine?after={rows[PART - 1].id}" if len(rows) > PART else ""
    return _list(visit, "I asked", cards(visit, rows[:PART]), older=older, n=None)


def _list(visit: Visit, tab: str, shown_cards: list[Card], *, older: str = "", n: int | None) -> Response:
    page = Page("Asks", "asks", keys=(("n", "ask for something"),))
    waits = n if n is not None else len(asks_waiting(visit.workspace))
    return visit.render(
        "asks/list.html", page=page, tab=tab, cards=shown_cards, older=older,
        may_ask=allowed(visit.workspace, "ask.write"),
        why=ASKING, tabs=[("For me to do", "/asks", waits), ("I asked", "/asks/mine", None),
                          ("Notices", "/notices", unread(visit.workspace, limit=1).count)],
    )  # fmt: skip


@router.get("/asks/new")
def ask_for(
    visit: Here, about: Annotated[list[str] | None, Query(max_length=20)] = None, to: str = "", question: str = ""
) -> Response:
    """The form to ask for something, about the records that are named."""
    return _new(visit, refs=[ref_of(one) for one in about or []], to=to, question=question)


def _new(
    visit: Visit, *, refs: list[str], to: str = "", question: str = "", due: str = "", wrong: SfumatoError | None = None
) -> Response:
    newest = [f"image/{one.id}" for one in list_images(visit.workspace, limit=OFFERED)]
    offered = list(dict.fromkeys([*refs, *newest]))
    people = [one for one in list_members(visit.workspace) if not one.disabled and one.ref != visit.me.id]
    return visit.render(
        "asks/new.html", status=wrong.status if wrong else 200,
        page=Page("New ask", "asks", (("Asks", "/asks"), ("New ask", ""))),
        roles=roles_to_ask(visit), people=people, to=to, question=question, due=due, wrong=wrong, pinned=set(refs),
        offered=shown(visit.workspace, offered), may_ask=allowed(visit.workspace, "ask.write"), why=ASKING,
    )  # fmt: skip


def roles_to_ask(visit: Visit) -> list[tuple[str, str]]:
    """The roles that answer asks, and what is to be known of each: whether anybody but oneself has it."""
    members = [one for one in list_members(visit.workspace) if not one.disabled]
    others = {role for one in members if one.ref != visit.me.id for role in one.roles}
    mine = {role for one in members if one.ref == visit.me.id for role in one.roles}

    def says(role: str) -> str:
        if role in others:
            return ""
        return "only you are one" if role in mine else "nobody yet"

    return [(role, says(role)) for role in ASSIGNABLE if may((role,), "ask.write")]


@router.post("/asks")
def make(
    visit: Here, question: Text, to: Word = "", due: Word = "", refs: Words = None, more: Text = ""
) -> Response:  # fmt: skip
    """Ask a person or a role for something."""
    wanted = [ref_of(one) for one in [*(refs or []), *more.split()] if one.strip()]
    try:
        made = make_ask(visit.workspace, question=_plain(question), to=_whom(to), refs=wanted, due=_day(due))
    except SfumatoError as wrong:
        return _new(visit, refs=wanted, to=to, question=question, due=due, wrong=wrong)
    return visit.go(f"/asks/{made.id}")


@router.get("/asks/{ask}")
def show(visit: Here, ask: str) -> Response:
    """One ask, what came of it, and what one may do about it."""
    return _page(visit, ask)


def _page(visit: Visit, ask: str, wrong: SfumatoError | None = None, words: str = "", reason: str = "") -> Response:
    found = show_ask(visit.workspace, ask=ask)
    title = found.question if len(found.question) <= 60 else f"{found.question[:59].rstrip()}…"
    mine = found.by == visit.me.id
    answering = found.status == "open" and (found.waits_for_me or ("admin" in visit.me.roles and not mine))
    pictures = [f"image/{one.id}" for one in list_images(visit.workspace, limit=OFFERED)] if answering else []
    members = list_members(visit.workspace) if mine else []
    return visit.render(
        "asks/page.html", status=wrong.status if wrong else 200, wrong=wrong, words=words, reason=reason,
        page=Page(title, "asks", (("Asks", "/asks"), (title, ""))), card=cards(visit, [found])[0], ask=found, mine=mine,
        answering=answering, done=_own_acts(visit, found) if answering else [],
        alone=_alone(visit, found) if mine else "",
        offered=shown(visit.workspace, [*found.refs, *pictures]),
        said=comments_on(visit.workspace, about=found.ref), may_comment=allowed(visit.workspace, "comment.write"),
        roles=roles_to_ask(visit), people=[one for one in members if not one.disabled and one.ref != visit.me.id],
    )  # fmt: skip


def _alone(visit: Visit, ask: AskView) -> str:
    """Why nobody else can answer an open ask yet; empty where somebody can."""
    role = ask.to.removeprefix("role/")
    says = dict(roles_to_ask(visit)).get(role, "") if ask.status == "open" else ""
    return {"only you are one": f"only you are {role} here", "nobody yet": f"nobody is {role} here yet"}.get(says, "")


def _own_acts(visit: Visit, ask: AskView) -> list[tuple[Sentence, str]]:
    """What I did since it was asked, each with its reference as evidence: what can close it."""
    asked = list_events(visit.workspace, subject=ask.ref, action="ask.make", limit=1)
    since = asked[0].position if asked else 0
    recent: list[EventView] = list_events(visit.workspace, made_by=visit.me.id, limit=40)
    rows = [one for one in recent if one.position > since and one.action.partition(".")[0] not in NO_ANSWER]
    rows = rows[:OFFERED]
    told = sentences(visit.workspace, rows, me=visit.me.id)
    return [(sentence, f"event/{row.id}") for sentence, row in zip(told, rows, strict=True)]


@router.post("/asks/{ask}/answer")
def answer(
    visit: Here, ask: str, words: Text, evidence: Word = "", other: Word = "", version: int | None = Form(None)
) -> Response:  # fmt: skip
    """Close an ask with what was done, or with a record."""
    proof = ref_of(other) if other.strip() else evidence
    try:
        if not proof:
            raise InvalidInput("Nothing is named that answers it.", hint="Choose what you did, or a record.")
        answer_ask(visit.workspace, ask=ask, words=_plain(words), evidence=proof, version=version)
    except SfumatoError as wrong:
        return _page(visit, ask, wrong, words=words)
    return visit.go(f"/asks/{ask}")


@router.post("/asks/{ask}/decline")
def decline(visit: Here, ask: str, reason: Text, version: int | None = Form(None)) -> Response:
    """Hand an ask back, with a reason."""
    try:
        decline_ask(visit.workspace, ask=ask, reason=_plain(reason), version=version)
    except SfumatoError as wrong:
        return _page(visit, ask, wrong, reason=reason)
    return visit.go(f"/asks/{ask}")


@router.post("/asks/{ask}/withdraw")
def withdraw(visit: Here, ask: str, reason: Text = "", version: int | None = Form(None)) -> Response:
    """Take back what one has asked."""
    try:
        withdraw_ask(visit.workspace, ask=ask, reason=_plain(reason), version=version)
    except SfumatoError as wrong:
        return _page(visit, ask, wrong)
    return visit.go(f"/asks/{ask}")


@router.post("/asks/{ask}/change")
def change(
    visit: Here, ask: str, question: Text, version: Annotated[int, Form()], to: Word = "", due: Word = ""
) -> Response:  # fmt: skip
    """Change what one has asked, if nobody else did meanwhile."""
    try:
        change_ask(visit.workspace, ask=ask, version=version, question=_plain(question), to=_whom(to), due=_day(due))
    except SfumatoError as wrong:
        return _page(visit, ask, wrong)
    return visit.go(f"/asks/{ask}")


def _whom(said: str) -> str:
    if not said.strip():
        raise InvalidInput("Nobody is asked.", hint="Choose a person, or a role.")
    return said


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said.strip()) if said.strip() else None
    except ValueError as problem:
        raise InvalidInput(f"'{said[:20]}' is no day.", hint="Write it as 2027-03-31, or leave it out.") from problem


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
