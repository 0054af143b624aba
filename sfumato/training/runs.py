"""Runs: asking for one, going on with one, and looking at them."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.catalog import Catalog
from sfumato.data.collect import NAME, read_options
from sfumato.data.freeze import VersionView, find_version
from sfumato.db import link, new_id
from sfumato.errors import Conflict, InvalidInput, Unsupported, unknown
from sfumato.jobs import JobView, enqueue
from sfumato.jobs.records import Job
from sfumato.training.records import Run

RECIPES = Catalog("sfumato.training.recipes", ("Options", "build", "batch", "losses"))


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


def train(
    workspace: Workspace, *, recipe_name: str, data: str, name: str, options: dict[str, Any] | None = None
) -> JobView:
    """Ask for a run of a recipe on NAME@VERSION; raises InvalidInput for options that are not the recipe's."""
    if not NAME.fullmatch(name):
        raise InvalidInput(f"'{name}' cannot be a run's name.", hint="Use letters, digits, dots and dashes.")
    plan = read_options(recipe(recipe_name).Options, options or {})
    version = find_version(workspace, label=data)
    return _start(workspace, name=name, recipe_name=recipe_name, options=plan.model_dump(), version=version)


@action("training.train", needs="training.write")
def _start(act: Act, *, name: str, recipe_name: str, options: dict[str, Any], version: VersionView) -> JobView:
    """Train a recipe on a frozen version of a dataset."""
    there = act.session.scalar(select(Run).where(Run.name == name))
    if there is not None:
        if (there.recipe, there.options, there.version_id) == (recipe_name, options, version.id):
            return _continue(act, there)
        raise Conflict(f"There is a run '{name}' already, with other options.", hint="Take another name, or resume it.")
    run = Run(
        id=new_id(), made_by=act.actor.id, name=name, recipe=recipe_name, options=options,
        version_id=version.id, seed=options.get("seed", 0), machine={},
    )  # fmt: skip
    act.session.add(run)
    act.session.flush()
    link(act.session, run.ref, f"dataset_version/{version.id}", "learnt from")
    act.says(f"asked to train {name} with {recipe_name} on {version.label}", subject=run.ref)
    return _continue(act, run)


@action("training.resume", needs="training.write")
def resume(act: Act, *, name: str) -> JobView:
    """Go on with a run exactly where its last checkpoint left it."""
    run = find_run(act.session, name)
    act.says(f"asked to go on with {name}", subject=run.ref)
    return _continue(act, run)


def _continue(act: Act, run: Run) -> JobView:
    job = enqueue(act, kind="training.train", spec={"run": run.id}, key=f"training.train:{run.id}")
    act.session.execute(update(Run).where(Run.id == run.id).values(job_id=job.id))
    return job


def find_run(session: Session, name: str) -> Run:
    """The run of that name or id; raises NotFound with the nearest name."""
    run = session.scalar(select(Run).where((Run.name == name) | (Run.id == name)))
    if run is None:
        raise unknown("run", name, session.scalars(select(Run.name)))
    return run


def _view(session: Session, run: Run) -> RunView:
    job = session.get(Job, run.job_id) if run.job_id else None
    status = job.status if job else "waiting"
    return RunView(
        id=run.id, name=run.name, recipe=run.recipe, options=run.options, machine=run.machine,
        version_id=run.version_id, samples_seen=run.samples_seen, status=status, job_id=run.job_id,
    )  # fmt: skip


@query("training.show")
def show_run(act: Act, *, name: str) -> RunView:
    """One run: its recipe, options, machine choices and how far it came."""
    return _view(act.session, find_run(act.session, name))


@query("training.list")
def list_runs(act: Act) -> list[RunView]:
    """All runs, newest first."""
    return [_view(act.session, run) for run in act.session.scalars(select(Run).order_by(Run.id.desc()))]
