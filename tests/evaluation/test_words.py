"""Figures are said as a person reads them."""

import pytest

from sfumato.evaluation.words import BLIND, interval, percent, sentences


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.61, "61 %"), (1, "100 %"), (0.0034, "0.3 %"), (0.0002, "0.02 %"), (0.012, "1 %")]
)
def test_a_share_has_as_many_decimals_as_it_needs(share, said):
    assert percent(share) == said


def test_an_interval_stands_behind_its_share():
    assert interval({"value": 0.61, "low": 0.541, "high": 0.675}) == "61 % (54–68 %)"


def figure(value, ceiling, floor=None):
    sides = {"measured": value, "ceiling": ceiling, "floor": floor}
    return {name: side and {"value": side, "low": side / 2, "high": side, "n": 40} for name, side in sides.items()}


def test_each_group_is_told_or_why_there_is_none_and_the_threshold_binds_on_what_was_held_out():
    figures = {
        "recall@1": figure(0.4, 0.7, 0.001), "recall@5": figure(0.6, 0.9, 0.003), "near copies": figure(0.02, 0.01),
    }  # fmt: skip
    groups = {"train": {"n": 40, "figures": figures}, "heldout_pair": {"n": 12, "figures": figures}}
    judge = {"styles": ["twemoji", "emojione"], "side": 32}
    said = sentences({"groups": groups, "per_group": 40, "names": 1454, "calibrated_on": 600, "judge": judge})
    assert said[0] == (
        "Of 40 drawings of things it has seen, in a style it has seen them in, 60 % (30–60 %) are recognised among "
        "the first five of 1,454 names and 40 % (20–40 %) as the very first; real pictures: 90 % and 70 %; "
        "chance: 0.3 %."
    )
    assert "binds only on what was held out" in said[1]
    assert said[2].startswith("Of 12 drawings of things it knows, in a style it has not seen them in (all there are)")
    assert said[3].endswith("Of the real pictures that were held out, 1 % would be called so.")
    assert said[4].startswith("No held-out concepts")


def test_a_judge_that_does_not_know_the_real_pictures_says_that_it_tells_nothing():
    judge = {"styles": ["twemoji"], "side": 32}
    for real, blind in ((0.002, True), (0.9, False)):
        figures = {key: figure(0.01, real, 0.003) for key in ("recall@1", "recall@5")}
        figures["near copies"] = figure(0.02, 0.01)
        groups = {"train": {"n": 24, "figures": figures}}
        said = sentences({"groups": groups, "per_group": 24, "names": 9, "calibrated_on": 600, "judge": judge})
        assert said[0].endswith(BLIND) == blind
