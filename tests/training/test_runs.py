"""A run from being asked for to its models: rows, headers, averages, card, and what it says on the way."""

import json

import pytest
from sqlalchemy import select, update

import sfumato
from sfumato.actions.records import Event
from sfumato.checkpoints.header import read_header, read_tensors
from sfumato.checkpoints.models import find_model, list_models, show_model
from sfumato.checkpoints.records import Checkpoint
from sfumato.data.freeze import find_version
from sfumato.db import parents
from sfumato.errors import Conflict, NotFound
from sfumato.training import going_on, runs
from sfumato.training.loop import Learner, count_flops
from sfumato.training.machine import Machine, cores, probe
from sfumato.training.recipes import flow
from sfumato.training.records import Run


@pytest.fixture(scope="module")
def ended(studio, tiny):
    """The run `first`, trained to its end."""
    from sfumato.jobs.queue import get_job
    from sfumato.jobs.run import run_attempt
    from sfumato.jobs.worker import claim

    job = runs.train(studio, recipe_name="flow", data="drawn", name="first", options=tiny)
    taken = claim(studio, "test", (), job.id, 30.0)
    run_attempt(studio, taken.id, taken.attempt)
    return get_job(studio, job_id=job.id)


def test_it_ends_well_and_says_how_it_went(studio, ended):
    assert (ended.status, ended.error) == ("done", None)
    assert ended.result == {"run": "first", "samples_seen": 32, "model": "first"}
    extra = ended.progress["extra"]
    assert extra.keys() >= {"loss", "images_per_second", "tflops", "seconds_left", "held_out", "preview"}
    assert extra["tflops"] > 0
    assert (studio.path / extra["preview"]).stat().st_size > 100
    run = runs.show_run(studio, name="first")
    assert (run.samples_seen, run.status) == (32, "done")
    lines = [json.loads(line) for line in (studio.path / "runs" / run.id / "log.jsonl").read_text().splitlines()]
    assert [line["samples"] for line in lines] == [16, 32]


def test_its_checkpoints_say_what_they_are(studio, ended, tiny):
    version = find_version(studio, label="drawn")
    run = runs.show_run(studio, name="first")
    with studio.read() as session:
        rows = session.scalars(select(Checkpoint).where(Checkpoint.run_id == run.id)).all()
        assert {(row.samples_seen, row.ema) for row in rows} == {
            (samples, ema) for samples in (16, 32) for ema in ("short", "long")
        }
        for row in rows:
            assert dict(parents(session, row.ref)) == {"trained by": f"run/{run.id}"}
            header = read_header(studio.store.path(row.content_hash))
            assert header.model_dump() == row.header
            assert header.recipe == "flow"
            assert header.recipe_options == flow.Options(**tiny).model_dump()
            assert header.data["name"] == version.label
            assert header.data["content_hash"] == version.content_hash
            assert header.data["licences"] == version.summary["licences"]
            assert header.code == sfumato.__version__
            assert header.machine == run.machine
            assert (header.run, header.ema, header.parent) == ("first", row.ema, "")
            assert (header.samples_seen, header.architecture) == (row.samples_seen, "patch_transformer")
        assert dict(parents(session, f"run/{run.id}")) == {"learnt from": f"dataset_version/{version.id}"}


def test_both_averages_can_be_asked_for_by_name(studio, ended):
    short, long = find_model(studio, "first"), find_model(studio, "first-long")
    assert (short.header.ema, long.header.ema) == ("short", "long")
    assert short.header.samples_seen == long.header.samples_seen == 32
    one, other = read_tensors(short.path), read_tensors(long.path)
    assert one.keys() == other.keys()
    assert any((one[name] != other[name]).any() for name in one)
    assert {"first", "first-long"} <= {found.name for found in list_models(studio)}


def test_its_model_has_a_card_at_once(studio, ended):
    card = find_model(studio, "first").card()
    version = find_version(studio, label="drawn")
    assert card.summary["content_hash"] == version.content_hash
    assert len(card.items) == version.n
    assert find_model(studio, "first-long").card_path == card.path
    facts = show_model(studio, name="first")
    assert (facts.pictures, facts.held_out) == (version.summary["splits"]["train"],
                                                version.n - version.summary["splits"]["train"])  # fmt: skip
    assert facts.licences == version.summary["licences"]
    assert facts.names == len(card.names)
    assert facts.parameters == sum(values.size for values in read_tensors(find_model(studio, "first").path).values())


