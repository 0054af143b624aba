"""Captions that a batch alone decides: pictures laid on grounds that are named, and parts in any order."""

import numpy as np
import pytest
import torch

from sfumato.data.captions import GROUNDS, variants
from sfumato.features.encoders import minilm
from sfumato.training.grounds import SPREAD, Grounds, lay, on_ground
from sfumato.training.recipes import edm, flow
from sfumato.training.telling import captions_anew, retell

RED = np.array([[1.0, -1.0, -1.0]], np.float32)


def batches(material, tiny, recipe=flow, **changed):
    options = [recipe.Options(**tiny | {"batch": 16, "drop_words": 0.25} | more) for more in ({}, changed)]
    return [recipe.batch(one, material, 0) for one in options]


def test_what_is_seen_through_takes_the_ground_s_colour_and_what_is_not_stays():
    x = torch.full((2, 4, 8, 8), -1.0)
    x[:, :, 2:6, 2:6] = torch.tensor([0.0, 0.5, 1.0, 1.0])[:, None, None]
    x[:, :, 0, 0] = torch.tensor([-1.0, -0.5, -1.0, 0.0])  # half seen through, a quarter green
    found = lay(x, Grounds(np.array([1]), ["red"], RED))
    assert torch.equal(found[0], x[0])
    assert torch.equal(found[1, :, 2:6, 2:6], x[1, :, 2:6, 2:6])
    assert found[1, :, 7, 7].tolist() == [1.0, -1.0, -1.0, 1.0]
    assert found[1, :, 0, 0].tolist() == [0.0, -0.5, -1.0, 1.0]


@pytest.mark.parametrize("recipe", [flow, edm])
def test_some_pictures_lie_on_a_ground_that_their_words_name(material, tiny, recipe):
    plain, some = batches(material, tiny, recipe, grounds=0.6)
    opaque = (some["x"][:, 3] == 1).all(2).all(1)
    laid = opaque & ~(plain["x"][:, 3] == 1).all(2).all(1)
    assert 0 < laid.sum() < 16
    assert torch.equal(plain["x"][~laid], some["x"][~laid])
    wordless = plain["words_on"].sum(1) == 0
    assert wordless.any()
    assert not (laid & wordless).any()
    width = plain["words"].shape[1]
    assert torch.equal(plain["words"][~laid], some["words"][~laid][:, :width])
    assert torch.equal(plain["noise"], some["noise"])
    rows = material.order(0, 0, 16)
    for place in torch.nonzero(laid).flatten().tolist():
        corner = (some["x"][place, :3, 0, 0].numpy() + 1) * 127.5
        near = [name for name, colour in GROUNDS.items() if np.abs(corner - colour).max() <= SPREAD + 1]
        states = some["words"][place][some["words_on"][place] > 0].numpy()
        told = []
        for name in near:
            lined = on_ground(material.lines[rows[place]], name)
            for text in dict.fromkeys(variants(lined)):
                tokens, there = minilm.encode_tokens([text])
                right = tokens[0][there[0]]
                told.append(right.shape == states.shape and np.abs(right - states).max() < 5e-3)
        assert any(told), near


def test_an_opaque_picture_is_laid_on_nothing(material, tiny):
    full = material.pictures.copy()
    full[..., 3] = 255
    material = type(material)(**{**vars(material), "pictures": full})
    plain, some = batches(material, tiny, grounds=1.0)
    assert all(torch.equal(plain[name], some[name]) for name in plain)


def test_moved_pictures_are_laid_on_a_whole_ground(material, tiny):
    moved, some = batches(material, tiny | {"augment": 0.9}, grounds=1.0)
    laid = (some["x"][:, 3] == 1).all(2).all(1)
    assert laid.sum() >= 8
    assert not torch.equal(moved["x"], some["x"])


def test_parts_come_in_any_order_and_the_same_batch_is_the_same(material, tiny):
    plain, once = batches(material, tiny, caption_parts="shuffled")
    again = batches(material, tiny, caption_parts="shuffled")[1]
    assert all(torch.equal(once[name], again[name]) for name in once)
    width = plain["words"].shape[1]
    other = [not torch.equal(one, two[:width]) for one, two in zip(plain["words"], once["words"], strict=True)]
    assert 0 < sum(other) < 16


def test_a_shuffled_caption_has_the_same_parts(material):
    lines = [material.lines[row] for row in material.train[:8]]
    found = captions_anew(np.random.default_rng(1), lines, np.full(8, 3), {2: "orange"}, shuffled=True)
    for place, text in found.items():
        if place != 2:
            assert sorted(text.split(", ")) == sorted(variants(lines[place])[3].split(", "))
    assert f"{lines[2].name} on an orange ground" in found[2]


def test_longer_captions_make_room():
    words, on = retell(torch.zeros(2, 2, 384), torch.ones(2, 2), {1: "red apple on a light blue ground, noto style"})
    assert words.shape[1] == on.shape[1] > 8
    assert on[0].sum() == 2
    assert words[1].abs().sum() > 0
