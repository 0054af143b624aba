"""Where memory runs out a batch is computed in more parts, and what it comes to is the same."""

import os
import subprocess
import sys

import pytest
import torch
from sqlalchemy import update

from sfumato.jobs import JobContext
from sfumato.jobs.records import Job
from sfumato.jobs.worker import claim
from sfumato.training import going_on, jobs, loop, runs, saving
from sfumato.training.loop import Learner, OutOfMemory, train
from sfumato.training.machine import Machine
from sfumato.training.recipes import flow
from sfumato.training.records import Run
from sfumato.training.watching import read_said

pytestmark = pytest.mark.whole

CHILD = """
import re, resource
import torch
from sfumato.training import loop
from sfumato.training.machine import Machine
from sfumato.training.recipes import flow

options = flow.Options(size=32, patch=2, width=64, depth=4, batch=32, samples=64)
learner = loop.Learner.fresh(flow, options, Machine(fused_attention=False))
made = torch.Generator().manual_seed(0)
given = {"x": torch.rand((32, 4, 32, 32), generator=made), "noise": torch.randn((32, 4, 32, 32), generator=made),
         "reference": torch.zeros((32, 4, 32, 32)), "reference_on": torch.zeros(32),
         "t": torch.rand(32, generator=made), "words": torch.zeros((32, 4, 384)), "words_on": torch.ones((32, 4))}
with torch.no_grad():  # so that there is a gradient at all
    learner.net.patch_out.weight.normal_(std=0.1, generator=made)
(phase, _), = learner.walk
weights = list(learner.net.parameters())

def grads():
    loop.fitted_gradients(learner, phase, given, weights)
    return [None if weight.grad is None else weight.grad.clone() for weight in weights]

given_all, given = given, {name: values[:1] for name, values in given.items()}
grads()  # what is set up once is there
given = given_all
used = int(re.search(r"VmSize:\\s*(\\d+)", open("/proc/self/status").read())[1]) * 1024
_, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used + 150_000_000, hard))  # no more memory than this, truly
squeezed, parts = grads(), learner.machine.parts
resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
learner.machine = Machine(fused_attention=False)
whole = grads()
assert learner.machine.parts == 1
apart = max(((a - b).norm() / b.norm().clamp(min=1e-9)).item() for a, b in zip(squeezed, whole) if b is not None)
print(parts, apart)
"""


def test_a_real_lack_of_memory_halves_the_batch_until_it_fits_and_changes_nothing():
    env = os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    parts, apart = done.stdout.split()
    assert int(parts) > 1
    assert float(apart) < 1e-4


@pytest.fixture
def tight(monkeypatch):
    """A memory that holds two pictures at a time: more are refused as torch refuses them. Lists what was tried."""
    real, asked = loop.gradients, []

    def gradients(losses, net, given, *, accumulate=1, **options):
        asked.append((accumulate, len(given["x"])))
        if -(-len(given["x"]) // accumulate) > 2:
            torch.empty(2**60)
        return real(losses, net, given, accumulate=accumulate, **options)

    monkeypatch.setattr(loop, "gradients", gradients)
    return asked


def test_the_run_goes_on_says_so_and_sees_the_same_batches(material, tiny, tight):
    options = flow.Options(**tiny | {"batch": 8, "samples": 16})
    learner = Learner.fresh(flow, options, Machine())
    first, second = train(learner, material)
    assert "computed in 4 parts one after the other" in first.said
    assert "Memory" not in second.said
    assert (learner.machine.parts, learner.samples_seen) == (4, 16)


def test_a_run_that_goes_on_keeps_its_parts_and_what_it_said(studio, tiny, tight, work_off):
    options = tiny | {"batch": 8, "samples": 48, "checkpoint_every": 16}
    job = runs.train(studio, recipe_name="flow", data="drawn", name="tight", options=options)
    with studio.write() as session:
        session.execute(update(Run).where(Run.name == "tight").values(machine=Machine(threads=1).model_dump()))
    taken = claim(studio, "test", (), job.id, 30.0)
    steps = jobs.run(JobContext(studio, job.id, taken.attempt), taken.spec)
    while next(steps).done < 24:
        pass
    steps.close()  # as the worker does when somebody has asked to stop
    assert runs.show_run(studio, name="tight").machine["parts"] == 4
    folder = studio.path / "runs" / runs.show_run(studio, name="tight").id
    assert Machine.model_validate_json(saving.newest_state(folder)[1]["machine"]).parts == 4

    with studio.db.write() as session:
        session.execute(update(Job).where(Job.id == job.id).values(status="waiting"))
    tight.clear()
    assert work_off(studio, going_on.resume(studio, name="tight")).status == "done"
    assert {accumulate for accumulate, _ in tight} == {4}, "it had to run out of memory again"
    notice = "Memory ran out at sample 0. A batch is still 8 pictures, but computed in 4 parts"
    assert [words.startswith(notice) for at, words in read_said(studio, name="tight")] == [True]


def test_where_one_picture_is_too_much_it_ends_in_words(material, tiny, monkeypatch):
    monkeypatch.setattr(loop, "gradients", lambda *_, **__: torch.empty(2**60))
    learner = Learner.fresh(flow, flow.Options(**tiny), Machine())
    with pytest.raises(OutOfMemory, match="one picture at a time"):
        next(train(learner, material))


def test_another_error_is_no_lack_of_memory(material, tiny, monkeypatch):
    monkeypatch.setattr(loop, "gradients", lambda *_, **__: torch.zeros(2) @ torch.zeros(3))
    learner = Learner.fresh(flow, flow.Options(**tiny), Machine())
    with pytest.raises(RuntimeError, match="size"):
        next(train(learner, material))
