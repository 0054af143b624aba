"""Training runs: asking for one, going on with one, looking at them."""

from typing import Any
from zlib import crc32

from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.data.freeze import version_row
from sfumato.jobs import JobView
from sfumato.training.ahead import Ahead
from sfumato.training.ahead import look_ahead as foresee
from sfumato.training.averaging import ask_for_average
from sfumato.training.budget import Chosen
from sfumato.training.budget import choose as try_out
from sfumato.training.compare import compare
from sfumato.training.going_on import resume
from sfumato.training.runs import list_runs, show_run
from sfumato.training.runs import train as ask_to_train
from sfumato.training.watching import (
    Curves,
    list_cards,
    list_checkpoints,
    list_previews,
    preview,
    read_curves,
    show_card,
)
from sfumato.training.worst import list_worst, worst_drawing
from sfumato.web.addresses import Router
from sfumato.web.aside import aside
from sfumato.web.files import file_answer, lasting
from sfumato.web.offering import offer
from sfumato.web.visits import Here
from sfumato.web.written import as_bytes

router = Router()


def train(
    workspace: Workspace,
    *,
    name: str,
    data: str,
    recipe_name: str = "flow",
    options: dict[str, Any] | None = None,
    parent: str | None = None,
    keep: int = 0,
    forked_from: str = "",
) -> JobView:
    """Train a recipe on NAME@VERSION, from fresh weights or from those of the model `parent`; a job does it.

    Its last `keep` checkpoints stay, and the best, and those that something else needs; 0 keeps all. `forked_from` is
    the run whose options these were.
    """
    _there(workspace, data)
    return aside(
        ask_to_train, workspace, name=name, data=data, recipe_name=recipe_name, options=options, parent=parent,
        keep=keep, chosen={"forked_from": forked_from} if forked_from else None,
    )  # fmt: skip


def choose(
    workspace: Workspace, *, data: str, budget: str, recipe_name: str = "flow", options: dict[str, Any] | None = None,
    parent: str = "",
) -> Chosen:  # fmt: skip
    """Choose a run's options for a time such as "30m" on this machine, trying networks for some seconds.

    A run that begins with the model `parent` has its network.
    """
    _there(workspace, data)
    return aside(try_out, workspace, recipe_name=recipe_name, data=data, budget=budget, options=options, parent=parent)


def _there(workspace: Workspace, data: str) -> None:
    """Raise NotFound at once, rather than once another process has loaded all that a plan needs."""
    with workspace.read() as session:
        version_row(session, data)


def look_ahead(
    workspace: Workspace, *, data: str, recipe_name: str = "flow", options: dict[str, Any] | None = None,
    parent: str | None = None,
) -> Ahead:  # fmt: skip
    """What a run of these options would see: what is done to pictures and captions, and the first tensors as PNGs."""
    _there(workspace, data)
    return aside(foresee, workspace, recipe_name=recipe_name, data=data, options=options, parent=parent)


offer(router, "GET", "/runs", list_runs)
offer(router, "GET", "/run-comparison", compare)
offer(router, "POST", "/run-choices", choose, name="training.choose", once=False)
offer(router, "POST", "/run-previews", look_ahead, name="training.look_ahead", once=False)
offer(router, "POST", "/runs", train, name="training.train")
offer(router, "GET", "/runs/{name}", show_run)
offer(router, "POST", "/runs/{name}/resume", resume, leave_out=("lane",))
offer(router, "POST", "/runs/{name}/averages", ask_for_average)
offer(router, "GET", "/runs/{name}/state", show_card)
offer(router, "GET", "/runs/{name}/checkpoints", list_checkpoints)
offer(router, "GET", "/runs/{name}/worst", list_worst)
offer(router, "GET", "/run-states", list_cards)


@router.get(
    "/runs/{name}/curves", operation_id="run.curves", response_model=Curves, summary="The curves of a run",
    openapi_extra={"x-permission": "record.read"},
)  # fmt: skip
def run_curves(visit: Here, name: str) -> Response:
    """What the run wrote down while training: its loss, the held-out loss by level of noise, and its speed."""
    return Response(as_bytes(Curves, read_curves(visit.workspace, name=name)), media_type="application/json")


@router.get(
    "/runs/{name}/previews", operation_id="run.previews", response_model=list[int], summary="When a run drew previews",
    openapi_extra={"x-permission": "record.read"},
)  # fmt: skip
def run_previews(visit: Here, name: str) -> Response:
    """The numbers of pictures seen at which the run drew its fixed captions, oldest first."""
    found = list_previews(visit.workspace, name=name)
    return Response(as_bytes(list[int], found), media_type="application/json")


@router.get("/runs/{name}/previews/{samples}", operation_id="run.preview", summary="A sheet that a run drew")
def run_preview(visit: Here, name: str, samples: int) -> Response:
    """The sheet of pictures that the run drew when it had seen so many, as PNG."""
    data = preview(visit.workspace, name=name, samples=samples)
    tag, same = lasting(visit, f"{name}-{samples}-{len(data)}")
    return same or file_answer(data, "image/png", tag, name=f"{name}-{samples}.png")


@router.get("/runs/{name}/worst/{place}", operation_id="run.worst_drawing", summary="A drawing of a run's worst ones")
def run_worst_drawing(visit: Here, name: str, place: int) -> Response:
    """What the run drew of one of the concepts that it draws worst, as PNG."""
    data = worst_drawing(visit.workspace, name=name, place=place)
    tag, same = lasting(visit, f"{name}-worst-{place}-{crc32(data)}")
    return same or file_answer(data, "image/png", tag, name=f"{name}-worst-{place}.png")
