"""Processes that share each batch learn what one learns alone; they stop, fail and go on as one."""

import itertools
import os
import subprocess
import sys

import pytest
import torch
from sqlalchemy import select, update

from sfumato.checkpoints.records import Checkpoint
from sfumato.jobs import JobContext
from sfumato.jobs.queue import get_job
from sfumato.jobs.worker import claim
from sfumato.training import going_on, jobs, loop, runs, saving, together
from sfumato.training.loop import Learner, train, walk_phases
from sfumato.training.machine import Machine
from sfumato.training.processes import TOGETHER, Place
from sfumato.training.records import Run
from sfumato.training.runs import RECIPES
from sfumato.training.together import Fallen, Team
from tests.drawn import material_of

SMALL = {"size": 16, "patch": 4, "width": 64, "depth": 1, "batch": 5, "samples": 500, "warmup": 0.1,
         "checkpoint_every": 10**6, "preview_every": 10**6, "held_out": 4}  # fmt: skip
OWN = {"flow": {"optimizer": "adamw"}, "r3gan": {"most": 16, "batch": 4}}  # of the recipe alone
ROUGH = {"edm", "r3gan"}  # Muon rounds to bfloat16, and Adam without momentum makes a step of any slope, even of 1e-9
STEPS = 2
OTHER = """
import sys
from sfumato.actions import Workspace
from sfumato.training import partner, together
from sfumato.training.processes import Place

together.RENDEZVOUS, folder = sys.argv[2], sys.argv[1]
"""
AS_TOLD = """
from tests.training import test_together as told

with Workspace.open(folder, create=False) as workspace:
    told.second(workspace, together.join(Place(1, 2)))
"""
AS_STARTED = """
sys.argv[1:] = ["--workspace", folder]
partner.end(partner.main())
"""


@pytest.fixture
def begin(studio, tmp_path, monkeypatch):
    """Start the second of two processes; it has ended well when the test is over."""
    monkeypatch.setattr(together, "RENDEZVOUS", f"file://{tmp_path}/meeting")
    started = []

    def start(script, **environment):
        command = [sys.executable, "-c", OTHER + script, str(studio.path), together.RENDEZVOUS]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
        started.append(process)

    yield start
    together.leave()
    for process in started:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said


def fresh(name, team=None, *, parts=1):
    """A learner of a recipe from its seed."""
    recipe = RECIPES.get(name)
    known = {key: value for key, value in (SMALL | OWN.get(name, {})).items() if key in recipe.Options.model_fields}
    learner = Learner.fresh(recipe, recipe.Options(**known), Machine(threads=1, parts=parts))
    learner.team = team or Team()
    return learner


def weights_of(learner):
    """All weights in one piece."""
    return torch.cat([weight.detach().reshape(-1) for weight in learner.net.parameters()])


def learnt(material, team=None, *, parts=1):
    """Weights of every recipe after two steps of many, and the losses on the way."""
    found = {}
    for name in (one for one in RECIPES.names() if not hasattr(RECIPES.get(one), "of_parent")):
        learner = fresh(name, team, parts=parts)
        steps = train(learner, material)
        losses = [step.loss for step in itertools.islice(steps, STEPS)]
        if learner.team.leads:
            steps.close()  # and the other one stops before its next step
        else:
            assert next(steps, None) is None
        found[name] = weights_of(learner), losses
    return found


