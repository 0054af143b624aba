"""Somebody else's model learns from our pictures: its folder stays, and the record says whose child it is."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import sfumato
from sfumato.checkpoints.derived import chain_of, folder_of
from sfumato.checkpoints.header import read_shapes, read_tensors
from sfumato.checkpoints.models import find_model
from sfumato.compliance.trace import trace
from sfumato.data.versions import open_version
from sfumato.db import parents
from sfumato.errors import InvalidInput, Unsupported
from sfumato.training import hardware, runs, saving, weighing
from sfumato.training.adopting import adopt
from sfumato.training.ahead import look_ahead
from sfumato.training.denoising import predict
from sfumato.training.encoded import weights_of
from sfumato.training.feeding import options_of
from sfumato.training.loop import Learner, train
from sfumato.training.machine import Machine
from sfumato.training.recipes import diffusers_lora, full
from tests.diffused import make

pytest.importorskip("diffusers", reason="diffusers is not installed: pip install 'sfumato[diffusers]'")

pytestmark = pytest.mark.whole  # loading somebody else's library alone takes ten seconds
KINDS = ("sd", "xl", "art")
QUICK = {"batch": 2, "accumulate": 1, "samples": 8, "previews": 2, "preview_steps": 2, "held_out": 2,
         "checkpoint_every": 4, "preview_every": 8}  # fmt: skip
BESIDE = {"rank": 2, "alpha": 4.0, "lr": 1e-2}


@pytest.fixture(scope="module")
def taken(studio, tmp_path_factory):
    """Take a tiny model of a kind in, once; returns its name."""

    def take(kind, **schedule):
        name = "-".join(["tiny", kind, *map(str, schedule.values())]).replace("_", "-")
        if name not in {view.name for view in _models(studio)}:
            folder = make(kind, tmp_path_factory.mktemp("made") / kind, **schedule)
            adopt(studio, path=folder, name=name, licence="CC-BY-NC-4.0", maker="Ann")
        return name

    return take


def _models(studio):
    from sfumato.checkpoints.models import list_models

    return list_models(studio)


def asked(studio, parent, recipe="lora", **changes):
    """A plan's module and whole options for a run on a model."""
    options = QUICK | (BESIDE if recipe == "lora" else {}) | changes
    made = runs.plan(studio, recipe_name=recipe, data="drawn", options=options, parent=parent)
    module = runs.recipe(made.recipe)
    return module, options_of(studio, module, made.options, made.parent.sha256)


def material_of(studio, module, options, parent):
    """What such a run learns from."""
    path = find_model(studio, parent).path
    steps = module.load_material(open_version(studio, "drawn"), options, path, studio.path / "cache")
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            return finished.value


def learner_of(studio, module, options, parent, machine=Machine()):
    """A fresh learner that begins with the parent's weights."""
    one = Learner.fresh(module, options, machine)
    saving.begin_from(one, find_model(studio, parent).path)
    return one


@pytest.fixture(scope="module")
def beside(studio, taken):
    """An adapter that a run made of the tiny Stable Diffusion; returns its model."""
    return run(studio, "beside-sd", taken("sd"))


def run(studio, name, parent, recipe="lora", **changes):
    """Train in this very process; returns the model."""
    from sfumato.jobs.queue import get_job
    from sfumato.jobs.run import run_attempt
    from sfumato.jobs.worker import claim

    options = QUICK | (BESIDE if recipe == "lora" else {}) | changes
    job = runs.train(studio, recipe_name=recipe, data="drawn", name=name, options=options, parent=parent)
    mine = claim(studio, "test", (), job.id, 30.0)
    run_attempt(studio, mine.id, mine.attempt)
    ended = get_job(studio, job_id=job.id)
    assert ended.status == "done", ended.error
    return find_model(studio, name)


