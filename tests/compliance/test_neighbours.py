"""The nearest training picture is found for a drawing, and for a file of any size on any ground."""

import numpy as np
import pytest
from PIL import Image

from sfumato.checkpoints.models import find_model
from sfumato.compliance.neighbours import distance_to, find_nearest, hex_colour


@pytest.fixture
def card(gallery):
    return find_model(gallery.workspace, "tiny").card()


def straight(card, row: int, side: int = 16) -> Image.Image:
    """A training picture with straight alpha, as a drawing of it would be."""
    values = card.picture(row).astype(np.float32)
    values[..., :3] = np.where(values[..., 3:] > 0, values[..., :3] * 255 / values[..., 3:].clip(1), 0)
    picture = Image.fromarray((values + 0.5).clip(0, 255).astype(np.uint8), "RGBA")
    return picture.resize((side, side), Image.Resampling.NEAREST)


def a_row(card, split: str = "train") -> int:
    return next(row for row, item in enumerate(card.items) if item["split"] == split)


@pytest.mark.whole
def test_a_drawing_of_a_training_picture_is_a_copy_of_it(card, tmp_path):
    row = a_row(card)
    near = find_nearest(card, "tiny", straight(card, row), background="transparent", cache=tmp_path)
    assert (near[0].row, near[0].is_copied) == (row, True)
    assert near[0].distance == pytest.approx(0, abs=0.02)
    assert near[1].distance > near[0].distance
    assert distance_to(card, row, straight(card, row)) == near[0].distance
    assert distance_to(card, len(card.items), straight(card, row)) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ground", ["white", "#ffcc00", "#101010"])
def test_a_larger_file_is_compared_on_its_own_ground(card, tmp_path, ground):
    row = a_row(card)
    laid = Image.new("RGBA", (64, 64), ground)
    laid.alpha_composite(straight(card, row, 64))
    near = find_nearest(card, "tiny", laid, background=ground, cache=tmp_path)
    assert (near[0].row, near[0].is_copied) == (row, True)
    other = "white" if ground != "white" else "#101010"
    assert find_nearest(card, "tiny", laid, background=other, cache=tmp_path)[0].distance > 5 * near[0].distance
    (kept,) = tmp_path.glob(f"looks-*-{hex_colour(ground)}.npy")
    kept.write_bytes(b"half a fi")
    assert find_nearest(card, "tiny", laid, background=ground, cache=tmp_path) == near


def test_what_was_held_out_is_never_a_neighbour(card, tmp_path):
    row = a_row(card, "heldout_concept")
    near = find_nearest(card, "tiny", straight(card, row), background="transparent", cache=tmp_path)
    assert all(card.items[one.row]["split"] == "train" for one in near)


def test_a_ground_that_is_no_colour_is_taken_as_white():
    assert [hex_colour(said) for said in ("white", "transparent", "", "#FFcc00", "#xyz", "../x")] == [
        "ffffff", "ffffff", "ffffff", "ffcc00", "ffffff", "ffffff",
    ]  # fmt: skip
