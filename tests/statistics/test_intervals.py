"""Intervals against values worked out elsewhere, and against what they promise: to hold the truth 95 times in 100."""

import numpy as np
import pytest

from sfumato.errors import InvalidInput
from sfumato.statistics.intervals import bootstrap_mean, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_has_the_interval_that_the_literature_gives(successes, n, low, high):
    found = wilson(successes / n, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert found.n == n


def test_a_share_of_nothing_or_all_keeps_an_open_side():
    assert wilson(0, 10).low == 0 < wilson(0, 10).high < 0.3
    assert 0.7 < wilson(1, 10).low < 1 == wilson(1, 10).high
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)


def test_success_and_failure_mirror_each_other():
    one, other = wilson(0.3, 50), wilson(0.7, 50)
    assert one.low == pytest.approx(1 - other.high)


@pytest.mark.parametrize(("share", "n"), [(1.2, 10), (-0.1, 10), (0.5, -1)])
def test_what_is_no_share_is_refused(share, n):
    with pytest.raises(InvalidInput):
        wilson(share, n)


def test_a_mean_has_about_the_interval_of_the_normal_law():
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = bootstrap_mean(values)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == (
        pytest.approx(values.mean() - half, abs=0.03), pytest.approx(values.mean() + half, abs=0.03),
    )  # fmt: skip


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    random = np.random.default_rng(2)
    held = [found.low <= 1 <= found.high
            for found in (bootstrap_mean(random.exponential(1, 60), draws=400) for _ in range(300))]
    assert 0.88 <= np.mean(held) <= 0.98


def test_values_of_one_cluster_count_as_one():
    values = np.repeat(np.random.default_rng(3).normal(0, 1, 40), 10)
    alone, together = bootstrap_mean(values), bootstrap_mean(values, clusters=np.repeat(np.arange(40), 10).tolist())
    assert (together.high - together.low) > 2.5 * (alone.high - alone.low)


def test_the_same_values_give_the_same_interval_and_bad_ones_none():
    assert bootstrap_mean([1, 2, 3, 4]) == bootstrap_mean([1, 2, 3, 4])
    assert np.isnan(bootstrap_mean([]).value)
    with pytest.raises(InvalidInput):
        bootstrap_mean([1.0, float("nan")])
    with pytest.raises(InvalidInput):
        bootstrap_mean([1.0, 2.0], clusters=["a"])
