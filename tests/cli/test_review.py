"""Pictures are judged from the command line, and what stands on whom is told in words and in JSON."""

import json

import pytest

from sfumato.actions import Workspace
from sfumato.cli import entry
from tests.crew import add_pictures


@pytest.fixture
def refs(studio_folder):
    """Three pictures of a fresh workspace."""
    with Workspace.open() as workspace:
        return add_pictures(workspace, 3)


def said(capsys, *arguments):
    """What a command says as JSON."""
    assert entry.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_pictures_are_approved_rejected_rated_and_taken_back(refs, capsys):
    assert {one["ref"] for one in said(capsys, "review", "list")} == set(refs)
    assert entry.main(["review", "approve", refs[0].partition("/")[2], refs[1]]) == 0
    assert "Approved 2 pictures. To take it back: sfumato review withdraw --batch" in capsys.readouterr().out
    assert entry.main(["review", "approve", *refs[:2]]) == 0
    assert "You have said so of 2 pictures already." in capsys.readouterr().out
    assert [one["ref"] for one in said(capsys, "review", "list")] == refs[2:]
    made = said(capsys, "review", "reject", refs[0], "--because", "[bold]six\x1b[31m legs[/bold]")
    said(capsys, "review", "rate", refs[0], "--rating", "2")
    assert entry.main(["review", "show", refs[0]]) == 0
    out = capsys.readouterr().out
    assert "[bold]six[31m legs[/bold]" in out
    assert "\x1b" not in out
    assert "2 of 5" in out
    assert said(capsys, "review", "show", refs[0])["decision"]["verdict"] == "rejected"
    said(capsys, "review", "withdraw", "--batch", made["batch"])
    assert said(capsys, "review", "show", refs[0])["decision"]["verdict"] == "approved"


def test_what_cannot_be_is_told_with_its_exit_code(refs, capsys):
    assert entry.main(["review", "reject", refs[0]]) == 2
    assert entry.main(["review", "reject", refs[0], "--because", " "]) == 2
    assert entry.main(["review", "approve", "image/none"]) == 3
    assert entry.main(["review", "withdraw", refs[0]]) == 3
    assert entry.main(["review", "withdraw"]) == 2
    capsys.readouterr()
