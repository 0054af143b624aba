"""Training runs: asking for one, going on with one, looking at them."""

from typing import Any

from fastapi import APIRouter

from sfumato.actions import Workspace
from sfumato.jobs import JobView
from sfumato.training.runs import list_runs, resume, show_run
from sfumato.training.runs import train as ask_to_train
from sfumato.web.aside import aside
from sfumato.web.offering import offer

router = APIRouter()


def train(
    workspace: Workspace,
    *,
    name: str,
    data: str,
    recipe_name: str = "flow",
    options: dict[str, Any] | None = None,
    parent: str | None = None,
) -> JobView:
    """Train a recipe on NAME@VERSION, from fresh weights or from those of the model `parent`; a job does it."""
    return aside(
        ask_to_train, workspace, name=name, data=data, recipe_name=recipe_name, options=options, parent=parent
    )  # fmt: skip


offer(router, "GET", "/runs", list_runs)
offer(router, "POST", "/runs", train, name="training.train")
offer(router, "GET", "/runs/{name}", show_run)
offer(router, "POST", "/runs/{name}/resume", resume)