def test_a_run_makes_a_small_file_and_says_whose_child_it_is(studio, taken, beside):
    base = find_model(studio, "tiny-sd")
    shapes = read_shapes(beside.path)
    assert all(name.endswith((".lora_A.weight", ".lora_B.weight")) for name in shapes)
    assert {"attn1", "attn2"} == {name.split(".")[-4 if ".to_out." not in name else -5] for name in shapes}
    assert beside.path.stat().st_size < base.path.stat().st_size / 4
    assert (beside.header.parent, beside.header.architecture) == (base.sha256, "diffusers")
    assert beside.header.lineage[0]["data"]["licence"] == "CC-BY-NC-4.0"
    made = runs.show_run(studio, name="beside-sd")
    assert made.recipe == "diffusers_lora"
    with studio.read() as session:
        assert dict(parents(session, f"run/{made.id}"))["goes on from"] == base.ref
    told = json.dumps(vars(trace(studio, what=beside.ref)), default=str)
    assert "has not disclosed the training data" in told
    assert "CC-BY-NC-4.0" in told  # its maker's licence
    assert "Apache-2.0" in told  # and those of our own pictures
    folder = studio.path / "runs" / made.id
    said = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert list(said[-1]["held_out"]) == ["t=0.1", "t=0.3", "t=0.5", "t=0.7", "t=0.9"]
    assert len(list((folder / "previews").glob("*.png"))) == 1
    assert beside.card().summary["size"] == 32


def test_what_is_drawn_with_is_its_parent_and_the_change(studio, beside):
    before, after = weights_of(find_model(studio, "tiny-sd").path), weights_of(beside.path)
    small = read_tensors(beside.path)
    name = next(one for one in beside.header.adapter["modules"] if one.endswith("to_q"))
    change = 2.0 * small[f"{name}.lora_B.weight"] @ small[f"{name}.lora_A.weight"]
    assert np.abs(change).max() > 1e-4
    assert np.allclose(after[f"{name}.weight"], before[f"{name}.weight"] + torch.from_numpy(change), atol=1e-6)
    assert torch.equal(after["conv_in.weight"], before["conv_in.weight"])
    here, there = folder_of(beside.path), folder_of(find_model(studio, "tiny-sd").path)
    assert (here / "vae" / "config.json").read_bytes() == (there / "vae" / "config.json").read_bytes()


def test_it_draws_merged_and_the_answer_names_both_makers(studio, taken, beside, tmp_path):
    drawn = {}
    for model in ("tiny-sd", "beside-sd"):
        found = sfumato.create(studio, "a red disc", model=model, n=1, seed=5, steps=3, out=tmp_path / model)
        drawn[model] = found.pictures[0].path
    seen = [np.asarray(Image.open(path).convert("RGB")) for path in drawn.values()]
    assert seen[0].std() > 1
    assert not np.array_equal(*seen)
    told = str(sfumato.trace(studio, drawn["beside-sd"]))
    for words in ("the use is not commercial", "has not disclosed the training data", "Apache-2.0"):
        assert words in told
    assert "The maker of the model that it goes on from has not disclosed" in found.said


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_that_learns_is_the_one_that_is_drawn_with(studio, taken, kind):
    parent = taken(kind)
    module, options = asked(studio, parent)
    material = material_of(studio, module, options, parent)
    learner = learner_of(studio, module, options, parent)
    given = module.batch(options, material, 0)
    theirs = full.build(options)
    theirs.load_state_dict(dict(weights_of(find_model(studio, parent).path)))
    with torch.no_grad():
        assert torch.allclose(predict(learner.net, given), predict(theirs, given), atol=1e-5)  # B is nought
    for _ in train(learner, material):
        pass
    with torch.no_grad():
        assert not torch.allclose(predict(learner.net, given), predict(theirs, given), atol=1e-5)
    drawn = module.preview(options, material, learner.net)
    assert drawn.shape == (2, 32, 32, 4)
    assert drawn[..., :3].std() > 1


@pytest.mark.parametrize(("recipe", "machine"), [
    ("lora", Machine()), ("lora", Machine(bf16=True)),
    ("full", Machine()),
])  # fmt: skip
def test_it_goes_on_as_if_it_had_never_stopped(studio, taken, tmp_path, recipe, machine):
    parent = taken("sd")
    module, options = asked(studio, parent, recipe, preview_every=1_000)
    material = material_of(studio, module, options, parent)
    whole, half = (learner_of(studio, module, options, parent, machine) for _ in range(2))
    for _ in train(whole, material):
        pass
    for step in train(half, material):
        if step.samples_seen == 4:
            break
    saving.save_state(tmp_path, half)
    tensors, facts = saving.newest_state(tmp_path)
    again = Learner.fresh(module, options, machine)
    again.restore(tensors, int(facts["samples_seen"]))
    if recipe == "lora":
        saving.begin_from(again, find_model(studio, parent).path)
    for _ in train(again, material):
        pass
    assert whole.state().keys() == again.state().keys()
    assert all(torch.equal(again.state()[name], one) for name, one in whole.state().items())


