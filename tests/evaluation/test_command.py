"""`sfumato evaluate` at the command line, and by the library: figures as a table, in words, and as JSON."""

import json

import pytest

import sfumato
from sfumato.cli import entry


@pytest.mark.slow
def test_it_measures_by_a_worker_of_its_own_and_says_what_it_found(studio, capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    call = ["evaluate", "tiny", "--per-group", "2", "--workspace", str(studio.path)]
    assert entry.main(call) == 0
    said = capsys.readouterr().out
    for words in ("seen pairs", "held-out pairs", "held-out concepts", "near copies", "real pictures", "Drawn beside"):
        assert words in said
    assert entry.main([*call, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert sfumato.evaluate(studio, "tiny", per_group=2) == result
    assert result["groups"]["train"]["n"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["tinny"], 3, "Did you mean 'tiny'?"),
        (["cardless"], 3, "has no training card"),
        (["tiny", "--per-group", "0"], 2, "--per-group"),
        (["tiny", "--engine", "steam"], 2, "onnx_local"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(studio, capsys, arguments, code, said):
    assert entry.main(["evaluate", *arguments, "--workspace", str(studio.path)]) == code
    assert said in capsys.readouterr().err


def test_one_can_ask_and_leave(studio, capsys):
    call = ["evaluate", "tiny", "--per-group", "4", "--no-wait", "--workspace", str(studio.path)]
    assert entry.main(call) == 0
    assert "sfumato jobs show" in capsys.readouterr().out
    assert entry.main([*call, "--json"]) == 0
    job = json.loads(capsys.readouterr().out)
    assert (job["kind"], job["lane"], job["status"]) == ("evaluation.evaluate", "desk", "waiting")
    assert entry.main(["jobs", "cancel", job["id"], "--workspace", str(studio.path)]) == 0
