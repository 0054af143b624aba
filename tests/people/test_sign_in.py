"""Signing in gives a fresh session; it ends by sign-out, by disuse, with its time, and when it is revoked."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sfumato.actions.records import Event
from sfumato.data.collect import list_datasets
from sfumato.db import now
from sfumato.errors import Forbidden, NotFound
from sfumato.people import passwords
from sfumato.people.identify import IDLE, person_of_session, session_of
from sfumato.people.persons import disable, enable
from sfumato.people.projects import create_project, list_projects
from sfumato.people.records import Person, SignIn
from sfumato.people.signins import (
    LONGEST,
    list_sessions,
    revoke_other_sessions,
    revoke_session,
    sign_in,
    sign_out,
)
from tests.people.team import PASSWORD, come, own, seat


@pytest.fixture
def olga(workspace):
    return own(workspace)


def enter(workspace, **more):
    return sign_in(workspace, login="olga", password=PASSWORD, **more)


def shift(workspace, entered, **values):
    with workspace.write() as session:
        session.execute(update(SignIn).where(SignIn.id == entered.sign_in).values(**values))


def told(workspace):
    with workspace.db.read() as session:
        rows = session.scalars(select(Event).order_by(Event.position))
        return [(row.action, row.subject, row.project_id, row.summary, row.details) for row in rows]


def test_each_sign_in_is_a_fresh_session_of_256_random_bits_kept_as_a_hash(either):
    own(either)
    entered = [sign_in(either, login=" OLGA ", password=PASSWORD) for _ in range(2)]
    assert len({one.secret for one in entered} | {one.csrf for one in entered}) == 4
    assert all(len(one.secret) >= 43 for one in entered)
    with either.read() as session:
        kept = session.scalars(select(SignIn.secret_hash)).all()
    assert not {one.secret for one in entered} & set(kept)
    for one in entered:
        found = session_of(either, one.secret)
        assert (found.actor.name, found.csrf, found.sign_in) == ("Olga", one.csrf, one.sign_in)


def test_signing_in_over_a_session_ends_that_one_so_that_none_can_be_fixed_on_somebody(workspace, olga):
    second = enter(workspace, replacing=olga.entered.secret)
    assert second.secret != olga.entered.secret
    assert person_of_session(workspace, olga.entered.secret) is None
    assert person_of_session(workspace, second.secret) is not None


def test_a_wrong_password_and_an_unknown_name_are_answered_alike_and_as_slowly(workspace, olga, monkeypatch):
    looked = []
    verify = passwords.hasher().verify
    monkeypatch.setattr(type(passwords.hasher()), "verify", lambda _, *given: looked.append(given) or verify(*given))
    said = set()
    for login, password in (("olga", PASSWORD + "!"), ("nobody", PASSWORD), ("olga", ""), ("", "x" * 5_000)):
        with pytest.raises(Forbidden) as refused:
            sign_in(workspace, login=login, password=password)
        said.add(str(refused.value))
    assert len(said) == 1
    assert len(looked) == 4


def test_who_is_shut_out_cannot_sign_in_and_has_no_session_any_more(workspace, olga):
    bob = come(workspace, olga, "Bob", "viewer")
    disable(olga.workspace, person="bob")
    assert person_of_session(workspace, bob.entered.secret) is None
    with pytest.raises(Forbidden):
        sign_in(workspace, login="bob", password=PASSWORD)
    enable(olga.workspace, person="bob")
    assert person_of_session(workspace, bob.entered.secret) is None
    assert person_of_session(workspace, sign_in(workspace, login="bob", password=PASSWORD).secret) is not None


def test_a_session_ends_when_it_is_not_used_and_goes_on_when_it_is(workspace, olga):
    shift(workspace, olga.entered, used_at=now() - IDLE + timedelta(minutes=5))
    assert person_of_session(workspace, olga.entered.secret) is not None
    with workspace.read() as session:
        assert now() - session.scalar(select(SignIn.used_at)) < timedelta(minutes=1)
    shift(workspace, olga.entered, used_at=now() - IDLE - timedelta(seconds=1))
    assert person_of_session(workspace, olga.entered.secret) is None
    assert list_sessions(olga.workspace) == []


def test_a_session_ends_with_its_time_however_much_it_is_used(workspace, olga):
    assert timedelta(0) < olga.entered.ends_at - now() <= LONGEST
    shift(workspace, olga.entered, ends_at=now() - timedelta(seconds=1))
    assert person_of_session(workspace, olga.entered.secret) is None


def test_signing_out_ends_the_session_at_once(workspace, olga):
    assert sign_out(olga.workspace, secret=olga.entered.secret)
    assert person_of_session(workspace, olga.entered.secret) is None
    assert not sign_out(olga.workspace, secret=olga.entered.secret)


def test_sessions_are_listed_and_ended_one_by_one_or_all_others(workspace, olga):
    phone, laptop = enter(workspace, user_agent="Phone\n\x00"), enter(workspace, user_agent="Laptop")
    assert [one.user_agent for one in list_sessions(olga.workspace)] == ["Laptop", "Phone", ""]
    revoke_session(olga.workspace, session=phone.sign_in)
    assert person_of_session(workspace, phone.secret) is None
    assert revoke_other_sessions(olga.workspace, keep=laptop.sign_in) == 1
    assert person_of_session(workspace, olga.entered.secret) is None
    assert person_of_session(workspace, laptop.secret) is not None


def test_sessions_of_others_are_seen_and_ended_by_owners_alone(workspace, olga):
    bob, eve = come(workspace, olga, "Bob", "viewer"), come(workspace, olga, "Eve", "admin")
    with pytest.raises(NotFound):
        revoke_session(eve.workspace, session=bob.entered.sign_in)
    for verb in (lambda: list_sessions(eve.workspace, person="bob"),
                 lambda: revoke_session(eve.workspace, session=bob.entered.sign_in, person="bob")):  # fmt: skip
        with pytest.raises(Forbidden):
            verb()
    assert [one.id for one in list_sessions(olga.workspace, person="bob")] == [bob.entered.sign_in]
    revoke_session(olga.workspace, session=bob.entered.sign_in, person="bob")
    assert person_of_session(workspace, bob.entered.secret) is None


@pytest.mark.parametrize("secret", ["", "x", "\ud800", "' or 1=1 --", "a" * 100_000])
def test_what_no_session_has_is_nobody(workspace, olga, secret):
    assert person_of_session(workspace, secret) is None


def test_the_log_tells_of_sign_ins_without_any_secret(workspace, olga, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Forbidden):
        sign_in(workspace, login="olga", password="wrong but secret")
    with pytest.raises(Forbidden):
        sign_in(workspace, login="a password by mistake", password="wrong but secret")
    entered = enter(workspace)
    found = told(workspace)[-3:]
    assert [(action, subject, project) for action, subject, project, *_ in found] == [
        ("people.sign_in_refused", olga.entered.person, ""), ("people.sign_in_refused", "", ""),
        ("people.sign_in", olga.entered.person, ""),
    ]  # fmt: skip
    said = str(told(workspace)) + caplog.text
    for secret in (PASSWORD, "wrong but secret", "by mistake", entered.secret, entered.csrf, "Olga"):
        assert secret not in said


def test_a_session_gives_the_roles_of_the_project_that_is_looked_at(workspace, olga):
    bob = come(workspace, olga, "Bob", "researcher")
    other = workspace.in_project(create_project(olga.workspace, name="llamas").id)
    assert bob.workspace.actor.roles == ("researcher",)
    stranger = seat(other, bob.entered)
    assert stranger.workspace.actor.roles == ()
    with pytest.raises(Forbidden):
        list_datasets(stranger.workspace)
    with pytest.raises(Forbidden, match="another project"):
        list_projects(bob.workspace.in_project(other.project))
    assert [one.name for one in list_projects(bob.workspace)] == ["studio"]
    with workspace.read() as session:
        assert session.scalar(select(Person.password).where(Person.name == "Bob")).startswith("$argon2id$")
