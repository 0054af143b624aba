"""One dial: so much time becomes options, each with its reason, and what somebody gave stays."""

import pytest

from sfumato.errors import InvalidInput, NotFound
from sfumato.training import budget
from sfumato.training.runs import plan


@pytest.fixture
def fast(monkeypatch):
    """A machine on which a network of width 64 sees a thousand pictures a second, and wider ones fewer."""
    monkeypatch.setattr(budget, "_speed", lambda module, options, material: 64_000 / options["width"])


def test_a_really_tried_budget_gives_options_that_a_run_takes(studio):
    found = budget.choose(studio, recipe_name="flow", data="drawn", budget="15s", options={"width": 64, "depth": 1})
    assert found.images_per_second > 0
    assert found.options["size"] == 16
    assert {one.option for one in found.choices} >= {"size", "batch", "samples", "width"}
    assert plan(studio, recipe_name="flow", data="drawn", options=found.options).options["width"] == 64


def test_more_time_gives_a_larger_network_or_more_pictures(studio, fast):
    short, long = (
        budget.choose(studio, recipe_name="flow", data="drawn", budget=time).options for time in ("20s", "1h")
    )
    assert long["width"] > short["width"]
    assert long["samples"] > short["samples"]
    assert (short["size"], long["size"]) == (16, 32)
    assert long["samples"] / (64_000 / long["width"]) <= 3600


def test_what_somebody_gave_wins_and_is_told_so(studio, fast):
    found = budget.choose(
        studio, recipe_name="flow", data="drawn", budget="1h", options={"size": 24, "batch": 8, "samples": 64}
    )
    assert (found.options["size"], found.options["batch"], found.options["samples"]) == (24, 8, 64)
    assert {one.why for one in found.choices if one.option in ("size", "batch", "samples")} == {"as you gave it"}


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1.5 h", 5400)])
def test_times_are_read_as_people_write_them(text, seconds):
    assert budget.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "30", "m30", "1s", "-5m", "99d", "5m or so"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(InvalidInput):
        budget.seconds_of(text)


def test_a_run_that_begins_with_a_model_has_its_network_and_only_its_length_is_chosen(studio, fast):
    parent = "emoji-styles-small"
    found = budget.choose(studio, recipe_name="flow", data="drawn", budget="20s", parent=parent)
    assert {name: found.options[name] for name in ("size", "patch", "width", "depth")} == {
        "size": 32, "patch": 4, "width": 192, "depth": 8
    }  # fmt: skip
    why = {one.option: one.why for one in found.choices}
    assert why["width"] == "that of emoji-styles-small, with which it begins"
    assert found.options["samples"] / (64_000 / 192) <= 20
    assert plan(studio, recipe_name="flow", data="drawn", options=found.options, parent=parent).parent


def test_a_model_that_is_not_there_is_no_beginning(studio, fast):
    with pytest.raises(NotFound, match="no model"):
        budget.choose(studio, recipe_name="flow", data="drawn", budget="20s", parent="nobody")
