"""A token acts for its maker in one project, with no more than it was made for and they still hold."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sfumato.actions import allowed
from sfumato.data.collect import list_datasets
from sfumato.db import now
from sfumato.errors import Forbidden, InvalidInput, NotFound
from sfumato.people.identify import person_of_token
from sfumato.people.members import set_roles
from sfumato.people.persons import disable, me, rename
from sfumato.people.projects import create_project
from sfumato.people.records import Token
from sfumato.people.tokens import list_tokens, make_token, revoke_token
from tests.people.team import come, own, seat


@pytest.fixture
def olga(workspace):
    return own(workspace)


@pytest.fixture
def bob(workspace, olga):
    return come(workspace, olga, "Bob", "ML engineer")


def by(workspace, secret):
    return workspace.as_actor(person_of_token(workspace, secret))


def test_a_token_is_shown_once_and_kept_as_a_hash(either):
    bob = come(either, own(either), "Bob", "ML engineer")
    made = make_token(bob.workspace, name="nightly", scopes=["record.read", "training.write"])
    assert made.secret.startswith("sfm_")
    assert len(made.secret) >= 47
    with either.read() as session:
        row = session.scalars(select(Token)).one()
    assert made.secret not in str(vars(row))
    [seen] = list_tokens(bob.workspace)
    assert (seen.prefix, seen.scopes, seen.used_at, seen.lives) == (made.secret[:8], made.token.scopes, None, True)
    assert person_of_token(either, made.secret).id == bob.entered.person
    assert list_tokens(bob.workspace)[0].used_at is not None


def test_a_token_may_do_what_it_was_made_for_and_nothing_else(workspace, bob):
    acting = by(workspace, make_token(bob.workspace, name="reader", scopes=["record.read"]).secret)
    assert list_datasets(acting) == []
    assert me(acting).permissions == ["account.read", "record.read"]
    assert not allowed(acting, "training.write")
    with pytest.raises(Forbidden, match="not granted"):
        make_token(acting, name="more", scopes=["record.read"])
    with pytest.raises(Forbidden, match="not granted"):
        rename(acting, name="Mallory")


def test_a_token_never_holds_more_than_its_maker(workspace, olga, bob):
    for scope in ("people.write", "workspace.care", "project.write"):
        with pytest.raises(Forbidden, match="yourself"):
            make_token(bob.workspace, name="more", scopes=["record.read", scope])
    secret = make_token(bob.workspace, name="trainer", scopes=["record.read", "training.write"]).secret
    assert allowed(by(workspace, secret), "training.write")
    set_roles(olga.workspace, person="bob", roles=["viewer"])
    assert not allowed(by(workspace, secret), "training.write")
    assert allowed(by(workspace, secret), "record.read")


def test_a_token_made_by_a_token_holds_no_more_than_that_one(workspace, bob):
    first = by(workspace, make_token(bob.workspace, name="maker", scopes=["token.write", "record.read"]).secret)
    assert me(by(workspace, make_token(first, name="child", scopes=["record.read", "token.write"]).secret))
    with pytest.raises(Forbidden, match="yourself"):
        make_token(first, name="child", scopes=["training.write"])


def test_an_admins_token_cares_for_the_workspace_only_if_an_owner_made_it(workspace, olga):
    eve = come(workspace, olga, "Eve", "admin")
    with pytest.raises(Forbidden):
        make_token(eve.workspace, name="backup", scopes=["workspace.care"])
    assert allowed(
        by(workspace, make_token(olga.workspace, name="b", scopes=["workspace.care"]).secret), "workspace.care"
    )


def test_a_token_is_for_its_project_whatever_is_looked_at(workspace, olga, bob):
    secret = make_token(bob.workspace, name="reader", scopes=["record.read"]).secret
    llamas = workspace.in_project(create_project(olga.workspace, name="llamas").id)
    actor = person_of_token(llamas, secret)
    assert actor.project == workspace.project
    with pytest.raises(Forbidden, match="another project"):
        list_datasets(llamas.as_actor(actor))


def test_a_token_ends_with_its_time_when_revoked_and_with_its_person(workspace, olga, bob):
    late, back, gone = (make_token(bob.workspace, name="x", scopes=["record.read"]) for _ in range(3))
    with workspace.write() as session:
        over = update(Token).where(Token.id == late.token.id).values(expires_at=now() - timedelta(seconds=1))
        session.execute(over)
    assert person_of_token(workspace, late.secret) is None
    assert not revoke_token(bob.workspace, token=back.token.id).lives
    assert person_of_token(workspace, back.secret) is None
    assert person_of_token(workspace, gone.secret) is not None
    disable(olga.workspace, person="bob")
    assert person_of_token(workspace, gone.secret) is None


def test_nobody_sees_or_ends_the_tokens_of_others(workspace, olga, bob):
    made = make_token(bob.workspace, name="x", scopes=["record.read"])
    assert list_tokens(olga.workspace) == []
    with pytest.raises(NotFound):
        revoke_token(olga.workspace, token=made.token.id)


def test_who_works_alone_has_tokens_too(workspace):
    acting = by(workspace, make_token(workspace, name="script", scopes=["record.read"]).secret)
    assert acting.actor.id == workspace.actor.id
    assert list_datasets(acting) == []
    assert not allowed(acting, "dataset.write")


@pytest.mark.parametrize("secret", ["", "sfm_", "sfm_" + "a" * 43, "\ud800"])
def test_what_no_token_is_is_nobody(workspace, bob, secret):
    assert person_of_token(workspace, secret) is None


@pytest.mark.parametrize(
    ("more", "error"),
    [({"name": " "}, InvalidInput), ({"scopes": []}, InvalidInput), ({"scopes": ["record.raed"]}, NotFound),
     ({"days": 0}, InvalidInput), ({"days": 10_000}, InvalidInput)],
)  # fmt: skip
def test_what_cannot_be_a_token_is_told(workspace, bob, more, error):
    with pytest.raises(error):
        make_token(bob.workspace, **({"name": "x", "scopes": ["record.read"]} | more))


def test_a_session_and_a_token_are_not_taken_for_each_other(workspace, bob):
    secret = make_token(bob.workspace, name="x", scopes=["record.read"]).secret
    assert person_of_token(workspace, bob.entered.secret) is None
    assert seat(workspace, bob.entered).workspace.actor.scopes != person_of_token(workspace, secret).scopes