def test_all_weights_may_learn_and_the_rest_of_the_folder_stays(studio, taken, beside):
    child = run(studio, "whole-sd", "beside-sd", "full", lr=1e-3)  # which goes on from the adapter
    before, after = weights_of(beside.path), weights_of(child.path)
    assert any(not torch.equal(after[name], before[name]) for name in before)
    assert all(np.array_equal(after[name].numpy(), one) for name, one in read_tensors(child.path).items())
    assert child.header.parts == ["unet"]
    assert [header.parent for _, header in chain_of(child.path)] == [beside.sha256, beside.header.parent, ""]


@pytest.mark.parametrize("predicts", ["epsilon", "v_prediction"])
def test_noise_and_target_are_those_of_its_own_scheduler(studio, taken, predicts):
    import diffusers

    parent = taken("sd", beta_schedule="scaled_linear", prediction_type=predicts)
    module, options = asked(studio, parent)
    material = material_of(studio, module, options, parent)
    rows, _, flips, seed = module.choices(options, material, 0)
    generator = torch.Generator().manual_seed(seed)
    t = torch.randint(1000, (2,), generator=generator)
    spread, noise = (torch.randn(2, 4, 16, 16, generator=generator) for _ in range(2))
    x = material.latents_of(rows, flips, spread)
    given = module.batch(options, material, 0)
    theirs = diffusers.DDPMScheduler(beta_schedule="scaled_linear", prediction_type=predicts)
    assert torch.allclose(given["z"], theirs.add_noise(x, noise, t), atol=1e-5)
    target = noise if predicts == "epsilon" else theirs.get_velocity(x, noise, t)
    assert torch.allclose(given["target"], target, atol=1e-5)
    assert torch.equal(given["t"], t)


@pytest.mark.parametrize("kind", KINDS)
def test_captions_are_told_as_the_pipeline_tells_them(studio, taken, kind):
    import diffusers

    parent = taken(kind)
    module, options = asked(studio, parent, drop_words=1.0)
    material = material_of(studio, module, options, parent)
    pipe = diffusers.DiffusionPipeline.from_pretrained(folder_of(find_model(studio, parent).path))
    caption = int(material.captions[0, 0])
    mine = material.said(caption, options.base)
    line = material.lines[0]
    text = f"{line.name}, {line.style} style"
    with torch.no_grad():
        if kind == "art":
            more = {"num_images_per_prompt": 1, "clean_caption": False, "max_sequence_length": 16}
            words, there, none, none_there = pipe.encode_prompt(text, True, device="cpu", **more)
            n = int(there.sum())
            assert int(mine["prompt_attention_mask"].sum()) == n
            assert int(mine["negative_prompt_attention_mask"].sum()) == int(none_there.sum())
            words, none = words[:, :n], none[:, : int(none_there.sum())]
        elif kind == "xl":
            words, none, pooled, none_pooled = pipe.encode_prompt(text, device="cpu")
            assert torch.allclose(mine["pooled_prompt_embeds"], pooled, atol=2e-3)
            assert torch.equal(mine["negative_pooled_prompt_embeds"], none_pooled)
        else:
            words, none = pipe.encode_prompt(text, "cpu", 1, True)
    assert torch.allclose(mine["prompt_embeds"][:, : words.shape[1]], words, atol=2e-3)
    assert torch.allclose(mine["negative_prompt_embeds"][:, : none.shape[1]], none, atol=2e-3)
    assert (module.choices(options, material, 0)[1] == material.nothing).all()
    if kind == "xl":
        assert module.batch(options, material, 0)["ids"].tolist() == [[32, 32, 0, 0, 32, 32]] * 2


def test_blocks_that_compute_twice_learn_the_same(studio, taken):
    parent, found = taken("sd"), []
    for twice in (False, True):
        module, options = asked(studio, parent, "full", gradient_checkpointing=twice, preview_every=1_000)
        material = material_of(studio, module, options, parent)
        found.append([step.loss for step in train(learner_of(studio, module, options, parent), material)])
    assert found[0] == pytest.approx(found[1], rel=1e-4)
    assert found[0][-1] < found[0][0]


