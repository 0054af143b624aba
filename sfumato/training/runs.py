"""Runs: asking for one, going on with one, and looking at them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.catalog import Catalog
from sfumato.checkpoints.folders import ARCHITECTURE as FOLDER
from sfumato.checkpoints.models import LIVE, ModelView, find_model
from sfumato.checkpoints.records import Model
from sfumato.data.collect import NAME, read_options
from sfumato.data.freeze import VersionView, find_version, version_by_id
from sfumato.db import ACROSS, link, new_id
from sfumato.errors import Conflict, InvalidInput, Unsupported, unknown
from sfumato.jobs import JobView, enqueue
from sfumato.jobs.queue import database_now
from sfumato.jobs.records import Job
from sfumato.training.provenance import code_of
from sfumato.training.records import OWN, Run

NEEDS = ("Options", "build", "batch", "losses", "held_out", "preview", "describe")
RECIPES = Catalog("sfumato.training.recipes", NEEDS)
LETTERS = "Use letters, digits, dots and dashes."
MOST_KEPT = 1_000
LONGER = "long"  # a run's model of the longer average is called NAME-long


class RunView(BaseModel):
    """A run as everybody may see it."""

    id: str
    name: str
    recipe: str
    options: dict[str, Any]
    machine: dict[str, Any]
    version_id: str
    samples_seen: int
    status: str
    job_id: str | None = None
    parent_sha256: str | None = None
    details: dict[str, Any] = {}


def recipe(name: str) -> Any:
    """The recipe's module; raises NotFound with the nearest name, or Unsupported without torch."""
    try:
        return RECIPES.get(name)
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise Unsupported(
            "Training needs torch, which is not installed.", hint="pip install 'sfumato[train]'"
        ) from missing


@dataclass(frozen=True)
class Plan:
    """What a run would be, checked: every option resolved, what it learns from, and what it begins with."""

    options: dict[str, Any]
    version: VersionView
    parent: ModelView | None
    recipe: str  # the one that was asked for, or its like for the parent's kind of model
    defaults: dict[str, Any] = field(default_factory=dict)  # of options that a run asked for earlier may not have had


def plan(
    workspace: Workspace, *, recipe_name: str, data: str, options: dict[str, Any], parent: str | None = None
) -> Plan:
    """Check what a run is asked to be, and change nothing.

    Raises InvalidInput for options that are not the recipe's, or for a parent of another shape; NotFound
    with the nearest name for a recipe, dataset or model that is not there.
    """
    model = None if parent is None else find_model(workspace, parent)
    recipe_name = for_parent(recipe_name, model)
    module = recipe(recipe_name)
    resolved = read_options(module.Options, options)
    version = find_version(workspace, label=data)
    if model is None and getattr(module, "NEEDS_PARENT", False):
        raise InvalidInput(f"The recipe '{recipe_name}' learns beside a model and needs one.", hint="--from MODEL")
    if model is not None and hasattr(module, "of_parent"):
        resolved = module.of_parent(resolved, model.header, model.path)
        module.check(resolved)
    else:
        described = _described(module, resolved)
        model = None if model is None else fitting(model, described)
    fields = module.Options.model_fields.items()
    defaults = {name: one.get_default(call_default_factory=True) for name, one in fields
                if not one.is_required() and not one.exclude}  # fmt: skip
    return Plan(resolved.model_dump(), version, model, recipe_name, defaults)


def for_parent(recipe_name: str, parent: ModelView | None) -> str:
    """The recipe for a parent: the one that is named, or its like for folders of diffusers.

    Raises InvalidInput where the recipe has none and the parent is such a folder.
    """
    module = recipe(recipe_name)
    if parent is None or parent.header.architecture != FOLDER or hasattr(module, "of_parent"):
        return recipe_name
    if not hasattr(module, "OF_FOLDERS"):
        raise InvalidInput(
            f"The recipe '{recipe_name}' does not learn on a folder of diffusers, and '{parent.name}' is one.",
            hint=f"sfumato train lora --from {parent.name}, or train full for all of its denoiser's weights.",
        )
    return str(module.OF_FOLDERS)


