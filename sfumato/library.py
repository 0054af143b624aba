"""The library's door: the verbs of the command line for scripts and notebooks. Use them as `sfumato.NAME`.

Each takes the workspace that `open` returns. What takes long is waited for; `on_progress` sees it go on.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

from sfumato.actions import Workspace
from sfumato.care.backup import Backup, back_up
from sfumato.care.doctor import examine
from sfumato.care.erasure import ErasedView, erase, list_erased
from sfumato.care.findings import Report
from sfumato.care.restore import Restored
from sfumato.care.restore import restore as restore_backup
from sfumato.care.storage import Storage, take_stock
from sfumato.checkpoints.models import DEFAULT, ModelFacts, list_models
from sfumato.checkpoints.models import show_model as look_at_model
from sfumato.compliance.trace import Trace, trace
from sfumato.data.balance import Balances, show_balance
from sfumato.data.caption_edits import edit_captions
from sfumato.data.choosing import keep_best
from sfumato.data.choosing import pick_diverse as ask_to_pick
from sfumato.data.collect import SOURCES, DatasetView, list_datasets, show_dataset, source_at
from sfumato.data.collect import collect as ask_to_collect
from sfumato.data.croissant import croissant
from sfumato.data.datasheet import Datasheet, answer_question, datasheet
from sfumato.data.diff import diff
from sfumato.data.diversity import ask_diversity
from sfumato.data.editing import recaption, relicense, set_attributes, set_consent, set_family, set_weights
from sfumato.data.exports.asking import export as ask_to_export
from sfumato.data.findings import list_findings, list_groups
from sfumato.data.freeze import VersionView, freeze, list_versions
from sfumato.data.history import DecisionView, list_decisions
from sfumato.data.mending import mend_pixels
from sfumato.data.narrowing import Where
from sfumato.data.plans import BalancePlan, apply_plan, plan_balance
from sfumato.data.scan import check as ask_to_check
from sfumato.data.scan import list_checks
from sfumato.data.sheets import written
from sfumato.data.shelving import rename_dataset
from sfumato.data.slices import list_slices, save_slice
from sfumato.data.tables import Items, items
from sfumato.data.verdicts import keep, leave_out, undo
from sfumato.evaluation.evaluate import MeasurementView, list_measurements
from sfumato.evaluation.evaluate import evaluate as ask_to_evaluate
from sfumato.generation.create import Created, created
from sfumato.generation.create import create as ask_to_create
from sfumato.jobs import JobView, Progress
from sfumato.jobs.nearby import work_nearby
from sfumato.jobs.queue import cancel_job, ended_well, get_job, list_jobs, wait_for_job
from sfumato.people.projects import show_project
from sfumato.training import going_on, runs
from sfumato.training.adopting import Adopted, adopt
from sfumato.training.averaging import ask_for_average
from sfumato.training.budget import Chosen, choose
from sfumato.training.cards import ask_for_card
from sfumato.training.compare import Comparison
from sfumato.training.compare import compare as compare_runs
from sfumato.training.own import OwnRun, run
from sfumato.training.runs import RunView, list_runs, show_run
from sfumato.trust.keys import KeysView, rotate_keys, show_keys
from sfumato.trust.verify import Verified, verify

Seen = Callable[[JobView], None]
R = TypeVar("R")

__all__ = [
    "Adopted", "Backup", "BalancePlan", "Balances", "Chosen", "Comparison", "Created", "DatasetView", "Datasheet",
    "DecisionView", "ErasedView", "Items", "JobView", "KeysView", "MeasurementView", "ModelFacts", "OwnRun",
    "Report", "Restored", "RunView", "Storage", "Trace", "Verified", "VersionView", "Where", "Workspace", "adopt",
    "answer_question", "apply_plan", "average", "backup", "cancel_job", "check", "choose", "collect",
    "compare_runs", "create", "croissant", "datasheet", "diff", "diversity", "doctor", "edit_captions", "erase",
    "evaluate", "export", "freeze", "get_job", "items", "keep", "keep_best", "leave_out", "list_checks",
    "list_datasets", "list_decisions", "list_erased", "list_findings", "list_groups", "list_jobs",
    "list_measurements", "list_models", "list_runs", "list_slices", "list_versions", "make_card", "mend_pixels",
    "open", "pick_diverse", "plan_balance", "recaption", "relicense", "rename_dataset", "restore", "resume",
    "rotate_keys", "run", "save_slice", "set_attributes", "set_consent", "set_family", "set_weights",
    "show_balance", "show_dataset", "show_keys", "show_model", "show_run", "take_stock", "trace", "train", "undo",
    "verify", "wait", "write_datasheet",
]  # fmt: skip


def open(path: str | Path | None = None, *, database_url: str | None = None, project: str | None = None) -> Workspace:
    """Open the workspace in a folder, making it if need be, and go to a project by its name or id.

    Without a path it is the one of your settings; without a project, that of your settings, else the first one.
    """
    workspace = Workspace.open(path, database_url=database_url)
    name = project or workspace.settings.project
    return workspace.in_project(show_project(workspace, project=name).id) if name else workspace


def wait(workspace: Workspace, job: JobView, *, on_progress: Seen | None = None) -> JobView:
    """Wait until a job is done, starting a worker for it if none runs; raises the error that it ended with."""
    return ended_well(wait_for_job(workspace, job.id, on_progress=on_progress))


def collect(
    workspace: Workspace, source: str | Path, *, into: str, on_progress: Seen | None = None, **options: Any
) -> DatasetView:
    """Take pictures from a source ("folder", "icons", "sample") into a dataset, and return it in numbers.

    The path of a folder or of a file stands for the source that reads such.
    """
    kind = source_at(Path(source).expanduser()) if str(source) not in SOURCES.names() else ""
    options = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    if kind:
        source, options = kind, {"path": str(source), **options}
    source = str(source)
    wait(workspace, ask_to_collect(workspace, source=source, into=into, options=options), on_progress=on_progress)
    return show_dataset(workspace, name=into)


def check(
    workspace: Workspace, name: str, *, only: list[str] | None = None, neural: bool = False,
    options: dict[str, dict[str, Any]] | None = None, on_progress: Seen | None = None,
) -> dict[str, int]:  # fmt: skip
    """Let checks go over a dataset, all that need no network or `only` some; returns what each found, if anything."""
    job = ask_to_check(workspace, name=name, only=only, neural=neural, options=options)
    found: dict[str, int] = (wait(workspace, job, on_progress=on_progress).result or {})["found"]
    return found


def pick_diverse(
    workspace: Workspace, name: str, n: int, *, where: Where | None = None, reason: str = "",
    on_progress: Seen | None = None,
) -> DecisionView:  # fmt: skip
    """Keep the n pictures that are most different from each other, and leave the others out: one decision."""
    job = ask_to_pick(workspace, name=name, n=n, where=where, reason=reason)
    wait(workspace, job, on_progress=on_progress)
    return list_decisions(workspace, name=name, limit=1)[0]


def export(
    workspace: Workspace, data: str, form: str, folder: str | Path, *, where: Where | None = None,
    on_progress: Seen | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write NAME@VERSION, or a slice of it, into a new folder as "imagefolder", "webdataset", "parquet" or "tfrecord".

    Returns how many pictures there are, and how many were left out, by reason.
    """
    job = ask_to_export(workspace, data=data, form=form, folder=folder, where=where)
    return wait(workspace, job, on_progress=on_progress).result or {}


