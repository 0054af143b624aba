"""Create: one box for a sentence, what the model knows of it, four pictures, and what was asked for before."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.registry import allowed
from sfumato.checkpoints.models import DEFAULT
from sfumato.data.captions import style_words
from sfumato.errors import SfumatoError
from sfumato.generation.create import LONGEST, CreateOptions, create
from sfumato.generation.history import Told, again, drawing_models, history, progress, styles, understand_prompt
from sfumato.generation.knowledge import split_style
from sfumato.generation.pictures import RequestView, show_image, show_request
from sfumato.jobs.queue import cancel_job, lane_is_served
from sfumato.web.addresses import Router
from sfumato.web.desks import Desk, Page
from sfumato.web.fields import Field, errors_of, fields, read_form
from sfumato.web.problems import told
from sfumato.web.sifting import Sift, Sifted
from sfumato.web.visits import Here, Visit, counted
from sfumato.web.working import follows, hands_of, places

router = Router()
DESK = Desk(
    "create", "Create", "/create", "sparkles", order=40, roles=("prompt designer",),
    says="Say what to draw, and see what the model knows of it.",
)  # fmt: skip
SCHEMA = CreateOptions.model_json_schema()
KEYS = (
    ("n", "a new sentence"), ("Enter", "draw it, or open a picture"), ("← →", "move among pictures"), ("a", "approve"),
    ("r", "reject"), ("1 – 5", "rate"), ("s", "stop the drawing"), ("o", "open or close the options"),
)  # fmt: skip
AT_ONCE = 8  # requests of a page of the history
MORE = 10  # pictures of another style
LABELS = {"n": "Number of pictures", "upscale": "Times larger"}


async def sent(request: Request) -> dict[str, str]:
    """Everything that a form sent, as text."""
    return {name: str(value) for name, value in (await request.form()).items()}


Form = Annotated[dict[str, str], Depends(sent)]
Text = Annotated[str, Query(max_length=LONGEST)]
Short = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True)
class Draft:
    """What stands in the box: a sentence, a style apart from it, the options, and what is wrong with them."""

    prompt: str = ""
    style: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model that is to draw."""
        return str(self.options.get("model") or DEFAULT)


@router.get("/create")
def show_create(
    visit: Here, sifted: Sifted, prompt: Text = "", request: Short = "", reuse: Short = "", after: Short = ""
) -> Response:
    """The box, the pictures of the request that was just made, and the history."""
    shown = progress(visit.workspace, id=request) if request else None
    draft = Draft(prompt, options={"model": sifted.model} if sifted.model in drawing_models(visit.workspace) else {})
    if reuse:
        draft = draft_of(show_request(visit.workspace, id=reuse), with_seed=True)
    elif shown:
        draft = draft_of(shown.request)
    return desk(visit, draft, sifted, shown=shown, after=after)


@router.post("/create")
@counted("create")
def ask(visit: Here, form: Form) -> Response:
    """Ask for pictures; what cannot be is said above the box, and the sentence stays in it."""
    draft = Draft(form.get("prompt", "")[:LONGEST], form.get("style", ""), read_form(SCHEMA, form))
    try:
        options = CreateOptions.model_validate(draft.options)
        asked = create(visit.workspace, prompt=sentence(draft), options=options.model_dump())
    except ValidationError as wrong:
        draft = replace(draft, errors=errors_of(wrong))
        return desk(visit, draft, Sift(), problem="Some options cannot be used. Each says why.", status=422)
    except SfumatoError as problem:
        said = told(problem, visit.id).problem
        return desk(visit, draft, Sift(), problem=f"{said.detail} {said.hint}".strip(), status=said.status)
    return visit.go(f"/create?request={asked.request_id}#result")


@router.get("/create/knows")
def show_knowledge(visit: Here, prompt: Text = "", style: Short = "", model: Short = DEFAULT) -> Response:
    """What the model knows of a sentence, as a part of the page."""
    return visit.render("create/knows.html", known=knowledge(visit.workspace, Draft(prompt, style, {"model": model})))


@router.get("/create/requests/{id}")
def show_result(visit: Here, id: str) -> Response:
    """How far the pictures of a request are, as a part of the page."""
    return visit.render("create/result.html", **around(visit, progress(visit.workspace, id=id)))


@router.post("/create/requests/{id}/stop")
def stop(visit: Here, id: str) -> Response:
    """Stop the drawing of a request; finished pictures are kept."""
    job = progress(visit.workspace, id=id).job
    if job is not None:
        cancel_job(visit.workspace, job_id=job.id)
    return visit.go(f"/create?request={id}#result")


@router.post("/create/requests/{id}/again")
@counted("create")
def ask_again(visit: Here, id: str, form: Form) -> Response:
    """Ask the same once more: on the next seeds, or on the very same ones where nothing came of it."""
    before = show_request(visit.workspace, id=id)
    seed = before.seed if form.get("seeds") == "same" else before.seed + before.n
    return _ask(visit, before.prompt, again(before, seed=seed))


