"""An adapter learns beside a model: the model stays, the record says whose child it is, and others can read it."""

import json

import numpy as np
import pytest
import torch

from sfumato.checkpoints.adapters import (
    CONFIG,
    KOHYA,
    PEFT,
    WEIGHTS,
    Adapter,
    merge,
    read_adapter,
    read_whole,
    write_kohya,
    write_peft,
)  # fmt: skip
from sfumato.checkpoints.adding import add_model
from sfumato.checkpoints.header import read_header, read_shapes, read_tensors, write_checkpoint
from sfumato.checkpoints.models import find_model
from sfumato.compliance.trace import trace
from sfumato.db import parents
from sfumato.errors import Conflict, Damaged, InvalidInput, NotFound, Unsupported
from sfumato.generation.create import create, created
from sfumato.generation.engines import torch_local
from sfumato.jobs.queue import get_job
from sfumato.jobs.run import run_attempt
from sfumato.jobs.worker import claim
from sfumato.training import runs, saving
from sfumato.training.loop import Learner, train
from sfumato.training.machine import Machine
from sfumato.training.recipes import lora

BESIDE = {"rank": 2, "alpha": 4.0, "targets": "blocks", "samples": 8, "lr": 1e-2}


def ask(studio, tiny, name, recipe="lora", **changes):
    """Train a run in this very process; returns its model."""
    parent = changes.pop("parent", "base" if recipe == "lora" else None)
    options = tiny | (BESIDE if recipe == "lora" else {"samples": 8}) | changes
    job = runs.train(studio, recipe_name=recipe, data="drawn", name=name, options=options, parent=parent)
    taken = claim(studio, "test", (), job.id, 30.0)
    run_attempt(studio, taken.id, taken.attempt)
    return find_model(studio, name)


@pytest.fixture(scope="module")
def base(studio, tiny):
    """A whole model to learn beside."""
    return ask(studio, tiny, "base", "flow")


@pytest.fixture(scope="module")
def model(studio, tiny, base):
    """An adapter of it."""
    return ask(studio, tiny, "beside")


@pytest.fixture
def adapter(model):
    """Its matrices."""
    return Adapter(read_tensors(model.path), 2, 4.0)


def test_its_file_holds_two_small_matrices_for_each_layer(base, model):
    shapes = read_shapes(model.path)
    assert shapes["blocks.0.qkv.lora_A.weight"] == (2, 64)
    assert shapes["blocks.0.qkv.lora_B.weight"] == (192, 2)
    assert len(shapes) == 2 * 4
    assert model.path.stat().st_size < base.path.stat().st_size / 4
    told = {"rank": 2, "alpha": 4.0, "modules": [f"blocks.0.{one}" for one in ("down", "out", "qkv", "up")]}
    assert read_header(model.path).adapter == told


def test_what_is_drawn_is_its_parent_and_the_change(base, model):
    before, after, small = read_tensors(base.path), read_whole(model.path), read_tensors(model.path)
    change = 2.0 * small["blocks.0.up.lora_B.weight"] @ small["blocks.0.up.lora_A.weight"]
    assert np.allclose(after["blocks.0.up.weight"], before["blocks.0.up.weight"] + change, atol=1e-6)
    assert np.abs(change).max() > 1e-4
    assert np.array_equal(after["patch_out.weight"], before["patch_out.weight"])


def test_the_network_that_learns_is_the_one_that_draws(studio, material, tiny, base, model):
    learner = Learner.fresh(lora, lora.Options(**tiny | BESIDE), Machine())
    saving.begin_from(learner, base.path)
    with torch.no_grad():
        for name, weight in learner.net.named_parameters():
            weight.copy_(torch.from_numpy(read_tensors(model.path)[name]))
    given = lora.batch(learner.options, material, 0)
    drawing = torch_local.build(model.header, model.path)
    with torch.no_grad():
        assert torch.allclose(lora.losses(learner.net, given), lora.losses(drawing, given), rtol=1e-4)


def test_the_record_says_whose_child_it_is(studio, base, model):
    assert model.header.parent == base.sha256
    assert model.header.lineage[0]["sha256"] == base.sha256
    with studio.read() as session:
        run = runs.show_run(studio, name="beside")
        assert dict(parents(session, f"run/{run.id}"))["goes on from"] == base.ref
    assert base.sha256[:12] in json.dumps(vars(trace(studio, what=model.ref)), default=str)


def test_it_goes_on_as_if_it_had_never_stopped(tmp_path, material, tiny, base):
    def fresh():
        one = Learner.fresh(lora, lora.Options(**tiny | BESIDE | {"samples": 16}), Machine())
        saving.begin_from(one, base.path)
        return one

    whole, half = fresh(), fresh()
    for _ in train(whole, material):
        pass
    for step in train(half, material):
        if step.samples_seen == 8:
            break
    saving.save_state(tmp_path, half)
    tensors, facts = saving.newest_state(tmp_path)
    resumed = Learner.fresh(lora, half.options, Machine())
    resumed.restore(tensors, int(facts["samples_seen"]))
    saving.begin_from(resumed, base.path)
    for _ in train(resumed, material):
        pass
    assert all(torch.equal(resumed.state()[name], values) for name, values in whole.state().items())
    assert not any("qkv.weight" in name for name in whole.state())


