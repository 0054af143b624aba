"""A model gets its criterion, goes live, draws under that name, and is rolled back, all from the command line."""

import json

from sfumato.checkpoints.models import DEFAULT, find_model
from sfumato.cli import entry
from tests.product.measured import judge


def said(capsys, *arguments):
    """What a command says as JSON."""
    assert entry.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_model_goes_live_when_it_holds_and_draws_under_that_name(pictured, tmp_path, capsys):
    assert entry.main(["models", "check", DEFAULT]) == 3
    assert "No criterion is set" in capsys.readouterr().err
    assert entry.main(["models", "criterion", DEFAULT]) == 0
    assert "No criterion is set" in capsys.readouterr().out
    made = said(capsys, "models", "criterion", DEFAULT, "--at-least", "0.6", "--n-min", "20")
    assert (made["version"], made["n_min"]) == (1, 20)
    assert entry.main(["models", "criterion", DEFAULT, "--at-least", "0.5"]) == 5
    assert "give version 1" in capsys.readouterr().err
    assert entry.main(["models", "go-live", DEFAULT]) == 5
    assert "20 more judged pictures needed" in " ".join(capsys.readouterr().err.split())
    assert entry.main(["create", "a red disc", "--model", "live"]) == 3
    assert "No model is live" in capsys.readouterr().err
    weights = find_model(pictured).ref
    judge(pictured, weights, approved=20, rejected=0)
    assert said(capsys, "review", "share", DEFAULT)["words"] == "20 of 20 approved (84–100 %)"
    assert said(capsys, "models", "check", DEFAULT)["state"] == "holds"
    assert entry.main(["models", "go-live", DEFAULT]) == 0
    assert "Holds: 20 of 20 approved" in capsys.readouterr().out
    assert said(capsys, "models", "show", "live")["name"] == DEFAULT
    assert said(capsys, "models", "live")["sha256"] == weights.partition("/")[2]
    drawn = said(capsys, "create", "a red disc", "--model", "live", "-n", "1", "--steps", "1", "--upscale", "1",
                 "--out", str(tmp_path / "out"))  # fmt: skip
    assert drawn["model"] == DEFAULT
    assert entry.main(["models", "roll-back", "--because", "no ears"]) == 5
    assert "No model was live before" in capsys.readouterr().err
    assert entry.main(["models", "criterion", DEFAULT, "--drop", "--version", "1"]) == 0
    assert "No criterion is set" in capsys.readouterr().out
