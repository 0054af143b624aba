"""Runs are compared side by side, and one is begun with the options of another."""

import pytest

import sfumato
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.training import runs
from sfumato.training.compare import compare


@pytest.fixture(scope="module")
def two(studio):
    """Two loops that went on, of which the second ended lower."""
    for name, lr, last in (("low", 0.1, 0.4), ("lower", 0.2, 0.3)):
        with sfumato.run(name, data="drawn", workspace=studio, options={"lr": lr, "width": 8}) as run:
            run.log(step=1, loss=0.9, held_out={"a": 0.8, "b": 0.6})
            run.log(step=2, loss=0.5, held_out={"a": last, "b": last + 0.2})
    return studio


def test_curves_losses_and_the_options_that_differ_stand_side_by_side(two):
    found = compare(two, names="low,lower")
    assert found.differing == {"lr": [0.1, 0.2]}
    assert [one.loss for one in found.runs] == [0.5, 0.5]
    assert found.runs[0].mean_held_out[-1] == (2.0, pytest.approx(0.5))
    assert found.best == "lower"
    (verdict,) = found.verdicts
    assert (verdict.where, verdict.lowest, verdict.clear) == ("pictures", "lower", None)
    assert verdict.values == {"low": pytest.approx(0.5), "lower": pytest.approx(0.4)}


def test_losses_of_other_recipes_name_no_best(two, tiny, work_off):
    work_off(two, runs.train(two, recipe_name="flow", data="drawn", name="other", options=tiny | {"samples": 8}))
    found = compare(two, names="low,other")
    assert found.best == ""
    assert found.verdicts == []
    assert found.why_not == [
        "flow and own measure different losses: a lower number of one says nothing beside one of the other."
    ]
    assert found.differing["recipe"] == ["own", "flow"]
    assert [one.draws for one in found.runs] == [False, True], "whether there is a model to create with"


@pytest.mark.parametrize(("names", "problem"), [("low", InvalidInput), ("low,lwo", NotFound), ("", InvalidInput)])
def test_too_few_and_unknown_runs_are_told(two, names, problem):
    with pytest.raises(problem):
        compare(two, names=names)


def test_a_fork_has_the_options_of_its_run_but_for_what_is_changed(two, tiny, work_off):
    work_off(two, runs.train(two, recipe_name="flow", data="drawn", name="trunk", options=tiny | {"samples": 8}))
    runs.fork(two, name="trunk", into="branch", changes={"lr": 0.001})
    trunk, branch = (runs.show_run(two, name=name) for name in ("trunk", "branch"))
    assert branch.options == trunk.options | {"lr": 0.001}
    assert branch.version_id == trunk.version_id
    assert branch.details["chosen"] == {"forked_from": "trunk"}
    with pytest.raises(InvalidInput, match="lr"):
        runs.fork(two, name="trunk", into="wrong", changes={"lr": "high"})
    with pytest.raises(Conflict, match="loop of your own"):
        runs.fork(two, name="low", into="lowest")
