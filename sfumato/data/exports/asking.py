"""Asking for an export, and fetching one that lies in the workspace."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.actions.registry import require
from sfumato.data.freeze import VersionView, find_version
from sfumato.data.narrowing import Where
from sfumato.errors import Conflict, InvalidInput, NotFound, unknown
from sfumato.jobs import JobView, enqueue
from sfumato.jobs.records import Job

FORMS = {
    "imagefolder": "pictures as files with metadata.jsonl: Hugging Face, PyTorch",
    "webdataset": "tar files of samples: WebDataset",
    "parquet": "Parquet with the pictures within: Hugging Face, DuckDB, Polars",
    "tfrecord": "TFRecord of tf.train.Example: TensorFlow",
}
Form = Literal["imagefolder", "webdataset", "parquet", "tfrecord"]


def export(
    workspace: Workspace, *, data: str, form: str, folder: str | Path, where: Where | None = None
) -> JobView:
    """Ask for NAME@VERSION, or a slice of it, to be written into a new folder; a job does it.

    Raises Conflict where the folder holds something, and InvalidInput for a place that cannot be.
    """
    target = Path(folder).expanduser().absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"{target} holds something already; nothing was written.", hint="Name a new folder.")
    above = next(one for one in target.parents if one.exists())
    if not above.is_dir():
        raise InvalidInput(f"{above} is a file, so nothing can be written below it.", hint="Name a new folder.")
    if target.is_relative_to(workspace.path):
        raise InvalidInput("An export inside of the workspace is lost with it.", hint="Name a folder outside of it.")
    if target.suffix == ".zip":
        raise InvalidInput("An export is a folder.", hint="Name a folder; pack it afterwards if need be.")
    _check(form)
    version = find_version(workspace, label=data)
    return _ask(workspace, version=version, form=form, where=where or Where(), target=str(target))


def export_to_fetch(workspace: Workspace, *, data: str, form: Form, where: Where | None = None) -> JobView:
    """Ask for NAME@VERSION, or a slice of it, as one file that can be fetched when the job is done."""
    require(workspace, "dataset.write")
    _check(form)
    version = find_version(workspace, label=data)
    folder = workspace.path / "cache" / "exports"
    told = hashlib.sha256((where or Where()).model_dump_json().encode()).hexdigest()[:8]
    target = folder / f"{version.dataset}-{version.name}-{form}-{told}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    return _ask(workspace, version=version, form=form, where=where or Where(), target=str(target))


def _check(form: str) -> None:
    if form not in FORMS:
        raise unknown("form of export", form, FORMS)
    if form == "parquet":
        from sfumato.data.tables import arrow

        arrow()  # whoever asks is told at once that it is missing


@action("data.export", needs="dataset.write")
def _ask(act: Act, *, version: VersionView, form: str, where: Where, target: str) -> JobView:
    """Write a frozen version, or a slice of it, in a form that other tools read."""
    spec = {"version_id": version.id, "form": form, "where": where.model_dump(mode="json"), "target": target}
    key = "data.export:" + hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    act.says(f"asked to export {version.label} as {form}", subject=f"dataset_version/{version.id}")
    return enqueue(act, kind="data.export", spec=spec, key=key)


def draft_of(target: Path, job_id: str) -> Path:
    """Where an export lies until it is whole."""
    return target.with_name(f".{target.name}.draft-{job_id[-12:]}")


def leftovers(session: Session) -> list[Path]:
    """What exports left half-written that were killed and will not go on: their jobs have failed or were cancelled."""
    ended = select(Job.id, Job.spec).where(Job.kind == "data.export", Job.status.not_in(("waiting", "running")))
    drafts = [draft_of(Path(spec["target"]), job_id) for job_id, spec in session.execute(ended)]
    return [path for draft in drafts for path in (draft, draft.with_name(f"{draft.name}.zip")) if path.exists()]


@query("data.fetch_export", needs="dataset.write", doors=("api",))
def finished_export(act: Act, *, job: str) -> Path:
    """Fetch what a job has exported; raises NotFound where it has exported none, or it lies there no more."""
    row = act.session.get(Job, job)
    spec: dict[str, Any] = row.spec if row is not None and row.kind == "data.export" and row.status == "done" else {}
    path = act.workspace.path / "cache" / "exports" / Path(str(spec.get("target") or "none")).name
    if not spec or str(path) != spec["target"] or not path.is_file():
        raise NotFound("This job has left no export here.", hint="Ask for a new one.")
    return path
