"""What a page says when a worker is killed, or the database is held by somebody else. Nothing asked for is lost."""

import re
import sqlite3
import time
from contextlib import contextmanager

import psutil
import pytest

from tests.browser.conftest import listening, settled
from tests.browser.test_trouble import started  # noqa: F401  (the fixture)
from tests.web.test_studio import until

pytestmark = pytest.mark.whole

LONG = 4.0  # seconds after which a page that waits for an answer has said so
SENTENCE = "a red apple, noto style"
HELD = 10.0  # seconds
# Nothing can be asked of a page that waits for its next one, so it writes down what its corner says.
WRITES_DOWN = """addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
    const said = document.getElementById("toasts").innerText;
    if (said) sessionStorage.setItem("said", said);
}).observe(document.getElementById("toasts"), { childList: true }))"""


def come_in(started, new_page, **more):  # noqa: F811
    """A studio that has started by itself, and a page of it by somebody who has seen the tour."""
    studio = started(**more)
    page = new_page()
    page.goto(studio.address)
    return studio, page, studio.address.partition("/launch/")[0]


def ask(page, base, pictures):
    """Type a sentence and ask for so many pictures of it."""
    page.goto(f"{base}/create")
    settled(page)
    page.locator("#prompt").fill(SENTENCE)
    page.locator("#options details").evaluate("one => { one.open = true }")
    page.get_by_label("Number of pictures").fill(str(pictures))
    page.locator("#prompt").focus()
    page.keyboard.press("Enter")  # the page's own key, which waits for no answer


def drawn(page):
    """The addresses of the finished pictures that the page shows of what was asked for."""
    return [one.get_attribute("data-id") for one in page.locator("#result a.tile").all()]


@pytest.mark.slow  # over half a minute on a busy machine
def test_a_worker_killed_while_it_draws_is_told_and_the_next_one_goes_on(started, new_page):  # noqa: F811
    studio, page, base = come_in(started, new_page)
    ask(page, base, 4)
    page.wait_for_url("**/create?request=*")
    listening(page)
    until(lambda: page.evaluate("document.querySelector('#result progress')?.value > 0"))
    hands = psutil.Process(studio.process.pid).children(recursive=True)
    for one in hands:
        one.suspend()
    page.reload()
    before = drawn(page)
    assert len(before) < 4, "the kill has to fall into the work"
    listening(page)
    for one in hands:
        one.kill()
    words = page.locator("#result [role=status]")
    words.filter(has_text=re.compile("worker")).wait_for()
    until(lambda: len(drawn(page)) == 4)
    assert set(before) <= set(drawn(page)), "what was finished is kept"
    page.reload()
    assert len(set(drawn(page))) == 4
    assert words.count() == 0, "once all is done, nobody needs to know"


@contextmanager
def held(workspace):
    """Hold the one lock of a workspace's database, as another program might, for ten seconds at least."""
    holder = sqlite3.connect(workspace / "workspace.db", isolation_level=None)
    holder.execute("begin immediate")
    until_then = time.monotonic() + HELD
    yield
    time.sleep(max(LONG, until_then - time.monotonic()))
    holder.execute("rollback")
    holder.close()


def test_a_database_held_for_ten_seconds_is_told_and_what_was_asked_for_is_done_once(started, new_page, tmp_path):  # noqa: F811
    _, page, base = come_in(started, new_page, SFUMATO_BUSY_MILLISECONDS="60000")
    page.add_init_script(WRITES_DOWN)
    with held(tmp_path / "workspace"):
        for path in ("/", "/jobs", "/data"):
            page.goto(base + path)  # what is only read waits for nobody
        ask(page, base, 1)
    page.wait_for_url("**/create?request=*")
    assert "takes longer than usual" in page.evaluate("sessionStorage.getItem('said')")
    until(lambda: len(drawn(page)) == 1)
    page.reload()
    assert len(drawn(page)) == 1
    assert len(page.request.get(f"{base}/api/v1/requests").json()["items"]) == 1


def test_a_database_held_longer_than_that_is_told_and_the_sentence_stays(started, new_page, tmp_path):  # noqa: F811
    _, page, base = come_in(started, new_page, SFUMATO_BUSY_MILLISECONDS="1000")
    with held(tmp_path / "workspace"):
        ask(page, base, 1)
        page.get_by_text("held by another process; nothing was changed").first.wait_for()
        assert page.locator("#prompt").input_value() == SENTENCE
    page.locator("#prompt").press("Enter")
    page.wait_for_url("**/create?request=*")
    assert len(page.request.get(f"{base}/api/v1/requests").json()["items"]) == 1
