"""Passwords are long, uncommon, kept as Argon2id, and changed by who knows the old one."""

import pytest
from sqlalchemy import select

from sfumato.errors import Forbidden, InvalidInput
from sfumato.people.identify import person_of_session
from sfumato.people.passwords import change_password, check_password, is_common
from sfumato.people.records import Person
from sfumato.people.signins import sign_in
from tests.people.team import PASSWORD, own

NEW = "gravel umbrella sonnet"


def test_a_password_is_changed_and_all_other_sessions_end(workspace, true_hashes):
    olga = own(workspace)
    phone = sign_in(workspace, login="olga", password=PASSWORD)
    assert change_password(olga.workspace, old=PASSWORD, new=NEW, keep=olga.entered.sign_in) == 1
    assert person_of_session(workspace, olga.entered.secret) is not None
    assert person_of_session(workspace, phone.secret) is None
    with pytest.raises(Forbidden):
        sign_in(workspace, login="olga", password=PASSWORD)
    sign_in(workspace, login="olga", password=NEW)
    with workspace.read() as session:
        kept = session.scalars(select(Person.password)).one()
    assert kept.startswith("$argon2id$v=19$m=19456,t=3,p=1$")


def test_without_the_old_one_nothing_changes(workspace):
    olga = own(workspace)
    with pytest.raises(Forbidden, match="old password"):
        change_password(olga.workspace, old="not this one, no", new=NEW)
    with pytest.raises(InvalidInput):
        change_password(olga.workspace, old=PASSWORD, new="short")
    sign_in(workspace, login="olga", password=PASSWORD)


def test_who_works_at_the_machine_has_none(workspace):
    with pytest.raises(Forbidden, match="no password"):
        change_password(workspace, old="", new=NEW)


@pytest.mark.parametrize(
    "password",
    ["password1234", "P@ssw0rd2026!", "qwertyuiop12", "123456789012", "aaaaaaaaaaaa", "abababababab", "letmein-letmein",
     "Welcome12345", "iloveyou1234", "adminadminadmin", "correcthorsebatterystaple", "Sfumato-2026!", "summer2026!!!",
     "changeme12345", "            ", "passwordpassword"],
)  # fmt: skip
def test_what_everybody_tries_first_is_refused(password):
    with pytest.raises(InvalidInput, match="tried first") as told:
        check_password(password)
    assert password.strip() == "" or password not in str(told.value)


@pytest.mark.parametrize(
    "password",
    [PASSWORD, NEW, "kX9#vTq2!mWz", "drei kleine Igel im Laub", "ночь улица фонарь", "寿司寿司と大きな黒い猫の夜"],
)
def test_what_nobody_would_put_together_is_taken(password):
    assert check_password(password) == password
    assert not is_common(password)


def test_ones_own_sign_in_name_is_refused_as_well(workspace):
    with pytest.raises(InvalidInput):
        check_password("bartholomew99", "bartholomew@example.org")
    check_password("bartholomew and the heron", "bartholomew@example.org")


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "heron " * 60])
def test_too_short_and_too_long_are_told_with_the_bound(password):
    with pytest.raises(InvalidInput, match=r"12|256"):
        check_password(password)
