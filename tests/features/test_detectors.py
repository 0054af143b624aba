"""The graphs that find things are the ones that were written, and say the same of the same."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sfumato.features.adopt import read_script
from sfumato.features.detectors import faces, safety, text
from sfumato.features.detectors.graphs import WEIGHTS, fitted
from sfumato.features.encoders import efficientnet_lite0
from sfumato.features.labels import labels


@pytest.mark.parametrize("name", ["centerface", "ppocr_v4_det", "nsfw_mobilenet_mid"])
def test_a_graph_has_the_hash_that_is_written_beside_it(name):
    told = json.loads((WEIGHTS / f"{name}.json").read_text())
    assert hashlib.sha256((WEIGHTS / told["file"]).read_bytes()).hexdigest() == told["sha256"]
    assert told["licence"] in ("MIT", "Apache-2.0")


def test_plain_paper_has_no_faces_and_no_text_and_is_safe():
    paper = Image.new("RGB", (120, 80), "ivory")
    assert faces.find(faces.prepare(paper)).shape == (0, 5)
    assert text.find(text.prepare(paper)).shape == (0, 6)
    told = safety.judge([safety.prepare(paper), safety.prepare(paper)])
    assert np.allclose(told.sum(1), 1, atol=1e-4)
    assert told[0, [1, 3]].sum() < 0.5


def test_sides_are_what_the_networks_take():
    for size in ((5, 3_000), (300, 200), (32, 32)):
        rows, columns, _ = fitted(Image.new("RGB", size), 640, 320).shape
        assert (rows % 32, columns % 32) == (0, 0)
        assert 256 <= max(rows, columns) <= 640


def test_islands_are_cells_that_touch():
    mask = np.zeros((6, 6), bool)
    mask[0, 0] = mask[1, 1] = mask[4, 4] = mask[4, 5] = True
    assert sorted(len(part) for part in text.islands(mask)) == [2, 2]


def test_a_script_is_read_as_the_json_that_it_means():
    said = 'var module={};e.exports={a:[-.5,{b_1:!0,"c":"x"}],d:!1};more()'
    assert read_script(said) == {"a": [-0.5, {"b_1": True, "c": "x"}], "d": False}
    assert read_script('module.exports=t();e.exports="QUJD"},x') == "QUJD"


def test_a_flat_disc_is_called_something_and_likelihoods_fall():
    disc = Image.new("RGB", (160, 160), "white")
    ImageDraw.Draw(disc).ellipse((30, 30, 130, 130), fill="orange")
    [told] = labels(efficientnet_lite0.encode(np.asarray(disc)[None]), most=5)
    assert len({name for name, _ in told}) == 5
    assert 0 < told[4][1] <= told[0][1] <= 1
