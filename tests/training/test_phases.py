"""One loop serves recipes of one part and of two: each part moves its own weights, and all of it goes on exactly."""

import pytest
import torch

from sfumato.checkpoints.models import find_model
from sfumato.generation.create import create, created
from sfumato.generation.engines import torch_local
from sfumato.jobs.queue import get_job
from sfumato.models.noise import starting_noise
from sfumato.training import runs, saving
from sfumato.training.loop import Learner, train, walk_phases
from sfumato.training.machine import Machine
from sfumato.training.recipes import r3gan
from sfumato.training.watching import read_curves

SMALL = {"size": 16, "width": 16, "most": 32, "batch": 4, "samples": 24, "held_out": 4,
         "checkpoint_every": 12, "preview_every": 24}  # fmt: skip
HERE = Machine(threads=1)


def learner(**options):
    return Learner.fresh(r3gan, r3gan.Options(**SMALL | options), HERE)


def walk(one, material, until):
    for step in train(one, material):
        if step.samples_seen >= until:
            return step


def weights_of(net):
    return {name: weight.detach().clone() for name, weight in net.named_parameters()}


def test_each_phase_moves_its_own_part_alone(material):
    one = learner()
    walk(one, material, 4)  # past the first step, where blocks are nought
    (judging, its), (drawing, theirs) = one.walk
    given = r3gan.batch(one.options, material, 4)
    for kept, other in (((judging, its), "generator."), ((drawing, theirs), "discriminator.")):
        before = weights_of(one.net)
        one.walk = [kept]
        assert walk_phases(one, given).keys() == {kept[0].name}
        after = weights_of(one.net)
        moved = {name for name in before if not torch.equal(before[name], after[name])}
        assert moved
        assert not {name for name in moved if name.startswith(other)}


def test_six_steps_are_three_and_three_more_for_both_networks(tmp_path, material):
    whole = learner()
    walk(whole, material, 24)
    half = learner()
    walk(half, material, 12)
    saving.save_state(tmp_path, half)
    tensors, facts = saving.newest_state(tmp_path)
    resumed = learner()
    resumed.restore(tensors, int(facts["samples_seen"]))
    walk(resumed, material, 24)
    state, again = whole.state(), resumed.state()
    assert {name.split(".")[0] for name in state} == {"net", "short", "long", "opt0", "opt1"}
    assert state.keys() == again.keys()
    assert all(torch.equal(state[name], again[name]) for name in state)


def test_rate_penalty_and_changes_follow_the_position(material):
    options = r3gan.Options(**SMALL | {"samples": 1000, "lr": 4e-4, "gamma": 0.5, "settle": 0.4})
    first, last = (r3gan.batch(options, material, position) for position in (0, 400))
    assert float(first["gamma"][0]) == pytest.approx(0.5)
    assert float(last["gamma"][0]) == pytest.approx(0.05)
    assert float(first["share"][0]) == 0
    assert float(last["share"][0]) == pytest.approx(0.3)
    assert r3gan.settings(options, 0) == {"lr": pytest.approx(4e-4), "betas": (0.0, pytest.approx(0.9))}
    assert r3gan.settings(options, 400) == {"lr": pytest.approx(1e-4), "betas": (0.0, pytest.approx(0.99))}


def test_a_rare_penalty_weighs_as_much_in_all():
    options = r3gan.Options(**SMALL | {"samples": 1000, "gamma": 0.5, "settle": 1.0})
    rare = options.model_copy(update={"penalty_every": 4})
    weights = [r3gan.penalty(rare, step * options.batch) for step in range(8)]
    assert [weight > 0 for weight in weights] == [True, False, False, False] * 2
    each = [r3gan.penalty(options, step * options.batch) for step in range(8)]
    assert sum(weights) == pytest.approx(sum(each), rel=0.02)


def test_folded_pictures_are_seen_and_drawn_in_fewer_places():
    small = r3gan.Options(**SMALL | {"size": 16, "fold": 2})
    networks = r3gan.build(small)
    said = torch.zeros(3, 20, 384), torch.zeros(3, 20)
    drawn = networks.generator(torch.randn(3, small.latent), *said)
    assert drawn.shape == (3, 4, 16, 16)
    assert networks.discriminator(drawn, *said).shape == (3,)
    assert len(networks.generator.stages) == 2
    with pytest.raises(ValueError, match="does not fit"):
        r3gan.network_options(small.model_copy(update={"size": 8, "fold": 4}))