def test_asking_again_goes_on_and_other_options_are_refused(studio, ended, tiny, work_off):
    with studio.write() as session:  # as it was asked for before the recipe had this option
        run = session.scalar(select(Run).where(Run.name == "first"))
        run.options = {name: value for name, value in run.options.items() if name != "accumulate"}
    again = runs.train(studio, recipe_name="flow", data="drawn", name="first", options=tiny)
    assert again.id != ended.id
    assert work_off(studio, again).result["samples_seen"] == 32
    with pytest.raises(Conflict, match="with other options"):
        runs.train(studio, recipe_name="flow", data="drawn", name="first", options=tiny | {"seed": 1})
    with pytest.raises(Conflict, match="first-long"):
        runs.train(studio, recipe_name="flow", data="drawn", name="first-long", options=tiny)
    with studio.read() as session:
        said = session.scalars(select(Event.summary).where(Event.action == "training.train")).all()
    assert said.count("asked to train first with flow on " + find_version(studio, label="drawn").label) == 1


def test_what_is_not_there_is_named_with_the_nearest(studio, tiny):
    with pytest.raises(NotFound, match="Did you mean 'drawn'"):
        runs.train(studio, recipe_name="flow", data="drwan", name="x", options=tiny)
    with pytest.raises(NotFound, match="Did you mean 'flow'"):
        runs.train(studio, recipe_name="flwo", data="drawn", name="x", options=tiny)
    with pytest.raises(NotFound, match="Did you mean 'first'"):
        going_on.resume(studio, name="frist")


def test_a_run_keeps_to_the_machine_choices_of_its_first_start(studio, tiny, work_off):
    job = runs.train(studio, recipe_name="flow", data="drawn", name="elsewhere", options=tiny)
    elsewhere = Machine(bf16=True, fused_attention=True, threads=1, processor="of another house", images_per_second=7)
    with studio.write() as session:
        session.execute(update(Run).where(Run.name == "elsewhere").values(machine=elsewhere.model_dump()))
    assert work_off(studio, job).status == "done"
    assert find_model(studio, "elsewhere").header.machine == elsewhere.model_dump()


def test_the_probe_keeps_the_fastest_choice(monkeypatch):
    import time

    def step(choice):
        time.sleep(0.002 if choice.fused_attention and not choice.bf16 else 0.01)

    monkeypatch.setattr("sfumato.training.machine.has_bf16", lambda: True)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = probe(step, batch=8)
    assert (found.bf16, found.fused_attention, found.threads) == (False, True, 1)
    assert found.images_per_second > 0
    assert cores() == 1
    monkeypatch.setattr("sfumato.training.machine.has_bf16", lambda: False)
    tried = []
    probe(tried.append, batch=8)
    assert {choice.bf16 for choice in tried} == {False}


@pytest.mark.parametrize(
    ("quota", "affinity", "allowed"),
    [("max 100000", 4, 4), ("150000 100000", 4, 2), ("50000 100000", 4, 1), ("", 1, 1), ("800000 100000", 4, 4)],
)
def test_a_container_counts_the_cores_that_it_may_use(monkeypatch, quota, affinity, allowed):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(affinity)), raising=False)
    monkeypatch.setattr("sfumato.training.hardware.text_of", lambda path: quota)
    assert cores() == allowed


def test_the_work_of_a_step_is_counted_not_guessed(material, tiny):
    learner = Learner.fresh(flow, flow.Options(**tiny), Machine())
    before = {name: values.clone() for name, values in learner.state().items()}
    counted = count_flops(learner, material)
    net = learner.net
    tokens = 16 + 1 + 8  # patches, time, and about eight words
    block = sum(weight.numel() for name, weight in net.named_parameters() if name.startswith("blocks"))
    assert 0.5 < counted / (6 * block * tokens) < 4
    assert all((learner.state()[name] == values).all() for name, values in before.items())
    assert all(weight.grad is None for weight in net.parameters())
