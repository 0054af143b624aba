"""Changes of pictures: none unless asked for, told to the network where there is one, the ground left empty."""

import numpy as np
import pytest
import torch

from sfumato.models.noise import falling_noise
from sfumato.training.augment import MOVES, NUMBERS, both_sides, draw_moves, moved, tell_moves
from sfumato.training.recipes import edm, flow


def some_pictures(count=6):
    x = torch.full((count, 4, 16, 16), -1.0)
    x[:, :, 5:11, 5:11] = torch.rand(count, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    return x


def test_nothing_moves_where_no_move_was_drawn():
    x = some_pictures()
    assert torch.equal(moved(x, torch.zeros(6, MOVES)), x)
    assert torch.equal(both_sides(x, torch.rand(6, NUMBERS), torch.zeros(6)), x)


def test_a_shift_moves_the_picture_by_as_much_as_it_says():
    moves = torch.zeros(6, MOVES)
    moves[:, 5] = 2 / 16  # to the right
    assert torch.allclose(moved(some_pictures(), moves)[..., 2:], some_pictures()[..., :-2], atol=1e-4)


def test_empty_ground_stays_empty():
    empty = torch.full((8, 4, 16, 16), -1.0)
    moves = torch.from_numpy(draw_moves(np.random.default_rng(0), 8, 1.0))
    assert moves.any(1).all()
    assert torch.allclose(moved(empty, moves), empty)
    assert torch.allclose(both_sides(empty, torch.rand(8, NUMBERS), torch.ones(8)), empty)


def test_changes_for_both_sides_let_slopes_through():
    x = some_pictures().requires_grad_()
    chance = torch.rand(6, NUMBERS, generator=torch.Generator().manual_seed(2))
    (slope,) = torch.autograd.grad((both_sides(x, chance, torch.ones(6)) ** 3).sum(), x, create_graph=True)
    (again,) = torch.autograd.grad(slope.sum(), x)
    assert again.abs().sum() > 0


@pytest.mark.parametrize("recipe", [flow, edm])
def test_the_network_is_told_of_moved_pictures_alone(material, tiny, recipe):
    plain, some = (recipe.Options(**tiny | {"batch": 16, "augment": share}) for share in (0.0, 0.3))
    before, after = (recipe.batch(options, material, 0) for options in (plain, some))
    told = after["words_on"][:, -1] > 0
    assert 0 < told.sum() < 16
    assert torch.equal(before["x"][~told], after["x"][~told])
    assert all(not torch.equal(*pair) for pair in zip(before["x"][told], after["x"][told], strict=True))
    assert torch.equal(before["noise"], after["noise"])


def test_a_full_sentence_makes_room_for_the_telling():
    words, on = tell_moves(torch.rand(2, 20, 384), torch.ones(2, 20), torch.ones(2, MOVES), 20)
    assert words.shape == (2, 20, 384)
    assert on.shape == (2, 20)


def test_edm_times_fall_from_eighty_to_none():
    times = falling_noise(18)
    noises = [(1 - t) / t for t in times]
    assert noises[0] == pytest.approx(80.0)
    assert noises[-2] == pytest.approx(0.002)
    assert noises[-1] == 0
    assert noises[1] == pytest.approx(57.586, rel=1e-3)  # of equation 5 with rho 7
    assert times == sorted(times)