def diversity(
    workspace: Workspace, name: str, *, by: str = "category", where: Where | None = None,
    on_progress: Seen | None = None,
) -> dict[str, Any]:  # fmt: skip
    """How many different pictures a dataset has in effect, as a whole and per category, beside chance."""
    said = (where or Where()).model_dump_json()
    return wait(workspace, ask_diversity(workspace, name=name, by=by, where=said), on_progress=on_progress).result or {}


def write_datasheet(workspace: Workspace, name: str, file: str | Path) -> Path:
    """Write the datasheet of a dataset or of NAME@VERSION to a file that ends with .md, .html or .json."""
    path = Path(file).expanduser()
    path.write_text(written(datasheet(workspace, name=name), path.suffix), encoding="utf-8")
    return path


def train(
    workspace: Workspace,
    recipe: str,
    *,
    data: str,
    name: str,
    parent: str | None = None,
    on_progress: Seen | None = None,
    **options: Any,
) -> RunView:
    """Train a recipe ("flow") on NAME@VERSION to its end, and return the run; the model has the run's name.

    It begins with fresh weights, or with those of the model `parent`.
    """
    job = runs.train(
        workspace, recipe_name=recipe, data=data, name=name, options=options, parent=parent, where=Path.cwd()
    )
    wait(workspace, job, on_progress=on_progress)
    return show_run(workspace, name=name)


