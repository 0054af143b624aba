"""Models: what each learnt from, how it measures, what must hold before it goes live, and letting it go live."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.registry import allowed
from sfumato.checkpoints.models import ModelFacts, list_models, show_model
from sfumato.compliance.work import list_work
from sfumato.errors import Conflict, InvalidInput, NotFound, SfumatoError
from sfumato.evaluation.evaluate import GROUPS, EvaluateOptions, MeasurementView, evaluate, list_measurements
from sfumato.evaluation.words import BLIND, is_blind
from sfumato.generation.pictures import list_images
from sfumato.product.criteria import Checked, check, drop_criterion, known_measures, set_criterion
from sfumato.product.launch import Live, go_live, roll_back, show_live
from sfumato.review.share import Share, approval_share
from sfumato.statistics.intervals import Interval, wilson
from sfumato.web.addresses import Router
from sfumato.web.charts import Chart, bar_chart
from sfumato.web.desks import Desk, Page
from sfumato.web.fields import fields, read_form
from sfumato.web.kept import kept
from sfumato.web.pictures import tiles_of
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit
from sfumato.web.working import places, shown

router = Router()
DESK = Desk(
    "models",
    "Models",
    "/models",
    "box",
    order=30,
    roles=("ML engineer", "analytics translator", "product manager"),
    says="What was learnt, how good it is, and what is live.",
)
STATES = {"holds": "holds", "fails": "fails", "not enough data": "lacks"}
CARDS, DRAWN = 24, 12
QUICK = 24  # drawings in each group of a quick look
NEEDS = {
    "criterion": "criterion.write",
    "live": "model.promote",
    "measure": "evaluation.write",
}
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True)
class Figure:
    """One measured number of one group with what is best and what chance would give, as bars."""

    title: str
    found: Interval
    chart: Chart
    why: str
    blind: str = ""


@router.get("/models")
def show_models(visit: Here, after: Word = "") -> Response:
    """Models as cards."""
    workspace = visit.workspace
    rows = kept(workspace, ("models", after), lambda: list_models(workspace, after=after or None, limit=CARDS + 1))
    shares = {one.name: share_of(workspace, one.name) for one in rows[:CARDS]}
    states = {one.name: checked(workspace, one.name) for one in rows[:CARDS]}
    older = f"/models?after={quote(rows[CARDS - 1].name)}" if len(rows) > CARDS else ""
    return visit.render(
        "models/list.html",
        page=Page("Models", "models"),
        found=rows[:CARDS],
        shares=shares,
        states=states,
        live=live(workspace),
        older=older,
        after=after,
        named=STATES,
    )


@router.get("/models/{name}")
def show_one(visit: Here, name: str) -> Response:
    """One model: its record, its measurements, its criterion, and its pictures."""
    return _model(visit, name)


def half_width(n: int) -> int:
    """Half of the interval of a share near one half that is measured on so many drawings, in %: the widest there is."""
    found = wilson(0.5, n)
    return round(50 * (found.high - found.low))


def _model(visit: Visit, name: str, wrong: SfumatoError | None = None, sent: dict[str, str] | None = None) -> Response:
    workspace = visit.workspace
    one = kept(workspace, ("model", name), lambda: show_model(workspace, name=name))
    state, stands = checked(workspace, one.name), live(workspace)
    is_live = bool(stands and (stands.model, stands.sha256) == (one.name, one.sha256))
    page = Page(one.name, "models", crumbs=(("Models", "/models"), (one.name, "")))
    work = [card for card in list_work(workspace, kind="evaluation.evaluate") if card.about == f"model/{one.name}"]
    line = places(workspace, *(card.job for card in work))
    return visit.render(
        "models/page.html",
        work=[shown(card, visit.me, line) for card in work],
        quick=QUICK,
        widths=[half_width(QUICK), half_width(EvaluateOptions().per_group)],
        status=wrong.status if wrong else 200,
        page=page,
        one=one,
        parent=parent_of(workspace, one),
        share=share_of(workspace, one.name),
        state=state,
        live=stands,
        is_live=is_live,
        named=STATES,
        figures=figures_of(newest(workspace, one.name)),
        pictures=tiles_of(list_images(workspace, model=one.name, limit=DRAWN)),
        measures=known_measures(workspace),
        groups=list(GROUPS.values()),
        form=fields(EvaluateOptions.model_json_schema(), first=["per_group"]),
        sent=sent or {},
        why_not=why_not(visit, one, state, is_live),
        may={key: allowed(workspace, need) for key, need in NEEDS.items()},
        needs=NEEDS,
        **said(wrong),
    )


def parent_of(workspace: Workspace, one: ModelFacts) -> ModelFacts | None:
    """The model that one goes on from, where it is here under a name."""
    known = kept(workspace, ("model parents",), lambda: {other.sha256: other for other in list_models(workspace)})
    return known.get(one.parent) if one.parent else None


@router.post("/models/{name}/evaluations")
def measure(visit: Here, name: str, form: Sent) -> Response:
    """Measure a model; a job does it."""
    try:
        job = evaluate(visit.workspace, model=name, options=read_form(EvaluateOptions.model_json_schema(), form))
    except (InvalidInput, NotFound) as wrong:
        return _model(visit, name, wrong)
    return visit.go(f"/jobs/{job.id}")


@router.post("/models/{name}/criterion")
def want(visit: Here, name: str, form: Sent) -> Response:
    """Set, change or drop what must hold before a model goes live."""
    version = int(form["version"]) if form.get("version", "").isdecimal() else None
    try:
        if form.get("drop"):
            drop_criterion(visit.workspace, model=name, version=version or 0)
        else:
            set_criterion(visit.workspace, model=name, version=version, **_wanted(form))
    except (InvalidInput, Conflict, NotFound) as wrong:
        return _model(visit, name, wrong, form)
    return visit.go(f"/models/{quote(name)}#criterion")


def _wanted(form: dict[str, str]) -> dict[str, Any]:
    """What a criterion's form says; raises InvalidInput for what is no number."""
    try:
        threshold = float(form.get("threshold", "").replace(",", ".")) / 100
        n_min = int(form.get("n_min", "30").replace(",", ""))
    except ValueError as wrong:
        raise InvalidInput("The threshold and the least number are numbers.", hint="Write 60 for 60 %.") from wrong
    measure = form.get("measure", "")
    group = "" if measure == "approval share" else form.get("group", "")
    way = "at_most" if form.get("comparator") == "at_most" else "at_least"
    return {"measure": measure, "group": group, way: threshold, "n_min": n_min}


