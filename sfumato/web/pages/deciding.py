"""Deciding on pictures of a dataset from its pages: leaving out, keeping, taking back; and saved slices."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import JSONResponse, Response

from sfumato.actions import Workspace
from sfumato.actions.registry import allowed
from sfumato.data.choosing import pick_diverse
from sfumato.data.editing import recaption, relicense, set_attributes, set_consent, set_family
from sfumato.data.history import DecisionView, list_decided, list_decisions, show_decision
from sfumato.data.items import read_where
from sfumato.data.narrowing import Where
from sfumato.data.slices import drop_slice, save_slice
from sfumato.data.verdicts import keep, leave_out, undo
from sfumato.errors import Conflict, InvalidInput, NotFound, SfumatoError
from sfumato.people.wording import shortened
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.pages.items import show_grid
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit, counted
from sfumato.web.wheres import address
from sfumato.web.words import plural

router = Router()
VERBS: dict[str, Callable[..., DecisionView]] = {
    "leave_out": leave_out, "keep": keep, "attribute": set_attributes, "licence": relicense,
    "consent": set_consent, "family": set_family,
}  # fmt: skip
DONE = {
    "leave_out": "Left out {}.", "keep": "Kept {}.", "attribute": "Set an attribute of {}.",
    "licence": "Changed the licence of {}.", "consent": "Set the consent of {}.", "family": "Set the family of {}.",
}  # fmt: skip
DECISIONS, STRIP = 20, 6  # of a page; pictures shown of each
FEW, LONGEST = 4, 60  # pictures of which one is named; letters of a name
MOST = 1_000_000  # pictures that are picked
HISTORY = (("/", "search everything"),)
Word = Annotated[str, Query(max_length=200)]


@router.post("/data/{name}/decide")
def decide(visit: Here, name: str, form: Sent) -> Response:
    """Leave pictures out or keep them: those whose ids are sent, else those that `where` means."""
    verb = form.get("verb", "")
    if verb not in (*VERBS, "caption"):
        hint = f"Send verb={' or '.join(VERBS)} or caption."
        raise InvalidInput("Pictures are left out, kept, or something is said of them.", hint=hint)
    if verb == "caption":
        return _write(visit, name, form)
    options = {"where": said_of(form), "reason": form.get("reason", ""), **_besides(verb, form)}
    done = _do(visit.workspace, verb, name=name, **options)
    say = DONE[verb].format(which(visit.workspace, done))
    return answer(visit, done, say, form.get("back") or f"/data/{name}/items")


def _besides(verb: str, form: dict[str, str]) -> dict[str, Any]:
    """What a verb is told besides the pictures that it is about."""
    if verb == "attribute":
        return {"attributes": {form.get("attribute", "").strip(): form.get("value", "")}}
    told = {"licence": ("licence", "proof"), "consent": ("consent",), "family": ("family",)}.get(verb, ())
    return {key: form.get(key, "").strip() for key in told}


def which(workspace: Workspace, done: DecisionView) -> str:
    """The pictures of a decision in words: a few by the name of the first, many by their number."""
    some = list_decided(workspace, id=done.id, limit=1) if done.n <= FEW else []
    if not some:
        return plural(done.n, "picture")
    return f"“{shortened(some[0].item.rstrip('.'), LONGEST)}”" + (f" and {done.n - 1} more" if done.n > 1 else "")


def _write(visit: Visit, name: str, form: dict[str, str]) -> Response:
    ids, text = _ids(form), form.get("text", "").strip()
    if not text or not ids:
        raise InvalidInput("No caption was written.", hint="Say in a few words what the picture shows.")
    done = recaption(visit.workspace, name=name, captions=dict.fromkeys(ids, text))
    many = f" for {plural(done.n, 'picture')}" if done.n > 1 else ""
    say = f"Wrote the caption “{shortened(text, LONGEST)}”{many}."
    return answer(visit, done, say, form.get("back") or f"/data/{name}/items")


def _do(workspace: Workspace, verb: str, **options: Any) -> DecisionView:
    return VERBS[verb](workspace, **options)


def _ids(form: dict[str, str]) -> list[str]:
    return [one for one in form.get("ids", "").split(",") if one]


def said_of(form: dict[str, str]) -> Where:
    """Which pictures a form means; raises InvalidInput where it says nothing."""
    ids = _ids(form)
    if ids:
        check = form.get("check") or None
        return Where(ids=ids, check=check)
    if not form.get("where"):
        raise InvalidInput("No picture was selected.", hint="Select some with Space, or all with a.")
    return read_where(form["where"])


def answer(visit: Visit, done: DecisionView, say: str, back: str) -> Response:
    """Tell a script what was decided, so that it can offer to take it back; a browser goes back."""
    if "application/json" in visit.header("accept"):
        return JSONResponse({"say": say, "undo": f"/data/decisions/{done.id}/undo", "n": done.n})
    return visit.go(back)


@router.post("/data/decisions/{id}/undo")
def take_back(visit: Here, id: str, form: Sent) -> Response:
    """Take a decision back as a whole, or do it again where it was taken back."""
    try:
        done = undo(visit.workspace, id=id)
    except Conflict as wrong:
        if "application/json" in visit.header("accept"):
            raise
        return _history(visit, show_decision(visit.workspace, id=id).dataset, wrong=wrong)
    say = f"{done.name[:1].upper()}{done.name[1:]}{f': {which(visit.workspace, done)}' if done.n == 1 else ''}."
    return answer(visit, done, say, form.get("back") or f"/data/{done.dataset}/decisions")


@router.post("/data/{name}/pick")
@counted("upload")
def pick(visit: Here, name: str, form: Sent) -> Response:
    """Ask for the n most different pictures of a narrowing to be kept and the others left out; a job does it."""
    n, where = form.get("n", "").strip(), read_where(form.get("where", ""))
    try:
        if not n.isdecimal() or not 0 < int(n) <= MOST:
            raise InvalidInput("How many pictures are to stay?", hint="Write a whole number, such as 500.")
        job = pick_diverse(visit.workspace, name=name, n=int(n), where=where, reason=form.get("reason", "").strip())
    except (InvalidInput, NotFound) as wrong:
        return show_grid(visit, name, where, wrong=wrong)
    return visit.go(f"/jobs/{job.id}")


@router.post("/data/{name}/slices")
def keep_slice(visit: Here, name: str, form: Sent) -> Response:
    """Save a narrowing under a name, and go to it."""
    where = read_where(form.get("where", ""))
    try:
        saved = save_slice(visit.workspace, name=name, slice_name=form.get("slice_name", ""), where=where)
    except (InvalidInput, Conflict) as wrong:
        return show_grid(visit, name, where, wrong=wrong)
    return visit.go(address(f"/data/{name}/items", saved.where))


@router.post("/data/{name}/slices/drop")
def forget_slice(visit: Here, name: str, form: Sent) -> Response:
    """Forget a saved slice."""
    drop_slice(visit.workspace, name=name, slice_name=form.get("slice_name", ""))
    return visit.go(f"/data/{name}/items")


@router.get("/data/{name}/decisions")
def show_history(visit: Here, name: str, after: Word = "") -> Response:
    """What was decided of a dataset's pictures, the newest first, each with its pictures and a way back."""
    return _history(visit, name, after)


def _history(visit: Visit, name: str, after: str = "", wrong: SfumatoError | None = None) -> Response:
    workspace = visit.workspace
    rows = list_decisions(workspace, name=name, after=after or None, limit=DECISIONS + 1)
    page = Page("History", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("History", "")), keys=HISTORY)
    path = f"/data/{name}/decisions"
    return visit.render(
        "data/decisions.html", status=wrong.status if wrong else 200, page=page, name=name, after=after, path=path,
        rows=[(one, list_decided(workspace, id=one.id, limit=STRIP)) for one in rows[:DECISIONS]],
        older=f"{path}?{urlencode({'after': rows[DECISIONS - 1].id})}" if len(rows) > DECISIONS else "",
        may=allowed(workspace, "dataset.write"), why=WHY, **said(wrong),
    )  # fmt: skip
