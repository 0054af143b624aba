"""Train: runs as they stand, starting one from a recipe's options, and one run with its curves and previews."""

import contextlib
import json
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.registry import allowed
from sfumato.checkpoints.folders import ARCHITECTURE as FOLDER
from sfumato.checkpoints.models import DEFAULT, list_models
from sfumato.compliance.line import Place
from sfumato.data.advice import FROM_SCRATCH
from sfumato.data.shelf import Named, list_frozen
from sfumato.errors import Conflict, InvalidInput, NotFound, SfumatoError, Unsupported
from sfumato.jobs.queue import cancel_job
from sfumato.store.disk import in_words
from sfumato.training.ahead import Ahead
from sfumato.training.averaging import ask_for_average
from sfumato.training.budget import Chosen
from sfumato.training.going_on import outlook, resume
from sfumato.training.records import DRAWS_NOTHING, OWN
from sfumato.training.watching import (
    RunCard,
    list_cards,
    list_checkpoints,
    list_previews,
    read_captions,
    read_curves,
    read_said,
    show_card,
)
from sfumato.training.worst import list_worst
from sfumato.web.addresses import Router
from sfumato.web.api.runs import choose as choose_options
from sfumato.web.api.runs import look_ahead, train
from sfumato.web.desks import Desk, Page
from sfumato.web.fields import fields, read_form
from sfumato.web.runs import (
    RECIPES,
    SAYS,
    TOLD,
    chart_of_buckets,
    charts_of,
    command_of,
    doing,
    last_of,
    origin_in_words,
    recipe_in_words,
    value_in_words,
)
from sfumato.web.schemas import names, schema
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit
from sfumato.web.words import duration, number, plural
from sfumato.web.working import follows, pace_of, places

router = Router()
DESK = Desk(
    "train",
    "Train",
    "/train",
    "activity",
    order=20,
    roles=("ML engineer", "researcher"),
    says="Runs that teach a model from a frozen version.",
)
FIRST = ("samples", "size", "width", "depth", "batch")
WHEN = {
    "flow": "The usual choice: from scratch with about 3,000 pictures or more, with fewer from a model that there is.",
    "edm": "Diffusion as Karras et al. weigh it, beside flow for comparison; drawings take the same steps.",
    "r3gan": "A GAN. It draws at once, is learnt in more steps, and shows less variety when time is short.",
    "lora": "For a few dozen pictures of a style of your own: a small addition to a model that stays as it is.",
    "diffusers_lora": "The same for a folder of diffusers that was taken in: Stable Diffusion, SDXL or PixArt.",
    "full": "All weights of the denoiser in such a folder learn: six times its memory, and hundreds of pictures.",
    "enlarge": "Learns to make drawings four times as large; it draws nothing by itself.",
}
WHY = "You need the permission 'training.write'. An admin of the project can give it."
NAMED = {"edm": "EDM", "r3gan": "R3GAN", "lora": "LoRA", "diffusers_lora": "LoRA for diffusers"}
FROM_FOLDERS = ("diffusers_lora", "full")  # recipes that go on from a folder of diffusers
NEED_PARENT = ("lora", *FROM_FOLDERS)
ASKED = ("name", "data", "parent", "budget", "keep", "fork")  # of the form, beside the recipe's options
RUNS, SAVED, SHEETS = 24, 20, 60
FED = 8  # pictures that are shown before others are asked for
NOTABLE = ("held out", "erased", "never drawn", "without a caption", "of unknown size", "captions left out")
Word = Annotated[str, Query(max_length=200)]


@router.get("/train")
def show_train(visit: Here, after: Word = "") -> Response:
    """Runs as they stand, newest first."""
    rows = list_cards(visit.workspace, after=after or None, limit=RUNS + 1)
    older = f"/train?after={rows[RUNS - 1].id}" if len(rows) > RUNS else ""
    line = places(visit.workspace, *(one.job for one in rows[:RUNS]))
    told = [(one, *_pace_or_place(one, line)) for one in rows[:RUNS]]
    return visit.render(
        "train/list.html",
        page=Page("Train", "train"),
        runs=told,
        older=older,
        after=after,
        says=SAYS,
        frozen=list_frozen(visit.workspace, limit=1),
        may=allowed(visit.workspace, "training.write"),
        why=WHY,
    )


