"""Kinds of job for tests: they count, and leave a trace of every number and of the attempt that counted it."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sfumato.actions import Act, Workspace, action
from sfumato.data.records import Dataset
from sfumato.db import Link
from sfumato.errors import NotFound
from sfumato.jobs import JobContext, JobView, Progress, enqueue, job


@action("counting.start", needs="job.read", doors=())
def start(act: Act, *, key: str = "count", kind: str = "counting.rows", lane: str = "quick", **spec: Any) -> JobView:
    """Ask for counting."""
    act.says("asked to count")
    return enqueue(act, kind=kind, spec=spec, key=key, lane=lane)


@job("counting.rows")
def count_rows(ctx: JobContext, spec: dict[str, Any]) -> Iterator[Progress]:
    """Write a row for each number, and where to go on, in one transaction."""
    for number in range((ctx.position or {"next": 0})["next"], spec["to"]):
        time.sleep(spec.get("pause", 0))
        with ctx.write() as session:
            session.add(Link(child=ctx.job_id, parent=str(number), role=f"attempt {ctx.attempt}"))
            ctx.save(session, {"next": number + 1})
        yield Progress(number + 1, spec["to"], "numbers", f"at {number}")
    return {"counted": spec["to"]}


def counted(workspace: Workspace, job_id: str) -> list[tuple[int, str]]:
    """Every number that has a row, with its attempt, in order."""
    with workspace.db.read() as session:
        rows = session.execute(select(Link.parent, Link.role).where(Link.child == job_id)).all()
    return sorted((int(number), role) for number, role in rows)


@job("counting.apart", own_process=True)
def count_apart(ctx: JobContext, spec: dict[str, Any]) -> Iterator[Progress]:
    """Append a line for each number to a file, in a process of its own; a clean stop is told in the file."""
    path = Path(spec["file"])
    begun = [line for line in path.read_text().splitlines() if line[0].isdigit()] if path.exists() else []
    try:
        for number in range(len(begun), spec["to"]):
            time.sleep(spec.get("pause", 0))
            ctx.check()
            with path.open("a") as stream:
                stream.write(f"{number} {ctx.attempt} {os.getpid()}\n")
            yield Progress(number + 1, spec["to"], "numbers")
    except GeneratorExit:
        with path.open("a") as stream:
            stream.write(f"stopped {ctx.attempt}\n")
        raise
    return {"counted": spec["to"]}


@job("counting.dying")
def count_and_die(ctx: JobContext, spec: dict[str, Any]) -> Iterator[Progress]:
    """Kill the worker after each step, `steps` steps further than the attempt before."""
    done = (ctx.position or {"done": 0})["done"]
    for _ in range(spec["steps"]):
        done += 1
        with ctx.write() as session:
            ctx.save(session, {"done": done})
        yield Progress(done, spec["to"])
        if done == spec["to"]:
            return {"counted": done}
    os.kill(os.getpid(), signal.SIGKILL)
    yield Progress(done, spec["to"])


@job("counting.failing")
def fail(ctx: JobContext, spec: dict[str, Any]) -> Iterator[Progress]:
    """Raise what the spec says."""
    yield Progress(0, 1)
    if spec["how"] == "known":
        raise NotFound("There is no number after that.", hint="Count less far.")
    raise KeyError("x")


@job("counting.forbidden", needs="keys.write")
def forbidden(ctx: JobContext, spec: dict[str, Any]) -> Iterator[Progress]:
    """Do what a viewer may not."""
    yield Progress(1, 1)


@job("counting.dataset", needs="dataset.write")
def add_dataset(ctx: JobContext, spec: dict[str, Any]) -> Iterator[Progress]:
    """Add a dataset, and tell who added it in which project."""
    with ctx.write() as session:
        session.add(Dataset(name=spec["name"], made_by=ctx.actor.id))
    yield Progress(1, 1)
    return {"by": ctx.actor.id, "roles": list(ctx.actor.roles), "project": ctx.workspace.project}
