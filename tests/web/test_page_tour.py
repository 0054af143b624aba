"""The first run and the tour: a form that can be skipped, five steps that tick when the thing was done, help."""

import re

from sfumato.generation.records import Published
from sfumato.people.asks import make_ask
from sfumato.people.persons import me
from sfumato.people.tour import show_tour
from tests.crew import add_pictures
from tests.web.conftest import Browser, open_studio
from tests.web.crowd import crew, door
from tests.web.test_team import signed_in

__all__ = ["crew", "door"]


def first_opening(client):
    answer = client.get(f"/launch/{client.app.state.house.serving.launch}")
    return Browser(client), answer.headers["location"]


def as_local(workspace):
    from sfumato.people.identify import local_actor

    return workspace.as_actor(local_actor(workspace))


def drawn(workspace):
    """A picture on record as it is after drawing."""
    picture = add_pictures(workspace, 1, by=as_local(workspace).actor)[0]
    with workspace.write() as session:
        session.add(
            Published(
                made_by="person/x", image_id=picture.partition("/")[2], sha256="0" * 64, file_name="a.png",
                mime="image/png", background="white",
            )
        )  # fmt: skip
    return picture


def test_the_first_opening_asks_who_one_is_and_begins_the_tour(workspace, outside):
    browser, place = first_opening(outside)
    assert place == "/welcome"
    page = browser.page("/welcome").text
    assert 'id="name" name="name" value=""' in page  # what the machine calls them is no name
    assert 'value="prompt designer"' in page
    assert not re.search(r'name="roles" value="[^"]+" checked', page), "nobody is taken for anybody"
    none = browser.post("/welcome", data={"name": "Bea", "project": "Emoji"})
    assert none.status_code == 422
    assert "at least one role" in none.text
    assert 'value="Bea"' in none.text
    answer = browser.post("/welcome", data={"name": "Bea", "project": "Emoji", "roles": ["researcher"]})
    assert answer.headers["location"] == "/data"
    known = me(as_local(workspace))
    assert (known.name, known.introduced) == ("Bea", True)
    assert "Step 1 of 5" in browser.page("/people").text
    with open_studio(workspace) as again:
        assert first_opening(again)[1] == "/"


def test_who_one_is_can_be_said_without_the_tour(workspace, outside):
    browser, _ = first_opening(outside)
    answer = browser.post("/welcome", data={"name": "Bea", "roles": ["researcher"], "then": "on"})
    assert answer.headers["location"] == "/"
    known = me(as_local(workspace))
    assert (known.name, known.introduced) == ("Bea", True)
    assert 'id="tour"' not in browser.page("/people").text


def test_it_is_skipped_and_not_asked_again(workspace, outside):
    browser, _ = first_opening(outside)
    assert browser.post("/tour/leave", data={"back": "/"}).headers["location"] == "/"
    assert 'id="tour"' not in browser.page("/people").text
    with open_studio(workspace) as again:
        assert first_opening(again)[1] == "/"


def test_what_cannot_be_a_name_is_said_and_the_rest_stays(outside):
    browser, _ = first_opening(outside)
    wrong = browser.post("/welcome", data={"name": " ", "project": "Emoji kept", "roles": ["viewer"]})
    assert wrong.status_code == 422
    assert "A name has 1 to 100 letters" in wrong.text
    assert "Emoji kept" in wrong.text
    assert browser.post("/welcome", data={"name": "Bea"}).status_code == 422


def test_steps_tick_when_one_goes_on_or_has_really_done_the_thing(workspace, outside):
    browser, _ = first_opening(outside)
    browser.post("/welcome", data={"name": "Bea", "roles": ["researcher"]})
    local = as_local(workspace)
    assert show_tour(local).done == []
    browser.post("/tour", data={"step": "2", "seen": "data"})
    assert show_tour(local).done == ["data"]
    assert browser.post("/tour", data={"step": "5"}).headers["location"] == "/create"
    picture = drawn(workspace)
    answer = browser.post("/tour", data={"step": "5", "seen": ""})
    assert answer.headers["location"] == f"/records/{picture}"
    assert "Ask for a better one" in browser.page("/people").text
    make_ask(local, question="A better llama", to="role/prompt designer", refs=[picture])
    assert show_tour(local).done == ["data", "decide"]
    assert "done" in re.findall(r'<section class="tour".*?</section>', browser.page("/people").text, re.S)[0]


def test_what_was_done_before_the_tour_ticks_nothing(workspace, browser):
    make_ask(as_local(workspace), question="Before", to="role/researcher")
    browser.post("/tour", data={"step": "1", "anew": "1"})
    assert show_tour(as_local(workspace)).done == []


def test_the_tour_is_ones_own_and_fills_no_log(crew, door):
    signed_in(door, "dana").post("/tour", data={"step": "3"})
    assert "Step 3 of 5" in signed_in(door, "dana").page("/people").text
    owen = signed_in(door, "owen")
    assert 'id="tour"' not in owen.page("/people").text
    assert "the tour" not in owen.page("/audit?outside=1").text
    assert "step 3" not in owen.page("/audit").text


def test_a_step_that_is_none_is_refused(browser):
    assert browser.post("/tour", data={"step": "6"}).status_code == 422
    assert browser.post("/tour", data={"step": "2", "seen": "nothing"}).status_code == 422


def test_help_keeps_the_tour_the_keys_and_the_words(browser):
    page = browser.page("/help").text
    assert "Five steps on real pages" in page
    assert "In a gallery" in page
    assert "Content Credentials" in page
    assert 'href="/api"' in page
    assert browser.post("/tour", data={"step": "4"}).status_code == 303
    assert "Step 4 of 5" in browser.page("/help").text
