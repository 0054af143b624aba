"""Asks, notices and comments as pages: asking, answering with what shows it, handing back, being told."""

import re

import pytest

from sfumato.people.asks import make_ask, show_ask
from sfumato.people.comments import comments_on, write_comment
from tests.crew import HOSTILE, add_pictures
from tests.web.crowd import crew, door
from tests.web.test_team import as_person, signed_in

__all__ = ["crew", "door"]
SCRIPT = "<script>alert(1)</script>"


def ask_id(answer):
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/asks/")


def test_with_nothing_asked_the_pages_say_what_will_be_there(browser):
    assert "Nothing waits for you" in browser.page("/asks").text
    assert "What you ask for will be here" in browser.page("/asks/mine").text
    assert "You have read everything" in browser.page("/notices").text


def test_an_ask_is_made_pinned_to_a_picture_that_the_page_offers(workspace, browser):
    picture = add_pictures(workspace, 1)[0]
    form = browser.page(f"/asks/new?about={picture}").text
    assert re.search(rf'value="{picture}" checked', form)
    answer = browser.post(
        "/asks", data={"question": HOSTILE, "to": "role/researcher", "due": "2099-01-02", "refs": [picture]}
    )
    made = show_ask(workspace, ask=ask_id(answer))
    assert (made.question, made.refs, made.due) == (HOSTILE.strip(), [picture], "2099-01-02")
    page = browser.page(f"/asks/{made.id}").text
    assert "<script>alert" not in page.replace('<script type="module"', "")
    assert "a red llama" in page


