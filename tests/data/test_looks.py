"""The map, search by a picture, and captions that are suggested, accepted, refused and taken back."""

import base64
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from sfumato.data.alike import find_alike
from sfumato.data.map import draw_map, lay_out, show_map
from sfumato.data.narrowing import Where
from sfumato.data.records import Item
from sfumato.data.suggest import accept_suggestions, refuse_suggestions, suggest_captions
from sfumato.data.suggesting import from_file, from_folder, from_neighbours
from sfumato.data.verdicts import undo
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker


@pytest.fixture
def mine(tmp_path, collect):
    """A dataset of eight red discs and eight blue bars without captions; returns its folder."""
    rng = random.Random(1)
    for kind in ("apples", "bars"):
        (tmp_path / "pictures" / kind).mkdir(parents=True)
        for number in range(8):
            drawn = Image.new("RGB", (80, 80), "white")
            x, y = rng.randint(6, 20), rng.randint(6, 20)
            draw = ImageDraw.Draw(drawn)
            if kind == "apples":
                draw.ellipse((x, y, x + 50, y + 50), fill=(200 + number, 10, 10))
            else:
                draw.rectangle((x, 5, x + 12, 75), fill=(10, 10, 180 + number))
            drawn.save(tmp_path / "pictures" / kind / f"IMG_{number:04}.png")
    collect(path=str(tmp_path / "pictures"))
    return tmp_path / "pictures"


def done(workspace, job):
    run_worker(workspace, only_job=job.id)
    return ended_well(get_job(workspace, job_id=job.id)).result


def items(workspace):
    with workspace.read() as session:
        return {one.key: one for one in session.scalars(select(Item).order_by(Item.id))}


def without_names(workspace):
    with workspace.write() as session:
        for item in session.scalars(select(Item)):
            item.name = ""


def test_a_map_puts_what_looks_alike_together_and_is_drawn_once(workspace, mine, monkeypatch):
    with pytest.raises(Conflict, match="no map yet"):
        show_map(workspace, name="mine")
    first = done(workspace, draw_map(workspace, name="mine"))
    assert first["n"] == 16
    shown = show_map(workspace, name="mine")
    assert (len(shown.ids), shown.missing, shown.way) == (16, 0, first["way"])
    assert 0 <= min(shown.x + shown.y) <= max(shown.x + shown.y) <= 1
    by_id = {item.id: item.key for item in items(workspace).values()}
    places = {"apples": [], "bars": []}
    for item_id, x, y in zip(shown.ids, shown.x, shown.y, strict=True):
        places[by_id[item_id].partition("/")[0]].append((x, y))
    middles = {kind: np.mean(some, axis=0) for kind, some in places.items()}
    apart = np.linalg.norm(middles["apples"] - middles["bars"])
    assert all(np.linalg.norm(np.array(one) - middles[kind]) < apart for kind, some in places.items() for one in some)
    monkeypatch.setattr("sfumato.data.map.lay_out", None)
    assert done(workspace, draw_map(workspace, name="mine"))["key"] == first["key"]


def test_a_picture_that_came_later_is_missing_on_the_map(workspace, mine, collect):
    done(workspace, draw_map(workspace, name="mine"))
    Image.new("RGB", (40, 40), "green").save(mine / "green.png")
    collect(path=str(mine))
    assert show_map(workspace, name="mine").missing == 1


def test_components_are_the_same_every_time_and_one_place_for_all_is_no_trouble():
    features = np.abs(np.random.default_rng(0).normal(size=(30, 1280))).astype(np.float32)
    assert np.array_equal(lay_out(features, "principal components"), lay_out(features, "principal components"))
    assert np.isfinite(lay_out(np.ones((5, 1280), np.float32), "principal components")).all()


def test_neighbours_stay_neighbours_by_t_sne():
    pytest.importorskip("openTSNE", reason="t-SNE comes with the extra [map]")
    rng = np.random.default_rng(0)
    kinds = rng.random((2, 1280)).repeat(20, axis=0) + rng.random((40, 1280)) * 0.1
    places = lay_out(kinds.astype(np.float32), "t-SNE")
    assert np.array_equal(places, lay_out(kinds.astype(np.float32), "t-SNE"))
    middles = places[:20].mean(0), places[20:].mean(0)
    assert np.linalg.norm(places[:20] - middles[0], axis=1).max() < np.linalg.norm(middles[0] - middles[1])


