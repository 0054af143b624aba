"""What a recipe learns in its first steps, written down: no change of the code may change it unnoticed."""

import math

import numpy as np
import pytest
import torch

from sfumato.training.loop import Diverged, Learner, train, walk_phases
from sfumato.training.machine import Machine
from sfumato.training.nearness import measure
from sfumato.training.recipes import edm, enlarge, flow, lora, r3gan
from sfumato.training.runs import RECIPES

SMALL = {"size": 16, "patch": 4, "width": 64, "depth": 2, "batch": 8, "samples": 64, "warmup": 0.1,
         "checkpoint_every": 10**6, "preview_every": 10**6, "held_out": 4}  # fmt: skip
TRACES = {
    "flow": [4.4029, 2.687, 3.5759, 1.2314],
    "edm": [1.5077, 1.3823, 1.1049, 1.4207],
    "enlarge": [0.4794, 0.8024, 0.7395, 0.6046],
    "lora": [4.4029, 3.8273, 7.7364, 2.9003],
    "r3gan": [2.2864, 2.7996, 1.7022, 1.4731],
}


def fresh(recipe, **options):
    wanted = {name: value for name, value in (SMALL | options).items() if name in recipe.Options.model_fields}
    return Learner.fresh(recipe, recipe.Options(**wanted), Machine(threads=1))


@pytest.mark.parametrize("recipe", [flow, edm, enlarge, lora, r3gan], ids=lambda one: one.__name__.rsplit(".", 1)[-1])
def test_the_first_losses_are_those_that_were_written_down(recipe, material):
    steps = train(fresh(recipe), material)
    found = [next(steps).loss for _ in range(4)]
    assert found == pytest.approx(TRACES[recipe.__name__.rsplit(".", 1)[-1]], rel=0.01)


def test_no_recipe_is_without_a_trace():
    ours = {name for name in RECIPES.names() if not hasattr(RECIPES.get(name), "of_parent")}
    assert ours == set(TRACES)  # those that learn on others' models have theirs in test_fine_tune


@pytest.mark.parametrize("architecture", ["patch_transformer", "dit", "unet", "pixart"])
def test_blocks_that_compute_twice_learn_the_same(material, architecture):
    usual, twice = (fresh(flow, architecture=architecture, depth=1, recompute=on) for on in (False, True))
    for position in (0, 8):
        given = flow.batch(usual.options, material, position)
        assert walk_phases(usual, given) == pytest.approx(walk_phases(twice, given), rel=1e-5)
    assert usual.state().keys() == twice.state().keys()


def test_a_batch_without_a_number_is_left_out_and_named(material):
    spoilt, one = Spoilt(flow, {8}), fresh(flow, samples=32)
    one.recipe = spoilt
    steps = train(one, material)
    next(steps)
    before = {name: values.clone() for name, values in one.state().items()}
    step = next(steps)
    assert math.isnan(step.loss)
    name = material.lines[material.order(0, 8, 8)[2]].name
    assert step.said == f"Left out the batch at sample 8, whose loss is not a number: {name}."
    assert all(torch.equal(values, before[key]) for key, values in one.state().items())
    last = list(steps)[-1]
    assert last.samples_seen == 32
    assert math.isfinite(last.loss)


def test_three_in_a_row_end_the_run_in_words(material):
    one = fresh(flow)
    one.recipe = Spoilt(flow, {8, 16, 24})
    with pytest.raises(Diverged, match=r"not a number at sample 8 and at the 2 after it\. In that batch: ") as ended:
        list(train(one, material))
    assert "last checkpoint is kept" in ended.value.hint


class Spoilt:
    """A recipe whose batches at some positions hold one picture with a value that is no number."""

    def __init__(self, recipe, positions):
        self.recipe, self.positions = recipe, positions

    def __getattr__(self, name):
        return getattr(self.recipe, name)

    def batch(self, options, material, position):
        given = self.recipe.batch(options, material, position)
        if position in self.positions:
            given["x"][2, 0, 0, 0] = math.inf
        return given


def test_copies_of_training_pictures_are_told_from_new_ones(material):
    unseen = material.pictures[material.held_out[:8]]
    copies = material.pictures[material.train[:8]]
    new, copied = (measure(material, np.concatenate([some, some])) for some in (unseen, copies))
    assert copied.ratio < 0.1
    assert "from memory" in copied.said
    assert new.ratio > 0.5
    grey = np.full_like(unseen, 128)
    assert measure(material, np.concatenate([grey, grey])).ratio > 0.9
