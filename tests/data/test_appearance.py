"""One pass over the pixels measures what people see, and no file stops it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sfumato.data.appearance import UNREADABLE, measure
from tests.data.made_pictures import encoded, picture
from tests.data.seen_pictures import COPIES, FAULTS, jpeg, scene

MOST = 10**8


def bits(one, other):
    return bin((one ^ other) & (2**64 - 1)).count("1")


def test_light_dark_and_colour_are_measured_from_nought_to_one():
    white, black = (measure(jpeg(Image.new("RGB", (300, 300), name)), MOST) for name in ("white", "black"))
    assert (white["brightness"], black["brightness"]) == (1.0, 0.0)
    assert white["is_flat"]
    assert (white["information"], white["colourfulness"], white["contrast"]) == (0.0, 0.0, 0.0)
    red = measure(jpeg(Image.new("RGB", (64, 64), (250, 10, 10))), MOST)
    green = measure(jpeg(Image.new("RGB", (64, 64), (10, 250, 10))), MOST)
    assert min(red["hue"], 1 - red["hue"]) < 0.02
    assert green["hue"] == pytest.approx(1 / 3, abs=0.02)
    assert red["colourfulness"] > 0.3


def test_sharpness_does_not_depend_on_resolution_and_falls_with_blur():
    one = scene(3).resize((512, 512), Image.Resampling.NEAREST)
    large = one.resize((2048, 2048), Image.Resampling.LANCZOS)
    files = jpeg(one), jpeg(large), FAULTS["blur"](scene(3))
    sharp, same, blurred = (measure(data, MOST)["sharpness"] for data in files)
    assert same == pytest.approx(sharp, abs=0.12)
    assert blurred < 0.45 < min(sharp, same)
    assert measure(jpeg(Image.new("RGB", (200, 200), "teal")), MOST)["sharpness"] == 0.0


def test_a_flat_drawing_on_a_grid_shows_no_blocks_and_a_strong_jpeg_of_it_does():
    drawn = Image.new("RGB", (256, 256), "lemonchiffon")
    draw = ImageDraw.Draw(drawn)
    draw.rectangle((64, 64, 191, 191), fill="crimson", outline="black", width=8)  # its edges lie where blocks meet
    draw.rectangle((96, 96, 127, 159), fill="white")
    assert measure(encoded(drawn), MOST)["blocking"] == 0
    rough = np.asarray(drawn, np.float32) + np.random.default_rng(0).normal(0, 20, (256, 256, 3))
    noisy = Image.fromarray(rough.clip(0, 255).astype(np.uint8))
    fine, coarse = (measure(jpeg(noisy, quality), MOST)["blocking"] for quality in (95, 6))
    assert fine < 0.03
    assert coarse > 0.2


def test_colours_alone_make_other_pixels():
    one, other = (Image.new("YCbCr", (256, 256), (120, 100, 150)) for _ in range(2))
    other.paste((120, 150, 100), (65, 129, 81, 145))  # a block of a JPEG's colours, no other grey
    hashes = {measure(jpeg(which, subsampling=0), MOST)["pixels_sha256"] for which in (one, other)}
    assert len(hashes) == 2


def test_the_same_pixels_have_the_same_hash_whatever_lies_beside_them():
    one = scene(4)
    plain, noted = jpeg(one), jpeg(one, comment=b"a note")
    assert plain != noted
    assert measure(plain, MOST) == measure(noted, MOST)
    small, large = io.BytesIO(), io.BytesIO()
    one.save(small, "PNG", compress_level=9)
    one.save(large, "PNG", compress_level=0)
    assert measure(small.getvalue(), MOST)["pixels_sha256"] == measure(large.getvalue(), MOST)["pixels_sha256"]
    assert measure(jpeg(scene(5)), MOST)["pixels_sha256"] != measure(plain, MOST)["pixels_sha256"]


def test_hashes_of_copies_are_near_and_those_of_other_pictures_far():
    one = measure(jpeg(scene(6)), MOST)
    for kind in ("encoded", "resized", "lighter", "cropped", "marked"):
        copy = measure(COPIES[kind](scene(6)), MOST)
        assert bits(one["dhash"], copy["dhash"]) <= 10, kind
    mirrored, turned = (measure(COPIES[kind](scene(6)), MOST) for kind in ("mirrored", "turned"))
    assert bits(one["more_hashes"][0], mirrored["dhash"]) <= 4
    assert min(bits(more, turned["dhash"]) for more in one["more_hashes"][6:]) <= 4
    assert bits(one["dhash"], measure(jpeg(scene(7)), MOST)["dhash"]) > 10


def test_what_is_transparent_is_judged_on_a_neutral_ground():
    seen = measure(encoded(picture("black", side=64)), MOST)
    assert 0.1 < seen["brightness"] < 0.5
    assert not seen["is_flat"]


@pytest.mark.parametrize("data", [b"", b"nothing", jpeg(scene(1))[:2500], encoded(picture())[:60]])
def test_what_cannot_be_decoded_to_the_end_has_no_pixels(data):
    assert measure(data, MOST) == UNREADABLE


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (3, 3), (13, 11)])
def test_pictures_of_any_size_are_measured(size):
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    for data in (jpeg(Image.fromarray(values)), encoded(Image.fromarray(values))):
        seen = measure(data, MOST)
        assert all(np.isfinite(value) for value in seen.values() if isinstance(value, float))
        assert seen.keys() == UNREADABLE.keys()


def test_greys_of_sixteen_bits_cmyk_and_turned_photographs_are_read():
    deep = Image.fromarray((np.arange(4096).reshape(64, 64) * 16).astype(np.uint16))
    assert measure(encoded(deep), MOST)["pixels_sha256"]
    out = io.BytesIO()
    scene(1).convert("CMYK").save(out, "JPEG")
    printed, shown = (measure(data, MOST)["brightness"] for data in (out.getvalue(), jpeg(scene(1))))
    assert printed == pytest.approx(shown, abs=0.05)
    notes = Image.Exif()
    notes[0x0112] = 6  # turned by a quarter, to be turned back
    turned = measure(jpeg(scene(1).transpose(Image.Transpose.ROTATE_90), exif=notes), MOST)
    assert bits(turned["dhash"], measure(jpeg(scene(1)), MOST)["dhash"]) <= 2
