"""A style pack: icons go in, and a model that draws what the set still lacks comes out."""

import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from sfumato.checkpoints.models import find_model
from sfumato.compliance.trace import trace
from sfumato.data.versions import open_version
from sfumato.db import parents
from sfumato.errors import Conflict, InvalidInput
from sfumato.generation.sheet import GAP, draw_sheet, lacking
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.run import run_attempt
from sfumato.jobs.worker import claim
from sfumato.review.queue import queue
from sfumato.training import runs
from sfumato.training.style import check_style, make_style, name_of
from sfumato.trust.verify import verify
from tests.drawn import COLOURS, SHAPES, draw

SHORT = {"samples": 8, "batch": 4, "held_out": 4, "checkpoint_every": 8, "preview_every": 8}
MORE = {"black": "#111", "pink": "#f8a", "white": "#eee"}
NAMES = {f"{colour} {shape}" for colour in COLOURS | MORE for shape in SHAPES} - {"red disc", "blue drop"}


@pytest.fixture(scope="module")
def wait(studio):
    """Wait for a job by doing it in this very process."""

    def done(job):
        taken = claim(studio, "test", (), job.id, 30.0)
        if taken is not None:
            run_attempt(studio, taken.id, taken.attempt)
        return ended_well(get_job(studio, job_id=job.id))

    return done


@pytest.fixture(scope="module")
def base(studio, tiny, wait):
    """A model that knows four styles."""
    wait(runs.train(studio, recipe_name="flow", data="drawn", name="styles", options=tiny | {"samples": 8}))
    return find_model(studio, "styles")


@pytest.fixture(scope="module")
def icons(tmp_path_factory):
    """Nineteen icons of one's own, dark discs, squares and drops, called after what they show."""
    folder = tmp_path_factory.mktemp("icons")
    for colour, ink in (COLOURS | MORE).items():
        for shape in SHAPES:
            if f"{colour} {shape}" in NAMES:
                picture = ImageOps.flip(draw(shape, ink, "shaded")).resize((64, 64))
                picture.save(folder / f"{colour}-{shape}@2x.png")
    (folder / "extra star.png").write_bytes(next(folder.glob("*.png")).read_bytes() + b"\0")
    return folder


@pytest.fixture(scope="module")
def pack(studio, base, icons, wait):
    """The style that was learnt from them."""
    return make_style(
        studio, source=icons, name="ours", wait=wait, licence="MIT", author="Us", base="styles", options=SHORT
    )


def test_icons_are_looked_at_before_anything_is_learnt(studio, base, icons, pack):
    checked = check_style(studio, source=icons, base="styles")
    assert checked == pack.checked
    assert (checked.n, checked.small, checked.opaque) == (20, 0, 0)
    assert checked.nearest in ("plain", "shaded")
    names = {item["name"] for item in base.card().items
             if item["style"] == checked.nearest and item["split"] == "train"}  # fmt: skip
    assert checked.known == len(NAMES & names)
    assert bool(checked.warnings) == (checked.known < 10)


def test_what_is_learnt_are_the_icons_and_a_little_of_what_the_base_knew(studio, pack):
    lines = open_version(studio, pack.data).items
    own = [line for line in lines if line.style == "ours"]
    assert {line.name for line in own} == NAMES | {"extra star"}
    assert {(line.licence, line.author, line.weight) for line in own} == {("MIT", "Us", 1.0)}
    beside = [line for line in lines if line.style != "ours"]
    assert {line.style for line in beside} == {pack.checked.nearest}
    share = sum(line.weight for line in beside) / sum(line.weight for line in lines)
    assert share == pytest.approx(0.15, abs=0.01)


def test_its_model_knows_the_style_and_whose_child_it_is(studio, base, pack):
    model = find_model(studio, "ours")
    assert model.header.parent == base.sha256
    assert "ours" in model.card().summary["styles"]
    with studio.read() as session:
        run = runs.show_run(studio, name="ours")
        assert dict(parents(session, f"run/{run.id}"))["goes on from"] == base.ref


def test_a_sheet_draws_what_the_style_lacks_for_everybody_to_judge(studio, pack, wait, tmp_path):
    model = find_model(studio, "ours")
    missing = lacking(model.card(), "ours")
    assert missing
    assert not {name.lower() for name in missing} & NAMES
    before = len(queue(studio))
    sheet = draw_sheet(studio, model="ours", wait=wait, n=2, out=tmp_path, upscale=1)
    assert list(sheet.pictures) == missing[:2]
    assert (sheet.model, sheet.style) == ("ours", "ours")
    whole = np.asarray(Image.open(sheet.path))
    size = model.header.options["size"]
    for place, path in enumerate(sheet.pictures.values()):
        left = GAP + place * (size + GAP)
        shown = np.asarray(Image.open(path).convert("RGB"))
        assert np.array_equal(whole[GAP : GAP + size, left : left + size, :3], shown)
        assert verify(studio, path).state == "signed here"
    assert verify(studio, sheet.path).state == "signed here"
    assert len(queue(studio)) == before + 2


def test_named_things_are_drawn_and_an_unknown_style_is_refused(studio, pack, wait, tmp_path):
    sheet = draw_sheet(studio, model="ours", wait=wait, names=["red disc", "red disc"], out=tmp_path, upscale=1)
    assert list(sheet.pictures) == ["red disc"]
    assert base_sources(trace(studio, what=next(iter(sheet.pictures.values()))))
    with pytest.raises(InvalidInput, match="has no style 'theirs'"):
        draw_sheet(studio, model="ours", wait=wait, style="theirs", out=tmp_path)


def base_sources(found):
    """Whether a trace tells of the icons."""
    return "style ours" in json.dumps(vars(found), default=str)


def test_too_few_icons_names_that_say_nothing_and_taken_names_are_refused(studio, base, icons, tmp_path, wait):
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(icons.glob("*.png"))[:5]:
        (few / path.name).write_bytes(path.read_bytes())
    (few / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(InvalidInput, match=r"5 icons \(1 more cannot be used: not a picture\)"):
        check_style(studio, source=few, base="styles")
    numbered = tmp_path / "numbered"
    numbered.mkdir()
    for place, path in enumerate(sorted(icons.glob("*.png"))):
        (numbered / f"{place:03d}.png").write_bytes(path.read_bytes())
    with pytest.raises(InvalidInput, match="20 icons have no name"):
        check_style(studio, source=numbered, base="styles")
    with pytest.raises(Conflict, match="a style 'plain' already"):
        make_style(studio, source=icons, name="plain", wait=wait, base="styles")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("red-apple_128@2x.png", "red apple"), ("sub/RedApple.svg", "red apple"), ("rocket 32x32.png", "rocket"),
        ("007.png", ""), ("café.png", "café"),
    ],
)  # fmt: skip
def test_a_file_is_called_after_what_it_shows(file, name):
    assert name_of(file) == name
