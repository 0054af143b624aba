"""The pictures of a version come as arrays with colours under their alpha, decoded once; captions from parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from sfumato.data.captions import compose, may_flip, variants
from sfumato.data.found import Found
from sfumato.data.freeze import freeze
from sfumato.data.pictures import as_png, open_picture, to_premultiplied
from sfumato.data.versions import open_version
from sfumato.errors import NotFound
from tests.data.made_pictures import encoded, picture

PIXELS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda side: arrays(np.uint8, (*side, 4), elements=st.integers(0, 255))
)
WORDS = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8)


def test_pictures_are_decoded_in_the_order_of_their_lines_and_then_kept(workspace, shapes, collect):
    collect(path=str(shapes))
    version = open_version(workspace, freeze(workspace, name="mine").label)
    pictures, lines = version.decode(24)
    assert (pictures.shape, pictures.dtype) == ((12, 24, 24, 4), np.uint8)
    for drawn, line in zip(pictures, lines, strict=True):
        colour, shape = line.name.split()
        assert np.array_equal(drawn, to_premultiplied(picture(colour, shape), 24))
    [kept] = (workspace.path / "cache").glob("pictures-*")
    before = kept.stat().st_mtime_ns
    assert np.array_equal(version.decode(24)[0], pictures)
    assert kept.stat().st_mtime_ns == before
    assert version.decode(8)[0].shape == (12, 8, 8, 4)


def test_a_picture_that_is_gone_is_told_and_nothing_half_decoded_is_kept(workspace, shapes, collect):
    collect(path=str(shapes))
    version = open_version(workspace, freeze(workspace, name="mine").label)
    workspace.store.path(version.items[3].sha256).unlink()
    with pytest.raises(NotFound):
        version.decode(8)
    assert list((workspace.path / "cache").iterdir()) == []


def test_a_clear_ground_stays_clear_and_colours_come_back(workspace):
    drawn = picture("red")
    values = to_premultiplied(drawn, 24).astype(float)
    assert values[0, 0].tolist() == [0, 0, 0, 0]
    assert values[12, 12].tolist() == [255, 0, 0, 255]
    half = Image.new("RGBA", (8, 8), (200, 100, 50, 128))
    assert to_premultiplied(half, 8)[0, 0].tolist() == [100, 50, 25, 128]


def test_a_picture_that_is_not_square_is_fitted_whole():
    fitted = to_premultiplied(Image.new("RGBA", (40, 20), "blue"), 10)
    assert fitted[:2].max() == fitted[-2:].max() == 0
    assert (fitted[3:7, :, 2:] == 255).all()


def test_shrinking_lets_no_hidden_colour_bleed_into_an_edge():
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[..., 1] = 255  # green, but clear
    pixels[:, :8] = (255, 0, 0, 255)
    assert to_premultiplied(Image.fromarray(pixels), 5)[..., 1].max() == 0


@given(PIXELS, st.integers(1, 16))
@settings(deadline=None, max_examples=60)
def test_no_colour_ever_exceeds_its_alpha(pixels, size):
    squared = to_premultiplied(Image.fromarray(pixels), size)
    assert squared.shape == (size, size, 4)
    assert (squared[..., :3] <= squared[..., 3:]).all()


@given(PIXELS)
@settings(deadline=None, max_examples=30)
def test_pixels_survive_the_way_into_a_file_and_back(pixels):
    drawn = Image.fromarray(pixels)
    assert np.array_equal(np.asarray(open_picture(as_png(drawn), 1_000)), pixels)
    assert as_png(drawn) == as_png(open_picture(as_png(drawn), 1_000))


@given(WORDS, st.lists(WORDS, max_size=5), st.sampled_from(["", "noto", "fluent-3d", "my-own"]))
def test_captions_are_put_together_from_their_parts(name, tags, style):
    found = Found("x", b"", name=name, tags=tags, style=style)
    whole = compose(found)
    assert whole.startswith(name)
    assert whole == (f"{name}, {style.replace('-', ' ')} style" if style else name)
    every = variants(found)
    assert len(every) == 4
    assert every[0] == whole
    assert every[2] == name
    assert all(name in caption for caption in every)
    assert "  " not in " ".join(every)


def test_a_caption_says_a_word_once_and_at_most_three_tags():
    found = Found("x", b"", name="red apple", tags=["red apple", "fruit", "red", "food", "health"], style="noto-v1")
    assert compose(found, ("name", "tags", "style")) == "red apple, fruit, red, food, noto v1 style"
    assert compose(Found("x", encoded(picture()))) == ""


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("red apple", True), ("two hearts", True), ("bright lamp", True), ("shandy", True), ("cleft rock", True),
        ("left arrow", False), ("thumbs up", False), ("waving hand", False), ("letter A", False), ("top 10", False),
        ("flag of Peru", False), ("Twelve o’clock", False), ("RIGHT", False), ("calendar", False),
    ],
)  # fmt: skip
def test_what_would_become_wrong_in_a_mirror_is_not_mirrored(text, may):
    assert may_flip("thing", text) is may
