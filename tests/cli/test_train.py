"""Runs are planned, started, listed and gone on with from the command line."""

import json

import pytest

from sfumato.cli import entry

TINY = ["--samples", "16", "--batch", "4", "--size", "8", "--depth", "1", "--width", "64", "--checkpoint-every", "8"]


@pytest.mark.whole
def test_a_run_is_planned_then_trained_then_listed(frozen, capsys, tmp_path):
    call = ["train", "flow", "--data", "shapes", "--name", "tiny", *TINY]
    sheet = tmp_path / "fed.png"
    assert entry.main([*call, "--dry-run", "--json", "--sheet", str(sheet)]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["sees"]["steps"], plan["sees"]["size"]) == (4, 8)
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert (plan["options"]["samples"], plan["options"]["batch"], plan["pictures"]) == (16, 4, 12)
    assert entry.main(["train", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []

    assert entry.main(call) == 0
    assert "Trained tiny on 16 pictures." in capsys.readouterr().out
    assert entry.main(["train", "show", "tiny", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert (run["status"], run["samples_seen"]) == ("done", 16)
    assert entry.main(["train", "resume", "tiny", "--json"]) == 0
    assert entry.main(["train", "resume", "tiny", "--samples", "24"]) == 0
    told = capsys.readouterr()
    assert "Trained tiny on 24 pictures." in told.out
    assert "had fallen to 0% of the highest. It is 95% at once" in " ".join(told.err.split())
    assert entry.main(["train", "show", "tiny"]) == 0
    assert "it goes on after 16 until 24" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["flwo", "--data", "shapes", "--name", "x"], 3, "Did you mean 'flow'?"),
        (["flow", "--data", "shpaes", "--name", "x"], 3, "Did you mean 'shapes'?"),
        (["flow", "--data", "shapes", "--name", "x", "--sampels", "4"], 2, "--samples"),
        (["flow", "--data", "shapes", "--name", "x", "--samples", "many"], 2, "--samples"),
        (["flow", "--data", "shapes", "--name", "x", "--optimizer", "sgd"], 2, "muon"),
        (["flow", "--data", "shapes"], 2, "--name"),
        (["resume", "nothing"], 3, "no run yet"),
    ],
)
def test_what_cannot_be_is_told_before_anything_starts(frozen, capsys, arguments, code, said):
    assert entry.main(["train", *arguments]) == code
    assert said in capsys.readouterr().err


def test_every_recipe_has_its_options_as_flags(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert entry.main(["train", "flow", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--ema-short" in shown
    assert "largest norm of the gradient" in shown
