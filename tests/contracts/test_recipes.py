"""Every recipe: learns a handful of pictures, and what a step sees depends on its position alone."""

import numpy as np
import pytest
import torch

from sfumato.training.loop import Learner, averaged, train
from sfumato.training.machine import Machine
from sfumato.training.runs import RECIPES
from tests.drawn import material_of, opened_studio

SMALL = {"size": 16, "patch": 4, "width": 64, "depth": 2, "batch": 16, "samples": 16 * 40, "warmup": 0.1,
         "checkpoint_every": 10**6, "preview_every": 10**6, "held_out": 4}  # fmt: skip


OTHERS = [name for name in RECIPES.names() if hasattr(RECIPES.get(name), "of_parent")]  # tests/training/test_fine_tune
OURS = [name for name in RECIPES.names() if name not in OTHERS]
PHASED = [name for name in OURS if hasattr(RECIPES.get(name), "phases")]  # they have no loss that falls


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """About sixteen pictures."""
    with opened_studio(tmp_path_factory.mktemp("recipes"), ("red",)) as workspace:
        return material_of(workspace, SMALL["size"])


@pytest.fixture(params=OURS)
def recipe(request):
    """The module of one recipe."""
    return RECIPES.get(request.param)


@pytest.fixture
def options(recipe):
    """Its options for a small network and a short run."""
    return recipe.Options(**{name: value for name, value in SMALL.items() if name in recipe.Options.model_fields})


@pytest.mark.whole
@pytest.mark.parametrize("recipe", [name for name in OURS if name not in PHASED], indirect=True)
def test_the_loss_falls(recipe, options, material):
    learner = Learner.fresh(recipe, options, Machine(threads=1))
    judged = [recipe.batch(options, material, position) for position in (10**6, 10**6 + 16, 10**6 + 32)]

    def loss():
        with torch.no_grad():
            return float(np.mean([float(recipe.losses(learner.net, given).mean()) for given in judged]))

    before = loss()
    for _ in train(learner, material):
        pass
    at_most = 0.6 if getattr(recipe, "WORDS", True) else 0.9  # what looks at pictures alone begins well already
    assert loss() < at_most * before


@pytest.mark.slow
@pytest.mark.parametrize("recipe", PHASED, indirect=True)
def test_what_networks_that_learn_from_each_other_draw_comes_nearer(recipe, options, material):
    learner = Learner.fresh(recipe, options, Machine(threads=1))

    def apart():
        return averaged(learner, lambda net: recipe.held_out(options, material, net))["colours, drawn"]

    before = apart()
    for _ in train(learner, material):
        pass
    assert apart() < 0.6 * before


def test_a_batch_depends_on_its_position_only(recipe, options, material):
    here = recipe.batch(options, material, 320)
    recipe.batch(options, material, 16)
    recipe.batch(options, material, 4000)
    torch.manual_seed(9)
    np.random.seed(9)
    again = recipe.batch(options, material, 320)
    assert here.keys() == again.keys()
    assert all(torch.equal(here[name], again[name]) for name in here)
    other = recipe.batch(options, material, 336)
    assert any(not torch.equal(here[name], other[name]) for name in here)
    reseeded = recipe.batch(options.model_copy(update={"seed": 1}), material, 320)
    assert any(not torch.equal(here[name], reseeded[name]) for name in here)


def test_every_picture_to_learn_from_comes_once_in_a_round(material):
    n = len(material.train)
    seen = np.concatenate([material.order(0, position, 1) for position in range(n)])
    assert sorted(seen) == sorted(material.train)
    assert np.array_equal(material.order(0, 5, n), np.concatenate([seen[5:], material.order(0, n, 5)]))


def test_nothing_held_out_is_ever_learnt_from_or_leant_on(recipe, options, material):
    pictures = {picture.tobytes() for picture in material.pictures[material.train]}
    pictures |= {np.ascontiguousarray(picture[:, ::-1]).tobytes() for picture in material.pictures[material.train]}
    for position in range(0, 480, 16):
        given = recipe.batch(options, material, position)
        for name in {"x", "reference"} & given.keys():  # a recipe that changes its pictures tests this for itself
            on = given.get(f"{name}_on", torch.ones(len(given["x"])))
            shown = ((given[name] + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
            assert all(one.tobytes() in pictures for one, there in zip(shown, on, strict=True) if there)


def test_it_measures_draws_and_says_what_it_makes(recipe, options, material):
    learner = Learner.fresh(recipe, options, Machine(threads=1))
    found = averaged(learner, lambda net: recipe.held_out(options, material, net))
    assert all(np.isfinite(loss) for loss in found.values())
    drawn = averaged(learner, lambda net: recipe.preview(options, material, net))
    assert drawn.dtype == np.uint8
    assert drawn.shape[1:] == (options.size, options.size, 4)
    assert {"architecture", "options"} <= recipe.describe(options).keys()
