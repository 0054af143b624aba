"""Runs of different length are compared where they have done as much, and a difference counts only beyond noise."""

import math

import pytest

from sfumato.training.verdicts import Entry, is_loss, judge, wobble

FLOW = (("recipe", "flow"), ("data", "drawn@1"))


def curve(count, base, every=1000, shake=0.003):
    """A loss that falls to `base`, with measurements that lie off by turns."""
    return [(every * (n + 1), base + 0.2 * math.exp(-n / 3) + shake * (-1) ** n) for n in range(count)]


def entry(name, points, *, cpu=0.0, kind=FLOW, recipe="flow", is_loss=True):
    return Entry(name, recipe, kind, points, int(points[-1][0]) if points else 0, cpu, is_loss)


def test_a_longer_run_is_compared_after_as_many_pictures_as_the_shorter_has_seen():
    long, short = entry("long", curve(40, 0.40)), entry("short", curve(20, 0.45))
    found = judge([long, short])
    first, last = found.verdicts
    assert (first.where, last.where) == ("pictures", "end")
    assert first.after == {"long": 20_000, "short": 20_000}
    assert first.values == {"long": long.points[19][1], "short": short.points[19][1]}
    assert (first.lowest, first.clear) == ("long", True)
    assert first.title == "After 20,000 pictures: long is lower"
    assert last.after == {"long": 40_000, "short": 20_000}
    assert last.says.startswith("Not after the same work")
    assert found.why_not == []


def test_a_difference_within_the_noise_names_nobody_better():
    found = judge([entry("one", curve(20, 0.4)), entry("two", curve(20, 0.4005))])
    (verdict,) = found.verdicts
    assert verdict.clear is False
    assert "no difference beyond noise" in verdict.title
    assert verdict.gap == pytest.approx(0.0005)


def test_too_few_measurements_tell_no_noise():
    (verdict,) = judge([entry("one", curve(3, 0.4)), entry("two", curve(3, 0.5))]).verdicts
    assert (verdict.lowest, verdict.noise, verdict.clear) == ("one", None, None)
    assert "too few measurements" in verdict.says


def test_what_no_digit_shows_is_no_difference():
    (verdict,) = judge([entry("one", curve(3, 0.4)), entry("two", curve(3, 0.4 + 1e-7))]).verdicts
    assert (verdict.title, verdict.clear) == ("After 3,000 pictures: both are the same", False)
    assert verdict.says.endswith("one and two are the same to four digits.")


def test_what_is_faster_may_be_lower_after_the_same_work():
    slow, fast = entry("slow", curve(20, 0.40), cpu=4000.0), entry("fast", curve(20, 0.42), cpu=1000.0)
    pictures, time = judge([slow, fast]).verdicts
    assert (pictures.lowest, time.lowest) == ("slow", "fast")
    assert time.after == {"slow": 5_000, "fast": 20_000}
    assert time.title == "After 17 min of processor time each: fast is lower"
    assert "reckoned evenly" in time.says.lower()


def test_between_two_measurements_the_line_between_them_is_read_and_said():
    one, two = entry("one", [(100, 1.0), (300, 0.5)]), entry("two", [(50, 1.0), (200, 0.6)])
    verdict = judge([one, two]).verdicts[0]
    assert verdict.values == {"one": pytest.approx(0.75), "two": 0.6}
    assert "one 0.7500, read between two measurements" in verdict.says


def test_the_noise_of_points_off_a_line_is_found_again():
    shaken = [(n * 100, 1.0 + 0.01 * (-1) ** n) for n in range(12)]
    assert wobble(shaken, 1_100) == pytest.approx(0.02 / math.sqrt(1.5))
    assert wobble([(n * 100, 1.0 - 0.05 * n) for n in range(12)], 1_100) == pytest.approx(0.0, abs=1e-12)
    assert wobble(shaken, 300) is None


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (entry("two", curve(9, 0.1), kind=(("recipe", "edm"),), recipe="edm"), "edm and flow measure different losses"),
        (entry("two", curve(9, 0.1), kind=(FLOW[0], ("data", "drawn@2"))), "data drawn@1 and drawn@2"),
        (entry("two", [], recipe="r3gan", is_loss=False), "What r3gan measures on held-out pictures is no loss"),
        (entry("two", []), "two has measured no held-out loss yet"),
    ],
)  # fmt: skip
def test_losses_that_do_not_mean_the_same_get_no_verdict_and_the_reason_is_said(other, why):
    found = judge([entry("one", curve(9, 0.4)), other])
    assert found.verdicts == []
    assert any(why in one for one in found.why_not)


def test_three_runs_of_which_two_are_alike_get_a_verdict_on_those():
    other = entry("odd", curve(9, 0.1), kind=(("recipe", "edm"),), recipe="edm")
    found = judge([entry("one", curve(9, 0.4)), other, entry("two", curve(9, 0.5))])
    assert [sorted(one.values) for one in found.verdicts] == [["one", "two"]]
    assert len(found.why_not) == 1


@pytest.mark.parametrize(
    ("recipe", "levels", "told"),
    [("flow", ["t=0.1"], True), ("edm", ["noise=0.3"], True), ("r3gan", ["critic, seen - drawn"], False),
     ("enlarge", ["dB, blur=0.9"], False), ("own", ["anything"], True), ("flow", [], False)],
)  # fmt: skip
def test_only_losses_are_compared_as_losses(recipe, levels, told):
    assert is_loss(recipe, levels) is told
