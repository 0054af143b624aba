"""Somebody else's model learns from pictures of several shapes, in batches of one shape each."""

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from sfumato.actions import Workspace
from sfumato.checkpoints.models import find_model
from sfumato.cli.dry_run import shown, without_pictures
from sfumato.data.collect import collect
from sfumato.data.freeze import freeze
from sfumato.data.versions import open_version
from sfumato.jobs.worker import run_worker
from sfumato.training import runs, saving
from sfumato.training.adopting import adopt
from sfumato.training.ahead import look_ahead
from sfumato.training.feeding import options_of
from sfumato.training.loop import Learner, train
from sfumato.training.machine import Machine
from sfumato.training.records import Run
from sfumato.web.look import make_environment
from sfumato.web.runs import chart_of_buckets, origin_in_words
from tests.diffused import make

pytest.importorskip("diffusers", reason="diffusers is not installed: pip install 'sfumato[diffusers]'")

pytestmark = pytest.mark.whole  # loading somebody else's library alone takes ten seconds
SIDES = [(64, 64)] * 4 + [(80, 48)] * 7 + [(48, 80)] * 3 + [(120, 40), (70, 60)]
OPTIONS = {"fit": "buckets", "batch": 2, "accumulate": 2, "samples": 12, "previews": 4, "preview_steps": 1,
           "held_out": 3, "checkpoint_every": 6, "preview_every": 12, "rank": 2, "lr": 1e-2, "flip": False}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with a tiny SDXL and pictures of several shapes."""
    folder = tmp_path_factory.mktemp("shapes")
    lines = []
    for number, sides in enumerate(SIDES):
        picture = Image.new("RGB", sides, (40 + 9 * number, 120, 200 - 9 * number))
        ImageDraw.Draw(picture).ellipse((4, 4, 30 + number, 40), fill="white")
        (folder / "photographs").mkdir(exist_ok=True)
        picture.save(folder / "photographs" / f"{number}.png")
        lines.append({"file_name": f"{number}.png", "text": f"disc {number}", "licence": "MIT", "author": "Ann"})
    (folder / "photographs" / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with Workspace.open(folder / "studio") as workspace:
        job = collect(workspace, source="folder", into="photographs", options={"path": str(folder / "photographs")})
        run_worker(workspace, only_job=job.id)
        freeze(workspace, name="photographs")
        adopt(workspace, path=make("xl", folder / "made"), name="shapes-xl", licence="MIT", maker="Ann")
        yield workspace


def asked(place, **changes):
    """The recipe's module and whole options of a run."""
    made = runs.plan(place, recipe_name="lora", data="photographs", options=OPTIONS | changes, parent="shapes-xl")
    module = runs.recipe(made.recipe)
    return module, options_of(place, module, made.options, made.parent.sha256)


def material_of(place, module, options):
    """What such a run learns from."""
    steps = module.load_material(
        open_version(place, "photographs"), options, find_model(place, "shapes-xl").path, place.path / "cache"
    )
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            return finished.value


@pytest.fixture(scope="module")
def learnt(place):
    """Module, options and material of a run in buckets."""
    module, options = asked(place)
    return module, options, material_of(place, module, options)


@pytest.fixture(scope="module")
def seen(place):
    """What such a run would see."""
    return look_ahead(place, recipe_name="lora", data="photographs", options=OPTIONS, parent="shapes-xl")