def troubled(material, team, *, at_most):
    """A step of one that has room for so many pictures at a time; returns how many parts all of them take then."""
    real, learner = loop.gradients, fresh("flow", team)

    def gradients(losses, net, given, *, accumulate=1, **options):
        if -(-len(given["x"]) // accumulate) > at_most:
            torch.empty(2**60)
        return real(losses, net, given, accumulate=accumulate, **options)

    loop.gradients = gradients
    try:
        walk_phases(learner, learner.recipe.batch(learner.options, material, 0))
    finally:
        loop.gradients = real
    return learner.machine.parts


def second(workspace, team):
    """What the other process does in the test below."""
    material = material_of(workspace, SMALL["size"])
    learnt(material, team)
    assert troubled(material, team, at_most=1) == 2
    with pytest.raises(loop.OutOfMemory):
        troubled(material, team, at_most=0)
    os._exit(0)


@pytest.mark.whole
def test_two_learn_what_one_learns_and_fail_as_one(begin, material):
    """As one process does that takes a batch in two parts, bit for bit; and as it does with the whole of it within
    rounding."""
    begin(AS_TOLD)
    team = together.join(Place(0, 2))
    both, alone = learnt(material, team), learnt(material)
    for name, (weights, losses) in learnt(material, parts=2).items():
        shared, seen = both[name]
        assert torch.equal(shared, weights), name
        assert seen == pytest.approx(losses, rel=1e-6)
        whole, _ = alone[name]
        assert (shared - whole).norm() < (1e-3 if name in ROUGH else 1e-5) * whole.norm(), name

    assert troubled(material, team, at_most=5) == 2  # since the other one needs two
    with pytest.raises(Fallen, match="Process 2 of 2 failed: There is not enough memory for one picture"):
        troubled(material, team, at_most=5)
    with pytest.raises(Fallen, match="Another process of this run is gone"):
        team.agree()


def test_shares_are_parts_of_one_batch():
    given = {"x": torch.arange(5.0)[:, None], "t": torch.arange(5)}
    parts = [Team(rank, 3).share(given) for rank in range(3)]
    assert [len(part["x"]) for part in parts] == [2, 2, 1]
    assert all(torch.equal(torch.cat([part[name] for part in parts]), given[name]) for name in given)


def asked(studio, name, options, **machine):
    """A run that was asked for, with machine choices that are known before."""
    lane = TOGETHER if machine.get("processes", 1) > 1 else "long"
    job = runs.train(studio, recipe_name="flow", data="drawn", name=name, options=options, lane=lane)
    with studio.write() as session:
        values = Machine(threads=1, **machine).model_dump()
        session.execute(update(Run).where(Run.name == name).values(machine=values))
    return job


def ended(studio, name):
    """What is kept of a run: its newest state, where its checkpoints stand, and its log's held-out losses."""
    run = runs.show_run(studio, name=name)
    folder = studio.path / "runs" / run.id
    with studio.read() as session:
        rows = session.execute(select(Checkpoint.samples_seen, Checkpoint.ema).where(Checkpoint.run_id == run.id))
        kept = sorted(map(tuple, rows))
    return saving.newest_state(folder)[0], kept, (folder / "log.jsonl").read_text().splitlines()


@pytest.mark.whole
def test_two_begin_a_run_are_stopped_and_one_ends_it(begin, studio, tiny, work_off, monkeypatch):
    options = tiny | {"optimizer": "adamw"}
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    begin(AS_STARTED, RANK="1")
    job = asked(studio, "shared", options, processes=2)
    assert claim(studio, "a worker", ("quick", "long"), None, 30.0) is None
    taken = claim(studio, "test", (), job.id, 30.0)
    steps = jobs.run(JobContext(studio, job.id, taken.attempt, lane=taken.lane), taken.spec)
    while next(steps).done < 20:
        pass
    steps.close()  # as the worker does when somebody has asked to stop; the other one ends well
    _, kept, log = ended(studio, "shared")
    assert kept == [(16, "long"), (16, "short")]
    assert len(log) == 1

    with studio.db.write() as session:
        session.execute(update(type(taken)).where(type(taken).id == job.id).values(status="waiting"))
    assert going_on.resume(studio, name="shared").lane == "long"
    assert work_off(studio, get_job(studio, job_id=job.id)).status == "done"
    assert runs.show_run(studio, name="shared").machine["processes"] == 1
    assert work_off(studio, asked(studio, "unshared", options)).status == "done"
    (one, kept, _), (other, rows, _) = ended(studio, "shared"), ended(studio, "unshared")
    assert kept == rows
    assert one.keys() == other.keys()
    nets = [torch.cat([some[name].reshape(-1) for name in some if name.startswith("net.")]) for some in (one, other)]
    assert (nets[0] - nets[1]).norm() < 1e-5 * nets[1].norm()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_torchrun_starts_the_same_command_twice_and_one_of_them_keeps_the_record(studio, tiny):
    flags = [part for key, value in tiny.items() for part in (f"--{key.replace('_', '-')}", str(value))]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "sfumato"]

    def launched(*arguments):
        command = [*launch, *arguments, "--workspace", str(studio.path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)

    done = launched("train", "flow", "--data", "drawn", "--name", "launched", *flags)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Trained launched on 32 pictures.") == 1
    assert runs.show_run(studio, name="launched").machine["processes"] == 2
    _, kept, log = ended(studio, "launched")
    assert kept == [(16, "long"), (16, "short"), (32, "long"), (32, "short")]
    assert len(log) == 2
    for refused in (("train", "resume", "launched", "--no-wait"), ("train", "style", "--from", "x", "--name", "y")):
        told = launched(*refused)
        assert told.returncode != 0
        assert "Several processes" in told.stderr or "works in one process" in told.stderr
    few = launched("train", "fork", "launched", "--name", "small", "--set", "batch=1")
    assert few.returncode != 0
    assert "cannot be shared among 2 processes" in few.stderr