@router.get("/new-run")
def choose(visit: Here, recipe: Word = "flow", data: Word = "", parent: Word = "", fork: Word = "") -> Response:
    """The form to start a run, filled with the options of the run `fork` where there is one."""
    if fork:
        old = show_card(visit.workspace, name=fork)
        begun = old.parent.name if old.parent else ""
        return _form(visit, old.run.recipe, old.run.options | {"data": old.data, "parent": begun, "fork": fork})
    return _form(visit, recipe, {"data": data, "parent": parent or begins_with(visit.workspace, recipe, data)})


def begins_with(workspace: Workspace, recipe: str, data: str) -> str:
    """The model that the form proposes to begin with: the one that ships, where pictures are too few without it."""
    return DEFAULT if recipe == "flow" and 0 < learnt_from(list_frozen(workspace), data) < FROM_SCRATCH else ""


def learnt_from(versions: list[Named], data: str) -> int:
    """How many pictures there are to learn from in a version, or in the first one that the form offers."""
    return next((one.train for one in versions if one.label == data), versions[0].train if versions else 0)


def _form(
    visit: Visit, recipe: str, given: dict[str, Any], wrong: SfumatoError | None = None,
    *, chosen: Chosen | None = None, ahead: Ahead | None = None, earlier: str = "", looked: bool = False,
) -> Response:  # fmt: skip
    """The form; `earlier` is what was chosen for it before, as it came with the form."""
    if recipe not in names(RECIPES):
        raise NotFound(f"There is no recipe '{recipe}'.", hint=f"There is: {', '.join(names(RECIPES))}.")
    told = schema(RECIPES, recipe)
    if recipe in NEED_PARENT and not given.get("parent") and recipe not in FROM_FOLDERS:
        given = given | {"parent": DEFAULT}
    versions = list_frozen(visit.workspace)
    page = Page("Start a run", "train", crumbs=(("Train", "/train"), ("Start a run", "")))
    return visit.render(
        "train/new.html",
        status=wrong.status if wrong else 200,
        page=page,
        recipe=recipe,
        recipes=sorted(names(RECIPES), key=lambda one: [*WHEN, one].index(one)),
        when=WHEN,
        named={one: NAMED.get(one, one.replace("_", " ").capitalize()) for one in names(RECIPES)},
        needs_parent=recipe in NEED_PARENT,
        about=told.get("description", ""),
        form=fields(told, given, first=FIRST),
        given=given,
        chosen=chosen,
        earlier=earlier,
        looked=looked,
        ahead=ahead,
        buckets=chart_of_buckets(ahead) if ahead else None,
        notable=NOTABLE,
        first_fed=FED,
        in_words=in_words,
        versions=versions,
        models=[
            one.name for one in list_models(visit.workspace) if (one.architecture == FOLDER) == (recipe in FROM_FOLDERS)
        ],
        cost=cost(visit.workspace, recipe, told, given, chosen),
        rounds=rounds(told, given, learnt_from(versions, given.get("data", ""))),
        may=allowed(visit.workspace, "training.write"),
        why=WHY,
        **said(wrong),
    )


@router.post("/new-run/choose")
def choose_for(visit: Here, form: Sent) -> Response:
    """The form again, with what a time comes to on this machine, and why."""
    recipe = form.get("recipe", "flow")
    asked = {key: form.get(key, "").strip() for key in ASKED}
    sent = read_form(schema(RECIPES, recipe), form)
    given = changed(schema(RECIPES, recipe), sent, form.get("chosen", ""))
    try:
        found = choose_options(
            visit.workspace, data=asked["data"], budget=asked["budget"], recipe_name=recipe, options=given,
            parent=asked["parent"],
        )  # fmt: skip
    except (InvalidInput, NotFound) as wrong:
        return _form(visit, recipe, sent | asked, wrong, earlier=form.get("chosen", ""))
    return _form(visit, recipe, found.options | asked, chosen=found)


