"""A picture leaves marked and signed, whole or not at all, under a name that no other file had."""

import errno
import json
import os
import re
import resource
import shutil
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from sfumato.actions.records import Event
from sfumato.db import parents
from sfumato.errors import InvalidInput, NoSpace
from sfumato.generation import publish as publishing
from sfumato.generation.metadata import Facts, infotext
from sfumato.generation.publish import on_ground, place, place_again, publish
from sfumato.generation.records import Published
from sfumato.jobs import LeaseLost
from sfumato.trust.verify import verify

PICTURE = np.random.default_rng(0).integers(0, 255, (16, 16, 4), np.uint8)


def facts(**changes) -> Facts:
    known = {
        "request_id": "request-1", "image_id": "image-1", "prompt": "a red disc", "seed": 7, "sampler": "dpmpp_2m",
        "steps": 12, "guidance": 2.0, "width": 16, "height": 16, "model": "drawn, small: v2",
        "checkpoint_sha256": "ab" * 32, "data_hash": "cd" * 32, "background": "white",
        "made_at": "2026-11-24T10:00:00+00:00",
    }  # fmt: skip
    return Facts(**known | changes)


def test_it_carries_texts_that_other_tools_read(pictured, tmp_path):
    path = publish(pictured, PICTURE, facts(prompt='a "red" disc & <more>'), tmp_path, "disc").path
    with Image.open(path) as picture:
        text, shown = picture.text, np.asarray(picture)
    *prompt, last = text["parameters"].splitlines()
    assert prompt == ['a "red" disc & <more>']
    pairs = dict(re.findall(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)', last))  # as A1111 reads it
    assert pairs["Steps"] == "12"
    assert pairs["Sampler"] == "DPM++ 2M"
    assert (pairs["CFG scale"], pairs["Seed"], pairs["Size"]) == ("2.0", "7", "16x16")
    assert json.loads(pairs["Model"]) == "drawn, small: v2"
    assert pairs["Model hash"] == "ab" * 5
    own = json.loads(text["sfumato"])
    assert (own["request_id"], own["image_id"], own["checkpoint_sha256"]) == ("request-1", "image-1", "ab" * 32)
    assert "trainedAlgorithmicMedia" in text["XML:com.adobe.xmp"]
    assert "a \"red\" disc &amp; &lt;more&gt;" in text["XML:com.adobe.xmp"]
    assert shown.shape == (16, 16, 3)


def test_it_is_signed_last_and_names_request_model_and_seed(pictured, tmp_path):
    found = verify(pictured, publish(pictured, PICTURE, facts(), tmp_path, "disc").path)
    assert found.state == "signed here"
    assert (found.model, found.request, found.image, found.prompt) == (
        "drawn, small: v2", "request-1", "image-1", "a red disc",
    )  # fmt: skip
    assert (found.claims["seed"], found.claims["data_sha256"]) == ("7", "cd" * 32)
    assert found.when == "2026-11-24T10:00:00+00:00"


def test_a_private_prompt_is_in_none_of_it(pictured, tmp_path):
    data = publish(pictured, PICTURE, facts(prompt=""), tmp_path, "picture").path.read_bytes()
    assert b"disc" not in data
    assert infotext(facts(prompt="")).startswith("Steps: 12")
    assert b"AIPromptInformation" not in data


def test_a_prompt_beyond_ascii_survives(pictured, tmp_path):
    path = publish(pictured, PICTURE, facts(prompt="ein Äpfelchen, 苹果"), tmp_path, "disc").path
    with Image.open(path) as picture:
        assert picture.text["parameters"].startswith("ein Äpfelchen, 苹果\n")
    assert verify(pictured, path).prompt == "ein Äpfelchen, 苹果"


def test_it_leaves_a_row_a_link_and_an_event(pictured, tmp_path):
    out = publish(pictured, PICTURE, facts(), tmp_path, "disc")
    with pictured.read() as session:
        row = session.scalars(select(Published)).one()
        assert (row.id, row.file_name, row.sha256, row.background) == (out.id, "disc.png", out.sha256, "white")
        assert parents(session, row.ref) == [("published from", "image/image-1")]
        assert session.scalars(select(Event.summary).where(Event.action == "image.publish")).all() == [
            "signed and saved disc.png"
        ]
    assert pictured.store.get(out.sha256) == out.path.read_bytes()


def test_a_file_that_is_there_is_never_written_over(pictured, tmp_path):
    (tmp_path / "disc.png").write_text("mine")
    first = publish(pictured, PICTURE, facts(), tmp_path, "disc")
    second = publish(pictured, PICTURE, facts(image_id="image-2"), tmp_path, "disc")
    assert (tmp_path / "disc.png").read_text() == "mine"
    assert (first.path.name, second.path.name) == ("disc-2.png", "disc-3.png")
    assert sorted(os.listdir(tmp_path)) == ["disc-2.png", "disc-3.png", "disc.png", "studio"]


def test_a_name_that_is_taken_meanwhile_is_left_to_whoever_took_it(pictured, tmp_path, monkeypatch):
    write_row = publishing._write_row

    def taken_meanwhile(*args, **options):
        view = write_row(*args, **options)
        view.path.write_text("theirs")
        return view

    monkeypatch.setattr(publishing, "_write_row", taken_meanwhile)
    out = publish(pictured, PICTURE, facts(), tmp_path / "out", "disc")
    assert (tmp_path / "out/disc.png").read_text() == "theirs"
    assert out.path.name == "disc-2.png"
    with pictured.read() as session:
        assert session.scalars(select(Published.file_name)).all() == ["disc-2.png"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_a_folder_without_links_takes_pictures_too(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "disc.png").write_text("mine")
    draft = tmp_path / ".draft"
    draft.write_text("new")
    assert place(draft, "disc", first="disc.png").name == "disc-2.png"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"disc.png": "mine", "disc-2.png": "new"}


@contextmanager
def no_file_larger_than(size: int):
    """Writing beyond `size` fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_when_the_disk_is_full_nothing_is_left_behind(pictured, tmp_path):
    publish(pictured, PICTURE, facts(image_id="small"), tmp_path / "out", "disc")
    large = np.random.default_rng(0).integers(0, 255, (512, 512, 4), np.uint8)
    with no_file_larger_than(500_000), pytest.raises(NoSpace):
        publish(pictured, large, facts(), tmp_path / "out", "disc")
    assert os.listdir(tmp_path / "out") == ["disc.png"]
    with pictured.read() as session:
        assert session.scalars(select(Published.image_id)).all() == ["small"]


def test_when_only_the_folders_disk_is_full_nothing_is_left_behind_either(pictured, tmp_path, monkeypatch):
    large = np.random.default_rng(0).integers(0, 255, (512, 512, 4), np.uint8)
    put = pictured.store.put

    def put_and_fill(data):
        sha256 = put(data)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        return sha256

    publish(pictured, PICTURE, facts(image_id="small"), tmp_path / "warm", "disc")
    monkeypatch.setattr(pictured.store, "put", put_and_fill)
    with no_file_larger_than(50_000_000), pytest.raises(NoSpace):
        publish(pictured, large, facts(), tmp_path / "out", "disc")
    assert os.listdir(tmp_path / "out") == []


def test_an_attempt_that_lost_its_job_writes_no_row_and_no_file(pictured, tmp_path):
    def lost(_session):
        raise LeaseLost("Another attempt owns the job.")

    with pytest.raises(LeaseLost):
        publish(pictured, PICTURE, facts(), tmp_path / "out", "disc", lost)
    assert os.listdir(tmp_path / "out") == []
    with pictured.read() as session:
        assert session.scalars(select(Published)).all() == []


def test_a_picture_whose_row_came_before_its_name_is_laid_where_it_belongs(pictured, tmp_path):
    out = publish(pictured, PICTURE, facts(), tmp_path / "out", "disc")
    data = out.path.read_bytes()
    shutil.move(out.path, out.path.with_name(".draft-image-1"))
    assert place_again(pictured, out).path.read_bytes() == data
    assert os.listdir(tmp_path / "out") == ["disc.png"]
    place_again(pictured, out)
    assert os.listdir(tmp_path / "out") == ["disc.png"]


def test_grounds_are_white_transparent_or_a_colour():
    half = np.array([[[255, 0, 0, 128]]], np.uint8)
    assert on_ground(half, "transparent").tolist() == [[[255, 0, 0, 128]]]
    assert on_ground(half, "white").tolist() == [[[255, 127, 127]]]
    assert on_ground(half, "#0000FF").tolist() == [[[128, 0, 127]]]
    for wrong in ("blue", "#12345", "#1234567", "", "#ggg000"):
        with pytest.raises(InvalidInput, match="background"):
            on_ground(half, wrong)
