"""A run that is to keep a few checkpoints lets older ones go, and never one that something needs."""

import json
import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import select, update

from sfumato.actions import Workspace
from sfumato.checkpoints.models import find_model
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.db import ACROSS, link, new_id
from sfumato.errors import InvalidInput
from sfumato.jobs import JobContext
from sfumato.jobs.queue import get_job
from sfumato.jobs.records import Job
from sfumato.jobs.worker import claim
from sfumato.training import going_on, runs
from sfumato.training.letting_go import let_go
from sfumato.training.records import Run

KILLED = """
import os, sys
from sqlalchemy import select
from sfumato.actions import Workspace
from sfumato.jobs.run import run_attempt
from sfumato.jobs.worker import claim
from sfumato.store import Store

removed = []
remove = Store.remove

def once(store, sha256):
    remove(store, sha256)
    removed.append(sha256)
    os.kill(os.getpid(), 9)  # one of two files is gone

Store.remove = once
with Workspace.open(sys.argv[1], create=False) as workspace:
    taken = claim(workspace, "doomed", (), sys.argv[2], -1.0)
    run_attempt(workspace, taken.id, taken.attempt)
"""
MANY = {"samples": 24, "checkpoint_every": 4, "preview_every": 10**6}


def saved(studio, name):
    """The checkpoints of a run as {samples seen: hashes}; every one of them is really there."""
    run = runs.show_run(studio, name=name)
    found = {}
    with studio.read() as session:
        for row in session.scalars(select(Checkpoint).where(Checkpoint.run_id == run.id)):
            assert studio.store.has(row.content_hash)
            found.setdefault(row.samples_seen, set()).add(row.content_hash)
    return found


def best_of(studio, name):
    """Where the run's held-out loss was lowest, and its log."""
    log = studio.path / "runs" / runs.show_run(studio, name=name).id / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return min(lines, key=lambda line: sum(line["held_out"].values()))["samples"]


def all_weights(studio):
    """How many files the store has."""
    return sum(1 for _ in studio.store.files())


def test_the_last_and_the_best_stay(studio, tiny, work_off):
    before = all_weights(studio)
    job = runs.train(studio, recipe_name="flow", data="drawn", name="few", options=tiny | MANY, keep=2)
    assert work_off(studio, job).status == "done"
    kept = saved(studio, "few")
    assert set(kept) == {20, 24, best_of(studio, "few")}
    assert all_weights(studio) - before == sum(map(len, kept.values()))
    assert "letting_go" not in runs.show_run(studio, name="few").details
    assert find_model(studio, "few").header.samples_seen == 24


def test_what_something_needs_stays_and_a_killed_turn_is_ended_later(studio, tiny, work_off, monkeypatch):
    job = runs.train(studio, recipe_name="flow", data="drawn", name="needed", options=tiny | MANY)
    assert work_off(studio, job).status == "done"
    run = runs.show_run(studio, name="needed")
    folder = studio.path / "runs" / run.id
    log = [{"samples": 4 * n, "held_out": {"t": 1.0 if n != 3 else 0.5}} for n in range(1, 7)]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, log)))  # the best is at 12
    with studio.write() as session:
        rows = {(row.samples_seen, row.ema): row for row in session.scalars(
            select(Checkpoint).where(Checkpoint.run_id == run.id))}  # fmt: skip
        session.add(Model(id=new_id(), made_by="x", name="pinned", checkpoint_id=rows[4, "short"].id))
        link(session, "image/1", rows[8, "long"].ref, "drawn by")
        session.execute(update(Run).where(Run.name == "few").values(parent_sha256=rows[16, "short"].content_hash))
        hashes = {key: row.content_hash for key, row in rows.items()}
    taken = claim(studio, "test", (), going_on.resume(studio, name="needed").id, 30.0)
    ctx = JobContext(studio, taken.id, taken.attempt)
    monkeypatch.setattr("sfumato.training.letting_go.remove_files", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):  # as kill -9 between the rows and the files
        let_go(ctx, run.id, 1, folder)
    assert studio.store.has(hashes[20, "short"])
    assert 20 not in saved(studio, "needed")
    monkeypatch.undo()
    assert let_go(ctx, run.id, 1, folder) == 0
    assert not studio.store.has(hashes[20, "short"])
    assert "letting_go" not in runs.show_run(studio, name="needed").details
    kept = {(at, sha256) for at, some in saved(studio, "needed").items() for sha256 in some}
    wanted = [(4, "short"), (8, "long"), (12, "short"), (12, "long"), (16, "short"), (24, "short"), (24, "long")]
    assert kept == {(key[0], hashes[key]) for key in wanted}
    with studio.read() as session:
        assert session.scalar(select(Model.name).where(Model.name == "pinned"), execution_options=ACROSS)


def test_how_many_is_checked(studio, tiny):
    with pytest.raises(InvalidInput, match="cannot be kept"):
        runs.train(studio, recipe_name="flow", data="drawn", name="none", options=tiny, keep=-1)


@pytest.mark.whole
def test_killed_while_files_go_nothing_that_is_named_is_missing(studio, tiny, work_off):
    before = all_weights(studio)
    job = runs.train(studio, recipe_name="flow", data="drawn", name="doomed", options=tiny | MANY, keep=1)
    command = [sys.executable, "-c", KILLED, str(studio.path), job.id]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    assert get_job(studio, job_id=job.id).status == "running"
    with Workspace.open(studio.path, create=False) as again:  # as after a fall of the machine
        assert saved(again, "doomed")
        assert find_model(again, "doomed").path.exists()
        going = runs.show_run(again, name="doomed").details["letting_go"]
        assert [again.store.has(sha256) for sha256 in going].count(True) == 1
        with again.db.write() as session:
            session.execute(update(Job).where(Job.id == job.id).values(status="waiting"))
        assert work_off(again, job).status == "done"
    kept = saved(studio, "doomed")
    assert set(kept) == {24, best_of(studio, "doomed")}
    assert all_weights(studio) - before == sum(map(len, kept.values()))
    assert "letting_go" not in runs.show_run(studio, name="doomed").details
