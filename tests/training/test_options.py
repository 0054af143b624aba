"""Options are strict: what is not an option, or not of its kind, is named before anything starts."""

import pytest

from sfumato.errors import InvalidInput, NotFound
from sfumato.training import runs


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("samples", "many", "'samples'"),
        ("samples", "200", "'samples'"),
        ("samples", 0, "greater than or equal to 1"),
        ("lr", "0.1", "'lr'"),
        ("flip", "False", "'flip'"),
        ("flip", 0, "'flip'"),
        ("optimizer", "sgd", "'muon' or 'adamw'"),
        ("width", 100, "multiple of 64"),
        ("patch", 5, "no multiple of it"),
        ("size", None, "'size'"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_and_named(studio, key, value, said):
    with pytest.raises(InvalidInput) as refused:
        runs.train(studio, recipe_name="flow", data="drawn", name="strict", options={key: value})
    assert said in str(refused.value)
    assert f"'{key}'" in str(refused.value)
    assert "strict" not in {run.name for run in runs.list_runs(studio)}


@pytest.mark.parametrize(("key", "meant"), [("sampels", "samples"), ("opitmizer", "optimizer"), ("Width", "width")])
def test_an_unknown_key_is_refused_with_the_nearest(studio, key, meant):
    with pytest.raises(NotFound) as refused:
        runs.train(studio, recipe_name="flow", data="drawn", name="strict", options={key: 1})
    assert f"'{key}'" in str(refused.value)
    assert meant in str(refused.value)


@pytest.mark.parametrize("name", ["", "a/b", "../up", "x" * 200, "two words"])
def test_a_name_that_cannot_be_a_file_is_refused(studio, name):
    with pytest.raises(InvalidInput, match="cannot be a run's name"):
        runs.train(studio, recipe_name="flow", data="drawn", name=name)


def test_options_that_do_not_fit_together_are_refused_before_anything_is_begun(studio):
    with pytest.raises(InvalidInput, match="patch: the side of the picture, 18, is no multiple of it"):
        runs.train(studio, recipe_name="flow", data="drawn", name="odd", options={"size": 18})
    assert "odd" not in [run.name for run in runs.list_runs(studio)]
