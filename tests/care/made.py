"""What the tests of this room fill a workspace with."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sfumato.actions import Actor, Workspace
from sfumato.checkpoints.header import Header, write_checkpoint
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.data.collect import collect
from sfumato.data.freeze import VersionView, freeze
from sfumato.data.versions import open_version
from sfumato.db import link, new_id
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker
from sfumato.training.records import Run

COLOURS = ("red", "green", "blue", "yellow", "black", "pink")
VISITOR = Actor("person/visitor", "a visitor", ("viewer",))


def draw_pictures(folder: Path, colours: tuple[str, ...] = COLOURS) -> Path:
    """One picture of each colour, with caption, licence and author in metadata.jsonl."""
    folder.mkdir()
    lines = []
    for colour in colours:
        Image.new("RGBA", (16, 16), colour).save(folder / f"{colour}.png")
        lines.append({"file_name": f"{colour}.png", "text": f"{colour} square", "licence": "MIT", "author": "Ann"})
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def work_off(workspace: Workspace, job: Any) -> dict[str, Any]:
    """Run one job here and now, and return its result."""
    run_worker(workspace, only_job=job.id, poll=0.01)
    return ended_well(get_job(workspace, job_id=job.id)).result or {}


def collect_into(workspace: Workspace, pictures: Path, name: str = "mine") -> VersionView:
    """Collect a folder into a dataset and freeze it."""
    work_off(workspace, collect(workspace, source="folder", into=name, options={"path": str(pictures)}))
    return freeze(workspace, name=name)


def finish(steps: Any) -> Any:
    """Drive steps to their end and return what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            return finished.value


def sha256_of(pictures: Path, colour: str) -> str:
    """The hash of one of the pictures."""
    return hashlib.sha256((pictures / f"{colour}.png").read_bytes()).hexdigest()


def add_run(workspace: Workspace, name: str = "tiny", marks: tuple[int, ...] = (10, 20, 30, 40)) -> dict[int, str]:
    """A run with real checkpoints; its model is the last one, its best the second; returns hashes by mark."""
    version = open_version(workspace, "mine")
    run_id, hashes = new_id(), {}
    folder = workspace.path / "runs" / run_id
    folder.mkdir(parents=True)
    losses = {mark: 0.1 if mark == marks[1] else 0.5 for mark in marks}
    lines = [json.dumps({"at": 1.0, "samples": mark, "held_out": {"t=0.5": losses[mark]}}) for mark in marks]
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "state-000000000040.safetensors").write_bytes(b"the run's state" * 100)
    with workspace.write() as session:
        session.add(Run(id=run_id, name=name, recipe="flow", options={}, version_id=version.view.id, seed=0))
        session.flush()
        link(session, f"run/{run_id}", f"dataset_version/{version.view.id}", "learnt from")
        for mark in marks:
            path = workspace.path / "tmp" / f"{mark}.safetensors"
            header = Header(architecture="flow", options={"size": 16}, recipe="flow", run=name, samples_seen=mark,
                            data={"name": version.label, "content_hash": version.content_hash})  # fmt: skip
            write_checkpoint(path, {"w": np.full((64, 64), mark, np.float32)}, header)
            hashes[mark] = workspace.store.put_file(path)
            path.unlink()
            row = Checkpoint(id=new_id(), content_hash=hashes[mark], run_id=run_id, samples_seen=mark, ema="short",
                             header=header.model_dump())  # fmt: skip
            session.add(row)
            session.flush()
            link(session, row.ref, f"run/{run_id}", "trained by")
        session.add(Model(id=new_id(), name=name, checkpoint_id=row.id))
    return hashes


def age(path: Path, days: float = 3) -> Path:
    """Let a file look as if it had been written and read so many days ago; its change time cannot be set."""
    moment = time.time() - days * 86_400
    os.utime(path, (moment, moment))
    return path


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of its bytes; what SQLite and the logs do for themselves is left out."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal", ".log"))
    }