def test_pictures_are_found_by_one_of_them_or_by_a_file(workspace, mine):
    asked = items(workspace)["apples/IMG_0003.png"]
    found = find_alike(workspace, name="mine", id=asked.id[-12:], limit=7)
    by_id = {item.id: item.key for item in items(workspace).values()}
    assert asked.id not in {one.id for one in found}
    assert {by_id[one.id].partition("/")[0] for one in found} == {"apples"}
    assert [one.cosine for one in found] == sorted((one.cosine for one in found), reverse=True)
    sent = base64.b64encode((mine / "bars" / "IMG_0002.png").read_bytes()).decode()
    first = find_alike(workspace, name="mine", picture=sent, limit=1)[0]
    assert (by_id[first.id], first.cosine) == ("bars/IMG_0002.png", 1.0)


def test_what_cannot_be_searched_by_is_told(workspace, mine, monkeypatch):
    with pytest.raises(InvalidInput, match="which picture is meant"):
        find_alike(workspace, name="mine")
    with pytest.raises(InvalidInput, match="not in base64"):
        find_alike(workspace, name="mine", picture="ä")
    with pytest.raises(InvalidInput, match="not a picture"):
        find_alike(workspace, name="mine", picture=base64.b64encode(b"no picture").decode())
    monkeypatch.setattr("sfumato.data.alike.AT_ONCE", 3)
    with pytest.raises(Conflict, match="not been looked at yet"):
        find_alike(workspace, name="mine", id=items(workspace)["apples/IMG_0003.png"].id)


def test_suggestions_wait_until_they_are_accepted_and_can_be_taken_back(workspace, mine):
    without_names(workspace)
    said = done(workspace, suggest_captions(workspace, name="mine", by=["folder"]))
    assert (said["n"], said["by"]) == (16, {"folder": 16})
    one = items(workspace)["apples/IMG_0003.png"]
    assert (one.name, one.suggested["name"]["text"], one.suggested["name"]["source"]) == (
        "", "apples", "the folder's name",
    )  # fmt: skip
    decision = accept_suggestions(workspace, name="mine", where=Where(ids=[one.id]))
    assert (decision.verb, decision.n) == ("accept suggestions", 1)
    after = items(workspace)
    assert (after[one.key].name, after[one.key].suggested) == ("apples", {})
    assert sum(bool(item.name) for item in after.values()) == 1
    undo(workspace, id=decision.id)
    assert items(workspace)[one.key].name == ""
    assert items(workspace)[one.key].suggested["name"]["text"] == "apples"


def test_refused_suggestions_are_cleared_and_captions_stay(workspace, mine):
    without_names(workspace)
    done(workspace, suggest_captions(workspace, name="mine", by=["folder"]))
    refuse_suggestions(workspace, name="mine", where=Where(), by=["folder"])
    assert all((item.name, item.suggested) == ("", {}) for item in items(workspace).values())
    with pytest.raises(NotFound, match="No suggested caption waits"):
        accept_suggestions(workspace, name="mine", where=Where())


def test_neighbours_lend_their_captions_and_what_has_one_is_passed_over(workspace, mine):
    without_names(workspace)
    with workspace.write() as session:
        for item in session.scalars(select(Item).where(Item.key < "apples/IMG_0004.png")):
            item.name = "a ripe apple"
    said = done(workspace, suggest_captions(workspace, name="mine", by=["neighbours", "labels"]))
    assert said["of"] == 12
    one = items(workspace)["apples/IMG_0006.png"].suggested["name"]
    assert (one["text"], one["by"]) == ("a ripe apple", "neighbours")
    assert "look like it" in one["source"]
    assert items(workspace)["apples/IMG_0001.png"].suggested == {}


def test_words_come_from_the_file_before_its_name():
    evidence = {"keywords": {"value": ["sea", "gull"], "found": "IPTC"}, "title": {"value": "DSC0001", "found": "XMP"}}
    [told] = [one for one in from_file(evidence) if one.text == "sea, gull"]
    assert (told.by, told.source) == ("file", "keywords in its IPTC")
    assert [one.text for one in from_folder("train/red-apple_04.png")] == ["red apple"]
    assert from_folder("train/IMG_2041.png") == []
    assert list(from_neighbours(np.eye(3, 4, dtype=np.float32), ["a", "", ""], [1, 2])) == []
