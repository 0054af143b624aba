"""The audit page: names instead of ids, filters in the address, details on demand, and CSV that cannot act."""

import csv
import io

import pytest

from sfumato.people.asks import make_ask
from sfumato.people.comments import write_comment
from tests.web.crowd import crew, door
from tests.web.test_team import as_person, signed_in

__all__ = ["crew", "door"]
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def told(crew):
    """Owen asked something; Dana said things that a spreadsheet or a page could take for a command."""
    asked = make_ask(as_person(crew, "owen"), question="=1+1", to="role/researcher")
    write_comment(as_person(crew, "dana"), about=asked.ref, text=SCRIPT)
    return asked


def test_it_says_who_did_what_by_name_and_cannot_be_made_to_act(told, door):
    page = signed_in(door, "owen").page("/audit").text
    assert "<strong>Dana</strong>" in page
    assert "&lt;script&gt;alert(1)" in page
    assert SCRIPT not in page


def test_filters_are_in_the_address(told, door, crew):
    owen = signed_in(door, "owen")
    dana = as_person(crew, "dana").actor.id
    assert "asked every researcher" not in owen.page(f"/audit?by={dana}").text
    assert "<strong>Dana</strong>" not in owen.page("/audit?action=ask.").text
    assert "asked every researcher" in owen.page(f"/audit?record=http://127.0.0.1:8760/asks/{told.id}").text
    assert "Nothing fits" in owen.page("/audit?until=2001-01-01").text
    wrong = owen.page("/audit?since=yesterday")
    assert wrong.status_code == 422
    assert "is no day" in wrong.text


def test_it_is_read_part_by_part(crew, door):
    asked = make_ask(as_person(crew, "owen"), question="Many words?", to="role/researcher")
    dana = as_person(crew, "dana")
    for n in range(55):
        write_comment(dana, about=asked.ref, text=f"word {n}")
    owen = signed_in(door, "owen")
    first = owen.page("/audit?action=comment.write").text
    assert "word 54" in first
    assert "word 4<" not in first
    older = first[first.index('rel="next" href="') + 17 :].partition('"')[0].replace("&amp;", "&")
    assert "word 4<" in owen.page(older).text


def test_details_open_as_a_page_and_beside_the_list(told, door):
    owen = signed_in(door, "owen")
    position = owen.get("/api/v1/audit?limit=1").json()["items"][0]["position"]
    page = owen.page(f"/audit/{position}").text
    assert "<h1>" in page
    part = owen.get(f"/audit/{position}", headers={"X-Part": "1"}).text
    assert "<html" not in part
    assert "comment.write" in part
    assert owen.page("/audit/999999").status_code == 404


def test_csv_has_everything_that_was_asked_for_and_no_formula(told, door, crew):
    write_comment(as_person(crew, "dana"), about=told.ref, text="plain")
    with crew.write() as session:
        from sqlalchemy import update

        from sfumato.actions.records import Event

        session.execute(update(Event).where(Event.action == "ask.make").values(summary="=HYPERLINK(1)"))
    answer = signed_in(door, "owen").get("/audit.csv?action=ask.make")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["position", "when", "who", "person", "action", "what", "record", "details"]
    assert [(row[2], row[5]) for row in rows[1:]] == [("Owen", "'=HYPERLINK(1)")]


def test_it_is_closed_to_those_without_the_permission(told, door):
    vic = signed_in(door, "vic")
    for path in ("/audit", "/audit.csv", "/audit/1"):
        assert vic.page(path).status_code == 403
    page = vic.page("/people").text
    assert "permission &#39;audit.read&#39;" in page
