"""What is kept: counts, exact where quick and at once where slow; pieces of pages, for each of what they say."""

import re
import time

from markupsafe import escape
from sqlalchemy import update

from sfumato.actions.events import last_position
from sfumato.data.freeze import freeze
from sfumato.data.items import list_items
from sfumato.data.narrowing import Where
from sfumato.data.verdicts import leave_out
from sfumato.generation.records import Request
from sfumato.jobs.records import Job
from sfumato.people.projects import create_project
from sfumato.review.judge import approve, reject, withdraw
from sfumato.web import frame
from sfumato.web import kept as keeping
from sfumato.web.frame import counts_at_hand, counts_of
from sfumato.web.kept import begin_request, is_late, kept
from sfumato.web.look import make_environment
from tests.generation.test_gallery import drawn
from tests.web.conftest import enter, open_studio
from tests.web.stocked import stock


def test_a_quick_count_is_made_anew_as_soon_as_something_has_happened(workspace):
    stock(workspace, "animals", 1)
    seen = []
    for _ in range(2):
        kept(workspace, "quick", lambda: seen.append(1))
    assert len(seen) == 1
    freeze(workspace, name="animals")
    kept(workspace, "quick", lambda: seen.append(1))
    assert len(seen) == 2


def work(workspace):
    """A job that runs."""
    of = {"made_by": "person/x", "kind": "test.nothing", "spec": {}, "key": "k", "lane": "desk"}
    with workspace.write() as session:
        session.add(Job(id="j", status="running", **of))


def test_what_was_counted_while_a_job_worked_says_that_it_may_be_old_and_is_counted_anew_when_it_has_ended(workspace):
    work(workspace)
    seen = []

    def counted():
        begin_request()
        return kept(workspace, "working", lambda: seen.append(1) or len(seen)), is_late()

    assert counted() == (1, False)
    assert counted() == (1, True)
    with workspace.write() as session:
        session.execute(update(Job).where(Job.id == "j").values(status="done"))
    time.sleep(keeping.SOON)
    assert counted() == (2, False)
    time.sleep(keeping.SOON)
    assert counted() == (2, False), "nothing works any more"


def test_the_mark_of_running_jobs_is_not_as_old_as_other_counts(workspace):
    work(workspace)
    assert counts_of(workspace).running == 1
    with workspace.write() as session:
        session.execute(update(Job).where(Job.id == "j").values(status="done"))
    time.sleep(frame.SOON)
    assert counts_at_hand(workspace, last_position(workspace)) is None
    assert counts_of(workspace).running == 0


def test_a_slow_count_keeps_nobody_waiting_twice(workspace):
    stock(workspace, "animals", 1)
    counted = []

    def count():
        time.sleep(0.05)
        counted.append(1)
        return len(counted)

    assert kept(workspace, "slow", count, slow=0.01) == 1
    for one in keeping._kept.values():
        one.at -= 1_000
    freeze(workspace, name="animals")
    began = time.perf_counter()
    assert kept(workspace, "slow", count, slow=0.01) == 1
    assert time.perf_counter() - began < 0.04
    until = time.monotonic() + 5
    while kept(workspace, "slow", count, slow=0.01) != 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert kept(workspace, "slow", count, slow=0.01) == 2


def test_the_page_of_a_dataset_says_what_is_so_now(browser, workspace):
    stock(workspace, "animals", 3)

    def n():
        return re.search(r"(\d) pictures? as they are now", browser.page("/data/animals").text)[1]

    assert n() == "3"
    for one in keeping._kept.values():
        one.cost = 0.4  # as on a machine that is busy
    leave_out(workspace, name="animals", where=Where(ids=[list_items(workspace, name="animals", limit=1)[0].id]))
    assert n() == "2"


def test_a_page_of_old_counts_says_so_until_it_says_what_is_so_now(browser, workspace):
    stock(workspace, "animals", 3)
    assert "x-late" not in browser.page("/data/animals").headers
    for one in keeping._kept.values():
        one.cost = 40.0  # as on a machine that has no time at all
    leave_out(workspace, name="animals", where=Where(ids=[list_items(workspace, name="animals", limit=1)[0].id]))
    old = browser.page("/data/animals")
    assert "3 pictures as they are now" in old.text
    assert old.headers["x-late"] == "1"
    assert " data-late" in old.text
    for one in keeping._kept.values():
        one.at -= 1_000
    browser.page("/data/animals")
    until = time.monotonic() + 5
    while "x-late" in (new := browser.page("/data/animals")).headers and time.monotonic() < until:
        time.sleep(0.01)
    assert "2 pictures as they are now" in new.text
    assert " data-late" not in new.text


