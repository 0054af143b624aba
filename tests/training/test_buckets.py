"""Pictures of any shape go into buckets: little is cropped, none is left out, each comes as often as the others."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sfumato.data.pictures import to_premultiplied
from sfumato.training.buckets import Batches, Fit, draw, fitted, shapes
from sfumato.training.provenance import fit_in_words

SHAPES = shapes(512, 64, 2.0)
BUCKETS = Fit("buckets", SHAPES, 0.25)
WHOLE = Fit("whole", ((512, 512),), 0.0)
CROP = Fit("crop", ((512, 512),), 1.0)
SIDES = st.integers(1, 3000)


def test_the_buckets_of_512_pixels_are_these():
    assert SHAPES == ((512, 512), (448, 576), (576, 448), (384, 640), (640, 384), (320, 640), (640, 320))
    assert shapes(128, 64, 2.0) == ((128, 128),)  # others would have half as many pixels


@given(st.integers(1, 32), st.sampled_from([8, 64]), st.floats(1, 4))
@settings(max_examples=60, deadline=None)
def test_buckets_are_near_the_square_and_of_its_grain(times, grain, aspect):
    size = times * grain
    found = shapes(size, grain, aspect)
    assert found[0] == (size, size)
    assert len(set(found)) == len(found)
    for height, width in found:
        assert height % grain == width % grain == 0
        assert 0.75 * size**2 <= height * width <= size**2
        assert max(height, width) <= aspect * min(height, width)
        assert (width, height) in found


@given(SIDES, SIDES, st.sampled_from([WHOLE, CROP, BUCKETS]))
@settings(max_examples=200, deadline=None)
def test_what_is_kept_lies_in_the_middle_and_nothing_loses_more_than_the_limit(width, height, fit):
    place = fit.place(width, height)
    left, top, right, bottom = place.box
    assert -1e-6 <= left < right <= width + 1e-6
    assert -1e-6 <= top < bottom <= height + 1e-6
    assert left == pytest.approx(width - right, abs=1e-6)
    assert top == pytest.approx(height - bottom, abs=1e-6)
    assert place.cropped <= fit.limit + 1e-6
    rows, columns = place.shape
    if place.padded:
        assert place.cropped == 0
        assert max(width * place.scale / columns, height * place.scale / rows) == pytest.approx(1)
    else:
        assert (right - left) * place.scale == pytest.approx(columns, rel=1e-6)
        assert (bottom - top) * place.scale == pytest.approx(rows, rel=1e-6)
        assert place.corner == (round(top * place.scale), round(left * place.scale))
    off = abs(math.log(columns / rows) - math.log(width / height))
    assert all(off <= abs(math.log(one[1] / one[0]) - math.log(width / height)) + 1e-9 for one in fit.shapes)


def test_a_picture_too_wide_for_every_bucket_lies_whole_on_ground():
    place = BUCKETS.place(3000, 1000)
    assert (place.shape, place.padded, place.cropped) == ((320, 640), True, 0)
    assert not BUCKETS.place(2400, 1000).padded
    seen = draw(Image.new("RGB", (300, 100), "red"), BUCKETS.place(300, 100))
    assert seen.shape == (320, 640, 4)
    assert (seen[0] == 0).all()
    assert (seen[160] == (255, 0, 0, 255)).all()


def test_both_ends_of_a_long_picture_are_cropped_alike():
    picture = Image.new("RGB", (400, 200), "white")
    picture.paste("red", (0, 0, 100, 200))
    picture.paste("blue", (300, 0, 400, 200))
    seen = draw(picture, Fit("crop", ((100, 100),), 1.0).place(400, 200))
    assert (seen[:, 4:96, :3] == 255).all()
    assert CROP.place(400, 200).cropped == 0.5
    assert CROP.place(400, 200).corner == (0, 256)


def test_a_square_and_a_picture_fitted_whole_are_what_they_ever_were():
    random = np.random.default_rng(0)
    for sides in ((32, 32), (48, 31)):
        picture = Image.fromarray(random.integers(0, 256, (*sides, 4), np.uint8))
        assert (
            draw(picture, Fit("whole", ((16, 16),), 0.0).place(*picture.size)) == to_premultiplied(picture, 16)
        ).all()
    seen = draw(Image.fromarray(random.integers(0, 256, (64, 48, 4), np.uint8)), BUCKETS.place(48, 64))
    assert (seen[..., :3] <= seen[..., 3:]).all()


def test_only_what_latents_depend_on_names_their_folder():
    keys = [one.key for one in (WHOLE, CROP, BUCKETS, Fit("buckets", SHAPES, 0.1), Fit("buckets", SHAPES[:3], 0.25))]
    assert keys[0] == ""  # where they have ever lain
    assert len(set(keys)) == 5
    assert BUCKETS.key == Fit("buckets", shapes(512, 64, 2.0), 0.25).key


COUNTS = {0: 7, 1: 1, 2: 12}  # pictures by bucket, beside two that are held out
OF = np.array([0] * 7 + [1] + [2] * 12 + [0, 3])


def batches(weights=None):
    """The order of twenty pictures in three buckets."""
    train = np.random.default_rng(1).permutation(20)
    return Batches(train, np.ones(20) if weights is None else weights[train], OF)


def test_a_batch_is_of_one_bucket_and_depends_on_its_position_alone():
    one, steps = batches(), range(60)
    first = [one.rows(7, step * 3, 3) for step in steps]
    again = {step: batches().rows(7, step * 3, 3) for step in (41, 3, 20)}
    assert all((first[step] == rows).all() for step, rows in again.items())
    assert all(len(set(OF[rows])) == 1 for rows in first)
    assert any((one.rows(8, step * 3, 3) != first[step]).any() for step in steps)


def test_every_picture_comes_as_often_as_the_others():
    one, n, size = batches(), 20, 3
    rows = [one.rows(0, step * size, size) for step in range(n)]
    assert (np.bincount(np.concatenate(rows), minlength=22)[:20] == size).all()
    assert (np.bincount(np.concatenate(rows), minlength=22)[20:] == 0).all()  # held out
    for bucket, count in COUNTS.items():
        own = [row for some in rows if OF[some[0]] == bucket for row in some]
        around = [own[place : place + count] for place in range(0, len(own), count)]
        assert all(len(set(some)) == count for some in around)  # none again before all others
        sofar = np.cumsum([OF[some[0]] == bucket for some in rows])
        assert (abs(sofar - np.arange(1, n + 1) * count / n) <= 1 + 1e-9).all()


def test_what_fills_no_batch_comes_the_next_time_around():
    one = batches()
    own = [row for step in range(40) for row in one.rows(0, step * 5, 5) if OF[row] == 0]
    assert len(own) == 2 * 7 * 5
    assert all(sorted(own[at : at + 7]) == list(range(7)) for at in range(0, len(own), 7))


def test_weights_hold_within_buckets_and_between_them():
    weights = np.ones(22)
    weights[[0, 7]] = 0  # the only picture of its bucket among them
    weights[8:20] = 2
    one = batches(weights)
    rows = [one.rows(0, step * 4, 4) for step in range(200)]
    seen = np.bincount(np.concatenate(rows), minlength=22)
    assert seen[0] == seen[7] == 0
    assert sum(OF[some[0]] == 2 for some in rows) == pytest.approx(200 * 24 / 30, abs=10)
    assert seen[8:20].min() > seen[1:7].mean()
    assert all(len(set(OF[some])) == 1 for some in rows)


def test_a_record_says_what_became_of_shapes():
    sides = [(640, 640), (900, 600), (3000, 1000), (600, 900)]
    said = fitted("buckets", [BUCKETS.place(*one) for one in sides], np.array([0, 1, 2]))
    assert said["buckets"] == {"640x320": 1, "512x512": 1, "640x384": 1}
    assert (said["cropped"], said["padded"]) == (1, 1)
    assert fit_in_words(said) == (
        "in buckets: 1 of 512 × 512, 1 of 640 × 320, 1 of 640 × 384; 1 are cropped and lose 10.0% on average; "
        "1 lie on ground"
    )
