"""Asks and comments from the command line: made, looked at, answered with evidence, and told."""

import json

import pytest

from sfumato.actions import Workspace
from sfumato.cli import entry
from tests.crew import add_pictures


@pytest.fixture
def ref(studio_folder):
    """A picture of a fresh workspace."""
    with Workspace.open() as workspace:
        return add_pictures(workspace, 1)[0]


def said(capsys, *arguments):
    """What a command says as JSON."""
    assert entry.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_ask_is_made_shown_changed_and_answered(ref, capsys):
    what = ["A better llama?", "--to", "data scientist", "--about", ref, "--due", "2099-01-31"]
    made = said(capsys, "asks", "make", *what)
    assert (made["due"], made["refs"], made["status"]) == ("2099-01-31", [ref], "open")
    key = made["id"][-8:]
    changed = said(capsys, "asks", "change", key, "--version", "1", "--to", "admin", "--question", "Two llamas?")
    assert (changed["version"], changed["to"]) == (2, "role/admin")
    assert [one["id"] for one in said(capsys, "asks", "list", "--mine")] == [made["id"]]
    assert [one["id"] for one in said(capsys, "asks", "list", "--about", ref)] == [made["id"]]
    assert entry.main(["asks", "change", key, "--version", "1", "--question", "Three?"]) == 5
    assert "you changed it meanwhile" in capsys.readouterr().err
    assert entry.main(["asks", "answer", key, "Words.", "--evidence", "comment/1"]) == 2
    assert said(capsys, "asks", "answer", key, "Here.", "--evidence", ref)["status"] == "closed"
    assert entry.main(["asks", "show", key]) == 0
    assert f"Here. ({ref})" in capsys.readouterr().out
    assert entry.main(["asks", "list", "--mine"]) == 0
    assert "closed" in capsys.readouterr().out


def test_an_ask_is_handed_back_and_withdrawn(ref, capsys):
    made = said(capsys, "asks", "make", "A llama?", "--to", "admin")
    assert said(capsys, "asks", "decline", made["id"], "--because", "no time")["status"] == "open"
    assert said(capsys, "asks", "list") == []
    assert said(capsys, "asks", "withdraw", made["id"])["status"] == "withdrawn"
    assert said(capsys, "asks", "notices")["count"] == 0  # all of it was done by oneself
    assert entry.main(["asks", "notices", "--read", "0"]) == 0
    assert entry.main(["asks", "make", "A llama?", "--to", "pirate"]) == 3
    assert "There is no role 'pirate'" in capsys.readouterr().err


def test_comments_are_written_changed_and_taken_back(ref, capsys):
    made = said(capsys, "comments", "write", ref, "A [b]sheep[/b].")
    changed = said(capsys, "comments", "edit", made["id"], "A [b]goat[/b].")
    assert entry.main(["comments", "list", ref]) == 0
    assert "A [b]goat[/b]." in capsys.readouterr().out
    said(capsys, "comments", "withdraw", changed["id"])
    assert said(capsys, "comments", "list", ref) == []
    assert entry.main(["comments", "write", "image/none", "x"]) == 3