def _described(module: Any, options: Any) -> dict[str, Any]:
    """What a checkpoint would say of the network; raises InvalidInput where its options do not fit together."""
    try:
        found: dict[str, Any] = module.describe(options)
    except ValidationError as problem:
        first = problem.errors()[0]
        name, says = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"These options do not fit together: {name}: {says}.", hint=f"Change {name}.") from problem
    return found


def train(
    workspace: Workspace,
    *,
    recipe_name: str,
    data: str,
    name: str,
    options: dict[str, Any] | None = None,
    parent: str | None = None,
    where: Path | None = None,
    chosen: dict[str, Any] | None = None,
    keep: int = 0,
    lane: str = "long",
) -> JobView:
    """Ask for a run of a recipe on NAME@VERSION, from fresh weights or from those of the model `parent`.

    With a folder `where`, the commit of the repository around it and what differs from it are kept with the run.
    `chosen` is kept too: what a budget came to, with its reasons; the options alone decide what the run learns.
    Of its checkpoints the last `keep` stay and the best by held-out loss, and what something else needs; 0 is all.
    In the lane `together` (`training.processes`) no worker takes it but the one that the asker starts.
    Raises what `plan` raises, and Conflict when the name belongs to another run.
    """
    check_name(name)
    if not 0 <= keep <= MOST_KEPT:
        raise InvalidInput(f"{keep} checkpoints cannot be kept.", hint=f"Give 1 to {MOST_KEPT}, or 0 for all.")
    made = plan(workspace, recipe_name=recipe_name, data=data, options=options or {}, parent=parent)
    if made.parent is not None and not workspace.store.has(made.parent.sha256):
        workspace.store.put_file(made.parent.path)  # needed until the first state, whatever becomes of the name
    code = code_of(where, workspace.store) if where is not None else {}
    details = ({"provenance": {"code": code}} if code else {}) | ({"chosen": chosen} if chosen else {})
    details |= {"keep": keep} if keep else {}
    return _start(workspace, name=name, recipe_name=made.recipe, made=made, details=details, lane=lane)


def fork(
    workspace: Workspace, *, name: str, into: str, changes: dict[str, Any] | None = None, data: str = "",
    parent: str | None = None, where: Path | None = None, lane: str = "long",
) -> JobView:  # fmt: skip
    """Ask for the run `into` with the options of the run `name`, but for `changes`; on its data, unless told else.

    It begins with fresh weights, or with those of the model `parent`. Raises what `train` raises.
    """
    old = show_run(workspace, name=name)
    if old.recipe == OWN:
        raise Conflict(f"The run '{name}' is a loop of your own.", hint="Run its script with another name.")
    label = data or version_by_id(workspace, version_id=old.version_id).label
    return train(
        workspace, recipe_name=old.recipe, data=label, name=into, options={**old.options, **(changes or {})},
        parent=parent, where=where, chosen={"forked_from": name}, keep=old.details.get("keep", 0), lane=lane,
    )  # fmt: skip


def check_name(name: str) -> None:
    """Raise InvalidInput for what cannot be a run's name."""
    if not NAME.fullmatch(name) or name == LIVE:
        hint = "It stands for the model that is live; take another." if name == LIVE else LETTERS
        raise InvalidInput(f"'{name}' cannot be a run's name.", hint=hint)


def fitting(model: ModelView, wanted: dict[str, Any]) -> ModelView:
    """The model, if its network is the wanted one; raises InvalidInput naming what differs."""
    there = {"architecture": model.header.architecture, **model.header.options}
    asked = {"architecture": wanted["architecture"], **wanted["options"]}
    apart = [key for key in asked if there.get(key) != asked[key]]
    if apart:
        raise InvalidInput(
            f"The model '{model.name}' has {_listed(there, apart)}; this run would have {_listed(asked, apart)}.",
            hint="A run goes on from a model only with the same network. Give the same options as the model's.",
        )
    return model


def _listed(options: dict[str, Any], keys: list[str]) -> str:
    return ", ".join(f"{key} {options.get(key, 'of another kind')}" for key in keys)