@router.post("/models/{name}/go-live")
def let_go_live(visit: Here, name: str) -> Response:
    """Let a model go live, if its criterion holds."""
    try:
        go_live(visit.workspace, model=name)
    except (Conflict, NotFound) as wrong:
        return _model(visit, name, wrong)
    return visit.go(f"/models/{quote(name)}")


@router.post("/models/{name}/roll-back")
def bring_back(visit: Here, name: str, form: Sent) -> Response:
    """Let what was live before come back."""
    try:
        back = roll_back(visit.workspace, reason=form.get("reason", ""))
    except (Conflict, InvalidInput) as wrong:
        return _model(visit, name, wrong)
    return visit.go(f"/models/{quote(back.model)}")


def live(workspace: Workspace) -> Live | None:
    """What is live in the project, None where nothing is."""
    try:
        return show_live(workspace)
    except NotFound:
        return None


def checked(workspace: Workspace, name: str) -> Checked | None:
    """How a model stands to its criterion, None where none is set."""
    try:
        return kept(workspace, ("checked", name), lambda: check(workspace, model=name))
    except NotFound:
        return None


def share_of(workspace: Workspace, name: str) -> Share:
    """How much of what a model drew was approved."""
    return kept(workspace, ("share", name), lambda: approval_share(workspace, model=name))


def newest(workspace: Workspace, name: str) -> list[MeasurementView]:
    """The newest measurement of each figure and group."""
    found: dict[tuple[str, str], MeasurementView] = {}
    for row in list_measurements(workspace, model=name, limit=200):
        found.setdefault((row.metric, row.group), row)
    order = list(GROUPS.values())
    return sorted(found.values(), key=lambda row: (row.metric, order.index(row.group) if row.group in order else 9))


def figures_of(rows: list[MeasurementView]) -> list[tuple[str, list[Figure]]]:
    """Measurements by figure, each group beside what real pictures and chance would get."""
    by: dict[str, list[Figure]] = {}
    for row in rows:
        beside = [("this model", row.value, row.low, row.high)]
        for key, title in (("ceiling", "real pictures"), ("floor", "chance")):
            if side := row.details.get(key):
                beside.append((title, side["value"], side["low"], side["high"]))
        bars = [(title, 100 * value, 100 * low, 100 * high) for title, value, low, high in beside]
        chart = bar_chart(row.group.capitalize(), bars, "", most=100, unit="%")
        why = (
            f"{row.n:,} drawings of {row.group} were measured. "
            "The interval holds the true share in 95 of 100 such measurements."
        )
        blind = BLIND if row.metric.startswith("recall") and is_blind(row.details) else ""
        by.setdefault(row.metric, []).append(
            Figure(row.group, Interval(row.value, row.low, row.high, row.n), chart, why, blind)
        )
    return list(by.items())


def why_not(visit: Visit, one: ModelFacts, state: Checked | None, is_live: bool) -> str:
    """Why a model cannot go live now, "" if it can."""
    if not allowed(visit.workspace, NEEDS["live"]):
        return f"You need the permission '{NEEDS['live']}'. An admin of the project can give it."
    if is_live:
        return "It is live."
    if state is None:
        return "No criterion is set for it yet. Say below what must hold."
    return "" if state.state == "holds" else state.words
