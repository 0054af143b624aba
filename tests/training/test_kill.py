"""Kill -9 in the middle of training loses nothing: another worker goes on, and the end is the same bit for bit."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import torch
from sqlalchemy import select, update

from sfumato.checkpoints.header import read_tensors
from sfumato.checkpoints.models import find_model
from sfumato.checkpoints.records import Checkpoint
from sfumato.jobs.queue import get_job
from sfumato.training import runs, saving
from sfumato.training.machine import Machine
from sfumato.training.records import Run
from tests.drawn import opened_studio

OPTIONS = {"size": 16, "patch": 4, "width": 128, "depth": 3, "batch": 16, "samples": 16 * 60,
           "checkpoint_every": 160, "preview_every": 320, "held_out": 4}  # fmt: skip
PATIENCE = 240.0


def start_worker(studio, job_id):
    """A worker process for one job with a short lease."""
    command = [sys.executable, "-m", "sfumato.jobs.worker", "--workspace", str(studio.path), "--job", job_id,
               "--lease", "4"]  # fmt: skip
    with (studio.path / "logs" / "worker.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})


def until(studio, met):
    """Wait until something holds; fails with the worker's log when it takes too long."""
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, (studio.path / "logs" / "worker.log").read_text()[-3000:]
        time.sleep(0.02)


def asked(studio, name):
    """A run that was asked for, with fixed machine choices so that two runs can be compared."""
    job = runs.train(studio, recipe_name="flow", data="drawn", name=name, options=OPTIONS)
    with studio.write() as session:
        session.execute(update(Run).where(Run.name == name).values(machine=Machine(threads=1).model_dump()))
    return job, studio.path / "runs" / runs.show_run(studio, name=name).id


def states(folder):
    """How many samples the states in a run's folder have seen."""
    return sorted(int(path.stem[6:]) for path in folder.glob("state-*.safetensors"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_twice_it_ends_as_if_nothing_had_been(tmp_path):
    with opened_studio(tmp_path) as studio:
        job, folder = asked(studio, "killed")
        first = start_worker(studio, job.id)
        until(studio, lambda: states(folder))
        child = psutil.Process(first.pid).children(recursive=True)[-1]
        assert "sfumato.jobs.child" in child.cmdline()
        os.kill(child.pid, signal.SIGKILL)  # the child alone: its worker begins another attempt
        seen = max(states(folder))
        until(studio, lambda: max(states(folder)) > seen)
        assert get_job(studio, job_id=job.id).attempt == 2

        children = psutil.Process(first.pid).children(recursive=True)
        for process in (*children, psutil.Process(first.pid)):  # and now all of it
            process.send_signal(signal.SIGKILL)
        first.wait()
        assert max(states(folder)) < OPTIONS["samples"], "it was too fast to be killed"
        assert get_job(studio, job_id=job.id).status == "running"

        second = start_worker(studio, job.id)
        until(studio, lambda: get_job(studio, job_id=job.id).ended)
        second.wait(30)
        ended = get_job(studio, job_id=job.id)
        assert (ended.status, ended.attempt) == ("done", 3), ended.error

        whole, unkilled = asked(studio, "unkilled")
        start_worker(studio, whole.id).wait(PATIENCE)
        (one, _), (other, _) = saving.newest_state(folder), saving.newest_state(unkilled)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
        for ema in ("", "-long"):
            left, right = (read_tensors(find_model(studio, name + ema).path) for name in ("killed", "unkilled"))
            assert all((left[name] == right[name]).all() for name in left)
        with studio.read() as session:
            run = runs.show_run(studio, name="killed")
            kept = session.execute(select(Checkpoint.samples_seen, Checkpoint.ema).where(Checkpoint.run_id == run.id))
            assert sorted(kept) == [(n, ema) for n in range(160, 961, 160) for ema in ("long", "short")]
        assert not list(folder.glob(".draft-*"))
