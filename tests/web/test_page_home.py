"""Home, search and activity: the pipeline, what waits, the newest, and everything by one field."""

import re

from sfumato.data.freeze import freeze
from sfumato.people.asks import make_ask
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


def test_search_for_nothing_too_much_or_what_is_not_there_is_told_in_words(browser):
    assert "Search" in browser.page("/search").text
    assert "Fewer or shorter words" in browser.page("/search?q=giraffe").text
    assert "1 to 200 characters" in browser.page("/search?q=" + "a" * 300).text
    assert "no kind" in browser.page("/search?q=a&kind=castle").text
