"""The enlarge recipe learns from spoilt small pictures, the same ones at any time, and beats where it began."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from sfumato.data.pictures import to_premultiplied
from sfumato.features.retrieval import Shelf
from sfumato.training import loop
from sfumato.training.machine import Machine
from sfumato.training.material import Material
from sfumato.training.recipes import enlarge

TINY = enlarge.Options(size=32, width=8, depth=1, batch=4, samples=240, lr=1e-2, held_out=4)
COLOURS = ("#d22", "#2a2", "#22d", "#dd2")


@pytest.fixture(scope="module")
def material() -> Material:
    """Sixteen discs and bars without captions, four of them held out."""
    pictures = []
    for place in range(16):
        picture = Image.new("RGBA", (128, 128), (0, 0, 0, 0))
        draw = ImageDraw.Draw(picture)
        box = (10 + 3 * place, 20, 70 + 3 * place, 60 + 2 * place)
        (draw.ellipse if place % 2 else draw.rectangle)(box, fill=COLOURS[place % 4])
        pictures.append(to_premultiplied(picture, 32))
    rows = np.arange(16)
    return Material(
        pictures=np.stack(pictures), lines=[], captions=np.zeros((16, 4), np.int64), words=np.zeros((1, 0, 1)),
        words_on=np.zeros((1, 0), bool), shelf=Shelf({}, {}), train=rows[:12], held_out=rows[12:],
        flip_ok=np.ones(16, bool), weights=np.ones(12),
    )  # fmt: skip


def test_a_batch_depends_on_its_position_alone(material):
    first = enlarge.batch(TINY, material, 8)
    enlarge.batch(TINY, material, 12)
    again, other = enlarge.batch(TINY, material, 8), enlarge.batch(TINY, material, 16)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["small"], other["small"])


def test_nothing_held_out_is_ever_learnt_from(material):
    shapes = {np.sort(material.pictures[row][..., 3].ravel()).tobytes() for row in material.train}
    unseen = {np.sort(material.pictures[row][..., 3].ravel()).tobytes() for row in material.held_out}
    assert not shapes & unseen
    for position in range(0, 200, 4):
        alpha = enlarge.batch(TINY, material, position)["large"][:, 3].add(1).mul(127.5).round().byte().numpy()
        assert {np.sort(one.ravel()).tobytes() for one in alpha} <= shapes


def test_small_pictures_look_like_drawings(material):
    given = enlarge.batch(TINY.model_copy(update={"batch": 64}), material, 0)
    assert given["small"].shape == (64, 4, 8, 8)
    assert given["large"].shape == (64, 4, 32, 32)
    values = given["small"].add(1).mul(127.5)
    assert torch.allclose(values, values.round(), atol=1e-3)  # eight bits deep
    assert (given["small"][:, :3] <= given["small"][:, 3:] + 1e-6).all()  # no colour without alpha
    alpha = values[:, 3] / 255
    assert not ((alpha > 0) & (alpha < 0.03)).any()


def test_clean_pictures_are_kept_clean(material):
    clean = enlarge.batch(TINY.model_copy(update={"clean": 1.0}), material, 0)
    assert torch.equal(clean["small"], enlarge.smaller(clean["large"], 0.0))
    spoilt = enlarge.batch(TINY.model_copy(update={"clean": 0.0}), material, 0)
    assert torch.equal(spoilt["large"], clean["large"])
    assert not torch.equal(spoilt["small"], clean["small"])


def test_a_blur_keeps_the_amount_of_ink_and_spreads_it():
    point = torch.zeros(1, 4, 9, 9)
    point[:, :, 4, 4] = 1
    wide = enlarge.blurred(point, np.array([[0.9, 0.0]]))
    assert torch.allclose(wide.sum((2, 3)), torch.ones(1, 4), atol=1e-4)
    assert wide[0, 0, 3, 4] > 0.2
    assert wide[0, 0, 4, 3] < 1e-6


def test_it_begins_as_a_plain_enlargement_and_learns_to_do_better(material):
    learner = loop.Learner.fresh(enlarge, TINY, Machine())
    before = enlarge.held_out(TINY, material, learner.net)
    steps = list(loop.train(learner, material))
    after = steps[-1].held_out
    assert np.mean([step.loss for step in steps[-10:]]) < 0.9 * np.mean([step.loss for step in steps[:10]])
    assert set(after) == set(before)
    assert after["dB, blur=0.0"] > before["dB, blur=0.0"] + 0.2
    assert after["dB, blur=0.0, Lanczos"] == before["dB, blur=0.0, Lanczos"]
    assert steps[-1].preview.shape == (16, 32, 32, 4)


def test_a_perfect_enlargement_has_next_to_no_loss_and_a_soft_edge_costs_twice(material):
    given = enlarge.batch(TINY, material, 0)
    exact = enlarge.losses(lambda small: given["large"], given)
    assert (exact < 0.005).all()
    constant = enlarge.losses(lambda small: given["large"] + 0.1, given)
    uneven = torch.ones(32, 32)
    uneven[::2] = -1
    striped = enlarge.losses(lambda small: given["large"] + 0.1 * uneven, given)
    assert (striped > 2 * constant).all()


def test_the_work_of_its_steps_is_counted_too(material):
    assert loop.count_flops(loop.Learner.fresh(enlarge, TINY, Machine()), material) > 0