@router.post("/new-run/look")
def look(visit: Here, form: Sent) -> Response:
    """The form again, with what a run of its options would see."""
    recipe = form.get("recipe", "flow")
    options = read_form(schema(RECIPES, recipe), form)
    asked = {key: form.get(key, "").strip() for key in ASKED}
    try:
        found = look_ahead(
            visit.workspace, data=asked["data"], recipe_name=recipe, options=options, parent=asked["parent"] or None
        )
    except (InvalidInput, NotFound, Unsupported) as wrong:
        return _form(visit, recipe, options | asked, wrong, earlier=form.get("chosen", ""), looked=True)
    return _form(visit, recipe, options | asked, ahead=found, earlier=form.get("chosen", ""))


def changed(told: dict[str, Any], given: dict[str, Any], chosen: str) -> dict[str, Any]:
    """The options that somebody set to something else than they come with, or than was chosen for them before."""
    known = {key: one.get("default") for key, one in told.get("properties", {}).items()}
    with contextlib.suppress(ValueError, TypeError):
        known |= json.loads(chosen)
    return {key: value for key, value in given.items() if value != known.get(key)}


@router.post("/new-run")
def start(visit: Here, form: Sent) -> Response:
    """Start a run, or say what has to be different."""
    recipe = form.get("recipe", "flow")
    options = read_form(schema(RECIPES, recipe), form)
    asked = {key: form.get(key, "").strip() for key in ASKED}
    try:
        train(
            visit.workspace,
            name=asked["name"],
            data=asked["data"],
            recipe_name=recipe,
            options=options,
            parent=asked["parent"] or None,
            keep=int(asked["keep"]) if asked["keep"].isdecimal() else 0,
            forked_from=asked["fork"],
        )
    except (InvalidInput, Conflict, NotFound) as wrong:
        return _form(visit, recipe, options | asked, wrong, earlier=form.get("chosen", ""))
    return visit.go(f"/train/{quote(asked['name'])}")


@router.get("/train/{name}")
def show_run(visit: Here, name: str) -> Response:
    """One run: how it stands, its curves, its previews and its checkpoints."""
    workspace = visit.workspace
    one = show_card(workspace, name=name)
    sheets = list_previews(workspace, name=name)
    page = Page(one.run.name, "train", crumbs=(("Train", "/train"), (one.run.name, "")))
    speed, left = pace(one)
    extra = (one.job.progress.get("extra") or {}) if one.job else {}
    place = places(workspace, one.job).get(one.job.id) if one.job else None
    curves = read_curves(workspace, name=name)
    seen_as = "steps" if one.run.recipe == OWN else "pictures seen"
    return visit.render(
        "train/page.html",
        page=page,
        one=one,
        left=left,
        now=place.says if place else doing(one),
        went_on=one.run.details.get("went_on", []),
        outlook=outlook(one.run.options, one.run.samples_seen) if one.run.recipe != OWN else "",
        follows=follows(place),
        charts=charts_of(curves, seen_as, own=one.run.recipe == OWN),
        loss=last_of(curves.loss),
        speed=speed or (f"{number(round(last_of(curves.speed) or 0))} pictures a second" if curves.speed else ""),
        previews=sheets[::-1][:SHEETS],
        slides=[
            (f"/api/v1/runs/{quote(one.run.name, safe='')}/previews/{at}", f"{number(at)} {seen_as}") for at in sheets
        ],
        saved=list_checkpoints(workspace, name=name, limit=SAVED),
        draws=one.run.recipe not in DRAWS_NOTHING,
        says=SAYS,
        told=recipe_in_words(one),
        instead=instead(workspace, one),
        said=read_said(workspace, name=name),
        captions=read_captions(workspace, name=name),
        command=command_of(one),
        worst=list_worst(workspace, name=name),
        memory=in_words(int(extra["memory"])) if extra.get("memory") else "",
        origin=origin_in_words(one.run.details.get("provenance", {})),
        may=allowed(workspace, "training.write"),
        why=WHY,
        may_stop=one.job is not None and (one.job.asked_by == visit.me.id or "admin" in visit.me.roles),
    )


@router.post("/train/{name}/stop")
def stop(visit: Here, name: str) -> Response:
    """Stop a run; what it has seen so far is kept."""
    one = show_card(visit.workspace, name=name)
    if one.job is not None:
        cancel_job(visit.workspace, job_id=one.job.id)
    return visit.go(f"/train/{quote(one.run.name)}")


