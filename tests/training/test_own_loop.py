"""A loop of one's own has the run page, record and trace of a recipe's runs, whatever it is written in."""

import signal
import subprocess
import sys
import textwrap
from datetime import timedelta

import numpy as np
import pytest
import torch
from PIL import Image
from sqlalchemy import update

import sfumato
from sfumato.actions import Workspace
from sfumato.checkpoints.header import read_header, read_tensors
from sfumato.checkpoints.models import find_model
from sfumato.compliance.trace import trace
from sfumato.errors import Cancelled, Conflict, InvalidInput
from sfumato.jobs.queue import cancel_job, database_now
from sfumato.jobs.records import Job
from sfumato.training.drawn import as_pictures
from sfumato.training.going_on import resume
from sfumato.training.runs import show_run
from sfumato.training.watching import list_previews, read_curves, show_card


def test_a_loop_leaves_curve_preview_checkpoint_and_trace(studio):
    with sfumato.run("mine", data="drawn", workspace=studio, steps=3, options={"lr": 0.1}) as run:
        for step in range(run.step, 3):
            run.log(step=step + 1, loss=1 / (step + 1), held_out=2.0 - step / 10, d_loss=0.5)
        run.preview(np.zeros((4, 8, 8, 3), np.uint8))
        sha256 = run.checkpoint({"layer": {"w": np.ones((2, 3), np.float32)}, "step": 3})
    card = show_card(studio, name="mine")
    assert (card.run.status, card.run.samples_seen, card.samples, card.run.options["lr"]) == ("done", 3, 3, 0.1)
    assert card.run.details["provenance"]["took"]["wall_seconds"] > 0
    curves = read_curves(studio, name="mine")
    assert curves.loss == [(1.0, 1.0), (2.0, 0.5), (3.0, 0.333333)]
    assert curves.held_out["held out"][-1] == (3.0, 1.8)
    assert curves.figures["d_loss"] == [(1.0, 0.5), (2.0, 0.5), (3.0, 0.5)]
    assert list_previews(studio, name="mine") == [3]
    model = find_model(studio, "mine")
    assert model.sha256 == sha256
    assert read_tensors(model.path)["layer.w"].tolist() == [[1, 1, 1], [1, 1, 1]]
    assert trace(studio, f"checkpoint/{sha256}", files=False).chain.steps[0].title == "run mine"


def test_by_the_same_name_it_goes_on_where_it_was(studio):
    with sfumato.run("again", data="drawn", workspace=studio) as run:
        assert (run.step, run.last_checkpoint()) == (0, None)
        run.log(step=5, loss=1.0)
        run.checkpoint(torch.nn.Linear(2, 1))
    with sfumato.run("again", data="drawn", workspace=studio) as run:
        assert run.step == 5
        assert set(read_tensors(run.last_checkpoint())) == {"weight", "bias"}
        with pytest.raises(Conflict, match="in another process"):
            sfumato.run("again", data="drawn", workspace=studio)
        run.log(step=6, loss=0.5)
    assert [at for at, _ in read_curves(studio, name="again").loss] == [5, 6]
    with pytest.raises(Conflict, match="loop of your own"):
        resume(studio, name="again")


def test_an_exception_fails_the_run_with_its_reason(studio):
    with pytest.raises(ZeroDivisionError), sfumato.run("breaks", data="drawn", workspace=studio) as run:
        run.log(loss=1 / 0)
    card = show_card(studio, name="breaks")
    assert card.run.status == "failed"
    assert card.job.error["message"] == "ZeroDivisionError: division by zero"


def test_stopped_from_elsewhere_the_loop_ends_at_its_next_word(studio):
    def loop():
        with sfumato.run("own-stopped", data="drawn", workspace=studio) as run:
            run.log(loss=1.0)
            cancel_job(studio, job_id=show_run(studio, name="own-stopped").job_id)
            run._told = 0.0  # half a second later
            run.log(loss=0.9)

    with pytest.raises(Cancelled):
        loop()
    assert show_run(studio, name="own-stopped").status == "cancelled"


def test_a_file_of_another_kind_is_kept_unopened(studio, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"\x80\x04 whatever it is")
    with sfumato.run("opaque", data="drawn", workspace=studio) as run:
        run.log(step=1)
        run.checkpoint(path)
    model = find_model(studio, "opaque")
    assert model.header.options["file"] == "weights.h5"
    assert model.path.read_bytes().endswith(path.read_bytes())
    with pytest.raises(InvalidInput, match="does not know"):
        sfumato.create(studio, "a red disc", model="opaque")


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        (np.zeros((8, 8, 3)), (1, 8, 8, 4)),
        (np.zeros((2, 3, 8, 8), np.float32), (2, 8, 8, 4)),
        (np.zeros((5, 9, 9)), (5, 9, 9, 4)),
        (torch.zeros(2, 4, 8, 8), (2, 8, 8, 4)),
        (Image.new("L", (6, 4)), (1, 4, 6, 4)),
        ([Image.new("RGB", (4, 4))] * 3, (3, 4, 4, 4)),
    ],
)
def test_pictures_of_every_kind_make_a_preview(given, shape):
    assert as_pictures(given).shape == shape


@pytest.mark.parametrize("given", [np.full((1, 4, 4, 3), -1.0), np.zeros((4, 4, 3), np.int64), "red", np.zeros(3)])
def test_what_is_no_picture_is_refused_in_words(given):
    with pytest.raises(InvalidInput):
        as_pictures(given)


def test_what_cannot_be_kept_is_named(studio):
    with sfumato.run("own-wrong", data="drawn", workspace=studio) as run:
        with pytest.raises(InvalidInput, match=r"'opt\.name' is a str"):
            run.checkpoint({"opt": {"name": "adam"}})
        with pytest.raises(InvalidInput, match="A int cannot"):
            run.checkpoint(3)


def test_killed_it_leaves_a_workspace_that_opens_and_a_run_told_as_stopped(studio, tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        import numpy as np
        import sfumato
        with sfumato.open(sys.argv[1]) as workspace:
            with sfumato.run("own-killed", data="drawn", workspace=workspace) as run:
                run.log(step=7, loss=0.5)
                run.checkpoint({"w": np.ones(3)})
                assert "torch" not in sys.modules
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run([sys.executable, "-c", script, str(studio.path)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    with Workspace.open(studio.path, create=False) as opened:
        assert show_run(opened, name="own-killed").samples_seen == 7
        assert read_header(find_model(opened, "own-killed").path).run == "own-killed"
        with opened.write() as session:  # as after half a minute
            gone = database_now(session) - timedelta(seconds=1)
            session.execute(
                update(Job).where(Job.id == show_run(opened, name="own-killed").job_id).values(lease_until=gone)
            )
        assert show_run(opened, name="own-killed").status == "cancelled"
        assert show_card(opened, name="own-killed").run.status == "cancelled"
        with sfumato.run("own-killed", data="drawn", workspace=opened) as run:
            assert run.step == 7