def test_a_picture_is_pinned_by_the_address_of_its_page(workspace, browser):
    picture = add_pictures(workspace, 1)[0]
    said = f"http://127.0.0.1:8760/pictures/{picture.partition('/')[2]}?x=1"
    answer = browser.post("/asks", data={"question": "Is it good?", "to": "role/researcher", "more": said})
    assert show_ask(workspace, ask=ask_id(answer)).refs == [picture]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"question": " "}, "empty"), ({"to": ""}, "Nobody is asked"), ({"to": "role/wizard"}, "wizard"),
        ({"due": "2001-01-01"}, "past"), ({"due": "soon"}, "no day"), ({"more": "image/none"}, "no record"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_and_what_was_written_stays(browser, said, told):
    answer = browser.post("/asks", data={"question": "Kept words", "to": "role/researcher"} | said)
    assert 400 <= answer.status_code < 500
    assert told in answer.text
    assert "question" in said or "Kept words" in answer.text


def test_an_overdue_ask_says_so_in_words(workspace, browser):
    from datetime import date, timedelta

    from sqlalchemy import update

    from sfumato.people.asking_records import Ask

    made = make_ask(workspace, question="Still there?", to="role/researcher")
    with workspace.write() as session:
        session.execute(update(Ask).where(Ask.id == made.id).values(due=date.today() - timedelta(days=4)))
    for path in ("/asks/mine", f"/asks/{made.id}"):
        assert "overdue by 4 days" in browser.page(path).text


def test_it_is_answered_by_what_was_done_since_and_the_asker_is_told(crew, door):
    made = make_ask(as_person(crew, "owen"), question="A word on this?", to="role/data scientist")
    dana = signed_in(door, "dana")
    assert "A word on this?" in dana.page("/asks").text
    picture = add_pictures(crew, 1, by=as_person(crew, "dana").actor)[0]
    alone = dana.post(f"/asks/{made.id}/answer", data={"words": "Done"})
    assert alone.status_code == 422
    assert "Nothing is named" in alone.text
    answer = dana.post(f"/asks/{made.id}/answer", data={"words": "Drawn", "evidence": picture, "version": made.version})
    assert answer.status_code == 303
    assert show_ask(crew, ask=made.id).status == "closed"
    owen = signed_in(door, "owen")
    notices = owen.page("/notices").text
    assert "Dana" in notices
    assert "Drawn" in notices
    assert "Drawn" in owen.page("/asks/mine").text
    newest = re.search(r'name="position" value="(\d+)"', notices)
    assert newest is not None
    assert owen.post("/notices/read", data={"position": newest[1]}).status_code == 303
    assert "You have read everything" in owen.page("/notices").text


def test_what_was_changed_meanwhile_is_told_and_not_overwritten(crew, door):
    made = make_ask(as_person(crew, "owen"), question="First", to="role/data scientist")
    owen = signed_in(door, "owen")
    said = {"question": "Second", "to": made.to, "version": made.version}
    assert owen.post(f"/asks/{made.id}/change", data=said).status_code == 303
    stale = owen.post(f"/asks/{made.id}/change", data=said | {"question": "Third"})
    assert stale.status_code == 409
    assert show_ask(crew, ask=made.id).question == "Second"


def test_it_is_handed_back_with_a_reason_and_taken_back_by_who_asked(crew, door):
    made = make_ask(as_person(crew, "owen"), question="Can you?", to="role/data scientist")
    dana = signed_in(door, "dana")
    assert dana.post(f"/asks/{made.id}/decline", data={"reason": " "}).status_code == 422
    assert dana.post(f"/asks/{made.id}/decline", data={"reason": "No llamas here"}).status_code == 303
    assert "Nothing waits for you" in dana.page("/asks").text
    owen = signed_in(door, "owen")
    assert "No llamas here" in owen.page(f"/asks/{made.id}").text
    assert owen.post(f"/asks/{made.id}/withdraw", data={}).status_code == 303
    assert "taken back" in owen.page(f"/asks/{made.id}").text


def test_a_viewer_sees_that_asking_is_not_theirs_and_why(crew, door):
    vic = signed_in(door, "vic")
    assert "permission &#39;ask.write&#39;" in vic.page("/asks").text
    assert vic.post("/asks", data={"question": "May I?", "to": "role/researcher"}).status_code == 403
    assert vic.page("/asks/none").status_code == 404


def test_a_comment_is_written_changed_and_taken_back_where_it_is_shown(workspace, browser):
    picture = add_pictures(workspace, 1)[0]
    back = f"/comments?about={picture}"
    assert (
        browser.post("/comments", data={"about": picture, "text": f"One\r\n{SCRIPT}", "back": back}).headers["location"]
        == back
    )
    page = browser.page(back).text
    assert "One<br>&lt;script&gt;" in page
    first = comments_on(workspace, about=picture)[0]
    assert browser.post(f"/comments/{first.id}", data={"text": "Two", "back": back}).status_code == 303
    second = comments_on(workspace, about=picture)[0]
    assert second.text == "Two"
    assert browser.post(f"/comments/{first.id}", data={"text": "Three"}).status_code == 409
    assert browser.post(f"/comments/{second.id}/withdraw", data={"back": back}).headers["location"] == back
    assert "No comments yet" in browser.page(back).text


def test_a_comment_leads_nowhere_else_and_cannot_be_empty_or_of_others(crew, door):
    picture = add_pictures(crew, 1)[0]
    theirs = write_comment(as_person(crew, "owen"), about=picture, text="Mine")
    vic = signed_in(door, "vic")
    assert vic.post(f"/comments/{theirs.id}", data={"text": "Yours"}).status_code == 403
    assert vic.post("/comments", data={"about": picture, "text": " "}).status_code == 422
    assert vic.post("/comments", data={"about": "image/none", "text": "x"}).status_code == 404
    away = vic.post("/comments", data={"about": picture, "text": "x", "back": "//evil.example"})
    assert away.headers["location"] == "/"


def test_the_address_of_any_record_shows_it_or_sends_on(workspace, browser):
    made = make_ask(workspace, question="Where?", to="role/researcher")
    said = write_comment(workspace, about=made.ref, text="Here")
    assert browser.page(f"/records/{made.ref}").headers["location"] == f"/asks/{made.id}"
    assert browser.page(f"/records/comment/{said.id}").headers["location"] == f"/asks/{made.id}"
    assert browser.page("/records/image/none").status_code == 404
    assert "no such record" in browser.page("/records/image/none").text
