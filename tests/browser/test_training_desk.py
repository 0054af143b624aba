"""Runs in a real browser: axe, no sideways scrolling, and the slider over previews by keys."""

import math

import numpy as np
import pytest

import sfumato
from sfumato.actions import Workspace
from sfumato.data.freeze import freeze
from sfumato.data.versions import open_version
from sfumato.training.runs import show_run
from sfumato.training.worst import Drawing, Drawings, keep_worst
from sfumato.web.app import create_app
from sfumato.web.serving import Serving, new_secret
from tests.web.stocked import stock

pytestmark = pytest.mark.whole

PAGES = ("/train", "/train/first", "/new-run", "/compare-runs?run=first&run=second")


@pytest.fixture(scope="module")
def studio(serve, tmp_path_factory, place):
    """The address that lets one browser in, of a workspace with two loops that have ended."""
    with Workspace.open(settings=place(tmp_path_factory.mktemp("runs") / "workspace")) as workspace:
        stock(workspace, "animals", 4)
        freeze(workspace, name="animals")
        for name, lr in (("first", 0.1), ("second", 0.2)):
            with sfumato.run(name, data="animals", workspace=workspace, steps=200, options={"lr": lr}) as run:
                for step in range(10, 210, 10):
                    run.log(step=step, loss=math.exp(-lr * step / 10) + 0.1, held_out=math.exp(-lr * step / 12) + 0.2)
                    if step % 50 == 0:
                        run.preview(np.full((4, 8, 8, 3), step, np.uint8))
        picture = np.full((8, 8, 4), (200, 60, 30, 255), np.uint8)
        drawings = [
            Drawing(one.concept, one.name, 1.25, [one.sha256], picture)
            for one in open_version(workspace, "animals").items[:3]
        ]
        keep_worst(workspace.path / "runs" / show_run(workspace, name="first").id, 200, Drawings(40, 0.5, drawings))
        serving = Serving(launch=new_secret(), poll=0.05)
        with serve(create_app(workspace, serving)) as address:
            yield address, serving.launch


@pytest.fixture(scope="module")
def cookies(studio, browser):
    """What a browser holds that was let in."""
    address, launch = studio
    context = browser.new_context()
    context.new_page().goto(f"{address}/launch/{launch}")
    held = context.cookies()
    context.close()
    return held


@pytest.fixture
def come_in(cookies, new_page):
    """Open a page of somebody who is in."""

    def open_page(width=1440, scheme="light"):
        page = new_page(width, scheme=scheme)
        page.context.add_cookies(cookies)
        return page

    return open_page


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(studio, come_in, clean, width, scheme):
    page = come_in(width, scheme)
    for path in PAGES:
        page.goto(studio[0] + path)
        clean(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_slider_goes_over_the_previews_by_keys(studio, come_in):
    page = come_in()
    page.goto(f"{studio[0]}/train/first")
    slider = page.locator("[data-sheets]")
    shown = page.locator(".slide img")
    assert shown.get_attribute("src").endswith("/previews/200")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert shown.get_attribute("src").endswith("/previews/150")
    assert page.locator(".slide output").inner_text() == "150 steps"


def test_two_runs_are_chosen_and_compared_by_keys_alone(studio, come_in):
    page = come_in()
    page.goto(f"{studio[0]}/compare-runs")
    page.locator('input[value="second"]').focus()
    for _ in range(2):
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Compare"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Which is lower by held-out loss?").wait_for()
    assert "second is lower" in page.locator(".notice").first.inner_text()


def test_marked_words_of_a_run_hold_nothing_that_is_only_drawn(studio, come_in):
    page = come_in()
    page.goto(f"{studio[0]}/train/first")
    page.evaluate("getSelection().selectAllChildren(document.getElementById('run'))")
    words = page.evaluate("getSelection().toString()")
    assert "A loop of" in words
    assert "Compare with" not in words
    assert "Which preview" not in words


REFRESH = """async () => {
  const main = document.querySelector('script[src$="/studio.js"]').src
  const parts = await import(main.replace('studio.js', 'parts.js'))
  await parts.refresh(document.getElementById('run'))
}"""


def test_a_run_that_is_drawn_anew_keeps_the_focus_the_slider_and_what_is_open(studio, come_in):
    page = come_in()
    page.goto(f"{studio[0]}/train/first")
    page.get_by_role("link", name="Compare with…").focus()
    page.evaluate(REFRESH)
    assert page.evaluate("document.activeElement.textContent") == "Compare with…"
    page.locator("summary", has_text="4 previews").click()
    page.locator("#which-preview").focus()
    page.keyboard.press("ArrowLeft")
    page.evaluate(REFRESH)
    assert page.evaluate("document.activeElement.id") == "which-preview"
    assert page.locator("#which-preview").input_value() == "2"
    assert page.locator(".slide img").get_attribute("src").endswith("/previews/150")
    assert page.locator("details", has_text="4 previews").first.get_attribute("open") is not None


def test_where_what_had_the_focus_is_gone_its_part_has_it(studio, come_in):
    page = come_in()
    page.goto(f"{studio[0]}/train/first")
    page.evaluate("document.querySelector('#run .row').insertAdjacentHTML('beforeend', '<button>Gone soon</button>')")
    page.get_by_role("button", name="Gone soon").focus()
    for _ in range(2):
        page.evaluate(REFRESH)
        assert page.evaluate("document.activeElement.id") == "run"
