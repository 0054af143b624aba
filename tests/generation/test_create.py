"""A sentence becomes signed pictures; bad input is told before anything is drawn; a crash doubles nothing."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy import select

import sfumato
from sfumato.actions import Actor
from sfumato.actions.records import Event
from sfumato.db import parents
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound, Unsupported
from sfumato.generation import jobs as drawing_jobs
from sfumato.generation.create import create
from sfumato.generation.records import Image, Published, Request
from sfumato.jobs.nearby import give_back, work_nearby
from sfumato.jobs.queue import get_job, list_jobs
from sfumato.jobs.run import run_attempt
from sfumato.jobs.worker import claim, run_worker
from sfumato.trust.verify import verify

QUICK = {"n": 2, "seed": 7, "steps": 1, "guidance": 1.0}
SENTENCE = "a red disc, outline style"


def pixels(path) -> np.ndarray:
    with Picture.open(path) as picture:
        return np.asarray(picture).astype(int)


def test_a_sentence_becomes_signed_pictures(pictured, tmp_path):
    made = sfumato.create(pictured, SENTENCE, out=tmp_path / "out", **QUICK)
    assert [one.seed for one in made.pictures] == [7, 8]
    assert [one.path.name for one in made.pictures] == [
        "a-red-disc-outline-style-7.png", "a-red-disc-outline-style-8.png",
    ]  # fmt: skip
    assert "It has seen red (11 pictures)" in made.said
    for one in made.pictures:
        found = verify(pictured, one.path)
        assert (found.state, found.image, found.request) == ("signed here", one.id, made.request_id)
        assert pixels(one.path).shape == (128, 128, 3)
    assert np.abs(pixels(made.pictures[0].path) - pixels(made.pictures[1].path)).max() > 20


def test_what_was_asked_and_drawn_is_on_record(pictured, tmp_path):
    drawn_as = QUICK | {"background": "transparent", "upscale": 1}
    made = sfumato.create(pictured, f"  {SENTENCE}\n", out=tmp_path / "out", **drawn_as)
    with pictured.read() as session:
        request = session.scalars(select(Request)).one()
        images = session.scalars(select(Image).order_by(Image.place)).all()
        published = session.scalars(select(Published)).all()
        assert (request.prompt, request.n, request.seed, request.background) == (SENTENCE, 2, 7, "transparent")
        assert request.understood["nearest_name"] == "red disc"
        assert parents(session, request.ref) == [("drawn by", f"checkpoint/{request.checkpoint_sha256}")]
        assert [(one.place, one.seed, one.width) for one in images] == [(0, 7, 32), (1, 8, 32)]
        assert [parents(session, one.ref) for one in images] == [[("asked by", request.ref)]] * 2
        assert {one.reference["name"] for one in images} == {"red disc"}
        assert {one.image_id for one in published} == {one.id for one in images}
        events = session.scalars(select(Event.action).order_by(Event.position)).all()
    assert events == ["image.create", "image.publish", "image.publish"]
    assert pixels(made.pictures[0].path).shape == (32, 32, 4)


def test_the_same_seed_gives_the_same_picture_in_another_batch(pictured, tmp_path):
    two = sfumato.create(pictured, SENTENCE, out=tmp_path / "two", **QUICK)
    one = sfumato.create(pictured, SENTENCE, out=tmp_path / "one", **QUICK | {"n": 1, "seed": 8})
    assert np.abs(pixels(two.pictures[1].path) - pixels(one.pictures[0].path)).max() <= 1


def test_without_a_seed_each_request_gets_its_own_and_says_it(pictured, tmp_path):
    quick = QUICK | {"seed": None}
    first, second = (sfumato.create(pictured, SENTENCE, out=tmp_path, **quick) for _ in range(2))
    assert first.seed != second.seed
    again = sfumato.create(pictured, SENTENCE, out=tmp_path / "again", **QUICK | {"seed": first.seed})
    assert np.abs(pixels(again.pictures[0].path) - pixels(first.pictures[0].path)).max() <= 1


def test_a_private_sentence_is_in_no_file_and_no_name(pictured, tmp_path):
    made = sfumato.create(pictured, SENTENCE, out=tmp_path / "out", private=True, **QUICK)
    assert [one.path.name for one in made.pictures] == ["picture-7.png", "picture-8.png"]
    assert all(b"disc" not in one.path.read_bytes() for one in made.pictures)


def test_a_worker_that_serves_the_lane_does_it(pictured, tmp_path):
    asked = create(pictured, prompt=SENTENCE, out=tmp_path / "out", options=QUICK)
    assert list(tmp_path.glob("out/*.png")) == []
    assert run_worker(pictured, only_job=asked.job.id) == 1
    done = get_job(pictured, job_id=asked.job.id)
    assert (done.status, len(done.result["pictures"])) == ("done", 2)
    assert (done.progress["done"], done.progress["total"], done.progress["unit"]) == (2, 2, "pictures")


@pytest.mark.parametrize("prompt", ["", "   \n\t ", "\0\0"])
def test_an_empty_sentence_is_refused(pictured, prompt):
    with pytest.raises(InvalidInput, match="empty"):
        create(pictured, prompt=prompt)


def test_a_sentence_of_ten_thousand_characters_is_refused(pictured):
    with pytest.raises(InvalidInput, match="10,000 characters"):
        create(pictured, prompt="a" * 10_000)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n": 0}, "'n' cannot be 0"), ({"n": 10_000}, "'n' cannot be 10000"), ({"n": "4"}, "'n' cannot be '4'"),
        ({"seed": -1}, "'seed'"), ({"steps": 0}, "'steps'"), ({"guidance": -0.5}, "'guidance'"),
        ({"guidance": True}, "'guidance'"), ({"upscale": 3}, "'upscale'"), ({"engine": "abacus"}, "'engine'"),
        ({"background": "blue"}, "background cannot be 'blue'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_named(pictured, tmp_path, options, told):
    with pytest.raises(InvalidInput, match=told):
        create(pictured, prompt=SENTENCE, out=tmp_path / "out", options=options)
    assert list_jobs(pictured) == []
    assert not (tmp_path / "out").exists()


def test_unknown_names_are_answered_with_the_nearest(pictured):
    with pytest.raises(NotFound) as told:
        create(pictured, prompt=SENTENCE, options={"model": "emoji-style-small"})
    assert told.value.hint == "Did you mean 'emoji-styles-small'?"
    with pytest.raises(NotFound) as told:
        create(pictured, prompt=SENTENCE, options={"sampler": "dpm_2m"})
    assert told.value.hint == "Did you mean 'dpmpp_2m'?"
    with pytest.raises(NotFound) as told:
        create(pictured, prompt=SENTENCE, options={"step": 3})
    assert told.value.hint == "Did you mean 'steps'?"


def test_a_place_that_takes_no_pictures_is_refused_before_drawing(pictured, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidInput, match="is a file, not a folder"):
            create(pictured, prompt=SENTENCE, out=out)
    with pytest.raises(InvalidInput, match="cannot be written"):
        create(pictured, prompt=SENTENCE, out="/proc/pictures")
    assert list_jobs(pictured) == []
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_viewer_may_not_create(pictured):
    viewer = pictured.as_actor(Actor("person/vi", "vi", ("viewer",)))
    with pytest.raises(Forbidden, match=r"image\.create"):
        create(viewer, prompt=SENTENCE)


def test_a_model_that_changed_in_between_is_not_drawn_with(pictured, tmp_path):
    asked = create(pictured, prompt=SENTENCE, out=tmp_path, options=QUICK)
    with pictured.write() as session:
        session.get_one(Request, asked.request_id).checkpoint_sha256 = "00" * 32
    with pytest.raises(Conflict, match="was changed"):
        sfumato.wait(pictured, work_nearby(pictured, asked.job))


def crash_after(name: str, monkeypatch, number: int):
    """Let the process die, as far as the job can tell, right after the n-th call of a function of the way out."""
    from sfumato.generation import publish

    original, calls = getattr(publish, name), []

    def once(*args, **options):
        result = original(*args, **options)
        calls.append(1)
        if len(calls) == number:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(publish, name, once)


@pytest.mark.parametrize("name", ["published_bytes", "write_whole", "_write_row", "place"])
def test_an_attempt_after_a_crash_goes_on_and_doubles_nothing(pictured, tmp_path, monkeypatch, name):
    asked = create(pictured, prompt=SENTENCE, out=tmp_path / "out", options=QUICK | {"n": 3})
    with monkeypatch.context() as patch:
        crash_after(name, patch, 2)
        taken = claim(pictured, "first", (), asked.job.id, 30.0)
        with pytest.raises(KeyboardInterrupt):
            run_attempt(pictured, taken.id, taken.attempt)
    give_back(pictured, taken.id, "first")
    done = sfumato.wait(pictured, work_nearby(pictured, asked.job))
    names = [f"a-red-disc-outline-style-{seed}.png" for seed in (7, 8, 9)]
    assert sorted(os.listdir(tmp_path / "out")) == names
    assert [os.path.basename(one["path"]) for one in done.result["pictures"]] == names
    with pictured.read() as session:
        assert len(session.scalars(select(Image)).all()) == 3
        assert len(session.scalars(select(Published)).all()) == 3
    assert all(verify(pictured, tmp_path / "out" / one).state == "signed here" for one in names)


WORKER = """
import sys
from pathlib import Path
from sfumato.checkpoints import models
models.EMBEDDED = Path(sys.argv.pop(1))
from sfumato.jobs.worker import main
main()
"""


def test_a_worker_killed_while_drawing_loses_and_doubles_nothing(pictured, embedded, tmp_path):
    slow = {"n": 6, "seed": 1, "steps": 100, "guidance": 1.0}
    asked = create(pictured, prompt=SENTENCE, out=tmp_path / "out", options=slow)
    command = [sys.executable, "-c", WORKER, str(embedded), "--workspace", str(pictured.path), "--job", asked.job.id]
    with subprocess.Popen([*command, "--lease", "2"], stderr=subprocess.DEVNULL) as worker:
        deadline = time.monotonic() + 60
        while get_job(pictured, job_id=asked.job.id).progress.get("done", 0) <= 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
    assert get_job(pictured, job_id=asked.job.id).status == "running"
    with pictured.write() as session:
        session.get_one(Request, asked.request_id).steps = 1  # the second attempt need not be slow
    deadline = time.monotonic() + 30
    while (taken := claim(pictured, "second", (), asked.job.id, 30.0)) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    run_attempt(pictured, taken.id, taken.attempt)
    assert get_job(pictured, job_id=asked.job.id).status == "done"
    assert len(os.listdir(tmp_path / "out")) == 6


def test_an_interrupted_request_waits_for_the_next_worker(pictured, tmp_path):
    asked = create(pictured, prompt=SENTENCE, out=tmp_path / "out", options=QUICK | {"steps": 40})

    def interrupt(job):
        if job.status == "running":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_nearby(pictured, asked.job, on_progress=interrupt)
    assert get_job(pictured, job_id=asked.job.id).status == "waiting"
    assert sfumato.wait(pictured, work_nearby(pictured, asked.job)).attempt == 2
    assert len(os.listdir(tmp_path / "out")) == 2


def test_a_request_interrupted_while_it_is_taken_waits_as_well(pictured, tmp_path, monkeypatch):
    from sfumato.jobs import nearby

    def taken_and_interrupted(*args):
        taken = claim(*args)
        signal.raise_signal(signal.SIGINT)
        return taken

    asked = create(pictured, prompt=SENTENCE, out=tmp_path / "out", options=QUICK)
    monkeypatch.setattr(nearby, "claim", taken_and_interrupted)
    with pytest.raises(KeyboardInterrupt):
        work_nearby(pictured, asked.job)
    assert get_job(pictured, job_id=asked.job.id).status == "waiting"


WITHOUT_TORCH = """
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

class NoTorch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch())
from sfumato.checkpoints import models
models.EMBEDDED = Path(sys.argv.pop(1))
from sfumato.cli.entry import main
code = main(sys.argv[1:])
assert "torch" not in sys.modules
raise SystemExit(code)
"""


@pytest.mark.whole
def test_creating_and_verifying_need_no_torch(studio_folder, embedded, tmp_path):
    start = [sys.executable, "-c", WITHOUT_TORCH, str(embedded)]
    asked = ["create", SENTENCE, "-n", "1", "--seed", "7", "--steps", "1", "--out", str(tmp_path / "out")]
    done = subprocess.run([*start, *asked], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "out" / "a-red-disc-outline-style-7.png"
    assert str(path) in done.stdout
    done = subprocess.run([*start, "verify", str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run([*start, *asked, "--engine", "torch_local"], capture_output=True, text=True)
    assert done.returncode == Unsupported.code
    assert "pip install 'sfumato[train]'" in done.stderr


def test_a_network_is_loaded_once(pictured, monkeypatch):
    from sfumato.checkpoints.models import find_model

    model = find_model(pictured)
    assert drawing_jobs.load_network("onnx_local", model) is drawing_jobs.load_network("onnx_local", model)