@router.post("/train/{name}/resume")
def go_on(visit: Here, name: str, form: Sent) -> Response:
    """Go on with a run where its last state left it, or further than it was planned."""
    asked = form.get("samples", "").replace(",", "").strip()
    if asked and not asked.isdecimal():
        raise InvalidInput(f"'{asked}' is no number of pictures.", hint="Write 40000, or leave it empty.")
    resume(visit.workspace, name=name, samples=int(asked or 0), budget=form.get("budget", ""))
    return visit.go(f"/train/{quote(name)}")


@router.post("/train/{name}/average")
def average(visit: Here, name: str, form: Sent) -> Response:
    """Make a model whose weights are averaged over another share of the run; a job does it."""
    try:
        length = float(form.get("length", ""))
    except ValueError:
        raise InvalidInput(f"'{form.get('length', '')}' is no share of a run.", hint="Write 0.15.") from None
    return visit.go(f"/jobs/{ask_for_average(visit.workspace, name=name, length=length).id}")


def instead(workspace: Workspace, one: RunCard) -> str:
    """What a forked run does otherwise than the one it was forked from, "" where there is nothing to tell."""
    forked = (one.run.details.get("chosen") or {}).get("forked_from")
    if not forked:
        return ""
    try:
        old = show_card(workspace, name=forked)
    except NotFound:
        return ""
    known = {"data": old.data, **old.run.options}
    told = [
        f"{key.replace('_', ' ')} {value_in_words(value)} instead of {value_in_words(known.get(key))}"
        for key, value in {"data": one.data, **one.run.options}.items() if value != known.get(key)
    ]  # fmt: skip
    more = f" and {plural(len(told) - TOLD, 'more change')}" if len(told) > TOLD else ""
    return ", ".join(told[:TOLD]) + more


def _pace_or_place(one: RunCard, line: dict[str, Place]) -> tuple[str, str]:
    """How fast a run goes and how long it still takes, or where it stands in the line."""
    place = line.get(one.job.id) if one.job else None
    return ("", place.says) if place else pace(one)


def pace(one: RunCard) -> tuple[str, str]:
    """How fast a run goes and how long it still takes, in words."""
    return pace_of(one.job) if one.job else ("", "")


def samples_of(told: dict[str, Any], given: dict[str, Any]) -> int:
    """How many pictures a run of these options sees; 0 where what was given is no number."""
    try:
        return int(given.get("samples") or told.get("properties", {}).get("samples", {}).get("default", 0) or 0)
    except ValueError:
        return 0


def rounds(told: dict[str, Any], given: dict[str, Any], train: int) -> str:
    """How often each picture is seen, in words."""
    often = samples_of(told, given) / train if train else 0.0
    if not often:
        return ""
    few = " Some are not seen at all, so that it hardly learns from them." if often < 1 else ""
    return f"Each of {plural(train, 'picture')} is seen {number(round(often, 2))} times on average.{few}"


def cost(
    workspace: Workspace, recipe: str, told: dict[str, Any], given: dict[str, Any], chosen: Chosen | None = None
) -> str:
    """What a run will cost, in a plain sentence that rests on what was measured here."""
    if chosen is not None:
        return (
            f"About {duration(chosen.seconds)}, as was just tried on this machine; longer where something else works "
            "beside it. You can stop it at any time, and what it has learnt is kept."
        )
    samples = samples_of(told, given)
    before = [one for one in list_cards(workspace, limit=20) if one.run.recipe == recipe]
    speeds = [_speed(one) for one in before if _speed(one)]
    if not speeds:
        return (
            f"It sees {plural(samples, 'picture')}, counted with repeats. How long that takes is found out in the "
            "first seconds of the run; you can stop it at any time, and what it has learnt is kept."
        )
    return (
        f"The last run of this recipe saw {number(round(speeds[0]))} pictures a second here. At that speed "
        f"{plural(samples, 'picture')} take about {duration(samples / speeds[0])}; larger pictures or a larger "
        "network take longer. "
        "You can stop it at any time, and what it has learnt is kept."
    )


def _speed(one: RunCard) -> float:
    extra = (one.job.progress.get("extra") or {}) if one.job else {}
    return float(extra.get("images_per_second") or one.run.machine.get("images_per_second") or 0.0)
