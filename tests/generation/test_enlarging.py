"""A drawing is made larger with crisp edges and true transparency, and better than by resampling."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.actions import Workspace
from sfumato.checkpoints.header import read_header
from sfumato.checkpoints.models import ENLARGER
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.data.pictures import to_premultiplied
from sfumato.data.sources.sample import SHIPPED
from sfumato.db import new_id
from sfumato.errors import InvalidInput
from sfumato.generation.create import create
from sfumato.generation.drawing import to_straight
from sfumato.generation.enlarging import enlarge, load_enlarger, premultiplied
from sfumato.generation.metadata import Facts, infotext, manifest, own_chunk
from sfumato.models.resampling import area

# Concepts that were held out of what the enlarger learnt from, in all five styles.
UNSEEN = [
    f"{style}/{name}"
    for name in ("airplane", "green-apple", "headphone", "lady-beetle")
    for style in ("fluent-3d", "fluent-flat", "fxemoji", "noto", "noto-v1")
]


def icon(key: str, blur: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """An icon of the sample: planes (4, 128, 128) in [-1, 1] as it is, and as a drawing (32, 32, 4)."""
    with zipfile.ZipFile(SHIPPED) as bundle:
        found = next(name for name in bundle.namelist() if name.startswith(f"{key}."))
        large = to_premultiplied(Image.open(io.BytesIO(bundle.read(found))), 128)
    planes = large.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
    small = area(planes, 4)
    if blur:
        reach = np.arange(-3, 4)
        taps = np.exp(-0.5 * (reach / blur) ** 2)
        for axis in (1, 2):
            wide = np.pad(small, [(0, 0), *((3, 3) if axis == one else (0, 0) for one in (1, 2))], constant_values=-1)
            parts = [np.take(wide, np.arange(32) + k, axis) * taps[k] for k in range(7)]
            small = np.sum(parts, 0) / taps.sum()
    return planes, to_straight(small[None])[0]


def decibels(picture: np.ndarray, true: np.ndarray) -> float:
    """Peak signal to noise of a straight picture against premultiplied planes, in dB."""
    return float(-10 * np.log10(np.square((premultiplied(picture) - true) / 2).mean()))


@pytest.mark.parametrize("blur", [0.0, 0.5, 0.9])
def test_icons_it_has_never_seen_come_out_clearly_nearer_the_truth_than_by_lanczos(blur):
    gains = []
    for key in UNSEEN:
        true, drawn = icon(key, blur)
        ours, lanczos = enlarge(drawn, 4), enlarge(drawn, 4, by=None)
        assert (ours.by, lanczos.by) == (load_enlarger().name, "lanczos")
        gains.append(decibels(ours.picture, true) - decibels(lanczos.picture, true))
    assert np.mean(gains) > 1.5
    assert np.mean(np.array(gains) > 0) >= 0.9


@pytest.mark.parametrize("times", [1, 2, 4, 8])
def test_any_factor_gives_its_size_and_says_what_made_it(times):
    _, drawn = icon("noto/airplane")
    large = enlarge(drawn, times)
    assert large.picture.shape == (32 * times, 32 * times, 4)
    assert large.picture.dtype == np.uint8
    assert large.by == ("" if times == 1 else load_enlarger().name)


def test_a_picture_of_another_size_goes_by_lanczos():
    drawn = np.full((64, 64, 4), 255, np.uint8)
    large = enlarge(drawn, 4)
    assert (large.picture.shape, large.by) == ((256, 256, 4), "lanczos")
    assert (large.picture == 255).all()


@pytest.mark.parametrize("times", [2, 4, 8])
def test_nothing_stays_nothing_and_full_stays_full(times):
    nothing = enlarge(np.zeros((32, 32, 4), np.uint8), times).picture
    assert not nothing.any()
    full = enlarge(np.full((32, 32, 4), (30, 120, 220, 255), np.uint8), times).picture
    assert (full[..., 3] == 255).mean() > 0.99  # all but a pixel or two of a corner
    inside = full[4 * times : -4 * times, 4 * times : -4 * times]
    assert (inside[..., 3] == 255).all()
    assert np.abs(inside[..., :3].astype(int) - (30, 120, 220)).max() <= 8


@pytest.mark.parametrize("key", ["fluent-flat/green-apple", "noto/headphone"])
def test_alpha_is_as_sharp_as_in_the_original_and_colours_do_not_bleed_from_below_it(key):
    true, drawn = icon(key)
    large = enlarge(drawn, 4).picture
    assert not large[large[..., 3] == 0].any()
    alpha = large[..., 3] / 255
    soft, softer = ((one > 0.1) & (one < 0.9) for one in (alpha, enlarge(drawn, 4, by=None).picture[..., 3] / 255))
    assert soft.mean() < 0.75 * softer.mean()
    assert np.abs(alpha - (true[3] + 1) / 2).mean() < 0.02


@pytest.mark.parametrize("ground", [0.0, 1.0])
def test_edges_have_no_rim_on_black_or_on_white(ground):
    def laid(picture: np.ndarray) -> np.ndarray:
        alpha = picture[..., 3:] / 255
        return picture[..., :3] / 255 * alpha + ground * (1 - alpha)

    for key in ("fluent-flat/airplane", "noto/green-apple"):
        true, drawn = icon(key)
        wanted = laid(to_straight(true[None])[0])
        ours, lanczos = (np.square(laid(enlarge(drawn, 4, by=by).picture) - wanted).mean() for by in (ENLARGER, None))
        assert ours < 0.6 * lanczos


def test_the_same_drawing_is_always_enlarged_the_same_whatever_went_before():
    first = enlarge(icon("noto/airplane")[1], 4).picture
    enlarge(icon("fxemoji/lady-beetle")[1], 4)
    assert np.array_equal(enlarge(icon("noto/airplane")[1], 4).picture, first)


def test_it_says_what_it_was_trained_on_and_is_small():
    header = read_header(ENLARGER)
    assert header.recipe == "enlarge"
    assert header.data["name"].startswith("emoji-styles@")
    assert set(header.data["licences"]) <= {"MIT", "Apache-2.0"}
    assert ENLARGER.stat().st_size <= 1_500_000


def test_it_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from sfumato.generation.enlarging import enlarge\n"
        "print(enlarge(np.zeros((32, 32, 4), np.uint8), 4).by)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("enlarger ")


def facts(**also: str) -> Facts:
    """What is known of some picture."""
    return Facts(
        request_id="r", image_id="i", prompt="a red apple", seed=7, sampler="euler", steps=4, guidance=2.0,
        width=128, height=128, model="m", checkpoint_sha256="c" * 64, data_hash="d" * 64, background="white",
        made_at="2026-01-01T00:00:00", **also,
    )  # fmt: skip


def test_a_picture_tells_what_made_it_larger():
    by = load_enlarger().name
    assert "Upscaler: Sfumato enlarger x4" in infotext(facts(enlarged_by=by))
    assert by in own_chunk(facts(enlarged_by=by))
    claims = [one["data"] for one in manifest(facts(enlarged_by=by))["assertions"]]
    assert claims[-1]["enlarged_by"] == by
    assert "Upscaler: Lanczos" in infotext(facts(enlarged_by="lanczos"))
    assert "Upscaler" not in infotext(facts())
    assert "enlarged_by" not in str(manifest(facts()))


def test_an_enlarger_is_not_asked_to_draw(tmp_path):
    with Workspace.open(tmp_path / "studio") as workspace:
        sha256 = workspace.store.put(ENLARGER.read_bytes())
        row = Checkpoint(
            id=new_id(), made_by="person/me", content_hash=sha256, samples_seen=1, ema="short",
            header=read_header(ENLARGER).model_dump(),
        )  # fmt: skip
        with workspace.write() as session:
            session.add(row)
            session.add(Model(id=new_id(), made_by="person/me", name="larger", checkpoint_id=row.id))
        with pytest.raises(InvalidInput, match="makes pictures larger"):
            create(workspace, prompt="a red apple", options={"model": "larger"})