def resume(
    workspace: Workspace, name: str, *, samples: int = 0, budget: str = "", on_progress: Seen | None = None
) -> RunView:
    """Go on with a run exactly where its last state left it, and return it.

    With `samples` it goes on until so many pictures in all, with a `budget` such as "30m" for so much more time; what
    its schedule makes of that is in `details["went_on"]`.
    """
    job = going_on.resume(workspace, name=name, samples=samples, budget=budget)
    wait(workspace, job, on_progress=on_progress)
    return show_run(workspace, name=name)


def average(
    workspace: Workspace, name: str, length: float, *, model: str = "", at: int = 0, on_progress: Seen | None = None
) -> ModelFacts:
    """Make a model of a run whose weights are averaged over `length` of it (0 to 0.28), and return it.

    It is called RUN-LENGTH, or `model`; `at` ends it after so many pictures instead of the last checkpoint.
    """
    job = ask_for_average(workspace, name=name, length=length, model=model, at=at)
    wait(workspace, job, on_progress=on_progress)
    return show_model(workspace, model or f"{name}-{length:g}")


def show_model(workspace: Workspace, name: str = DEFAULT) -> ModelFacts:
    """Look at one model: what it learnt from, how far it came, and whether it has a training card."""
    return look_at_model(workspace, name=name)


def make_card(workspace: Workspace, name: str, *, on_progress: Seen | None = None) -> ModelFacts:
    """Make the training card of a model of this workspace, so that its pictures can be traced."""
    wait(workspace, ask_for_card(workspace, name=name), on_progress=on_progress)
    return show_model(workspace, name)


def create(
    workspace: Workspace,
    prompt: str,
    *,
    out: str | Path | None = None,
    on_progress: Seen | None = None,
    **options: Any,
) -> Created:
    """Draw pictures of a sentence and sign them; options are those of the command (n, seed, model, background, ...)."""
    asked = ask_to_create(workspace, prompt=prompt, out=out, options=options, nearby=True)
    return created(asked, ended_well(work_nearby(workspace, asked.job, on_progress=on_progress)))


def evaluate(
    workspace: Workspace, model: str = DEFAULT, *, on_progress: Seen | None = None, **options: Any
) -> dict[str, Any]:
    """Measure a model (per_group=200, seed=0) to the end, and return its figures by group and what they say."""
    job = wait(workspace, ask_to_evaluate(workspace, model=model, options=options), on_progress=on_progress)
    return job.result or {}


def doctor(workspace: Workspace, *, deep: bool = False, mend: bool = False) -> Report:
    """Examine a workspace, reading every file if `deep`, and mend what is safe if `mend`."""
    return _last(examine(workspace, deep=deep, mend=mend))


def backup(workspace: Workspace, file: str | Path, *, with_keys: bool = False) -> Backup:
    """Write a copy of the whole workspace to a new .zip file, while others may go on working."""
    return _last(back_up(workspace, Path(file), with_keys=with_keys))


def restore(file: str | Path, folder: str | Path, *, database_url: str | None = None) -> Restored:
    """Make a workspace of a backup in a new folder, and have it examined."""
    return _last(restore_backup(Path(file), Path(folder), database_url=database_url))


def _last(steps: Generator[Progress, None, R]) -> R:
    """Drive steps to their end, and return what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            result: R = finished.value
            return result
