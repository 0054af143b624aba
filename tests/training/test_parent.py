"""A run can go on from a model: its weights become the start, and the record says whose child it is."""

import shutil

import pytest
import torch

from sfumato.checkpoints import models
from sfumato.checkpoints.header import read_tensors
from sfumato.checkpoints.models import find_model, show_model
from sfumato.db import parents
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.training import runs, saving
from sfumato.training.loop import Learner
from sfumato.training.machine import Machine
from sfumato.training.recipes import flow


@pytest.fixture(scope="module")
def parent(studio, tiny):
    """The model of a short run."""
    from sfumato.jobs.run import run_attempt
    from sfumato.jobs.worker import claim

    job = runs.train(studio, recipe_name="flow", data="drawn", name="mother", options=tiny)
    taken = claim(studio, "test", (), job.id, 30.0)
    run_attempt(studio, taken.id, taken.attempt)
    return find_model(studio, "mother")


def test_its_weights_are_the_start_of_the_network_and_of_both_averages(parent, tiny):
    learner = Learner.fresh(flow, flow.Options(**tiny | {"seed": 4}), Machine())
    saving.begin_from(learner, parent.path)
    weights = read_tensors(parent.path)
    for name, weight in learner.net.named_parameters():
        expected = torch.from_numpy(weights[name])
        assert torch.equal(weight.detach(), expected)
        assert all(torch.equal(average.weights[name], expected) for average in learner.averages.values())


def test_the_record_says_whose_child_it_is(studio, parent, trained):
    assert trained("daughter", parent="mother", samples=8).status == "done"
    run = runs.show_run(studio, name="daughter")
    assert run.parent_sha256 == parent.sha256
    with studio.read() as session:
        assert dict(parents(session, f"run/{run.id}"))["goes on from"] == parent.ref
    assert find_model(studio, "daughter").header.parent == parent.sha256
    assert show_model(studio, name="daughter").parent == parent.sha256
    assert find_model(studio, "mother").sha256 == parent.sha256


def test_it_learns_from_there_and_not_from_anew(studio, parent, trained):
    trained("near", parent="mother-long", samples=4, lr=1e-6)
    start = read_tensors(find_model(studio, "mother-long").path)
    near = read_tensors(find_model(studio, "near").path)
    assert max(abs(near[name] - start[name]).max() for name in start) < 0.01
    assert any((near[name] != start[name]).any() for name in start)


def test_another_shape_is_refused_naming_what_differs(studio, parent, tiny):
    with pytest.raises(InvalidInput) as refused:
        runs.train(studio, recipe_name="flow", data="drawn", name="x", options=tiny | {"depth": 3}, parent="mother")
    assert "'mother' has depth 1" in str(refused.value)
    assert "this run would have depth 3" in str(refused.value)
    with pytest.raises(NotFound, match="Did you mean 'mother'"):
        runs.train(studio, recipe_name="flow", data="drawn", name="x", options=tiny, parent="mothr")
    assert "x" not in {run.name for run in runs.list_runs(studio)}


def test_weights_that_do_not_fit_are_refused_also_when_the_header_lies(parent, tiny):
    learner = Learner.fresh(flow, flow.Options(**tiny | {"width": 128}), Machine())
    before = {name: values.clone() for name, values in learner.state().items()}
    with pytest.raises(InvalidInput, match="do not fit"):
        saving.begin_from(learner, parent.path)
    assert all(torch.equal(learner.state()[name], values) for name, values in before.items())


def test_asking_again_with_the_same_parent_is_the_same_run(studio, parent, tiny, work_off):
    call = {"recipe_name": "flow", "data": "drawn", "name": "twice", "options": tiny | {"samples": 4}}
    first = runs.train(studio, **call, parent="mother")
    assert runs.train(studio, **call, parent="mother").id == first.id
    with pytest.raises(Conflict):
        runs.train(studio, **call)
    work_off(studio, first)


def test_the_model_that_ships_can_be_a_parent(studio, parent, trained, tmp_path, monkeypatch):
    shutil.copy(parent.path, tmp_path / "model.safetensors")
    shutil.copy(parent.card_path, tmp_path / "card.zip")
    monkeypatch.setattr(models, "EMBEDDED", tmp_path)
    shipped = find_model(studio)
    assert (shipped.name, shipped.embedded) == (models.DEFAULT, True)
    assert trained("grown", parent=models.DEFAULT, samples=4).status == "done"
    run = runs.show_run(studio, name="grown")
    with studio.read() as session:
        assert dict(parents(session, f"run/{run.id}"))["goes on from"] == f"checkpoint/{shipped.sha256}"
    assert find_model(studio, "grown").header.parent == shipped.sha256
