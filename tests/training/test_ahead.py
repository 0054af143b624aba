"""What a run would see is told before it starts, and shown as the very tensors that its loop feeds."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from sfumato.errors import InvalidInput, NotFound
from sfumato.training import ahead, runs
from sfumato.training.recipes import flow
from tests.drawn import ONE_SIDED


@pytest.fixture(scope="module")
def seen(studio, tiny):
    """What a tiny run of flow would see."""
    return ahead.look_ahead(studio, recipe_name="flow", data="drawn", options=tiny | {"samples": 400})


def pixels(png):
    """A PNG in base64 as an array."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def on_white(x):
    """A tensor as it lies on white."""
    values = (x.numpy().transpose(1, 2, 0) + 1) * 127.5
    return (values[..., :3] + 255 - values[..., 3:]).round().clip(0, 255).astype(np.uint8)


def test_it_shows_exactly_what_the_loop_feeds(seen, material, tiny):
    options = flow.Options(**tiny | {"samples": 400})
    fed = [flow.batch(options, material, position) for position in range(0, ahead.SHOWN, options.batch)]
    assert len(seen.fed) == ahead.SHOWN
    for place, one in enumerate(seen.fed):
        given, row = fed[place // options.batch], place % options.batch
        assert (pixels(one.pictures["picture"]) == on_white(given["x"][row])).all()
        assert ("to lean on" in one.pictures) == bool(given["reference_on"][row])
        if "to lean on" in one.pictures:
            assert (pixels(one.pictures["to lean on"]) == on_white(given["reference"][row])).all()
        assert (one.caption != "") == bool(given["words_on"][row].any())
    assert any(one.mirrored for one in seen.fed)
    assert not any(one.mirrored for one in seen.fed if one.name == ONE_SIDED)


def test_it_counts_what_happens_to_pictures_and_captions(seen, material):
    told = {one.what: one for one in seen.facts}
    train = len(material.train)
    assert (seen.train, seen.steps, seen.epochs) == (train, 100, round(400 / train, 2))
    assert told["cropped"].count == 0
    assert told["made smaller"].count == len(material.lines)
    assert "made larger" not in told
    assert told["held out"].count == len(material.held_out)
    assert told["may be mirrored"].count == int(material.flip_ok[material.train].sum())
    assert told["may be mirrored"].count + told["never mirrored"].count == train
    assert told["captions in parts"].count == train
    assert told["captions hidden"].count == 40
    assert told["drawn alike"].count == train


def test_nothing_is_asked_for_or_kept(studio, seen):
    assert not [one for one in runs.list_runs(studio) if one.options.get("samples") == 400]


def test_the_memory_grows_with_the_batch_and_shrinks_with_accumulation(studio, seen, tiny):
    def results(**options):
        found = ahead.look_ahead(studio, recipe_name="flow", data="drawn", options=tiny | options)
        return found.memory["results"]

    assert results(batch=16) == pytest.approx(4 * seen.memory["results"], rel=0.2)
    assert results(batch=16, accumulate=4) == pytest.approx(seen.memory["results"], rel=0.2)
    weights = sum(one.numel() for one in flow.build(flow.Options(**tiny)).parameters())
    assert 4 * 4 * weights < seen.memory["weights, averages and optimisers"] < 6 * 4 * weights


def test_wide_and_tall_pictures_are_fitted_and_told_so():
    told = {one.what: one.count for one in ahead.fitting([(40, 20), (10, 30), (32, 32), (8, 8), (0, 0)], 16)}
    assert told == {
        "cropped": 0, "wide, fitted": 1, "tall, fitted": 1, "made smaller": 3, "made larger": 1, "of unknown size": 1
    }  # fmt: skip


def test_weights_say_how_many_pictures_they_leave():
    (one,) = ahead.weighted(np.array([1.0, 1.0, 0.0, 0.0]))
    assert "as if there were 2 " in one.why
    (alike,) = ahead.weighted(np.ones(4))
    assert (alike.what, alike.count) == ("drawn alike", 4)


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        ("edm", {"size": 16, "width": 64, "depth": 1, "batch": 4, "augment": 0.5}),
        ("r3gan", {"size": 16, "width": 16, "most": 32, "batch": 4}),
        ("enlarge", {"size": 32, "width": 8, "depth": 1, "batch": 4}),
    ],
)
def test_every_family_can_be_looked_ahead_of(studio, recipe, options):
    found = ahead.look_ahead(studio, recipe_name=recipe, data="drawn", options=options)
    assert found.fed[0].pictures.keys() >= {"picture"}
    assert found.memory["results"] > 0
    assert Image.open(io.BytesIO(found.sheet())).width > 64


def test_what_cannot_be_is_told(studio, tiny):
    with pytest.raises(NotFound, match="Did you mean 'drawn'"):
        ahead.look_ahead(studio, recipe_name="flow", data="drwan", options=tiny)
    with pytest.raises(InvalidInput, match="patch"):
        ahead.look_ahead(studio, recipe_name="flow", data="drawn", options=tiny | {"size": 18})
