"""What a check found as people see it: copies that may be none, and one question for each licence."""

import html
import re

import pytest

from sfumato.data.caption_edits import edit_captions
from sfumato.data.history import list_decisions
from sfumato.data.narrowing import Where
from sfumato.data.records import Item
from sfumato.data.scan import check, list_scans
from sfumato.jobs.queue import list_jobs
from sfumato.jobs.worker import run_worker
from sfumato.web.pages import checks
from tests.data.curated import found
from tests.web.stocked import HOSTILE, widened

JSON = {"Accept": "application/json"}


@pytest.fixture
def animals(workspace):
    return widened(workspace)


@pytest.fixture
def called(workspace, animals):
    """The animals with captions, the largest first."""
    with workspace.write() as session:
        for place, one in enumerate(animals):
            item = session.get(Item, one)
            item.name, item.width = ("a llama", "a llama", "a cat", "", "a dog", "a dog")[place], 60 - place
    return animals


def test_what_may_be_no_copy_says_so_and_the_button_for_all_leaves_it(browser, called, workspace):
    found(workspace, dict.fromkeys(called[:3], "near_copies"), name="animals", group="one")
    found(workspace, {called[3]: "near_copies"}, name="animals", group="two", details={"doubt": "A part differs"})
    found(workspace, {called[4]: "near_copies"}, name="animals", group="two")
    page = browser.page("/data/animals/checks/near_copies").text
    assert "leave 1 sure copy out" in page
    assert "<strong>2 pictures may be no copies</strong>" in page
    assert page.count("Maybe no copy. Their captions differ.") == 1
    assert page.count("Maybe no copy. A part differs.") == 1
    browser.post("/data/animals/checks/near_copies/thin", data={"rule": "best"}, headers=JSON)
    page = browser.page("/data/animals/checks/near_copies").text
    assert "sure cop" not in page, "a button for all has nothing to do"
    assert "The button above" not in page
    assert "They wait for you" in page
    assert page.count("data-group") == 2
    browser.post("/data/animals/checks/near_copies/thin", data={"rule": "best", "group": "two"}, headers=JSON)
    assert browser.page("/data/animals/checks/near_copies").text.count("data-group") == 1


def test_pictures_that_share_a_caption_are_no_copies_and_get_captions_of_their_own(browser, called, workspace):
    found(workspace, dict.fromkeys(called[:2], "caption_duplicate"), name="animals", group="one")
    page = browser.page("/data/animals/checks/caption_duplicate").text
    assert "sure cop" not in page
    assert page.count('value="a llama"><button class="button small">Save</button>') == 2


def test_a_licence_is_one_question(browser, called, workspace):
    with workspace.write() as session:
        for place, one in enumerate(called):
            session.get(Item, one).licence = "GPL-2.0-or-later" if place < 4 else HOSTILE
    found(workspace, dict.fromkeys(called[:4], "licence_conflict"), name="animals")
    found(workspace, dict.fromkeys(called[3:], "licence_unknown"), name="animals")
    found(workspace, {called[4]: "licence_conflict"}, name="animals")
    assert "2 licences of 5 pictures: one question for each." in (listed := browser.page("/data/animals/checks").text)
    assert "2 licences of 3 pictures: one question for each." in listed
    page = browser.page("/data/animals/checks/licence_conflict").text
    assert re.findall(r"(?:Keep|Leave) [\w ]*\d+[\w ]*", page) == ["Keep all 4", "Leave all 4 out"]
    assert HOSTILE not in page
    for where in dict.fromkeys(re.findall(r'name="where" value="([^"]+)"', page)):
        sent = {"where": html.unescape(where), "verb": "keep"}
        assert browser.post("/data/animals/decide", data=sent, headers=JSON).json()["n"] in (1, 4)
    assert "Nothing is left to decide" in browser.page("/data/animals/checks/licence_conflict").text
    unknown = browser.page("/data/animals/checks/licence_unknown").text
    assert unknown.count("data-group") == 2
    link = html.unescape(re.findall(r'class="button" href="(/data/animals/items[^"]+licence=[^"]+)"', unknown)[0])
    assert "<strong>2</strong> of 6" in browser.page(link).text
    assert browser.page("/data/animals/checks/licence_unknown?how=list").text.count("data-finding>") == 3


def test_a_licence_is_changed_with_its_proof_for_all_pictures_of_one_question(browser, called, workspace):
    with workspace.write() as session:
        for one in called[:3]:
            session.get(Item, one).licence = "CC-BY-NC-4.0"
    found(workspace, dict.fromkeys(called[:3], "licence_conflict"), name="animals")
    page = browser.page("/data/animals/checks/licence_conflict").text
    assert '<option value="CC-BY-4.0">' in page
    where = html.unescape(re.search(r'name="where" value="([^"]+)"', page)[1])
    sent = {"where": where, "verb": "licence", "licence": "cc by 4.0"}
    assert "proof of a licence" in browser.post("/data/animals/decide", data=sent, headers=JSON).text
    assert browser.post("/data/animals/decide", data=sent | {"licence": "", "proof": "x"}).status_code == 422
    told = browser.post("/data/animals/decide", data=sent | {"proof": "her letter of 3 May"}, headers=JSON).json()
    assert (told["say"], told["n"]) == ("Changed the licence of “a llama” and 2 more.", 3)
    assert "Nothing is left to decide" in browser.page("/data/animals/checks/licence_conflict").text
    assert "her letter of 3 May" in browser.page(f"/data/animals/items/{called[0]}").text
    assert "CC-BY-4.0" in browser.page(f"/data/animals/items/{called[0]}").text


