"""The Vendi score has its closed forms, and stands beside what chance would give."""

import math

import numpy as np
import pytest

from sfumato.errors import InvalidInput
from sfumato.statistics.vendi import by_columns, by_subsets, vendi

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize("order", [0.5, 1, 2, math.inf])
def test_pictures_that_have_nothing_in_common_count_each_and_equal_ones_count_once(order):
    assert vendi(np.eye(7), order=order) == pytest.approx(7, rel=1e-12)
    assert vendi(np.tile(RANDOM.normal(size=(1, 5)), (9, 1)), order=order) == pytest.approx(1, rel=1e-9)


def test_groups_of_copies_count_by_the_entropy_of_their_sizes():
    rows = np.repeat(np.eye(3), [5, 3, 2], axis=0)
    shares = np.array([0.5, 0.3, 0.2])
    assert vendi(rows) == pytest.approx(math.exp(-(shares * np.log(shares)).sum()), rel=1e-12)
    assert vendi(rows, order=2) == pytest.approx(1 / (shares**2).sum(), rel=1e-12)
    assert vendi(rows, order=math.inf) == pytest.approx(2, rel=1e-12)


def test_the_small_matrix_gives_what_the_large_one_gives():
    rows = RANDOM.normal(size=(60, 8)) + 0.3
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(unit @ unit.T / 60).clip(1e-18)
    assert vendi(rows) == pytest.approx(math.exp(-(values * np.log(values)).sum()), rel=1e-9)
    assert vendi(rows * 3) == pytest.approx(vendi(rows[::-1]), rel=1e-12)  # neither length nor order matters


def test_pictures_of_few_kinds_score_below_what_their_features_would_give_by_chance():
    kinds = RANDOM.normal(size=(3, 40))
    alike = kinds[RANDOM.integers(0, 3, 200)] + RANDOM.normal(size=(200, 40)) * 0.05
    free = RANDOM.normal(size=(200, 40))
    chance = by_columns(alike)
    assert vendi(alike) < chance.low <= chance.value <= chance.high
    assert by_columns(free).low * 0.97 < vendi(free) < by_columns(free).high * 1.03


def test_a_uniform_category_scores_below_random_pictures_of_the_same_number():
    kinds = RANDOM.normal(size=(20, 30))
    all_of_them = np.repeat(kinds, 10, axis=0) + RANDOM.normal(size=(200, 30)) * 0.1
    chance = by_subsets(all_of_them, 10)
    assert vendi(all_of_them[:10]) < chance.low
    assert by_subsets(all_of_them, 200, draws=3).value == pytest.approx(vendi(all_of_them))
    assert by_subsets(all_of_them, 10, seed=1) != chance == by_subsets(all_of_them, 10)


def test_what_is_no_feature_is_refused_with_its_place():
    rows = RANDOM.normal(size=(4, 3))
    rows[2, 1] = np.nan
    with pytest.raises(InvalidInput, match="picture 2"):
        vendi(rows)
    with pytest.raises(InvalidInput, match="picture 0"):
        vendi(np.zeros((2, 3)))
    for wrong in (np.zeros((0, 3)), np.zeros(3)):
        with pytest.raises(InvalidInput, match="rows"):
            vendi(wrong)
    with pytest.raises(InvalidInput, match="order"):
        vendi(np.eye(2), order=-1)
    with pytest.raises(InvalidInput, match="cannot be taken"):
        by_subsets(np.eye(2), 3)
