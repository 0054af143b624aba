"""People, roles, tokens and projects from the command line."""

import json

import pytest

from sfumato.actions import Workspace
from sfumato.cli import entry
from sfumato.people.identify import person_of_token
from sfumato.people.invitations import accept_invitation
from sfumato.people.owner import claim
from tests.people.team import PASSWORD


@pytest.fixture
def said(settings, capsys):
    """A function that runs a command and returns what it answers in JSON."""

    def run(*words, code=0):
        assert entry.main([*words, "--json"]) == code
        told = capsys.readouterr()
        return json.loads(told.err if code else told.out)

    return run


def test_a_team_comes_together(said, settings, capsys):
    code = said("people", "owner-code")["code"]
    with Workspace.open(settings=settings) as workspace:
        claim(workspace, code=code, login="olga", name="Olga", password=PASSWORD)
    code = said("people", "invite", "--role", "viewer", "--note", "Bob")["code"]
    assert [one["state"] for one in said("people", "invitations")] == ["open"]
    with Workspace.open(settings=settings) as workspace:
        accept_invitation(workspace, code=code, login="bob", name="Bob", password=PASSWORD)
    assert said("people", "roles", "bob", "--role", "researcher", "--role", "viewer")["roles"] == [
        "researcher",
        "viewer",
    ]
    assert entry.main(["people", "list"]) == 0
    assert "researcher, viewer" in capsys.readouterr().out
    [session] = said("people", "sessions", "bob")
    assert said("people", "sessions", "bob", "--end", session["id"][-6:]) == []
    assert said("people", "reset", "bob")["login"] == "bob"
    said("people", "disable", "bob")
    said("people", "enable", "bob")
    said("people", "remove", "bob")
    assert "last admin" in said("people", "remove", "olga", code=5)["error"]["message"]
    spare = said("people", "invite", "--role", "admin")["invitation"]["id"]
    assert said("people", "take-back", spare[-6:])["state"] == "revoked"


def test_tokens_are_made_shown_once_and_revoked(said, settings):
    made = said("people", "tokens", "make", "nightly", "--may", "record.read", "--days", "7")
    with Workspace.open(settings=settings) as workspace:
        assert person_of_token(workspace, made["secret"]).scopes == {"account.read", "record.read"}
    [seen] = said("people", "tokens", "list")
    assert made["secret"] not in json.dumps(seen)
    assert said("people", "tokens", "revoke", seen["id"][-6:])["lives"] is False


def test_who_works_alone_introduces_themselves(said):
    assert said("people", "introduce", "Ada", "--role", "researcher", "--called", "emoji")["name"] == "Ada"
    assert said("people", "me")["roles"] == ["admin", "researcher"]
    assert said("projects", "show")["name"] == "emoji"
    assert len(said("people", "permissions")["permissions"]) > 10


def test_commands_work_in_the_project_that_is_named(said, monkeypatch):
    made = said("projects", "create", "llamas", "--description", "A better llama")
    said("people", "introduce", "Ada", "--role", "viewer", "--project", "llamas")
    assert said("projects", "show", "--project", "llamas")["id"] == made["id"]
    assert said("people", "list") == []
    assert len(said("--project", made["id"], "people", "list")) == 1
    monkeypatch.setenv("SFUMATO_PROJECT", "llamas")
    assert len(said("people", "list")) == 1
    assert said("people", "list", "--project", "studio") == []
    assert "Did you mean 'llamas'?" in said("data", "list", "--project", "lamas", code=3)["error"]["hint"]


def test_projects_are_renamed_and_put_away(said):
    said("projects", "create", "llamas")
    assert said("projects", "rename", "llamas", "alpacas")["name"] == "alpacas"
    said("projects", "archive", "alpacas")
    assert [one["name"] for one in said("projects", "list")] == ["studio"]
    assert [one["name"] for one in said("projects", "list", "--archived")] == ["alpacas", "studio"]
    assert said("projects", "unarchive", "alpacas")["archived_at"] is None
