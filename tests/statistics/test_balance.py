"""Shares are told with intervals, beside what chance alone would do, and with the n that a claim needs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.errors import InvalidInput
from sfumato.statistics import balance
from sfumato.statistics.intervals import wilson


def test_intervals_of_several_shares_hold_all_at_once():
    found = balance.share_intervals({"light": 80, "dark": 20})
    assert found["dark"].value == 0.2
    alone = wilson(0.2, 100)
    assert found["dark"].low < alone.low < 0.2 < alone.high < found["dark"].high
    random = np.random.default_rng(3)
    truth = dict(zip("abcde", (0.4, 0.3, 0.15, 0.1, 0.05), strict=True))
    hits = 0
    for sample in random.multinomial(200, list(truth.values()), 400):
        told = balance.share_intervals(dict(zip(truth, map(int, sample), strict=True)))
        hits += all(told[name].low <= share <= told[name].high for name, share in truth.items())
    assert 0.92 <= hits / 400 <= 1


def test_ten_equal_groups_are_far_from_equal_in_a_small_sample_by_chance_alone():
    equal = [0.1] * 10
    assert balance.distance_to([5] * 10, equal).by_chance == pytest.approx(0.17, abs=0.005)
    assert balance.distance_to([40] * 10, equal).by_chance == pytest.approx(0.06, abs=0.005)
    skewed = balance.distance_to([130, *[30] * 9], equal)
    assert skewed.value == pytest.approx(0.225)
    assert skewed.excess == pytest.approx(skewed.value - skewed.by_chance)
    assert skewed.value > skewed.chance_high > skewed.by_chance
    assert balance.distance_to([40] * 10, equal).excess == 0


def test_known_values_of_tests_and_effects():
    assert balance.upper_gamma(0.5, 3.841458820694124 / 2) == pytest.approx(0.05, rel=1e-10)
    assert balance.upper_gamma(5, 18.307038053275146 / 2) == pytest.approx(0.05, rel=1e-10)
    assert balance.upper_gamma(1, 3) == pytest.approx(math.exp(-3), rel=1e-13)
    assert balance.cohens_w([60, 40], [0.5, 0.5]) == pytest.approx(0.2)
    tested = balance.goodness([60, 40], [0.5, 0.5])
    assert tested.g == pytest.approx(2 * (60 * math.log(1.2) + 40 * math.log(0.8)))
    assert (tested.freedom, tested.p) == (1, pytest.approx(math.erfc(math.sqrt(tested.g / 2))))
    test, v = balance.independence([[30, 10], [10, 30]])
    assert (test.freedom, v) == (1, pytest.approx(0.5))
    assert test.p < 1e-4
    assert balance.independence([[5, 5], [0, 0]]) == (balance.GTest(0.0, 0, 1.0), 0.0)


def test_pictures_needed_are_those_of_the_textbooks():
    found = [balance.needed_for_share(0.5 + points, 0.5) for points in (0.1, 0.15, 0.2)]
    assert found == [194, 85, 47]
    assert balance.needed_for_effect(0.3, 2) == 88  # Cohen 1988, table 7.3.15: 87.2
    assert balance.needed_for_effect(0.3, 5) == 133
    assert balance.needed_for_effect(0.1, 5) == 1194
    with pytest.raises(InvalidInput, match="No number"):
        balance.needed_for_share(0.2, 0.2)
    with pytest.raises(InvalidInput, match="too small"):
        balance.needed_for_effect(1e-6, 3)


def test_that_many_pictures_do_show_it_four_times_in_five():
    n = balance.needed_for_effect(0.2, 3)
    shares = np.array([1, 1, 1]) / 3 + np.array([1, -1, 0]) * 0.2 / math.sqrt(6)
    assert balance.cohens_w(list(shares * 3e6), [1 / 3] * 3) == pytest.approx(0.2)
    samples = np.random.default_rng(1).multinomial(n, shares, 2000)
    seen = np.mean([balance.goodness(list(one), [1 / 3] * 3).p < 0.05 for one in samples])
    assert seen == pytest.approx(0.8, abs=0.03)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_adjusted_p_values_are_never_smaller_and_keep_their_order(given_values):
    told = balance.holm(given_values)
    assert all(one <= other <= 1 for one, other in zip(given_values, told, strict=True))
    ranked = [told[place] for place in sorted(range(len(told)), key=lambda one: given_values[one])]
    assert ranked == sorted(ranked)
    assert balance.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_the_effective_size_falls_with_uneven_weights():
    assert balance.effective_size([2, 2, 2, 2]) == 4
    assert balance.effective_size([1, 0, 0]) == 1
    assert balance.effective_size([3, 1]) == pytest.approx(1.6)
    assert balance.effective_size([]) == 0


@pytest.mark.parametrize(("counts", "target"), [([1], [1.0]), ([0, 0], [0.5, 0.5]), ([1, 2], [0.5, 0.6]),
                                                ([1, 2], [1.0, 0.0]), ([1, 2, 3], [0.5, 0.5])])  # fmt: skip
def test_shares_that_cannot_be_compared_are_refused(counts, target):
    with pytest.raises(InvalidInput):
        balance.goodness(counts, target)
