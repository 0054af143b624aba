"""Every encoder: says the same again, and of each thing the same whatever stands beside it."""

import inspect

import numpy as np
import pytest

from sfumato.catalog import Catalog

ENCODERS = Catalog("sfumato.features.encoders", ("DIM", "encode"))
TEXTS = ["a red apple", "A boat", "a very long sentence " * 20, "", "ö 🍎", "a red apple"]


@pytest.fixture(params=ENCODERS.names())
def encoder(request):
    """The module of one encoder."""
    return ENCODERS.get(request.param)


@pytest.fixture
def things(encoder):
    """Sentences, or premultiplied pictures, as the encoder's first parameter says; the last is the first again."""
    if next(iter(inspect.signature(encoder.encode).parameters)) == "texts":
        return TEXTS
    pictures = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 4), dtype=np.uint8)
    pictures[..., 3] = 255
    pictures[-1] = pictures[0]
    return pictures


def test_it_gives_a_row_of_finite_numbers_for_each(encoder, things):
    found = encoder.encode(things)
    assert found.shape == (len(things), encoder.DIM)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert encoder.encode(things[:0]).shape == (0, encoder.DIM)


def test_it_says_the_same_again(encoder, things):
    assert np.array_equal(encoder.encode(things), encoder.encode(things))


def test_neighbours_do_not_matter(encoder, things):
    together = encoder.encode(things)
    apart = np.concatenate([encoder.encode(things[place : place + 1]) for place in range(len(things))])
    scale = np.abs(together).max()
    np.testing.assert_allclose(together, apart, atol=1e-5 * scale)
    np.testing.assert_allclose(together[0], together[-1], atol=1e-5 * scale)


def test_different_things_get_different_numbers(encoder, things):
    found = encoder.encode(things[:2])
    assert np.abs(found[0] - found[1]).max() > 0.01 * np.abs(found).max()
