"""A run in trouble stops in words, keeps what is sound, and goes on later as if nothing had been."""

import resource

import pytest
import torch
from sqlalchemy import update

from sfumato.checkpoints.header import Header, read_tensors, write_checkpoint
from sfumato.checkpoints.models import find_model
from sfumato.jobs import JobContext
from sfumato.jobs.run import run_attempt
from sfumato.jobs.worker import claim
from sfumato.training import going_on, jobs, runs, saving
from sfumato.training.loop import Diverged, Learner, train
from sfumato.training.machine import Machine
from sfumato.training.recipes import flow
from sfumato.training.records import Run

pytestmark = pytest.mark.whole

HERE = Machine(threads=1).model_dump()


def asked(studio, name, options):
    """A run that was asked for, with fixed machine choices so that two runs can be compared."""
    job = runs.train(studio, recipe_name="flow", data="drawn", name=name, options=options)
    with studio.write() as session:
        session.execute(update(Run).where(Run.name == name).values(machine=HERE))
    return job


def folder_of(studio, name):
    """Where a run keeps its states."""
    return studio.path / "runs" / runs.show_run(studio, name=name).id


def equal(one, other):
    """Whether two models' weights are the same, bit for bit."""
    left, right = read_tensors(one.path), read_tensors(other.path)
    return left.keys() == right.keys() and all((left[name] == right[name]).all() for name in left)


def test_a_loss_that_is_no_number_stops_the_loop(material, tiny):
    learner = Learner.fresh(flow, flow.Options(**tiny), Machine())
    steps = train(learner, material)
    next(steps)
    with torch.no_grad():
        learner.net.patch_out.weight.fill_(float("nan"))
    with pytest.raises(Diverged, match="not a number at sample 4") as stopped:
        next(steps)
    assert "lower lr" in stopped.value.hint


def test_a_run_that_diverges_keeps_its_last_sound_checkpoint(studio, tiny, work_off):
    job = asked(studio, "wild", tiny | {"samples": 16})
    assert work_off(studio, job).status == "done"
    sound = find_model(studio, "wild")
    with studio.write() as session:  # it is to go on for longer
        longer = flow.Options(**tiny | {"samples": 64}).model_dump()
        session.execute(update(Run).where(Run.name == "wild").values(options=longer))
    tensors, _ = saving.newest_state(folder_of(studio, "wild"))
    learner = Learner.fresh(flow, flow.Options(**longer), Machine(threads=1))
    learner.restore(tensors, 16)
    with torch.no_grad():  # as a step that was far too long leaves them
        learner.net.patch_out.weight.fill_(3e38)
    learner.samples_seen = 20
    saving.save_state(folder_of(studio, "wild"), learner)
    kept = sorted(path.name for path in folder_of(studio, "wild").glob("state-*"))

    ended = work_off(studio, going_on.resume(studio, name="wild"))
    assert ended.status == "failed"
    assert "not a number at sample 20" in ended.error["message"]
    assert "last checkpoint is kept" in ended.error["hint"]
    assert find_model(studio, "wild").sha256 == sound.sha256
    assert sorted(path.name for path in folder_of(studio, "wild").glob("state-*")) == kept


def test_a_full_disk_stops_it_in_words_and_later_it_goes_on(studio, tiny, work_off):
    wide = tiny | {"width": 192, "samples": 16}
    job = asked(studio, "full", wide)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, hard))  # no larger file can be written
    try:
        ended = work_off(studio, job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ended.status == "failed"
    assert ended.error["code"] == 8
    assert "disk is full" in ended.error["message"]
    assert "do the same again" in ended.error["hint"]
    assert not list(folder_of(studio, "full").glob(".draft-*"))

    assert work_off(studio, going_on.resume(studio, name="full")).status == "done"
    assert work_off(studio, asked(studio, "roomy", wide)).status == "done"
    assert equal(find_model(studio, "full"), find_model(studio, "roomy"))


def test_a_run_that_is_stopped_goes_on_where_it_was(studio, tiny, work_off):
    patient = tiny | {"checkpoint_every": 10**6, "preview_every": 10**6, "samples": 40}
    job = asked(studio, "stopped", patient)
    taken = claim(studio, "test", (), job.id, -1.0)
    steps = jobs.run(JobContext(studio, job.id, taken.attempt), taken.spec)
    while next(steps).done < 20:
        pass
    steps.close()  # as the worker does when somebody has asked to stop
    _, facts = saving.newest_state(folder_of(studio, "stopped"))
    assert facts["samples_seen"] == "20"
    assert runs.show_run(studio, name="stopped").samples_seen == 20, "its page says what it has seen"
    assert work_off(studio, job).status == "done"
    assert work_off(studio, asked(studio, "unstopped", patient)).status == "done"
    assert equal(find_model(studio, "stopped"), find_model(studio, "unstopped"))


def test_an_attempt_that_lost_its_lease_writes_nothing(studio, tiny):
    job = asked(studio, "stalled", tiny)
    taken = claim(studio, "test", (), job.id, -1.0)
    assert claim(studio, "other", (), job.id, 30.0).attempt == 2
    run_attempt(studio, taken.id, taken.attempt)
    folder = folder_of(studio, "stalled")
    assert not folder.exists() or not any(folder.iterdir())
    with pytest.raises(Exception, match="no model 'stalled'"):
        find_model(studio, "stalled")


def test_broken_weights_of_a_parent_stop_it_at_once(studio, tiny, work_off, tmp_path):
    assert work_off(studio, asked(studio, "sound", tiny | {"samples": 4})).status == "done"
    header = find_model(studio, "sound").header
    weights = read_tensors(find_model(studio, "sound").path)
    weights["patch_out.weight"][:] = 3e38
    write_checkpoint(tmp_path / "broken.safetensors", weights, Header.model_validate(header), half=True)
    sha256 = studio.store.put_file(tmp_path / "broken.safetensors")
    job = asked(studio, "child-of-broken", tiny)
    with studio.write() as session:
        session.execute(update(Run).where(Run.name == "child-of-broken").values(parent_sha256=sha256))
    ended = work_off(studio, job)
    assert ended.status == "failed"
    assert "not a number at sample 0" in ended.error["message"]