def test_what_it_takes_is_said_before_anything_is_loaded(studio, taken, monkeypatch):
    parent = taken("sd")
    found = look_ahead(studio, recipe_name="lora", data="drawn", options=QUICK, parent=parent)
    weights = 4 * sum(np.prod(one) for one in weights_of_shapes(studio, parent))
    assert found.memory["weights"] >= weights
    assert found.memory["weights"] < 1.2 * weights
    assert found.memory["results"] > 0
    assert found.seconds > 0
    assert found.fed[0].caption
    assert any("CC-BY-NC-4.0" in one.why and "not been disclosed" in one.why for one in found.facts)
    larger = look_ahead(studio, recipe_name="full", data="drawn", options=QUICK, parent=parent)
    key = "gradients, averages and optimiser"
    assert larger.memory[key] > 5 * found.memory[key]
    monkeypatch.setattr(weighing, "memory_in_all", lambda: 1_000_000)
    with pytest.raises(InvalidInput, match="all that this machine has") as refused:
        asked(studio, parent, "full")
    assert "--despite-memory" in str(refused.value.hint)
    asked(studio, parent, "full", despite_memory=True)


def weights_of_shapes(studio, parent):
    """Shapes of the denoiser's weights."""
    return [one.shape for one in dict(weights_of(find_model(studio, parent).path)).values()]


def test_a_run_ends_in_words_where_memory_is_not_free(studio, taken, work_off, monkeypatch):
    parent = taken("sd")
    monkeypatch.setattr(weighing, "memory_free", lambda: 1_000_000)
    job = runs.train(studio, recipe_name="lora", data="drawn", name="no-room", options=QUICK, parent=parent)
    ended = work_off(studio, job)
    assert ended.status == "failed"
    assert "GB of memory" in ended.error["message"]
    assert hardware.memory_in_all() >= hardware.memory_free() > 0


def test_what_cannot_be_taught_is_refused_in_words(studio, taken, tmp_path):
    with pytest.raises(InvalidInput, match="one of Sfumato's own"):
        asked(studio, "emoji-styles-small", "full")
    with pytest.raises(InvalidInput, match="needs one"):
        asked(studio, None, "full")
    with pytest.raises(InvalidInput, match="does not learn on a folder of diffusers") as refused:
        runs.plan(studio, recipe_name="flow", data="drawn", options={}, parent=taken("sd"))
    assert "train lora" in str(refused.value.hint)
    with pytest.raises(InvalidInput, match="100 pixels"):
        asked(studio, taken("sd"), size=100)
    folder = make("art", tmp_path / "flows", use_flow_sigmas=True, prediction_type="flow_prediction")
    adopt(studio, path=folder, name="flows", licence="MIT")
    with pytest.raises(Unsupported, match="times of a kind"):
        asked(studio, "flows")


def test_nothing_is_encoded_twice(studio, taken, monkeypatch):
    from sfumato.training import encoded

    parent = taken("sd")
    module, options = asked(studio, parent)
    first = material_of(studio, module, options, parent)
    monkeypatch.setattr(encoded, "_encoder", lambda *_: pytest.fail("captions were encoded again"))
    monkeypatch.setattr(encoded, "_encode_picture", lambda *_, **__: pytest.fail("a picture was encoded again"))
    again = material_of(studio, module, options, parent)
    assert np.array_equal(first.latents, again.latents)
    for may, row in ((True, np.flatnonzero(first.flip_ok)[:1]), (False, np.flatnonzero(~first.flip_ok)[:1])):
        ways = [first.latents_of(row, np.array([flip]), torch.zeros(1, 4, 16, 16)) for flip in (True, False)]
        assert torch.equal(*ways) != may  # a mirrored picture has latents of its own


def test_without_diffusers_it_says_what_to_install(studio, taken, monkeypatch):
    from sfumato.training import borrowed

    module, options = asked(studio, taken("sd"))
    monkeypatch.setattr(borrowed, "find_spec", lambda name: None)
    with pytest.raises(Unsupported, match="needs diffusers") as missing:
        module.build(options)
    assert "sfumato[diffusers]" in str(missing.value.hint)
    assert diffusers_lora.NEEDS_PARENT