def test_each_batch_has_one_shape_and_the_network_is_told_of_it(learnt):
    module, options, material = learnt
    shapes = set()
    for position in range(0, 80, 2):
        rows = material.order(options.seed, position, 2)
        (shape,) = {material.places[row].shape for row in rows}
        given = module.batch(options, material, position)
        assert given["z"].shape == given["target"].shape == (2, 4, shape[0] // 2, shape[1] // 2)
        assert given["ids"][:, 4:].tolist() == [list(shape)] * 2
        assert given["ids"][:, :2].tolist() == [list(material.places[row].side[::-1]) for row in rows]
        shapes.add(shape)
    assert shapes == {(32, 32), (24, 40), (40, 24)}


def test_what_is_cropped_and_where_is_told_as_diffusers_reads_it(learnt):
    _, _, material = learnt
    row = next(row for row, one in enumerate(material.places) if one.side == (70, 60))
    wide = next(row for row, one in enumerate(material.places) if one.side == (80, 48))
    told = replace(material, conditioned=True).told(np.array([row, wide]), material.captions[[row, wide], 0])
    left = round((70 * 32 / 60 - 32) / 2)  # of 37 pixels 32 are kept
    assert told["ids"].tolist() == [[60, 70, 0, left, 32, 32], [48, 80, 0, 0, 24, 40]]
    assert told["resolution"].tolist() == [[32, 32], [24, 40]]
    assert told["aspect_ratio"].flatten().tolist() == pytest.approx([1, 24 / 40])


def test_it_goes_on_as_if_it_had_never_stopped(place, learnt, tmp_path):
    module, options, material = learnt

    def fresh():
        one = Learner.fresh(module, options, Machine())
        saving.begin_from(one, find_model(place, "shapes-xl").path)
        return one

    options = options.model_copy(update={"previews": 2})
    whole, half = fresh(), fresh()
    steps = list(train(whole, material))
    assert all(np.isfinite(list(step.held_out.values())).all() for step in steps if step.held_out)
    for step in train(half, material):
        if step.samples_seen == 6:
            break
    saving.save_state(tmp_path, half)
    tensors, facts = saving.newest_state(tmp_path)
    again = Learner.fresh(module, options, Machine())
    again.restore(tensors, int(facts["samples_seen"]))
    saving.begin_from(again, find_model(place, "shapes-xl").path)
    for _ in train(again, material_of(place, module, options)):
        pass
    assert all(torch.equal(again.state()[name], one) for name, one in whole.state().items())


def test_previews_of_all_shapes_make_one_sheet(place, learnt):
    module, options, material = learnt
    learner = Learner.fresh(module, options, Machine())
    saving.begin_from(learner, find_model(place, "shapes-xl").path)
    drawn = module.preview(options, material, learner.net)
    assert drawn.shape == (4, 32, 32, 4)
    for picture, row in zip(drawn, material.preview_rows(4), strict=True):
        height, width = material.places[row].shape
        opaque = picture[..., 3] == 255
        assert opaque.any(0).sum() == round(32 * width / max(height, width))
        assert opaque.any(1).sum() == round(32 * height / max(height, width))


def test_other_settings_have_latents_of_their_own_and_whole_is_the_default(place, learnt):
    from sfumato.training import encoded

    module, options = asked(place, fit="whole")
    assert module.Options.model_validate({}).fit == "whole"
    whole = material_of(place, module, options)
    assert {one.shape[-2:] for one in whole.latents} == {(16, 16)}
    assert (whole.order(0, 0, 12) == super(encoded.Encoded, whole).order(0, 0, 12)).all()
    again = material_of(place, *asked(place))
    assert all(np.array_equal(*pair) for pair in zip(learnt[2].latents, again.latents, strict=True))
    names = {one.name.rsplit("-32", 1)[1] for one in (place.path / "cache" / "latents").iterdir()}
    assert "" in names
    assert len(names) == 2


def test_the_dry_run_says_what_the_run_will_do(place, seen, learnt):
    _, options, material = learnt
    told = {one.what: one for one in seen.facts}
    assert {(one.width, one.height): one.pictures + one.held_out for one in seen.buckets} == {
        (40, 24): 8, (32, 32): 5, (24, 40): 3
    }  # fmt: skip
    assert sum(one.share for one in seen.buckets) == pytest.approx(1, abs=1e-3)
    assert told["cropped"].count == 1
    assert "14.3%" in told["cropped"].why
    assert "more than 25% would be lost: disc 14" in told["fitted whole"].why
    assert "made larger" not in told
    rows = np.concatenate([material.order(options.seed, at, 2) for at in range(0, 12, 2)])
    assert [one.name for one in seen.fed] == [material.lines[row].name for row in rows]
    for one, row in zip(seen.fed, rows, strict=True):
        png = Image.open(io.BytesIO(base64.b64decode(one.pictures["picture"])))
        assert png.size == material.places[row].shape[::-1]
    (cut,) = seen.cuts
    assert (cut.name, cut.width, cut.height, cut.lost) == ("disc 15", 70, 60, pytest.approx(1 / 7, abs=1e-3))
    assert Image.open(io.BytesIO(seen.sheet())).width > 32


def test_the_command_and_the_page_tell_it(seen):
    from rich.console import Console

    told = without_pictures(seen)
    assert json.loads(json.dumps(told))["buckets"][0]["width"] == 40
    assert "picture" not in told["cuts"][0]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(shown({"recipe": "lora"}, told))
    assert "40 × 24" in console.export_text()
    page = make_environment().get_template("train/ahead.html").render(
        ahead=seen, buckets=chart_of_buckets(seen), notable=(), first_fed=8, in_words=str
    )  # fmt: skip
    assert "in 3 shapes of about 32 × 32 pixels" in page
    assert 'aria-label="disc 15, 14.3 % of it cropped away"' in page
    assert "70 × 60 becomes 32 × 32" in page


@pytest.mark.slow
def test_a_run_keeps_how_its_pictures_were_fitted(place):
    job = runs.train(
        place, recipe_name="lora", data="photographs", name="in-buckets", parent="shapes-xl",
        options=OPTIONS | {"samples": 4, "checkpoint_every": 4, "preview_every": 4},
    )  # fmt: skip
    from sfumato.jobs.run import run_attempt
    from sfumato.jobs.worker import claim

    mine = claim(place, "test", (), job.id, 30.0)
    run_attempt(place, mine.id, mine.attempt)
    one = runs.show_run(place, name="in-buckets")
    assert one.status == "done"
    known = one.details["provenance"]
    assert known["fitted"]["fit"] == "buckets"
    assert sum(known["fitted"]["buckets"].values()) == sum(
        line.split == "train" for line in open_version(place, "photographs").items
    )
    assert dict(origin_in_words(known))["Pictures"].startswith("in buckets: ")
    with place.read() as session:
        assert "in buckets" in session.get(Run, one.id).describe().facts["pictures"]