def test_what_is_kept_is_not_shown_to_another_project(workspace):
    assert kept(workspace, "own", lambda: 1) == 1
    assert kept(workspace.in_project("another"), "own", lambda: 2) == 2


def test_a_piece_of_a_page_is_drawn_once_for_each_of_what_it_says():
    page = make_environment().from_string('{% call kept("here", word) %}{{ drawn(word) }}{% endcall %}')
    drawings = []

    def drawn(word):
        drawings.append(word)
        return word

    said = [page.render(word=word, drawn=drawn) for word in ("<b>", "<i>", "<b>")]
    assert said == ["&lt;b&gt;", "&lt;i&gt;", "&lt;b&gt;"]
    assert drawings == ["<b>", "<i>"]


class TestTheGallery:
    """Every word of it that is kept: when what it says is changed, the next page says so."""

    def test_another_verdict_prompt_or_name_of_a_model_is_on_the_next_page(self, browser, workspace):
        (picture,) = drawn(workspace, 1)
        assert "data-state" not in browser.page("/pictures").text
        for verdict, judge in (("approved", approve), ("rejected", reject)):
            judge(workspace, subjects=[f"image/{picture}"], reason="so it is")
            assert f'data-state="{verdict}"' in browser.page("/pictures").text
        withdraw(workspace, subjects=[f"image/{picture}"])
        withdraw(workspace, subjects=[f"image/{picture}"])
        assert "data-state" not in browser.page("/pictures").text
        for column, said in (("prompt", "a <green> pear"), ("model", "noto & co")):
            with workspace.write() as session:
                session.execute(update(Request).values({column: said}))
            assert str(escape(said)) in browser.page("/pictures").text

    def test_a_narrowed_list_leads_on_within_itself_and_the_whole_one_does_not(self, browser, workspace):
        ids = drawn(workspace, 2)
        tails = {query: set(re.findall(r'href="/pictures/[^"?]+(\?[^"]*)?"', browser.page(f"/pictures{query}").text))
                 for query in ("", "?words=apple", "?verdict=open", "")}  # fmt: skip
        assert tails == {"": {""}, "?words=apple": {"?words=apple"}, "?verdict=open": {"?verdict=open"}}
        page = browser.page("/pictures?words=pear").text
        assert "No picture fits" in page
        assert 'value="pear"' in page
        assert len(ids) == 2

    def test_a_page_can_be_turned_as_soon_as_there_is_another(self, browser, workspace):
        drawn(workspace, 1)
        assert 'rel="next"' not in browser.page("/pictures").text
        drawn(workspace, 48)
        older = re.search(r'rel="next" href="([^"]+)"', browser.page("/pictures").text)[1]
        assert 'rel="prev"' in browser.page(older).text

    def test_light_and_dark_and_the_width_of_the_rail_are_as_they_were_chosen(self, browser, workspace):
        drawn(workspace, 1)
        for theme in ("dark", "light", "dark"):
            browser.post("/look", data={"theme": theme, "back": "/pictures"})
            page = browser.page("/pictures").text
            assert f'data-theme="{theme}"' in page
            assert re.search(rf'value="{theme}" aria-pressed="true"', page)

    def test_each_browser_has_forms_of_its_own(self, workspace):
        drawn(workspace, 1)
        tokens = []
        for _ in range(2):
            with open_studio(workspace) as client:
                page = enter(client).page("/pictures").text
                tokens.append(set(re.findall(r'name="csrf" value="([^"]+)"', page)))
        assert [len(one) for one in tokens] == [1, 1]
        assert tokens[0] != tokens[1]

    def test_another_project_has_its_own_pictures(self, browser, workspace):
        drawn(workspace, 1)
        other = create_project(workspace, name="Pears")
        browser.page("/pictures")
        browser.post("/project", data={"project": other.id})
        assert "/api/v1/images/" not in browser.page("/pictures").text
        drawn(workspace.in_project(other.id), 1, prompt="a pear")
        page = browser.page("/pictures").text
        assert "a pear, seed 7" in page
        assert "a red apple" not in page