def test_checks_are_chosen_and_none_is_no_choice(browser, called, workspace):
    refused = browser.post("/data/animals/scans", data={"chosen": "true"})
    assert refused.status_code == 422
    assert "No check was chosen." in refused.text
    assert 'id="choose-checks" open' in refused.text
    assert not list_jobs(workspace)
    browser.post("/data/animals/scans", data={"chosen": "true", "check-odd_aspect": "true"})
    run_worker(workspace, only_job=list_jobs(workspace)[0].id)
    assert list_scans(workspace, name="animals")[0].checks == ["odd_aspect"]


def test_nothing_is_called_done_over_a_list_from_before_its_end(browser, called, workspace, monkeypatch):
    job = check(workspace, name="animals", only=["caption_missing"])
    count = checks._counts

    def count_and_end(*of):
        counted = count(*of)
        run_worker(workspace, only_job=job.id)  # a worker that ends while a page is put together
        return counted

    monkeypatch.setattr(checks, "_counts", count_and_end)
    page = browser.page("/data/animals/checks").text
    assert "Waits for a worker" in page or "/checks/caption_missing" in page
    monkeypatch.undo()
    page = browser.page("/data/animals/checks").text
    assert "Waits for a worker" not in page
    assert "/checks/caption_missing" in page


def test_what_was_found_of_captions_that_changed_since_says_so(browser, called, workspace):
    run_worker(workspace, only_job=check(workspace, name="animals", only=["caption_missing"]).id)
    address = "/data/animals/checks/caption_missing"
    assert "Captions have changed" not in browser.page(address).text
    edit_captions(workspace, name="animals", where=Where(), find="llama", replace="alpaca")
    assert "Captions have changed since this was found." in browser.page(address).text
    run_worker(workspace, only_job=check(workspace, name="animals", only=["caption_missing"]).id)
    assert "Captions have changed" not in browser.page(address).text


def test_what_is_found_beside_another_picture_is_shown_with_it(browser, called, workspace):
    found(workspace, {called[0]: "near_copies"}, name="animals", beside_id=called[1])
    found(workspace, {called[2]: "near_copies"}, name="animals", group="lone", beside_id=called[3])
    page = browser.page("/data/animals/checks/near_copies").text
    for one in called[:4]:
        assert f'<img src="/api/v1/items/{one}/file"' in page
    assert page.count('alt="The picture that it is compared with"') == 2


def test_checks_come_in_the_order_in_which_they_are_decided_and_next_keeps_to_it(browser, animals, workspace):
    order = ["exact_copies", "near_copies", "looks_alike", "blur", "dark", "grey", "caption_short", "licence_unknown"]
    for name in reversed(order):
        found(workspace, {animals[0]: name}, name="animals")
    found(workspace, dict.fromkeys(animals, "grey"), name="animals")
    assert re.findall(r'/checks/(\w+)"><span class="check-n', browser.page("/data/animals/checks").text) == order
    browser.post("/data/animals/decide", data={"verb": "keep", "ids": animals[0], "check": "near_copies"})
    follows = {"exact_copies": "looks_alike", "near_copies": "looks_alike", "licence_unknown": "exact_copies"}
    for at, then in follows.items():
        assert re.search(r'checks/(\w+)">Next:', browser.page(f"/data/animals/checks/{at}").text)[1] == then


def test_a_group_shows_what_is_out_of_it_and_says_what_is_left_to_do(browser, animals, workspace):
    found(workspace, dict.fromkeys(animals[:4], "near_copies"), name="animals", group="a")
    address = "/data/animals/checks/near_copies"
    page = browser.page(address).text
    assert "Leave the 3 others out" in page
    star = re.search(r'tile checks best" href="/data/animals/items/([^"]+)"', page)[1]
    browser.post("/data/animals/decide", data={"verb": "leave_out", "ids": star, "check": "near_copies"})
    page = browser.page(f"{address}?group=a&keep=best").text
    assert page.count('<span class="chip">left out</span>') == page.count('class="is-out"') == 1
    assert "It is left out already." in page
    assert "Leave the 2 others out" in page
    assert re.search(r'tile checks best" href="/data/animals/items/([^"]+)"', page)[1] != star
    assert star not in re.search(r'name="ids" value="([^"]+,[^"]+)"', page)[1]
    left = [one for one in animals[:4] if one != star]
    said = browser.post(f"{address}/thin", data={"rule": "best", "group": "a"}, headers=JSON).json()["say"]
    assert said == "Kept “llama”, left out 2 copies of it."
    with workspace.read() as session:
        assert sorted(session.get(Item, one).state for one in left) == ["kept", "left out", "left out"]
    assert "data-group" not in browser.page(f"{address}?group=a").text


def test_of_each_group_of_copies_one_is_kept_by_one_decision(browser, animals, workspace):
    found(workspace, dict.fromkeys(animals[:3], "odd_aspect"), name="animals", group="a")
    found(workspace, dict.fromkeys(animals[3:], "odd_aspect"), name="animals", group="b")
    page = browser.page("/data/animals/checks/odd_aspect").text
    assert page.count("data-group") == 2
    assert "differs" in page
    answer = browser.post("/data/animals/checks/odd_aspect/thin", data={"rule": "largest"}, headers=JSON)
    assert answer.json()["say"] == "Kept the largest of 2 groups of copies, left out 4 pictures."
    assert len(list_decisions(workspace, name="animals")) == 1
    with workspace.read() as session:
        states = [session.get(Item, one).state for one in animals]
    assert states == ["left out", "left out", "kept"] * 2
    assert "Nothing is left to decide" in browser.page("/data/animals/checks/odd_aspect").text
    assert browser.post("/data/animals/checks/odd_aspect/thin", data={"rule": "largest"}).status_code == 404
    browser.post(answer.json()["undo"])
    assert browser.page("/data/animals/checks/odd_aspect").text.count("data-group") == 2
