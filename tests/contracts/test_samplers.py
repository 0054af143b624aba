"""Every sampler: converges as fast as it says on a flow whose end is known, for torch and numpy alike.

For pictures x from N(m, s²) and z = t x + (1 - t) e, the expected picture is m + t s² (z - t m) / v with
v = t² s² + (1 - t)², and the flow takes noise e along z(t) = t m + √v e, which ends at m + s e.
"""

import numpy as np
import pytest
import torch

from sfumato.catalog import Catalog
from sfumato.models.noise import rising_times, starting_noise

SAMPLERS = Catalog("sfumato.models.samplers", ("ORDER", "sample"))
MEAN, SPREAD = 0.3, 0.6


@pytest.fixture(params=SAMPLERS.names())
def sampler(request):
    """The module of one sampler."""
    return SAMPLERS.get(request.param)


def expected(z, t):
    """The picture that is to be expected from z at time t."""
    variance = t**2 * SPREAD**2 + (1 - t) ** 2
    return MEAN + t * SPREAD**2 / variance * (z - t * MEAN)


def end(sampler, z, times):
    """Where a sampler ends."""
    *_, last = sampler.sample(expected, z, times)
    return last


def test_it_converges_as_fast_as_it_says(sampler):
    noise = starting_noise([0, 1], (4, 4, 4)).astype(np.float64)
    exact = MEAN + SPREAD * noise
    steps = (128, 256, 512)
    errors = [np.abs(end(sampler, noise, rising_times(n)) - exact).max() for n in steps]
    slopes = -np.diff(np.log2(errors))
    assert np.abs(slopes - sampler.ORDER).max() < 0.25, f"errors {errors}, slopes {slopes}"


def test_twelve_steps_come_close(sampler):
    noise = starting_noise([0, 1], (4, 4, 4)).astype(np.float64)
    wrong = np.abs(end(sampler, noise, rising_times(12)) - (MEAN + SPREAD * noise)).mean()
    assert wrong < {1: 0.05, 2: 0.01}[sampler.ORDER]


def test_torch_and_numpy_draw_the_same(sampler):
    noise = starting_noise([3], (4, 4, 4))
    drawn = end(sampler, torch.from_numpy(noise), rising_times(12, shift=2.0))
    assert isinstance(drawn, torch.Tensor)
    np.testing.assert_allclose(drawn.numpy(), end(sampler, noise, rising_times(12, shift=2.0)), atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 5, 12])
def test_it_ends_at_the_clean_picture(sampler, steps):
    noise = starting_noise([7], (4, 4, 4))
    picture = np.linspace(-1, 1, noise.size, dtype=np.float32).reshape(noise.shape)
    states = list(sampler.sample(lambda z, t: picture, noise, rising_times(steps)))
    assert len(states) == steps
    np.testing.assert_allclose(states[-1], picture, atol=1e-5)


def test_it_leaves_what_it_is_given_unchanged(sampler):
    noise = starting_noise([7], (4, 4, 4))
    kept = noise.copy()
    end(sampler, noise, rising_times(4))
    assert np.array_equal(noise, kept)


def test_times_are_all_that_it_asks_the_network_about(sampler):
    asked = []

    def watch(z, t):
        asked.append(t)
        return expected(z, t)

    times = rising_times(6)
    list(sampler.sample(watch, starting_noise([0], (4, 2, 2)), times))
    assert set(asked) == set(times[:-1])
