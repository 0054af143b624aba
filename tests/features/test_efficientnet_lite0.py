"""EfficientNet-lite0 sees what it should: the features that its weights give, and the same thing in another style."""

import hashlib
import json

import numpy as np
import pytest

from sfumato.features.encoders import efficientnet_lite0
from sfumato.features.encoders.efficientnet_lite0 import GRAPH, encode, on_white
from tests.sample import pictures

# Cosines between noto and fluent flat by the package's own network in torch, from which the graph was written.
LIKENESS = {"airplane": 0.732, "balloon": 0.859, "bear": 0.844, "birthday cake": 0.491, "dog": 0.502}


@pytest.fixture(scope="module")
def noto():
    return pictures("noto")


@pytest.fixture(scope="module")
def flat():
    return pictures("fluent-flat")


def unit(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def stacked(found, names):
    return np.stack([found[name] for name in names])


def test_the_weights_are_those_that_their_manifest_names():
    told = json.loads(GRAPH.with_suffix(".json").read_text())
    assert hashlib.sha256(GRAPH.read_bytes()).hexdigest() == told["sha256"]
    assert told["licence"] == "Apache-2.0"
    assert GRAPH.stat().st_size < 9.5e6


def test_a_thing_is_nearest_to_itself_in_another_style(noto, flat):
    """With Swish in place of ReLU6 this falls to about a fifth; by chance it is one in seventy."""
    names = sorted(set(noto) & set(flat))
    likeness = unit(encode(stacked(noto, names))) @ unit(encode(stacked(flat, names))).T
    found = (likeness.argmax(1) == np.arange(len(names))).mean()
    assert len(names) > 60
    assert found > 0.6


def test_known_pictures_have_the_likeness_that_was_measured_once(noto, flat):
    names = list(LIKENESS)
    one, other = unit(encode(stacked(noto, names))), unit(encode(stacked(flat, names)))
    assert dict(zip(names, (one * other).sum(1), strict=True)) == pytest.approx(LIKENESS, abs=0.005)


def test_a_picture_has_the_same_features_alone_and_among_others(noto):
    some = stacked(noto, sorted(noto)[:19])
    together = encode(some)
    assert together.shape == (19, efficientnet_lite0.DIM)
    assert np.abs(together[18:] - encode(some[18:])).max() < 1e-5
    assert np.abs(together[:1] - encode(some[:1])).max() < 1e-5


def test_a_transparent_ground_counts_as_white(noto):
    some = stacked(noto, sorted(noto)[:2])
    assert np.array_equal(encode(some), encode(on_white(some)))
    assert encode(some[:0]).shape == (0, efficientnet_lite0.DIM)