@action("training.train", needs="training.write")
def _start(
    act: Act, *, name: str, recipe_name: str, made: Plan, details: dict[str, Any], lane: str = "long"
) -> JobView:
    """Train a recipe on a frozen version of a dataset, from fresh weights or from a model's."""
    options, version, parent = made.options, made.version, made.parent
    parent_sha256 = parent.sha256 if parent else None
    there = act.session.scalar(select(Run).where(Run.name == name))
    if there is not None:
        same = (recipe_name, options, version.id, parent_sha256)
        if (there.recipe, made.defaults | there.options, there.version_id, there.parent_sha256) == same:
            if details.get("keep"):
                there.details = (there.details or {}) | {"keep": details["keep"]}
            return go_on(act, there, lane)
        raise Conflict(f"There is a run '{name}' already, with other options.", hint="Take another name, or resume it.")
    check_unused(act.session, name)
    run = Run(
        id=new_id(), made_by=act.actor.id, name=name, recipe=recipe_name, options=options,
        version_id=version.id, seed=options.get("seed", 0), machine={}, parent_sha256=parent_sha256,
        details=details,
    )  # fmt: skip
    act.session.add(run)
    act.session.flush()
    link(act.session, run.ref, f"dataset_version/{version.id}", "learnt from")
    if parent is not None:
        link(act.session, run.ref, parent.ref, "goes on from")
    start = f", from {parent.name}" if parent else ""
    act.says(f"asked to train {name} with {recipe_name} on {version.label}{start}", subject=run.ref)
    return go_on(act, run, lane)


def check_unused(session: Session, name: str) -> None:
    """Raise Conflict where the models of a run of this name would take those of another run."""
    wanted = {f"{name}-{LONGER}", name.removesuffix(f"-{LONGER}")} - {name}
    model = session.scalar(select(Model.name).where(Model.name.in_({name, f"{name}-{LONGER}"})))
    if model is not None:
        raise Conflict(
            f"There is a model '{model}' already, which a run '{name}' would take.", hint="Take another name."
        )
    if session.scalar(select(Run.id).where(Run.name.in_({name} | wanted)), execution_options=ACROSS) is None:
        return
    taken = session.scalar(select(Run.name).where(Run.name.in_(wanted)))
    if taken is None:
        raise Conflict(f"Another project has a run '{name}', or one whose models would take its name.",
                       hint="Take another name.")  # fmt: skip
    if taken is not None:
        raise Conflict(
            f"The run '{taken}' makes a model of the name '{max(name, taken, key=len)}' too.", hint="Take another name."
        )


def go_on(act: Act, run: Run, lane: str) -> JobView:
    """Ask for a run to be trained from its newest state, within an action."""
    job = enqueue(act, kind="training.train", spec={"run": run.id}, key=f"training.train:{run.id}", lane=lane)
    act.session.execute(update(Run).where(Run.id == run.id).values(job_id=job.id))
    return job


def find_run(session: Session, name: str) -> Run:
    """The run of that name or id; raises NotFound with the nearest name."""
    run = session.scalar(select(Run).where((Run.name == name) | (Run.id == name)))
    if run is None:
        raise unknown("run", name, session.scalars(select(Run.name)))
    return run


def _view(session: Session, run: Run) -> RunView:
    return view(session, run, session.get(Job, run.job_id) if run.job_id else None)


def view(session: Session, run: Run, job: Job | None) -> RunView:
    """Copy a row, and how its job stands, into what may leave its session."""
    status = job.status if job else "waiting"
    if (
        run.recipe == OWN
        and job
        and status == "running"
        and job.lease_until
        and job.lease_until < database_now(session)
    ):
        status = "cancelled"  # its script is gone
    return RunView(
        id=run.id, name=run.name, recipe=run.recipe, options=run.options, machine=run.machine,
        version_id=run.version_id, samples_seen=run.samples_seen, status=status, job_id=run.job_id,
        parent_sha256=run.parent_sha256, details=run.details or {},
    )  # fmt: skip


@query("training.show")
def show_run(act: Act, *, name: str) -> RunView:
    """One run: its recipe, options, machine choices and how far it came."""
    return _view(act.session, find_run(act.session, name))


@query("training.list")
def list_runs(act: Act, *, after: str | None = None, limit: int = 1_000, recipe: str = "") -> list[RunView]:
    """Runs, newest first; `after` is the id of the last one seen."""
    found = select(Run).order_by(Run.id.desc()).limit(limit)
    if after:
        found = found.where(Run.id < after)
    if recipe:
        found = found.where(Run.recipe == recipe)
    return [_view(act.session, run) for run in act.session.scalars(found)]
