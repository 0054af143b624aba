"""One picture: whether it may be used, what it was made from, what people hold of it, and what they ask of it."""

import threading
from collections import OrderedDict
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from fastapi import Form, Query
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.events import last_position
from sfumato.actions.registry import allowed
from sfumato.compliance.answer import Answer
from sfumato.compliance.neighbours import Neighbour
from sfumato.compliance.trace import Trace, trace
from sfumato.data.captions import style_words
from sfumato.data.items import items_of_content
from sfumato.errors import InvalidInput, SfumatoError
from sfumato.generation.gallery import beside
from sfumato.generation.pictures import ImageView, RequestView, show_image, show_request
from sfumato.people.asks import AskView, asks_about, make_ask
from sfumato.people.comments import comments_on
from sfumato.people.members import list_members
from sfumato.people.names import names_of
from sfumato.review.judge import review_of
from sfumato.trust.verify import verify
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.pages.asks import roles_to_ask
from sfumato.web.pages.create import chips
from sfumato.web.places import place_of, readable
from sfumato.web.sifting import Sift, Sifted
from sfumato.web.visits import Here, Visit
from sfumato.web.walks import graph_of
from sfumato.web.words import date as in_words

router = Router()
KEPT = 200  # traces that are remembered until anything has happened
KEYS = (
    ("← →", "the picture before, the next"),
    ("a", "approve"),
    ("w", "approve and say why"),
    ("r", "reject, with a reason"),
    ("1 – 5", "rate"),
    ("u", "take back what you said last"),
    ("c", "compare with the next"),
    ("Esc", "back to the list"),
)
VERDICTS = {
    "yes-nothing-against": ("holds", "Yes, nothing on record speaks against it, commercial use included"),
    "only if": ("held", "Only if"),
    "no": ("fails", "No"),
}
TOPICS = {
    "licences": "Licences",
    "nearest": "Nearest training picture",
    "original": "The original",
    "credentials": "Credentials",
    "credit": "Credit line",
    "person": "Judged by people",
    "origin": "Where it comes from",
}
_traces: "OrderedDict[tuple[str, ...], tuple[int, Trace]]" = OrderedDict()
_lock = threading.Lock()
Words = Annotated[str, Form(max_length=4_000)]


@router.get("/pictures/{id}")
def show_picture(visit: Here, id: str, sifted: Sifted, again: Annotated[bool, Query()] = False) -> Response:
    """Everything of one picture on one page, "May I use it?" first."""
    return page_of(visit, show_image(visit.workspace, id=id), sifted, again=again)


@router.post("/pictures/{id}/asks")
def ask_about(visit: Here, id: str, question: Words, to: Words, due: Words = "") -> Response:
    """Ask a role or a person something about this picture."""
    view = show_image(visit.workspace, id=id)
    try:
        day = date.fromisoformat(due) if due else None
    except ValueError as problem:
        raise InvalidInput(f"'{due[:20]}' is no day.", hint="Write it as 2026-12-24.") from problem
    make_ask(visit.workspace, question=question, to=to, refs=[f"image/{view.id}"], due=day)
    return visit.go(f"/pictures/{view.id}#asks")


def page_of(visit: Visit, view: ImageView, sifted: Sift, *, again: bool = False) -> Response:
    """The page of a picture, in the list that it came from."""
    workspace, ref = visit.workspace, f"image/{view.id}"
    asked = show_request(workspace, id=view.request_id)
    found = traced(workspace, ref)
    near = beside(workspace, id=view.id, **sifted.options(visit.me.id))
    crumbs = (("Create", "/create"), ("Pictures", sifted.address("/pictures")), (asked.prompt, ""))
    assert found.answer is not None
    return visit.render(
        "pictures/picture.html",
        page=Page(asked.prompt, desk="create", crumbs=crumbs, keys=KEYS),
        view=view,
        asked=asked,
        ref=ref,
        answer=answer_of(found, view),
        sift=sifted,
        beside=near,
        traced=found,
        graph=graph_of(found.chain, found.below, picture=f"/api/v1/images/{view.id}/file", title=asked.prompt),
        checked=again,
        credentials=_credentials(workspace, view, found, again),
        nearest=[_near(workspace, one) for one in found.nearest],
        review=review_of(workspace, subject=ref),
        whom=_whom(visit),
        comments_shown=_comments(workspace, ref),
        asks=[ask_shown(one, view) for one in asks_about(workspace, ref=ref)],
        made_by=names_of(workspace, [view.made_by])[view.made_by],
        can={name: allowed(workspace, name) for name in ("review.write", "ask.write", "comment.write", "image.create")},
        others={name: words for name, (words, _) in chips(workspace, asked.model).items()},
        asked_facts=_facts(asked, view),
    )


def traced(workspace: Workspace, ref: str) -> Trace:
    """The trace of a picture, walked anew when anything has happened since."""
    who = (str(workspace.path), workspace.actor.id, workspace.project, ref)
    position = last_position(workspace)
    kept = _traces.get(who)
    if kept is not None and kept[0] == position:
        return kept[1]
    found = trace(workspace, ref, down=True, files=False)
    with _lock:
        _traces[who] = (position, found)
        while len(_traces) > KEPT:
            _traces.popitem(last=False)
    return found


