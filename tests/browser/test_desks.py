"""Asks, people, settings, audit, help and the tour in a real browser: axe, no sideways scrolling, and by keys."""

import pytest

from sfumato.actions import Workspace
from sfumato.people.asks import make_ask
from sfumato.people.comments import write_comment
from sfumato.people.persons import introduce
from sfumato.web.app import create_app
from sfumato.web.serving import Serving, new_secret
from tests.browser.conftest import QUICKLY_AND_THOROUGHLY, listening, write
from tests.crew import ALICE, BOB
from tests.web.test_studio import until

pytestmark = pytest.mark.whole

PAGES = (
    "/asks", "/asks/new", "/notices", "/people", "/people/permissions", "/people/team", "/account", "/settings",
    "/settings/storage", "/audit", "/help", "/welcome",
)  # fmt: skip


@pytest.fixture(scope="module")
def studio(serve, tmp_path_factory, place):
    """The address that lets one browser in, the studio's own, and an ask that waits."""
    with Workspace.open(settings=place(tmp_path_factory.mktemp("desks") / "workspace")) as workspace:
        introduce(workspace, name="Bea", roles=["researcher"])
        asked = make_ask(workspace.as_actor(ALICE), question="Which of these?", to="role/researcher")
        write_comment(workspace.as_actor(BOB), about=asked.ref, text="The second\nby far")
        serving = Serving(launch=new_secret(), poll=0.05)
        with serve(create_app(workspace, serving)) as address:
            yield workspace, address, serving.launch, asked


@pytest.fixture(scope="module")
def cookies(studio, browser):
    """What a browser holds that was let in."""
    _, address, launch, _ = studio
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/launch/{launch}")
    held = context.cookies()
    context.close()
    return held


@pytest.fixture
def come_in(studio, cookies, new_page):
    """Open a page of somebody who is in."""

    def open_page(width=1440, scheme="light", **more):
        page = new_page(width, scheme=scheme, **more)
        page.context.add_cookies(cookies)
        return page

    return open_page


@pytest.mark.parametrize("thoroughly", QUICKLY_AND_THOROUGHLY)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(studio, come_in, look_at_all, thoroughly):
    _, address, _, asked = studio
    look_at_all(come_in(), [address + path for path in (*PAGES, f"/asks/{asked.id}")], thoroughly=thoroughly)


def test_n_asks_for_something_by_keys_alone(studio, come_in):
    _, address, _, _ = studio
    page = come_in()
    page.goto(f"{address}/asks")
    page.keyboard.press("n")
    page.wait_for_url("**/asks/new")
    write(page, "[name=question]", "A llama that looks left")
    page.keyboard.press("Tab")
    page.keyboard.type("researcher")
    for _ in range(30):
        if page.evaluate("document.activeElement.textContent") == "Ask":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/asks/0*")
    page.get_by_role("heading", name="A llama that looks left").wait_for()


def test_a_comment_is_drawn_without_a_new_page_and_seen_by_another_browser(studio, come_in):
    _, address, _, asked = studio
    mine, other = come_in(), come_in()
    for page in (mine, other):
        page.goto(f"{address}/asks/{asked.id}")
    listening(other)
    mine.evaluate("window.same = true")
    mine.get_by_label("Comment", exact=True).fill("Seen by both")
    mine.get_by_role("button", name="Comment", exact=True).click()
    mine.locator(".comment", has_text="Seen by both").wait_for()
    assert mine.evaluate("window.same") is True
    other.locator(".comment", has_text="Seen by both").wait_for()


HOLDS_THE_FIRST_ANSWER = """
    const ask = window.fetch;
    let heard = 0;
    document.addEventListener("studio:event", () => heard++);
    window.fetch = async (...what) => {
        const answer = await ask(...what);
        if (what[1]?.headers?.["X-Part"] && !window.held) {
            window.held = true;
            for (const before = heard; heard === before; ) await new Promise((go) => setTimeout(go, 5));
        }
        return answer;
    };
"""


def test_what_happens_while_a_part_is_being_drawn_anew_is_drawn_too(studio, come_in):
    _, address, _, asked = studio
    mine, other = come_in(), come_in()
    other.add_init_script(HOLDS_THE_FIRST_ANSWER)
    for page in (mine, other):
        page.goto(f"{address}/asks/{asked.id}")
    listening(other)
    for said in ("Before the answer", "After the answer"):
        mine.get_by_label("Comment", exact=True).fill(said)
        mine.get_by_role("button", name="Comment", exact=True).click()
        mine.locator(".comment", has_text=said).wait_for()
        until(lambda: other.evaluate("window.held === true"))
    other.locator(".comment", has_text="After the answer").wait_for()


def test_details_of_an_event_open_beside_the_list(studio, come_in):
    _, address, _, _ = studio
    page = come_in()
    page.goto(f"{address}/audit")
    page.get_by_role("link", name="Details of event 1", exact=True).click()
    page.locator("#inspector-body").get_by_text("people.introduce").wait_for()
    assert page.url.endswith("/audit")


def test_the_tour_goes_on_back_and_ends_without_script(studio, come_in):
    _, address, _, _ = studio
    page = come_in(java_script_enabled=False)
    page.goto(f"{address}/help")
    page.get_by_role("button", name="Begin the tour anew").click()
    page.goto(f"{address}/help")
    strip = page.get_by_role("region", name="Tour", exact=True)
    strip.get_by_role("button", name="Next").click()
    page.goto(f"{address}/help")
    assert "Step 2 of 5" in strip.inner_text()
    strip.get_by_role("button", name="Skip the tour").click()
    assert strip.count() == 0