@router.post("/create/pictures/{id}/again")
@counted("create")
def ask_from(visit: Here, id: str, form: Form) -> Response:
    """Ask for more after one picture: ten in another style, or the same on the seed that follows."""
    picture = show_image(visit.workspace, id=id)
    before = show_request(visit.workspace, id=picture.request_id)
    style = form.get("style", "")
    if not style:
        return _ask(visit, before.prompt, again(before, seed=picture.seed + 1, n=1))
    subject = str(before.understood.get("subject") or before.prompt)
    return _ask(visit, f"{subject}, {style_words(style)} style", again(before, seed=before.seed + before.n, n=MORE))


def _ask(visit: Visit, prompt: str, options: dict[str, Any]) -> Response:
    asked = create(visit.workspace, prompt=prompt, options=options)
    return visit.go(f"/create?request={asked.request_id}#result")


def sentence(draft: Draft) -> str:
    """The sentence with the style that was chosen beside it, unless it names one itself."""
    if not draft.style or not draft.prompt.strip():
        return draft.prompt
    named = split_style(draft.prompt, [draft.style])[0]
    return draft.prompt if named else f"{draft.prompt.rstrip(' ,.')}, {style_words(draft.style)} style"


def draft_of(request: RequestView, *, with_seed: bool = False) -> Draft:
    """A request as it was typed, for whoever wants to change it a little."""
    options = again(request)
    if not with_seed:
        options["seed"] = None
    return Draft(request.prompt, "", options)


def knowledge(workspace: Workspace, draft: Draft) -> dict[str, Any]:
    """What the model knows of a draft, for the template; `problem` says why nothing can be said."""
    if not draft.prompt.strip():
        return {"understood": None, "problem": "", "model": draft.model}
    try:
        found = understand_prompt(workspace, prompt=sentence(draft), model=draft.model)
    except SfumatoError as problem:
        return {"understood": None, "problem": f"{problem.message} {problem.hint}".strip(), "model": draft.model}
    besides = [line for line in found.besides() if found.style or found.unknown_style or line[:8] != "No style"]
    return {"understood": found, "problem": "", "model": draft.model, "besides": besides}


def desk(
    visit: Visit, draft: Draft, sifted: Sift, *, shown: Told | None = None, after: str = "", problem: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    """The whole page."""
    workspace = visit.workspace
    found = history(workspace, after=after or None, limit=AT_ONCE + 2, **_of_requests(sifted, visit.me.id))
    found = [one for one in found if shown is None or one.id != shown.id][: AT_ONCE + 1]
    names = drawing_models(workspace)
    older = sifted.address("/create", after=found[AT_ONCE - 1].id) if len(found) > AT_ONCE else ""
    return visit.render(
        "create/index.html", status=status, page=Page("Create", desk="create", keys=KEYS), draft=draft, problem=problem,
        options=option_fields(draft, names), models=names, chips=chips(workspace, draft.model), older=older,
        newest=sifted.address("/create") if after else "", asked=found[:AT_ONCE], sift=sifted,
        known=knowledge(workspace, draft), may=allowed(workspace, "image.create"),
        unserved=not lane_is_served(workspace, "quick"), **around(visit, shown),
    )  # fmt: skip


def _of_requests(sifted: Sift, me: str) -> dict[str, Any]:
    return {name: value for name, value in sifted.options(me).items() if name != "request_id"}


def around(visit: Visit, shown: Told | None) -> dict[str, Any]:
    """What the part with a request's pictures needs."""
    may = {name: allowed(visit.workspace, name) for name in ("image.create", "review.write", "job.cancel")}
    others = chips(visit.workspace, shown.request.model) if shown else {}
    hands = hands_of(shown.job) if shown and shown.job else ""
    place = places(visit.workspace, shown.job).get(shown.job.id) if shown and shown.job else None
    stands = place.says if place else "Waits for a worker"
    return {
        "shown": shown, "can": may, "hands": hands, "others": {name: style_words(name) for name in others},
        "stands": stands, "follows": follows(place),
    }  # fmt: skip


def chips(workspace: Workspace, model: str) -> dict[str, tuple[str, str]]:
    """The styles of a model: how each is spoken of, and its maker with the licence; none where it has no card."""
    try:
        found = styles(workspace, model=model)
    except SfumatoError:
        return {}
    return {name: (style_words(name), made_by) for name, made_by in found.items()}


def option_fields(draft: Draft, models: list[str]) -> list[Field]:
    """The options as fields, all of them folded away; the model is chosen among those that draw."""
    values = {name: value for name, value in draft.options.items() if value is not None}
    found = [replace(one, expert=True) for one in fields(SCHEMA, values, draft.errors, first=[])]
    known = tuple(dict.fromkeys([*models, *([draft.model] if draft.model in models else [])]))
    return [
        replace(one, kind="choice", choices=known) if one.name == "model" and known
        else replace(one, label=LABELS.get(one.name, one.label))
        for one in found
    ]  # fmt: skip
