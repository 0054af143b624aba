"""Checks that look: what was planted is found, what is plain is left alone, and nothing is looked at twice."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from sfumato.data.findings import list_findings, list_groups
from sfumato.data.records import Item
from sfumato.data.scan import check as ask
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker

ASTRONAUT = Path(__file__).with_name("astronaut.jpg")  # Eileen Collins; NASA, public domain


@pytest.fixture
def folder(tmp_path):
    """A folder of fourteen discs on paper, each its own colour and place."""
    made = tmp_path / "planted"
    made.mkdir()
    rng = random.Random(3)
    for number in range(14):
        drawn = Image.new("RGB", (96, 96), "white")
        left, top = rng.randint(8, 24), rng.randint(8, 24)
        shade = f"hsl({number * 25}, 80%, 45%)"
        ImageDraw.Draw(drawn).ellipse((left, top, left + 56, top + 56), fill=shade)
        drawn.save(made / f"disc-{number:02}.png")
    return made


@pytest.fixture
def findings(workspace, folder, collect):
    """A function that checks the folder and returns what one check found, by file, with what the job said."""

    def run(name, **options):
        collect(path=str(folder))
        job = ask(workspace, name="mine", only=[name], options={name: options})
        run_worker(workspace, only_job=job.id)
        result = ended_well(get_job(workspace, job_id=job.id)).result
        found = {one.item_name: one for one in list_findings(workspace, name="mine", check=name)}
        return found, result

    return run


def words(said, size=18, ground="white", fill="black"):
    drawn = Image.new("RGB", (224, 160), ground)
    ImageDraw.Draw(drawn).text((16, 64), said, font=ImageFont.load_default(size), fill=fill)
    return drawn


def test_a_photograph_among_discs_is_an_outlier(findings, folder):
    Image.open(ASTRONAUT).save(folder / "astronaut.png")
    found, said = findings("outliers")
    assert set(found) == {"astronaut.png"}
    assert "robust standard deviations" in found["astronaut.png"].reason
    assert said["rates"]["outliers"] > 0


def test_a_crop_and_a_mirror_image_look_alike_and_others_do_not(findings, folder, workspace):
    whole = Image.open(ASTRONAUT)
    whole.save(folder / "a.png")
    whole.crop((12, 12, 148, 148)).resize((120, 120)).save(folder / "b.jpg", quality=60)
    whole.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "c.jpg", quality=85)
    found, _ = findings("looks_alike")
    mine = {found[name].group for name in ("a.png", "b.jpg", "c.jpg")}
    [group] = [one for one in list_groups(workspace, name="mine", check="looks_alike") if one.group in mine]
    assert (group.n, group.score > 0.85) == (3, True)
    assert len(found) < 17, "discs of other colours and places are no copies"
    assert all(one.beside_id for one in found.values())


def test_text_is_found_and_a_disc_is_none(findings, folder):
    words("GRAND OPENING").save(folder / "sign.png")
    marked = Image.open(ASTRONAUT).resize((320, 320))
    ImageDraw.Draw(marked).text((190, 298), "© John Doe", font=ImageFont.load_default(16), fill="white")
    marked.save(folder / "marked.png")
    found, _ = findings("text_in_picture")
    assert set(found) == {"sign.png", "marked.png"}
    assert "as watermarks are" in found["marked.png"].reason
    assert "as watermarks are" not in found["sign.png"].reason


def test_a_face_is_found_and_consent_is_asked_for(findings, folder, workspace):
    Image.open(ASTRONAUT).save(folder / "astronaut.png")
    found, _ = findings("faces")
    assert set(found) == {"astronaut.png"}
    assert "1 face, " in found["astronaut.png"].reason
    assert "not on record" in found["astronaut.png"].reason
    with workspace.write() as session:
        item = session.query(Item).filter(Item.key == "astronaut.png").one()
        item.consent, item.edited = "given", ["consent"]  # as a decision does, so that collecting again leaves it
    found, said = findings("faces", without_consent=True)
    assert (found, said["gone"]) == ({}, {"faces": 1})


def test_discs_and_a_portrait_raise_no_alarm(findings, folder):
    Image.open(ASTRONAUT).save(folder / "astronaut.png")
    found, said = findings("nsfw")
    assert found == {}
    assert said["rates"]["nsfw"] > 0


def test_the_same_pictures_are_not_looked_at_again(findings, workspace, monkeypatch):
    findings("nsfw")

    def never(prepared):
        raise AssertionError("it looked again")

    monkeypatch.setattr("sfumato.features.detectors.safety.graph", never)
    _, said = findings("nsfw", above=0.4)
    assert said["n"] == 14


def test_what_cannot_be_decoded_ends_no_check(findings, workspace, folder):
    _, said = findings("outliers")
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "PNG")
    broken = workspace.store.put(out.getvalue()[:40])
    with workspace.write() as session:
        session.query(Item).filter(Item.key == "disc-03.png").one().sha256 = broken
        session.query(Item).filter(Item.key == "disc-04.png").one().sha256 = "0" * 64
    for name in ("looks_alike", "nsfw"):
        job = ask(workspace, name="mine", only=[name])
        run_worker(workspace, only_job=job.id)
        assert ended_well(get_job(workspace, job_id=job.id)).result["n"] == said["n"]
