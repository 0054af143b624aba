"""The story of somebody new: from an empty folder to a picture, its sources, a decision, and an answered ask."""

import re
import time

import pytest

from tests.browser.conftest import settled, write
from tests.web.conftest import Studio

SENTENCE = "a llama, noto style"
PASSWORD = "four odd words together"


@pytest.fixture
def started(tmp_path, monkeypatch):
    """A studio on an empty folder, with an empty home, and when it was started."""
    (tmp_path / "home").mkdir()
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "SFUMATO_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    began = time.monotonic()
    studio = Studio(tmp_path / "workspace", HOME=str(tmp_path / "home"))
    yield studio, began
    if studio.process.poll() is None:
        studio.end()


def tour(page):
    return page.get_by_role("region", name="Tour", exact=True)


def walk_to(page, name):
    """Move the focus by Tab until it stands on something with these words."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(document.activeElement.innerText || '').trim()") == name:
            return
    raise AssertionError(f"Tab never came to “{name}”")


def until(page, holds):
    """Wait until something holds on the page, asked from outside: its policy forbids pages to evaluate text."""
    end = time.monotonic() + 30
    while not page.evaluate(holds):
        assert time.monotonic() < end, holds
        page.wait_for_timeout(50)


@pytest.mark.whole
def test_somebody_new_makes_a_picture_decides_and_is_answered(started, new_page, capsys):
    studio, began = started
    page = new_page()
    page.goto(studio.address)
    come_in(page)
    draw_the_first(page)
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\nseconds_to_first_picture {seconds:.1f}")
    picture = see_what_it_was_made_from(page)
    decide(page)
    ask_for_a_better_one(page)
    link = become_a_team(page)
    other = new_page()
    answer_it(other, link, picture)
    be_told(page)


def come_in(page):
    """Say who one is, by keys, and begin the tour."""
    page.wait_for_url("**/welcome")
    name = page.get_by_label("What are you called?")
    name.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("Spring cards")
    page.get_by_role("checkbox", name=re.compile("^product manager")).check()
    walk_to(page, "Begin with a tour of five steps")
    page.keyboard.press("Enter")
    page.wait_for_url("**/data")
    assert "Step 1 of 5" in tour(page).inner_text()
    page.get_by_role("link", name="emoji-sample").first.wait_for()
    tour(page).get_by_role("button", name="Next").click()


def draw_the_first(page):
    """Type a sentence, press Enter, and wait for four finished pictures."""
    page.wait_for_url("**/create")
    write(page, "#prompt", SENTENCE)
    page.locator(".known-word", has_text="llama").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/create?request=*")
    page.locator("#result a.tile").first.wait_for(timeout=40_000)
    until(page, "document.querySelector('#result a.tile img').naturalWidth > 0")


def see_what_it_was_made_from(page):
    """Open one picture by key; read the answer, its evidence, the trace and the nearest training pictures."""
    until(page, "document.querySelectorAll('#result a.tile').length === 4")
    assert "done" in tour(page).inner_text()
    page.locator("#result a.tile").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=re.compile("^May I use it")).wait_for()
    picture = page.url.partition("?")[0]
    tour(page).get_by_role("button", name="Next").click()
    page.wait_for_url(re.compile("/pictures/"))
    assert "Step 3 of 5" in tour(page).inner_text()
    clause = page.locator(".clause", has_text="licence").first
    clause.locator("summary").focus()
    page.keyboard.press("Enter")
    clause.get_by_role("link").wait_for()
    walk_the_trace(page)
    tour(page).get_by_role("button", name="Next").click()
    page.wait_for_url("**#nearest")
    near = page.locator("#nearest .near")
    assert near.count() >= 3
    assert "distance" in near.first.inner_text()
    near.first.scroll_into_view_if_needed()
    until(page, "document.querySelector('#nearest .near img').naturalWidth > 0")
    return picture


def walk_the_trace(page):
    """Go from the picture to the weights that drew it and on to what these drew, by clicks, and come back."""
    assert page.locator("[data-trace] .node", has_text="npm @iconify-json/noto").count() > 0
    page.locator("[data-trace] .node[href]", has_text="emoji-styles-small").first.click()
    page.get_by_role("heading", name=re.compile("of the model emoji-styles-small")).wait_for()
    page.get_by_role("link", name=SENTENCE).first.wait_for()
    page.go_back()
    page.get_by_role("heading", name=re.compile("^May I use it")).wait_for()


def decide(page):
    """Say why, and approve, by keys."""
    tour(page).get_by_role("button", name="Next").click()
    until(page, "document.querySelector('#tour')?.innerText.includes('Step 5 of 5')")
    settled(page)
    page.keyboard.press("w")
    page.keyboard.type("Clear even when small")
    page.keyboard.press("Enter")
    page.locator("#judgement").get_by_text("Clear even when small").wait_for()
    page.locator("#answer").get_by_text(re.compile("approved", re.I)).first.wait_for()


def ask_for_a_better_one(page):
    """Ask every prompt designer, with this picture pinned."""
    tour(page).get_by_role("link", name="Ask for a better one").click()
    page.wait_for_url(re.compile("/asks/new"))
    write(page, "[name=question]", "A better llama: it should look to the left")
    page.get_by_label("Of whom?").select_option("role/prompt designer")
    assert page.locator(".pick input:checked").count() == 1
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("heading", name="A better llama").wait_for()
    tour(page).get_by_role("button", name="Finish").click()
    page.wait_for_url("**/help")
    assert tour(page).count() == 0


def become_a_team(page):
    """Become the owner, and invite a prompt designer; gives the link."""
    settled(page)
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/people")
    page.get_by_role("link", name="Work as a team").click()
    page.get_by_role("button", name="Make the owner's code").click()
    make_account(page, "", "ada", "Become the owner")
    page.wait_for_url("**/people")
    page.get_by_role("checkbox", name=re.compile("^prompt designer")).check()
    page.get_by_role("checkbox", name=re.compile("^viewer")).uncheck()
    page.get_by_role("button", name="Make the invitation").click()
    return page.get_by_text("/join?code=").inner_text().strip()


def make_account(page, name, login, button):
    """Fill in what an account is made of."""
    if name:
        page.get_by_label("Your name").fill(name)
    page.get_by_label("Sign-in name").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name=button).click()


def answer_it(page, link, before):
    """Bea joins, sees on Home what waits, draws again, and answers with what was drawn."""
    page.goto(link)
    make_account(page, "Bea", "bea", "Make the account and join")
    page.get_by_role("link", name="A better llama").first.click()
    page.get_by_role("link", name="llama").last.wait_for()
    ask = page.url
    page.goto(f"{before}?")
    page.get_by_role("button", name=re.compile("^Same again")).click()
    page.locator("#result a.tile").first.wait_for(timeout=30_000)
    page.goto(ask)
    page.get_by_label("What is the answer?").fill("This one looks to the left.")
    page.locator(".acts-done input").first.check()
    page.get_by_role("button", name="Answer and close").click()
    page.locator(".page-head").get_by_text("closed").wait_for()


def be_told(page):
    """The asker reads what came of it."""
    page.get_by_role("link", name="1 unread notice").click()
    page.wait_for_url("**/notices")
    page.locator("main .activity").get_by_text("Bea", exact=True).wait_for()
    page.locator("main").get_by_role("link", name=re.compile("better llama")).first.click()
    page.get_by_text("This one looks to the left.").wait_for()
