"""Creating in a real browser, by keys alone: a sentence, what is known of it, pictures, a verdict, and the way on."""

import threading
import time

import pytest

from sfumato.jobs.queue import list_jobs
from sfumato.jobs.worker import run_worker
from sfumato.web.app import create_app
from sfumato.web.serving import Serving
from tests.browser.conftest import settled, write
from tests.pictured import embedded, pictured, studio_folder

pytestmark = pytest.mark.whole

__all__ = ["embedded", "pictured", "studio_folder"]


@pytest.fixture
def studio(pictured, serve):
    """A real studio with a worker in a thread, and the address that lets one in."""
    over = threading.Event()
    worker = threading.Thread(
        target=run_worker, args=(pictured,), kwargs={"stop": over, "poll": 0.05, "lanes": ("quick",)}, daemon=True
    )  # fmt: skip
    worker.start()
    with serve(create_app(pictured, Serving(launch="come-in", poll=0.05))) as address:
        yield address
    over.set()
    worker.join(timeout=20)


def test_a_sentence_becomes_pictures_and_one_is_approved_without_a_mouse(studio, new_page, clean):
    page = new_page()
    page.goto(f"{studio}/launch/come-in")
    page.goto(f"{studio}/create")
    write(page, "#prompt", "a red zorgle disc")
    page.locator("#knows").get_by_text("never seen").wait_for()
    clean(page)
    page.keyboard.press("Enter")
    page.locator(".results img[data-drag]").nth(3).wait_for(timeout=60_000)
    page.locator("#result:not([data-part])").wait_for()  # the last drawing of it anew, once the job has ended
    clean(page)
    page.locator(".results .tile").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="May I use it?").wait_for()
    settled(page)
    page.keyboard.press("a")
    page.locator("#judgement .status", has_text="approved").wait_for()
    page.locator("#answer", has_text="Approved by").wait_for()
    page.keyboard.press("u")
    page.locator("#judgement .status", has_text="not judged yet").wait_for()
    page.locator("#judgement summary", has_text="Reject").click()  # what is typed next is a reason, and no shortcut
    page.keyboard.type("a bad face")
    assert page.locator("#why").input_value() == "a bad face"
    page.locator("label[for=why]").locator("..").evaluate("form => document.activeElement.blur()")
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    assert page.locator("#judgement details[open]").count() == 0
    page.locator("#judgement .status", has_text="not judged yet").wait_for()
    before = page.url
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda address: address != before)
    for scheme, width in (("light", 1440), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 860})
        clean(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    page.goto(f"{studio}/pictures")
    clean(page)


def test_what_is_typed_is_not_lost_to_the_history_without_asking(studio, new_page, pictured):
    page = new_page()
    page.goto(f"{studio}/launch/come-in")
    page.goto(f"{studio}/create")
    write(page, "#prompt", "a blue ring")
    page.keyboard.press("Enter")
    page.wait_for_url("**request=*")
    page.goto(f"{studio}/create")
    write(page, "#prompt", "half a thought")
    page.get_by_role("link", name="Reuse these settings").click()
    page.get_by_role("button", name="Keep what I typed").click()
    assert page.locator("#prompt").input_value() == "half a thought"
    page.get_by_role("link", name="Reuse these settings").click()
    page.get_by_role("button", name="Replace it").click()
    page.wait_for_url("**reuse=*")
    assert page.locator("#prompt").input_value() == "a blue ring"


def test_pictures_that_were_done_before_the_page_listened_are_shown(studio, new_page, pictured):
    page = new_page()
    page.goto(f"{studio}/launch/come-in")

    def hold(route):
        """Let nobody listen before there is nothing left to be told."""
        if "request=" not in route.request.headers.get("referer", ""):
            return route.abort()
        until = time.monotonic() + 30
        while any(not job.ended for job in list_jobs(pictured)) and time.monotonic() < until:
            time.sleep(0.05)
        return route.continue_()

    page.route("**/api/v1/events*", hold)
    page.goto(f"{studio}/create")
    write(page, "#prompt", "a blue ring")
    page.keyboard.press("Enter")
    page.locator(".results img[data-drag]").nth(3).wait_for(timeout=40_000)
