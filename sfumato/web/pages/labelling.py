"""Labelling tasks: a question, and one picture after the other that is answered by a key."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.data.items import read_where
from sfumato.data.labelling import (
    close_labelling,
    label,
    label_last,
    label_next,
    label_skip,
    list_labellings,
    make_labelling,
    show_labelling,
)  # fmt: skip
from sfumato.data.verdicts import undo
from sfumato.errors import Conflict, InvalidInput, NotFound, SfumatoError
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit

router = Router()
KEYS = "123456789abcdefghijklmnopqrtvwxyz"  # one for each choice; s skips and u takes back
AHEAD = 4  # pictures that a browser may fetch already
Word = Annotated[str, Query(max_length=200)]


@router.get("/data/{name}/labelling")
def show_tasks(visit: Here, name: str) -> Response:
    """The labelling tasks of a dataset and how far each is, and the form that makes one."""
    return _tasks(visit, name)


def _tasks(
    visit: Visit, name: str, wrong: SfumatoError | None = None, typed: dict[str, str] | None = None
) -> Response:
    page = Page("Labelling", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Labelling", "")))
    return visit.render(
        "data/labellings.html", status=wrong.status if wrong else 200, page=page, name=name, typed=typed or {},
        tasks=list_labellings(visit.workspace, name=name), may=allowed(visit.workspace, "dataset.write"), why=WHY,
        **said(wrong),
    )  # fmt: skip


@router.post("/data/{name}/labelling")
def make_task(visit: Here, name: str, form: Sent) -> Response:
    """Make a task, and begin with it."""
    choices = [line.strip() for line in form.get("choices", "").splitlines() if line.strip()]
    task = form.get("task", "").strip()
    try:
        made = make_labelling(
            visit.workspace, name=name, labelling=task, question=form.get("question", ""),
            column=form.get("column", "").strip(), choices=choices or None, where=read_where(form.get("where", "")),
        )  # fmt: skip
    except (InvalidInput, Conflict) as wrong:
        return _tasks(visit, name, wrong, form)
    return visit.go(f"/data/{name}/labelling/{made.name}")


@router.get("/data/{name}/labelling/{task}")
def show_task(visit: Here, name: str, task: str) -> Response:
    """The next picture of a task with its choices; a key answers."""
    return _task(visit, name, task)


def _task(visit: Visit, name: str, task: str, wrong: SfumatoError | None = None) -> Response:
    workspace = visit.workspace
    one = show_labelling(workspace, name=name, labelling=task)
    ahead = [] if one.closed else label_next(workspace, name=name, labelling=task, count=AHEAD)
    choices = list(zip(KEYS, one.choices, strict=False))
    keys = (*((key, choice) for key, choice in choices), ("s", "skip"), ("u", "take the last answer back"))
    crumbs = (("Data", "/data"), (name, f"/data/{name}"), ("Labelling", f"/data/{name}/labelling"), (task, ""))
    return visit.render(
        "data/label.html", status=wrong.status if wrong else 200, page=Page(task, "data", crumbs=crumbs, keys=keys),
        name=name, one=one, item=ahead[0] if ahead else None, ahead=ahead[1:], choices=choices,
        may=allowed(workspace, "dataset.write"), why=WHY, **said(wrong),
    )  # fmt: skip


@router.post("/data/{name}/labelling/{task}")
def answer(visit: Here, name: str, task: str, form: Sent) -> Response:
    """Answer for a picture, skip it, take one's last answer back, or close the task."""
    workspace, act, id = visit.workspace, form.get("act", "answer"), form.get("id", "")
    revision = form.get("revision", "")
    try:
        if act == "skip":
            label_skip(workspace, name=name, labelling=task, id=id)
        elif act == "undo":
            undo(workspace, id=label_last(workspace, name=name, labelling=task).id)
        elif act in ("close", "open"):
            close_labelling(workspace, name=name, labelling=task, closed=act == "close")
        else:
            label(
                workspace, name=name, labelling=task, id=id, answer=form.get("answer", ""),
                revision=int(revision) if revision.isdecimal() else None,
            )  # fmt: skip
    except (InvalidInput, Conflict, NotFound) as wrong:
        return _task(visit, name, task, wrong)
    return visit.go(f"/data/{name}/labelling/{task}")
