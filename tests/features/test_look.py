"""Near copies are near and strangers are not, at any size; the threshold rests on held-out real pictures."""

import numpy as np
import pytest

from sfumato.features.look import coarse, describe, learn_basis, nearest_distances
from sfumato.training.cards import LEAST, UNCALIBRATED, calibrate


def blobs(n, size, seed=0):
    """Pictures of three soft discs each, premultiplied."""
    random = np.random.default_rng(seed)
    grid = (np.mgrid[:size, :size] + 0.5) / size
    pictures = np.zeros((n, size, size, 4))
    for picture in pictures:
        for _ in range(3):
            centre, radius, colour = random.random(2), 0.1 + 0.2 * random.random(), random.random(3)
            inside = np.clip((radius - np.hypot(*(grid - centre[:, None, None]))) * 12, 0, 1)[..., None]
            picture[...] = picture * (1 - inside) + np.append(colour, 1) * inside
    return (pictures * 255).round().astype(np.uint8)


@pytest.mark.parametrize("size", [8, 24, 32, 64])
def test_it_keeps_the_mean_colour_at_any_size(size):
    pictures = blobs(6, size)
    found = coarse(pictures).reshape(6, 16, 16, 4)
    alpha = pictures[..., 3].mean((1, 2)) / 255
    np.testing.assert_allclose(found[..., 3].mean((1, 2)), alpha, atol=1e-5)
    on_white = (pictures[..., :3].astype(float) + 255 - pictures[..., 3:]).mean((1, 2)) / 255
    np.testing.assert_allclose(found[..., :3].mean((1, 2)), on_white, atol=1e-5)


def test_a_near_copy_is_nearer_than_any_stranger():
    pictures = blobs(80, 32)
    basis = learn_basis(pictures)
    looks = describe(pictures, basis)
    noisy = np.clip(pictures.astype(int) + np.random.default_rng(1).integers(-6, 7, pictures.shape), 0, 255)
    moved = np.roll(pictures, 1, axis=2)
    for changed, bound in ((noisy.astype(np.uint8), 0.1), (moved, 0.35)):
        apart = np.linalg.norm(describe(changed, basis) - looks, axis=1)
        assert np.median(apart) < bound
    strangers = nearest_distances(describe(blobs(40, 32, seed=7), basis), looks)
    assert strangers.min() > 0.2
    assert 0.8 < np.median(np.linalg.norm(looks - looks[::-1], axis=1)) < 1.2


def test_a_picture_is_at_distance_nought_from_itself():
    pictures = blobs(20, 32)
    looks = describe(pictures, learn_basis(pictures))
    assert nearest_distances(looks, looks).max() < 2e-3
    expected = np.linalg.norm(looks[:, None] - looks[None, 5:], axis=2).min(1)
    np.testing.assert_allclose(nearest_distances(looks, looks[5:]), expected, atol=2e-3)


def test_the_threshold_calls_one_in_a_hundred_held_out_pictures_a_copy():
    learnt, unseen = blobs(300, 16), blobs(200, 16, seed=3)
    basis = learn_basis(learnt)
    table, queries = describe(learnt, basis), describe(unseen, basis)
    threshold, rests_on = calibrate(queries, table)
    assert rests_on == 200
    assert np.mean(nearest_distances(queries, table) < threshold) == pytest.approx(0.01, abs=0.006)
    fresh = nearest_distances(describe(blobs(200, 16, seed=9), basis), table)
    assert np.mean(fresh < threshold) < 0.06
    noisy = np.clip(learnt[:100].astype(int) + 3, 0, 255).astype(np.uint8)
    assert np.mean(nearest_distances(describe(noisy, basis), table) < threshold) > 0.95


def test_the_same_picture_on_both_sides_does_not_lower_the_threshold():
    learnt, unseen = blobs(100, 16), blobs(60, 16, seed=3)
    basis = learn_basis(learnt)
    table, queries = describe(learnt, basis), describe(unseen, basis)
    honest, _ = calibrate(queries, table)
    with_twins, rests_on = calibrate(np.concatenate([queries, table[:30]]), table)
    assert (with_twins, rests_on) == (honest, 60)


def test_too_few_held_out_pictures_are_said_to_be_too_few():
    looks = describe(blobs(50, 16), learn_basis(blobs(50, 16)))
    assert calibrate(looks[: LEAST - 1] + 1, looks) == (UNCALIBRATED, 0)
    assert calibrate(looks[:0], looks) == (UNCALIBRATED, 0)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_pictures_is_enough_to_be_described(n):
    pictures = blobs(n, 16)
    assert np.isfinite(describe(pictures, learn_basis(pictures))).all()
