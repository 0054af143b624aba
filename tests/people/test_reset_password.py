"""A lost password is replaced by a code from the machine: once, within an hour, and whoever was signed in is out."""

import pytest
from sqlalchemy import update

from sfumato.db import now
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from sfumato.people.identify import person_of_session
from sfumato.people.lost_passwords import reset_password, set_new_password
from sfumato.people.persons import disable, introduce
from sfumato.people.records import PasswordCode
from sfumato.people.signins import sign_in
from tests.people.team import PASSWORD, come, own

NEW = "gravel umbrella sonnet"


def test_a_code_sets_a_new_password_once_and_all_sessions_end(workspace):
    olga = own(workspace)
    made = reset_password(workspace, person="olga")
    assert (made.login, made.ended) == ("olga", 1)
    assert person_of_session(workspace, olga.entered.secret) is None
    meanwhile = sign_in(workspace, login="olga", password=PASSWORD)  # who remembers it after all
    entered = set_new_password(workspace, code=made.code, password=NEW)
    assert person_of_session(workspace, entered.secret) is not None
    assert person_of_session(workspace, meanwhile.secret) is None
    with pytest.raises(Forbidden):
        sign_in(workspace, login="olga", password=PASSWORD)
    sign_in(workspace, login="olga", password=NEW)
    with pytest.raises(Forbidden, match="not good"):
        set_new_password(workspace, code=made.code, password=PASSWORD)


def test_a_later_code_ends_the_one_before_and_an_hour_ends_both(workspace):
    own(workspace)
    first, second = (reset_password(workspace, person="olga") for _ in range(2))
    with pytest.raises(Forbidden):
        set_new_password(workspace, code=first.code, password=NEW)
    with workspace.db.write() as session:
        session.execute(update(PasswordCode).values(expires_at=now()))
    with pytest.raises(Forbidden):
        set_new_password(workspace, code=second.code, password=NEW)
    sign_in(workspace, login="olga", password=PASSWORD)


def test_a_poor_password_leaves_the_code_good(workspace):
    own(workspace)
    code = reset_password(workspace, person="olga").code
    with pytest.raises(InvalidInput):
        set_new_password(workspace, code=code, password="short")
    set_new_password(workspace, code=code, password=NEW)


def test_only_the_machine_itself_makes_such_codes(workspace):
    olga = own(workspace)
    bea = come(workspace, olga, "Bea", "admin")
    for seat in (olga, bea):
        with pytest.raises(Forbidden):
            reset_password(seat.workspace, person="bea")


def test_whoever_has_no_password_or_may_not_come_in_gets_none(workspace):
    olga = own(workspace)
    come(workspace, olga, "Bea", "viewer")
    introduce(workspace, name="At the machine", roles=["viewer"])
    code = reset_password(workspace, person="bea").code
    disable(workspace, person="bea")
    with pytest.raises(Forbidden):
        set_new_password(workspace, code=code, password=NEW)
    for who in ("bea", workspace.actor.id):
        with pytest.raises(Conflict):
            reset_password(workspace, person=who)
    with pytest.raises(NotFound):
        reset_password(workspace, person="nobody")
