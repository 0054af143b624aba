"""What a check found as people see it: copies that may be none, and one question for each licence."""

import html
import re

import pytest

from sfumato.data.records import Item
from tests.data.curated import found
from tests.web.stocked import HOSTILE, stock

JSON = {"Accept": "application/json"}


@pytest.fixture
def animals(workspace):
    ids = sorted(stock(workspace, "animals", 6))
    with workspace.write() as session:
        for place, one in enumerate(ids):
            item = session.get(Item, one)
            item.name, item.width = ("a llama", "a llama", "a cat", "", "a dog", "a dog")[place], 60 - place
    return ids


def test_what_may_be_no_copy_says_so_and_the_button_for_all_leaves_it(browser, animals, workspace):
    found(workspace, dict.fromkeys(animals[:3], "near_copies"), name="animals", group="one")
    found(workspace, {animals[3]: "near_copies"}, name="animals", group="two", details={"doubt": "A part differs"})
    found(workspace, {animals[4]: "near_copies"}, name="animals", group="two")
    page = browser.page("/data/animals/checks/near_copies").text
    assert "leave 1 sure copy out" in page
    assert "<strong>2 pictures may be no copies</strong>" in page
    assert page.count("Maybe no copy. Their captions differ.") == 1
    assert page.count("Maybe no copy. A part differs.") == 1
    browser.post("/data/animals/checks/near_copies/thin", data={"rule": "best"}, headers=JSON)
    page = browser.page("/data/animals/checks/near_copies").text
    assert "sure cop" not in page, "a button for all has nothing to do"
    assert page.count("data-group") == 2
    browser.post("/data/animals/checks/near_copies/thin", data={"rule": "best", "group": "two"}, headers=JSON)
    assert browser.page("/data/animals/checks/near_copies").text.count("data-group") == 1


def test_a_licence_is_one_question(browser, animals, workspace):
    with workspace.write() as session:
        for place, one in enumerate(animals):
            session.get(Item, one).licence = "GPL-2.0-or-later" if place < 4 else HOSTILE
    found(workspace, dict.fromkeys(animals[:4], "licence_conflict"), name="animals")
    found(workspace, dict.fromkeys(animals[3:], "licence_unknown"), name="animals")
    found(workspace, {animals[4]: "licence_conflict"}, name="animals")
    page = browser.page("/data/animals/checks/licence_conflict").text
    assert re.findall(r"(?:Keep|Leave) [\w ]*\d+[\w ]*", page) == ["Keep all 4", "Leave all 4 out"]
    assert HOSTILE not in page
    for where in re.findall(r'name="where" value="([^"]+)"', page):
        sent = {"where": html.unescape(where), "verb": "keep"}
        assert browser.post("/data/animals/decide", data=sent, headers=JSON).json()["n"] in (1, 4)
    assert "Nothing is left to decide" in browser.page("/data/animals/checks/licence_conflict").text
    unknown = browser.page("/data/animals/checks/licence_unknown").text
    assert unknown.count("data-group") == 2
    link = html.unescape(re.findall(r'class="button" href="(/data/animals/items[^"]+licence=[^"]+)"', unknown)[0])
    assert "<strong>2</strong> of 6" in browser.page(link).text
    assert browser.page("/data/animals/checks/licence_unknown?how=list").text.count("data-finding>") == 3


def test_what_is_found_beside_another_picture_is_shown_with_it(browser, animals, workspace):
    found(workspace, {animals[0]: "near_copies"}, name="animals", beside_id=animals[1])
    found(workspace, {animals[2]: "near_copies"}, name="animals", group="lone", beside_id=animals[3])
    page = browser.page("/data/animals/checks/near_copies").text
    for one in animals[:4]:
        assert f'<img src="/api/v1/items/{one}/file"' in page
    assert page.count('alt="The picture that it is compared with"') == 2
