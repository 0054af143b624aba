"""Home, search and activity: the pipeline, what waits, the newest, and everything by one field."""

import re
from threading import Event

from sfumato.compliance.search import search
from sfumato.data.freeze import freeze
from sfumato.people.asks import make_ask
from sfumato.people.comments import edit_comment, withdraw_comment, write_comment
from sfumato.people.members import add_member, remove_member
from sfumato.people.persons import introduce
from sfumato.people.projects import create_project
from sfumato.web.first import bring_to_life
from tests.crew import ALICE, add_pictures
from tests.people.team import come, own
from tests.web.stocked import HOSTILE, stock


def test_an_empty_project_says_what_will_be_here(browser):
    page = browser.page("/").text
    assert "Nothing waits for you" in page
    assert "Pictures will be here" in page
    assert "No worker is there" in page


def test_stations_count_and_lead_to_their_desks(browser, workspace):
    stock(workspace, "animals", 3)
    page = browser.page("/").text
    station = re.search(r'<a class="station" href="/data">(.*?)</a>', page, re.S)
    assert "3" in station[1]
    assert "pictures in 1 dataset" in station[1]
    for link in re.findall(r'class="station" href="([^"]+)"', page):
        assert browser.page(link).status_code == 200


def test_what_was_done_is_told_in_sentences_with_links(browser, workspace):
    stock(workspace, "animals", 2)
    version = freeze(workspace, name="animals")
    page = browser.page("/").text
    assert "<strong>You</strong>" in page
    assert f"froze animals {version.name}: 2 pictures" in page
    link = re.search(r'<a href="(/records/dataset_version/[^"]+)"', page)[1]
    assert browser.get(link).headers["location"].startswith("/data/")
    assert f"froze animals {version.name}" in browser.page("/activity").text


def test_what_is_asked_of_me_waits_on_home(browser, workspace):
    make_ask(workspace, question=f"May we use it? {HOSTILE}", to=workspace.actor.id)
    page = browser.page("/").text
    assert "May we use it?" in page
    assert HOSTILE not in page
    assert 'href="/asks/' in page
    assert "1 ask waits for you" in page


def test_search_finds_everything_by_kind_with_counts(browser, workspace):
    stock(workspace, "llamas", 9, said=f"a llama {HOSTILE}")
    page = browser.page("/search?q=llama")
    assert page.status_code == 200
    assert HOSTILE not in page.text
    assert "Datasets" in page.text
    assert "Pictures of datasets" in page.text
    assert ">9</span>" in page.text
    assert "More of these" in page.text
    assert browser.page("/search?q=llama&kind=item").text.count("data-hit") == 9


def test_search_finds_people_asks_and_what_was_said(browser, workspace):
    introduce(workspace, name="Bea Zorgle", roles=["researcher"])
    ref = add_pictures(workspace, 1)[0]
    asked = make_ask(workspace, question=f"A zorgle, please {HOSTILE}", to="role/researcher")
    said = write_comment(workspace, about=ref, text="zorgle in the corner")
    write_comment(workspace, about=ref, text="nothing of the kind")
    page = browser.page("/search?q=zorgle").text
    assert HOSTILE not in page
    assert f'href="/asks/{asked.id}"' in page
    assert f'href="/records/comment/{said.id}"' in page
    assert browser.get(f"/records/comment/{said.id}").headers["location"].startswith("/records/image/")
    person = re.search(r'href="(/people/[^"]+)"', page)[1]
    assert "Bea Zorgle" in browser.page(person).text
    assert page.count("data-hit") == 3


def test_search_finds_no_words_that_were_changed_or_taken_back_nor_those_kept_to_others(workspace):
    ref = add_pictures(workspace, 1)[0]
    first = write_comment(workspace, about=ref, text="zorgle")
    edit_comment(workspace, comment=first.id, text="quibble")
    gone = write_comment(workspace, about=ref, text="zorgle again")
    withdraw_comment(workspace, comment=gone.id)
    write_comment(workspace.as_actor(ALICE), about=add_pictures(workspace, 1, private=True)[0], text="zorgle, private")
    assert search(workspace, q="zorgle") == []
    assert [one.kind for one in search(workspace, q="quibble")] == ["comment"]
    assert [one.kind for one in search(workspace.as_actor(ALICE), q="zorgle")] == ["comment"]


def test_search_tells_nobody_of_who_works_in_another_project(workspace):
    olga = own(workspace)
    bea = come(workspace, olga, "Bea", "researcher")
    other = workspace.in_project(create_project(workspace, name="Elsewhere").id)
    assert [one.n for one in search(bea.workspace, q="olga", kind="person")] == [1]
    assert search(other, q="bea") == []
    add_member(other, person="bea", roles=["viewer"])
    remove_member(olga.workspace, person="bea")
    assert search(workspace, q="bea") == []
    assert [hit.title for hit in search(other, q="bea", kind="person")[0].hits] == ["Bea"]


def test_search_for_nothing_too_much_or_what_is_not_there_is_told_in_words(browser):
    assert "Search" in browser.page("/search").text
    assert "Fewer or shorter words" in browser.page("/search?q=giraffe").text
    assert "1 to 200 characters" in browser.page("/search?q=" + "a" * 300).text
    assert "no kind" in browser.page("/search?q=a&kind=castle").text


def test_what_the_first_start_sets_up_is_done_by_the_studio_and_not_by_me(browser, workspace):
    over = Event()
    over.set()  # the sample itself is not waited for
    assert bring_to_life(workspace, over)
    page = browser.page("/").text
    assert "The studio</strong> <a" in page
    assert "You</strong>" not in page
    assert not bring_to_life(workspace, over)
