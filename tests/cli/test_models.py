"""Models are listed, shown and given their card from the command line; runs go on from them by --from."""

import json
from pathlib import Path

import pytest

from sfumato.cli import entry
from sfumato.cli.following import Sight, by_noise
from sfumato.db import now
from sfumato.jobs import JobView

TINY = ["--samples", "8", "--batch", "4", "--size", "16", "--depth", "1", "--width", "64", "--held-out", "2"]


@pytest.fixture
def trained(frozen, capsys):
    """A workspace with the model `tiny`."""
    assert entry.main(["train", "flow", "--data", "shapes", "--name", "tiny", *TINY]) == 0
    capsys.readouterr()


def said(capsys, *arguments):
    """What a command says as JSON."""
    assert entry.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.whole
def test_a_model_is_listed_shown_given_its_card_and_gone_on_from(trained, capsys):
    listed = {one["name"]: one for one in said(capsys, "models", "list")}
    assert {"tiny", "tiny-long"} <= set(listed)
    assert (listed["tiny"]["ema"], listed["tiny-long"]["ema"]) == ("short", "long")
    assert listed["tiny"]["licences"] == {"MIT": 12}
    assert entry.main(["models", "list"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("tiny-long"))
    assert "the longer average" in line
    assert "12 MIT" in line

    shown = said(capsys, "models", "show", "tiny")
    assert (shown["samples_seen"], shown["card"], shown["run"]) == (8, True, "tiny")
    assert shown["pictures"] + shown["held_out"] == 12
    assert entry.main(["models", "show", "tiny"]) == 0
    words = capsys.readouterr().out
    told = ("made here by the run tiny", "16 × 16", "the shorter average", "12 MIT", "nearer than", shown["sha256"])
    assert not [part for part in told if part not in words]

    card = said(capsys, "models", "card", "tiny")
    assert Path(card["path"]).stat().st_size == card["bytes"]
    assert card["n"] == 12
    Path(card["path"]).unlink()
    assert said(capsys, "models", "show", "tiny")["card"] is False
    assert entry.main(["models", "show", "tiny"]) == 0
    assert "sfumato models card tiny" in capsys.readouterr().out

    call = ["train", "flow", "--data", "shapes", "--name", "child", *TINY, "--from"]
    assert entry.main([*call, "tiny", "--dry-run"]) == 0
    assert "tiny" in capsys.readouterr().out
    assert entry.main([*call, "tinny"]) == 3
    assert "Did you mean 'tiny'?" in capsys.readouterr().err
    assert entry.main([*call, "tiny", "--depth", "2"]) == 2
    assert "'tiny' has depth 1; this run would have depth 2" in capsys.readouterr().err
    assert entry.main([*call, "tiny"]) == 0
    capsys.readouterr()
    assert said(capsys, "models", "show", "child")["parent"] == shown["sha256"]
    assert Path(card["path"]).exists()


def test_an_unknown_model_is_named(studio_folder, capsys):
    assert entry.main(["models", "show", "nothing"]) == 3
    assert "There is no model 'nothing'." in capsys.readouterr().err
    assert entry.main(["models", "card", "nothing"]) == 3


def test_while_it_waits_the_bar_says_where_in_the_line():
    places = iter(["2nd in line, after “Train one”", "never asked for so soon"])
    sight = Sight("training.train", place=lambda: next(places))
    for _ in range(2):
        sight.see(JobView("1", "training.train", "waiting", "long", 0, "person/ann", now()))
    assert sight.figures() == "2nd in line, after “Train one”"
    sight.see(JobView("1", "training.train", "running", "long", 1, "person/ann", now()))
    assert sight.figures() == "starting"


def test_the_bar_says_the_held_out_loss_by_noise_and_where_the_preview_lies():
    extra = {"loss": 0.5, "images_per_second": 41.6, "tflops": 0.123, "preview": "runs/a/previews/1.png",
             "held_out": {"t=0.1": 0.4, "t=0.7": 0.25}}  # fmt: skip
    progress = {"done": 100, "total": 200, "unit": "images", "say": "training", "extra": extra}
    sight = Sight("training.train", Path("/studio"))
    sight.see(JobView("1", "training.train", "running", "long", 1, "person/ann", now(), progress))
    assert "42 images/s · 0.123 TFLOP/s · loss 0.5000 · time left not known yet" in sight.figures()
    assert sight.details() == [
        "training · 42 images/s · 0.123 TFLOP/s · loss 0.5000",
        "held-out loss 0.400 at 90%, 0.250 at 30% noise",
        "newest preview: /studio/runs/a/previews/1.png",
    ]
    assert by_noise({"t=0.5": 1}) == "held-out loss 1.000 at 50% noise"
    assert by_noise({"dB, blur=0.0": 29.97}) == "held-out dB, blur=0.0 29.97"