def answer_of(found: Trace, view: ImageView) -> dict[str, Any]:
    """The answer for the template: a state, a head line, and every clause with where its evidence is seen."""
    answer: Answer = found.answer  # type: ignore[assignment]
    state, head = VERDICTS[answer.verdict]
    clauses = [
        {
            "topic": TOPICS.get(one.topic, one.topic),
            "says": one.says,
            "evidence": readable(one.evidence),
            "href": _evidence(one.topic, one.evidence),
            "condition": one in answer.conditions,
        }
        for one in [*answer.conditions, *(one for one in answer.clauses if one not in answer.conditions)]
    ]
    return {"state": state, "head": head, "verdict": answer.verdict, "clauses": clauses, "credit": answer.credit}


def _evidence(topic: str, evidence: str) -> str:
    """Where on this page, or on which other, a clause's evidence is seen."""
    if evidence.startswith(("judgement/", "checkpoint/", "event/")) and " " not in evidence:
        return place_of(evidence)
    return {
        "nearest": "#nearest",
        "original": "#nearest",
        "credentials": "#credentials",
        "person": "#judgement",
        "credit": "#credit",
        "licences": "#trace",
        "origin": "#credentials",
    }.get(topic, "#trace")


def _credentials(workspace: Workspace, view: ImageView, found: Trace, again: bool) -> dict[str, Any]:
    """The state of the published file's credentials; read anew where that is asked for."""
    path = workspace.store.path(view.sha256)
    try:
        seen = verify(workspace, path)
    except SfumatoError as problem:
        return {"state": "fails", "says": problem.message, "words": "", "problems": [], "signer": "", "when": ""}
    states = {
        "signed here": ("holds", "Signed by this workspace, and unchanged since"),
        "signer unknown here": ("held", "Signed by somebody who is not known here, and unchanged since"),
        "invalid": ("fails", "Changed after it was signed"),
        "unsigned": ("lacks", "Not signed"),
    }
    state, says = states[seen.state]
    return {
        "state": state,
        "says": says,
        "words": seen.words.replace(path.name, view.file_name),
        "problems": seen.problems,
        "signer": seen.signer,
        "when": _moment(seen.when),
    }


def _moment(said: str) -> str:
    """A moment that a signer wrote, as pages write moments; as it stands where it cannot be read."""
    try:
        return in_words(datetime.fromisoformat(said), True)
    except ValueError:
        return said


def _near(workspace: Workspace, one: Neighbour) -> dict[str, Any]:
    items = items_of_content(workspace, sha256=one.sha256) if one.sha256 else []
    return {
        "name": one.name or "a picture without a name",
        "style": style_words(one.style) if one.style else "",
        "licence": one.licence,
        "author": one.author or "author not known",
        "distance": one.distance,
        "copy_below": one.copy_below,
        "copied": one.is_copied,
        "src": f"/pictures/learnt/{one.model}/{one.row}",
        "href": place_of(f"item/{items[0].id}") if items else "",
        "url": one.url if one.url.startswith("https://") else "",
        "origin": " ".join(filter(None, [one.source, one.version])),
        "model": one.model,
    }


def _facts(asked: RequestView, view: ImageView) -> list[tuple[str, Any]]:
    return [
        ("Sentence", asked.prompt),
        ("Seed", str(view.seed)),
        ("Model", asked.model),
        ("Steps", asked.steps),
        ("Guidance", f"{asked.guidance:g}"),
        ("Sampler", asked.sampler),
        ("Background", asked.background),
        ("Drawn at", f"{view.width} × {view.height} pixels"),
        ("Enlarged", f"{asked.upscale} times" if asked.upscale > 1 else "no"),
        ("File", view.file_name),
    ]


def _whom(visit: Visit) -> list[tuple[str, str]]:
    """Whom one may ask: every role that answers asks, and every other member."""
    roles = [(f"role/{role}", f"Every {role}{f' ({says})' if says else ''}") for role, says in roles_to_ask(visit)]
    people = [one for one in list_members(visit.workspace) if not one.disabled and one.ref != visit.me.id]
    return roles + [(one.ref, one.name) for one in people]


def _comments(workspace: Workspace, ref: str) -> list[dict[str, Any]]:
    found = comments_on(workspace, about=ref, limit=200)
    return [{"made_by": one.by_name, "made_at": one.made_at, "text": one.text} for one in found]


def ask_shown(one: AskView, view: ImageView) -> dict[str, Any]:
    """An ask as its card takes it."""
    due = datetime.combine(date.fromisoformat(one.due), time(12), UTC) if one.due else None
    outcome = next((f"{reply.by_name}: {reply.words}" for reply in reversed(one.replies) if reply.words), "")
    return {
        "id": one.id,
        "question": one.question,
        "made_by": one.by_name,
        "made_at": one.made_at,
        "to": one.to_name,
        "due": due,
        "late": bool(due and due.date() < datetime.now(UTC).date() and one.status == "open"),
        "state": one.status,
        "about": [],
        "outcome": outcome,
    }
