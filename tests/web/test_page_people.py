"""People and accounts as pages: inviting, roles, sessions, tokens, and becoming a team."""

import re

from sfumato.people.identify import is_team
from sfumato.people.lost_passwords import reset_password
from sfumato.people.members import list_members, set_roles
from sfumato.people.persons import introduce
from tests.web.conftest import HERE, Browser, enter, open_studio
from tests.web.crowd import crew, door
from tests.web.test_team import PASSWORD, as_person, bearer, signed_in

__all__ = ["crew", "door"]
SCRIPT = "<script>alert(1)</script>"


def member(workspace, name):
    return next(one for one in list_members(workspace) if one.name == name)


def test_alone_one_reads_that_one_is_alone_and_what_a_team_would_change(workspace, browser):
    assert "You work here alone" in browser.page("/people").text
    team = browser.page("/people/team").text
    assert "Everybody signs in" in team
    introduce(workspace, name=SCRIPT, roles=["researcher"])
    page = browser.page("/people").text
    assert "&lt;script&gt;alert(1)" in page
    assert SCRIPT not in page


def test_a_team_begins_with_a_code_shown_once_that_makes_the_owner(workspace, outside):
    alone = enter(outside)
    code = re.search(r'data-copy="([\w-]{30,})"', alone.post("/people/team").text)
    assert code is not None
    assert code[1] not in alone.page("/people/team").text
    told = {"code": code[1], "login": "owen", "name": "Owen", "password": PASSWORD}
    short = alone.post("/own", data=told | {"password": "short"})
    assert short.status_code == 422
    assert "at least 12" in short.text
    assert alone.post("/own", data=told).status_code == 303
    assert is_team(workspace)
    assert "Owen" in alone.page("/people").text
    again = alone.post("/own", data=told | {"login": "eve"})
    assert again.status_code == 403
    assert "not good" in again.text


def test_an_invitation_is_shown_once_and_its_link_makes_an_account(crew, door):
    owen = signed_in(door, "owen")
    answer = owen.post("/people/invitations", data={"roles": ["researcher"], "note": SCRIPT, "days": "7"}).text
    link = re.search(r'data-copy="http://127.0.0.1:8760(/join\?code=[\w-]+)"', answer)
    assert link is not None
    page = owen.page("/people").text
    assert link[1] not in page
    assert "&lt;script&gt;" in page
    with open_studio(crew) as other:
        assert "You were invited" in other.get(link[1]).text
        code = link[1].partition("=")[2]
        told = {"code": code, "login": "rita", "name": "Rita", "password": PASSWORD}
        wrong = other.post("/join", data=told | {"login": "owen"}, headers={"Origin": HERE})
        assert wrong.status_code == 409
        assert "Rita" in wrong.text
        assert PASSWORD not in wrong.text
        assert other.post("/join", data=told, headers={"Origin": HERE}).status_code == 303
        assert Browser(other).page("/people").status_code == 200
    assert member(crew, "Rita").roles == ["researcher"]
    assert owen.post("/people/invitations", data={"note": "nobody"}).status_code == 422


def test_an_open_invitation_is_taken_back(crew, door):
    owen = signed_in(door, "owen")
    owen.post("/people/invitations", data={"roles": ["viewer"], "note": "Ida"})
    found = re.search(r"/people/invitations/([\w-]+)/revoke", owen.page("/people").text)
    assert found is not None
    assert owen.post(f"/people/invitations/{found[1]}/revoke").status_code == 303
    assert "Ida" not in owen.page("/people").text


def test_roles_are_changed_and_a_stale_version_overwrites_nothing(crew, door):
    owen, vic = signed_in(door, "owen"), member(crew, "Vic")
    said = {"roles": ["researcher"], "version": vic.version}
    assert owen.post(f"/people/{vic.id}/roles", data=said).status_code == 303
    stale = owen.post(f"/people/{vic.id}/roles", data=said | {"roles": ["viewer"]})
    assert stale.status_code == 409
    assert "Nothing was overwritten" in stale.text
    assert member(crew, "Vic").roles == ["researcher"]
    assert owen.post(f"/people/{vic.id}/roles", data={"version": vic.version}).status_code == 422


def test_the_last_admin_stays_and_others_are_removed(crew, door):
    owen, one, vic = signed_in(door, "owen"), member(crew, "Owen"), member(crew, "Vic")
    assert "last admin" in owen.post(f"/people/{one.id}/remove", data={"version": one.version}).text
    assert owen.post(f"/people/{vic.id}/remove", data={"version": vic.version}).headers["location"] == "/people"
    assert owen.page(f"/people/{vic.id}").status_code == 404


def test_a_viewer_sees_people_and_why_they_may_change_nobody(crew, door):
    vic, dana = signed_in(door, "vic"), member(crew, "Dana")
    assert "permission &#39;people.write&#39;" in vic.page("/people").text
    assert "permission &#39;people.write&#39;" in vic.page(f"/people/{dana.id}").text
    assert vic.post(f"/people/{dana.id}/roles", data={"roles": ["viewer"]}).status_code == 403
    assert vic.post("/people/invitations", data={"roles": ["viewer"]}).status_code == 403
    assert vic.post(f"/people/{dana.id}/disable").status_code == 403
    assert vic.post("/people/team").status_code == 403


