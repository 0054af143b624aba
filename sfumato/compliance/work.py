"""Jobs in the words of those who wait for them: what each is about, who asked, how it stands."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select

from sfumato.actions import Act, query
from sfumato.data.collect import known_as
from sfumato.data.records import DatasetVersion
from sfumato.generation.records import Request
from sfumato.jobs.queue import ENDED, JobView, find_job, view
from sfumato.jobs.records import Job
from sfumato.people.names import names_in
from sfumato.training.records import Run

OPEN = ("waiting", "running")
TOLD = {  # by kind: what a job does, and the record that it is about, of its spec
    "data.check": ("Check {dataset}", "dataset/{dataset}"),
    "data.map": ("Draw the map of {dataset}", "dataset/{dataset}"),
    "data.pick_diverse": ("Pick the {n} most different of {dataset}", "dataset/{dataset}"),
    "data.suggest": ("Suggest captions for {dataset}", "dataset/{dataset}"),
    "data.diversity": ("Measure how diverse {name} is", "dataset/{name}"),
    "data.export": ("Export version {version_id} as {form}", "dataset_version/{version_id}"),
    "training.card": ("Make the training card of {model}", "model/{model}"),
    "training.average": ("Average weights into {model}", "model/{model}"),
    "training.own": ("Train {name} by itself", "run/{run}"),
    "evaluation.evaluate": ("Evaluate {model}", "model/{model}"),
    "generation.export_model": ("Export {model} as {form}", "model/{model}"),
    "care.backup": ("Back the workspace up", ""),
    "care.doctor": ("Look whether the workspace is sound", ""),
}


@dataclass(frozen=True)
class JobCard:
    """A job with a title that a person understands, the record that it is about, and who asked for it."""

    id: str
    title: str
    about: str
    asked_by_name: str
    job: JobView


@query("job.board", needs="job.read", doors=("api",))
def list_work(
    act: Act, *, after: str | None = None, limit: int = 50, ended: bool = False, kind: str = "", about: str = ""
) -> list[JobCard]:
    """Jobs that run or wait, or those that have ended, newest first; `after` is the id of the last one seen.

    `about` keeps to what concerns one dataset (dataset/NAME).
    """
    found = select(Job).where(Job.status.in_(ENDED if ended else OPEN)).order_by(Job.id.desc()).limit(limit)
    if after:
        found = found.where(Job.id < after)
    if kind:
        found = found.where(Job.kind == kind)
    if about.startswith("dataset/"):
        name = about.removeprefix("dataset/")
        dataset = known_as(act.session, name)
        names = dataset.names if dataset is not None else [name]
        where = {"data.collect": "into", "data.diversity": "name"}  # what other kinds call the dataset
        named = [and_(Job.kind == one, Job.spec[key].as_string().in_(names)) for one, key in where.items()]
        of_others = and_(Job.kind.not_in(where), Job.spec["dataset"].as_string().in_(names))
        found = found.where(or_(of_others, *named))
    return _cards(act, list(act.session.scalars(found)))


@query("job.card", needs="job.read", doors=("api",))
def show_work(act: Act, *, job_id: str) -> JobCard:
    """One job in words, by its id or the end of it."""
    return _cards(act, [find_job(act.session, job_id)])[0]


def titles_of(act: Act, rows: list[Job]) -> dict[str, tuple[str, str]]:
    """The title and the kind of jobs, by their ids."""
    known = _named(act, rows)
    return {row.id: (_told(row.kind, row.spec, known)[0], row.kind) for row in rows}


def _cards(act: Act, rows: list[Job]) -> list[JobCard]:
    known = _named(act, rows)
    names = names_in(act.session, {row.made_by for row in rows})
    cards = []
    for row in rows:
        title, about = _told(row.kind, row.spec, known)
        cards.append(JobCard(row.id, title, about, names[row.made_by], view(row)))
    return cards


def _named(act: Act, rows: list[Job]) -> dict[str, str]:
    """The names that the jobs' specs know only by id."""
    runs = _of(rows, "training.train", "run")
    asked = _of(rows, "generation.create", "request")
    versions = _of(rows, "training.card", "version") | _of(rows, "data.export", "version_id")
    found: dict[str, str] = {}
    for column, name, ids in (
        (Run.id, Run.name, runs),
        (Request.id, Request.prompt, asked),
        (DatasetVersion.id, DatasetVersion.name, versions),
    ):
        if ids:
            found |= {key: said for key, said in act.session.execute(select(column, name).where(column.in_(ids)))}
    return found


def _of(rows: Iterable[Job], kind: str, key: str) -> set[str]:
    return {str(row.spec.get(key, "")) for row in rows if row.kind == kind} - {""}


def _told(kind: str, spec: dict[str, Any], known: dict[str, str]) -> tuple[str, str]:
    """A title, and the record that the job is about."""
    if kind == "data.collect":
        return _collects(spec), f"dataset/{spec.get('into')}"
    if kind == "training.train":
        run = str(spec.get("run", ""))
        return f"Train {known.get(run, 'a run')}", f"run/{run}"
    if kind == "generation.create":
        asked = str(spec.get("request", ""))
        prompt = known.get(asked, "")
        said = prompt if len(prompt) <= 60 else prompt[:59] + "…"
        return f"Draw “{said}”" if said else "Draw pictures", f"request/{asked}"
    if kind in TOLD:
        words = {key: known.get(str(said), said) for key, said in spec.items()}
        title, about = TOLD[kind]
        return title.format_map(defaultdict(str, words)), about.format_map(defaultdict(str, spec))
    return kind.replace(".", " ").replace("_", " ").capitalize(), ""


def _collects(spec: dict[str, Any]) -> str:
    """What a job of collecting takes in, and of an upload that came in several, which part of it."""
    into, part = spec.get("into"), spec.get("part")
    if not part:
        return f"Collect {spec.get('source')} into {into}"
    label = str((spec.get("options") or {}).get("label") or "upload")
    return f"Take part {part} of “{label}” into {into}"