def test_a_run_may_go_on_from_an_adapter(studio, tiny, model):
    child = ask(studio, tiny, "grandchild", "flow", parent="beside", lr=1e-6, samples=4)
    grown, whole = read_tensors(child.path), read_whole(model.path)
    assert np.abs(grown["blocks.0.up.weight"] - whole["blocks.0.up.weight"]).max() < 0.01
    assert [one["sha256"] for one in child.header.lineage] == [model.sha256, model.header.parent]


def test_without_a_model_there_is_nothing_to_adapt(studio, tiny):
    with pytest.raises(InvalidInput, match="needs one"):
        ask(studio, tiny, "alone", parent=None)
    assert "alone" not in {run.name for run in runs.list_runs(studio)}


@pytest.mark.parametrize("layout", ["peft", "kohya"])
def test_both_layouts_come_back_as_they_went(tmp_path, base, model, adapter, layout):
    write, place = (write_peft, tmp_path / "out") if layout == "peft" else (write_kohya, tmp_path / "out.safetensors")
    path = write(place, adapter, model.header)
    again = read_adapter(place, read_shapes(base.path))
    assert (again.rank, again.alpha, again.modules) == (2, 4.0, adapter.modules)
    assert all(np.array_equal(again.tensors[name], values) for name, values in adapter.tensors.items())
    keys = set(read_shapes(path))
    if layout == "peft":
        assert path.name == WEIGHTS
        assert json.loads((place / CONFIG).read_text())["r"] == 2
        assert f"{PEFT}blocks.0.qkv.lora_A.weight" in keys
    else:
        assert {f"{KOHYA}blocks_0_qkv.{one}" for one in ("lora_down.weight", "lora_up.weight", "alpha")} <= keys


def test_what_does_not_fit_is_refused_by_name(tmp_path, base, model, adapter):
    path = write_kohya(tmp_path / "one.safetensors", adapter, model.header)
    with pytest.raises(InvalidInput, match="no place for"):
        read_adapter(path, ["elsewhere.weight"])
    with pytest.raises(InvalidInput, match="no adapter"):
        read_adapter(base.path, read_shapes(base.path))
    odd = Adapter({**adapter.tensors, "blocks.0.up.lora_A.weight": np.zeros((2, 3), np.float32)}, 2, 4.0)
    with pytest.raises(Damaged, match=r"blocks\.0\.up"):
        merge(read_tensors(base.path), odd)
    uneven = Adapter({**adapter.tensors, "blocks.0.up.lora_A.weight": np.zeros((3, 64), np.float32)}, 2, 4.0)
    with pytest.raises(InvalidInput, match="one of each"):
        read_adapter(write_kohya(tmp_path / "two.safetensors", uneven, model.header), read_shapes(base.path))


def test_an_adapter_whose_parent_is_gone_says_so(tmp_path, model):
    lonely = tmp_path / "aa" / "lonely"
    write_checkpoint(lonely, read_tensors(model.path), model.header)
    with pytest.raises(NotFound, match="belongs to"):
        read_whole(lonely)


@pytest.mark.parametrize("layout", ["peft", "kohya"])
def test_an_adapter_made_elsewhere_is_a_model_under_its_makers_licence(tmp_path, studio, base, model, adapter, layout):
    write, place = (write_peft, tmp_path / "out") if layout == "peft" else (write_kohya, tmp_path / "out.safetensors")
    write(place, adapter, model.header)
    facts = add_model(studio, path=place, name=f"added-{layout}", licence="CC-BY-NC-4.0", base="base")
    added = find_model(studio, facts.name)
    assert added.header.parent == base.sha256
    assert added.card().sha256 == base.card().sha256
    assert all(np.allclose(read_whole(added.path)[name], one) for name, one in read_whole(model.path).items())
    asked = create(studio, prompt="red disc, plain style", out=tmp_path / "drawn",
                   options={"n": 1, "seed": 1, "model": facts.name, "upscale": 1})  # fmt: skip
    taken = claim(studio, "test", (), asked.job.id, 30.0)
    run_attempt(studio, taken.id, taken.attempt)
    drawn = created(asked, get_job(studio, job_id=asked.job.id))
    said = str(trace(studio, what=drawn.pictures[0].path))
    assert "has not disclosed the training data" in said
    assert "the use is not commercial" in said


def test_without_a_licence_or_under_a_taken_name_nothing_is_added(tmp_path, studio, base, model, adapter):
    path = write_kohya(tmp_path / "one.safetensors", adapter, model.header)
    for licence in ("", " ", "noassertion"):
        with pytest.raises(InvalidInput, match="licence must be said"):
            add_model(studio, path=path, name="x", licence=licence, base="base")
    with pytest.raises(Conflict, match="a model 'beside' already"):
        add_model(studio, path=path, name="beside", licence="MIT", base="base")
    with pytest.raises(Unsupported, match="not known here"):
        add_model(studio, path=base.path, name="x", licence="MIT", base="base")
    (tmp_path / "sd.ckpt").write_bytes(b"\x80\x02")
    with pytest.raises(InvalidInput, match="pickle"):
        add_model(studio, path=tmp_path / "sd.ckpt", name="x", licence="MIT", base="base")