def test_the_penalty_is_the_slope_at_real_and_drawn_pictures(material):
    one = learner()
    walk(one, material, 8)
    given = r3gan.batch(one.options, material, 8) | {"share": torch.zeros(4)}
    free = r3gan.judged(one.net, given | {"gamma": torch.zeros(4)})
    held = r3gan.judged(one.net, given | {"gamma": torch.full((4,), 2.0)})
    said = given["words"], given["words_on"]
    drawn, steep, by = one.net.generator(given["z"], *said).detach(), torch.zeros(4), 1e-3
    for pictures in (given["x"], drawn):  # each slope by differences along itself
        pictures = pictures.clone().requires_grad_()
        (slope,) = torch.autograd.grad(one.net.discriminator(pictures, *said).sum(), pictures)
        size = slope.flatten(1).norm(dim=1)[:, None, None, None]
        with torch.no_grad():
            ahead, behind = (one.net.discriminator(pictures + way * by * slope / size, *said) for way in (1, -1))
        steep += ((ahead - behind) / (2 * by)) ** 2
    assert torch.allclose(held - free, steep, rtol=0.05)


def test_the_checkpoint_draws_what_the_generator_draws_and_no_more(tmp_path, material):
    one = learner()
    walk(one, material, 12)
    path, header, _ = saving.export(tmp_path, one, "short", {"recipe": "r3gan"})
    assert header.architecture == "r3gan"
    loaded = torch_local.load(path)
    assert loaded.one_call
    assert not [name for name, _ in loaded.net.named_parameters() if "discriminator" in name]
    given = r3gan.batch(one.options, material, 0)
    z = starting_noise([3, 4, 5, 6], loaded.noise_shape)
    words, words_on = given["words"].numpy(), given["words_on"].numpy()
    drawn = torch.from_numpy(loaded(z, 0.0, words, words_on, words, words_on))
    for name, weight in one.net.generator.named_parameters():
        weight.data = one.averages["short"].weights[name].bfloat16().float()
    told = one.net.generator(torch.from_numpy(z), given["words"], given["words_on"])
    assert torch.allclose(drawn, told, atol=1e-5)


@pytest.fixture(scope="module")
def gan(studio):
    """A GAN that was trained by a job of the studio, on a machine that multiplies in bfloat16."""
    from sfumato.training import machine

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(machine, "has_bf16", lambda: True)
        return _trained(studio)


def _trained(studio):
    from sfumato.jobs.run import run_attempt
    from sfumato.jobs.worker import claim

    job = runs.train(studio, recipe_name="r3gan", data="drawn", name="gan", options=SMALL)
    taken = claim(studio, "test", (), job.id, 60.0)
    run_attempt(studio, taken.id, taken.attempt)
    ended = get_job(studio, job_id=job.id)
    assert ended.status == "done", ended.error
    return find_model(studio, "gan")


def test_its_slopes_stay_in_float32_where_the_machine_has_less_to_offer(studio, gan):
    assert runs.show_run(studio, name="gan").machine["bf16"] is False


def test_the_loss_of_each_network_is_a_curve_of_its_own(studio, gan):
    curves = read_curves(studio, name="gan")
    assert set(curves.figures) == {"discriminator loss", "generator loss"}
    steps = -(-SMALL["samples"] // SMALL["batch"])
    assert all(len(points) == steps for points in curves.figures.values())
    assert dict(curves.figures["discriminator loss"]) != dict(curves.figures["generator loss"])


def drawn(studio, work_off, tmp_path, name, **options):
    from PIL import Image

    asked = create(studio, prompt="a red disc", out=tmp_path / name, options={"model": "gan", "upscale": 1, **options})
    made = created(asked, work_off(studio, asked.job))
    return asked, {one.seed: Image.open(one.path).tobytes() for one in made.pictures}, made


def test_a_gan_draws_a_sentence_and_a_seed_is_a_picture(studio, gan, work_off, tmp_path):
    _, three, made = drawn(studio, work_off, tmp_path, "three", n=3, seed=7)
    _, one, _ = drawn(studio, work_off, tmp_path, "one", n=1, seed=8)
    assert sorted(three) == [7, 8, 9]
    assert three[8] == one[8] != three[7]

    from sfumato.compliance.trace import trace

    traced = trace(studio, made.pictures[0].path)
    assert traced.leaned_on is None
    assert "one call" in str(traced.chain)
    assert traced.answer is not None


@pytest.mark.parametrize(("option", "value"), [("steps", 30), ("sampler", "heun"), ("guidance", 7.0)])
def test_what_a_gan_cannot_take_is_refused_in_words(studio, gan, option, value):
    with pytest.raises(Exception, match=f"in one call: it has no {option}"):
        create(studio, prompt="a red disc", options={"model": "gan", option: value})


@pytest.mark.slow
def test_another_run_goes_on_from_its_generator(studio, gan, work_off):
    job = runs.train(studio, recipe_name="r3gan", data="drawn", name="more", options=SMALL, parent="gan")
    assert work_off(studio, job).status == "done"
    assert find_model(studio, "more").header.parent == gan.sha256