def test_somebody_is_shut_out_and_let_in_again(crew, door):
    dana = member(crew, "Dana")
    as_person(crew, "dana")
    owen = signed_in(door, "owen")
    assert owen.post(f"/people/{dana.id}/disable").status_code == 303
    assert "Let in again" in owen.page(f"/people/{dana.id}").text
    assert owen.post(f"/people/{dana.id}/enable").status_code == 303


def test_the_table_of_permissions_marks_ones_own_roles(crew, door):
    page = signed_in(door, "dana").page("/people/permissions").text
    assert "Collect pictures, change datasets, and freeze versions." in page
    assert len(re.findall(r'aria-current="true" title=', page)) == 1
    assert "Your own roles are marked: data scientist." in page


def test_a_token_is_shown_once_and_works_until_it_is_revoked(crew, door):
    dana = signed_in(door, "dana")
    made = dana.post("/account/tokens", data={"name": "nightly", "scopes": ["record.read"], "days": "30"}).text
    secret = re.search(r"sfm_[\w-]{30,}", made)
    assert secret is not None
    assert secret[0] not in dana.page("/account").text
    door.cookies.clear()
    assert door.get("/api/v1/people", headers=bearer(secret[0])).status_code == 200
    dana = signed_in(door, "dana")
    found = re.search(r"/account/tokens/([\w-]+)/revoke", dana.page("/account").text)
    assert found is not None
    assert dana.post(f"/account/tokens/{found[1]}/revoke").status_code == 303
    door.cookies.clear()
    assert door.get("/api/v1/people", headers=bearer(secret[0])).status_code == 401


def test_a_token_holds_no_more_than_one_holds_oneself(crew, door):
    dana = signed_in(door, "dana")
    refused = dana.post("/account/tokens", data={"name": "kept name", "scopes": ["people.write"]})
    assert refused.status_code == 403
    assert "kept name" in refused.text


def test_sessions_are_listed_and_ended(crew, door):
    as_person(crew, "dana")
    dana = signed_in(door, "dana")
    page = dana.page("/account").text
    assert "(this one)" in page
    found = re.search(r"/account/sessions/([0-9a-f-]{36})/revoke", page)
    assert found is not None
    assert dana.post(f"/account/sessions/{found[1]}/revoke").status_code == 303
    assert found[1] not in dana.page("/account").text
    assert dana.post("/account/sessions/others/revoke").status_code == 303
    assert not re.search(r"/account/sessions/[0-9a-f-]{36}/revoke", dana.page("/account").text)


def test_name_and_password_are_changed(crew, door):
    dana = signed_in(door, "dana")
    version = re.search(r'name="version" value="(\d+)"', dana.page("/account").text)
    assert version is not None
    assert dana.post("/account/name", data={"name": "Dana D.", "version": version[1]}).status_code == 303
    assert dana.post("/account/name", data={"name": "Other", "version": version[1]}).status_code == 409
    new = "three blue whales"
    unequal = dana.post("/account/password", data={"old": PASSWORD, "new": new, "again": "else"})
    assert "same twice" in unequal.text
    wrong = dana.post("/account/password", data={"old": "guess", "new": new, "again": new})
    assert "old password is not right" in wrong.text
    assert "was changed" in dana.post("/account/password", data={"old": PASSWORD, "new": new, "again": new}).text
    door.cookies.clear()
    signed_in(door, "dana", new)


def test_who_never_said_who_they_are_can_be_named_in_the_account(browser):
    page = browser.page("/account").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert browser.post("/account/name", data={"name": "Pat", "version": version[1]}).status_code == 303
    assert 'value="Pat"' in browser.page("/account").text


def test_one_looks_as_one_of_ones_roles_and_may_do_no_more_or_less(crew, door):
    set_roles(crew, person="dana", roles=["data scientist", "viewer"])
    dana = signed_in(door, "dana")
    assert "Look as" in dana.page("/people").text
    assert dana.post("/look-as", data={"role": "viewer", "back": "/people"}).headers["location"] == "/people"
    assert "all my roles" in dana.page("/people").text
    assert dana.post("/asks", data={"question": "Still?", "to": "role/researcher"}).status_code == 303


def test_who_lost_a_password_sets_a_new_one_by_a_code_from_the_machine(crew, door):
    code = reset_password(crew, person="owen").code
    assert "/new-password" in door.get("/sign-in", headers={"Accept": "text/html"}).text
    assert "A new password" in door.get("/new-password").text
    poor = door.post("/new-password", data={"code": code, "password": "short"}, headers={"Origin": HERE})
    assert (poor.status_code, "at least 12" in poor.text) == (422, True)
    told = {"code": code, "password": "gravel umbrella sonnet"}
    assert door.post("/new-password", data=told, headers={"Origin": HERE}).headers["location"] == "/"
    assert door.get("/account").status_code == 200
    again = Browser(door).post("/new-password", data=told)
    assert (again.status_code, "not good" in again.text) == (403, True)
