"""Home, data, train, models and jobs in a real browser: by keys alone, clean for axe, never too wide."""

import io

import pytest

from sfumato.data.freeze import freeze
from sfumato.web.app import create_app
from sfumato.web.serving import Serving, new_secret
from tests.browser.conftest import QUICKLY_AND_THOROUGHLY, listening, settled
from tests.pictured import embedded, pictured, studio_folder  # noqa: F401
from tests.web.stocked import a_run, quarantine, stock

pytestmark = pytest.mark.whole

LONG = "a-name-that-is-as-long-as-names-may-well-be-in-a-team"


@pytest.fixture
def filled(pictured):  # noqa: F811
    """A workspace with a little of everything."""
    stock(
        pictured, "animals", 64, said="a llama with a very long caption that does not end where one expects it to end"
    )
    stock(pictured, LONG, 0)
    quarantine(pictured, "animals", "folder/of/a/very/long/path/that/has/no/place/to/break.png")
    version = freeze(pictured, name="animals")
    a_run(pictured, "first", version.id)
    return pictured


@pytest.fixture
def studio(filled, serve):
    serving = Serving(launch=new_secret(), poll=0.05)
    with serve(create_app(filled, serving)) as address:
        yield address, serving.launch


def enter(studio, new_page, **choices):
    address, launch = studio
    page = new_page(**choices)
    page.goto(f"{address}/launch/{launch}")
    return page, address


PATHS = [
    "/",
    "/activity",
    "/search?q=llama",
    "/data",
    "/data/animals",
    "/data/animals/items",
    "/data/animals/left-out",
    "/data/animals/add",
    "/data/animals/add?source=icons",
    "/new-dataset",
    "/train",
    "/new-run",
    "/train/first",
    "/models",
    "/models/emoji-styles-small",
    "/jobs",
]


@pytest.mark.parametrize("thoroughly", QUICKLY_AND_THOROUGHLY)
def test_axe_finds_nothing_and_no_page_is_wider_than_the_window(studio, new_page, look_at_all, thoroughly):
    page, address = enter(studio, new_page)
    look_at_all(page, [address + path for path in PATHS], thoroughly=thoroughly)


def test_searching_and_opening_a_picture_by_keyboard_alone(studio, new_page):
    page, address = enter(studio, new_page)
    page.goto(f"{address}/")
    page.keyboard.press("/")
    page.keyboard.type("llama")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Pictures of datasets").wait_for()
    settled(page)
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.matches('[data-hit]')")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Licence and origin").wait_for()


def test_files_are_uploaded_and_their_collection_is_a_job(studio, new_page):
    from tests.drawn import COLOURS, draw

    out = io.BytesIO()
    draw("disc", next(iter(COLOURS.values())), "plain").save(out, "PNG")
    page, address = enter(studio, new_page)
    page.goto(f"{address}/new-dataset")
    page.get_by_label("Name").fill("mine")
    page.keyboard.press("Enter")
    files = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": out.getvalue()} for n in range(3)]
    chooser = page.get_by_label("Choose pictures")
    chooser.wait_for(state="attached")
    settled(page)
    chooser.set_input_files(files)
    page.get_by_text("3 files chosen").wait_for()
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(lambda url: url.endswith("/data/mine"), wait_until="commit")
    page.goto(f"{address}/jobs")
    page.get_by_text("Collect folder into mine").wait_for()


def test_an_upload_that_breaks_off_says_what_was_kept(studio, new_page):
    page, address = enter(studio, new_page)
    page.goto(f"{address}/data/animals/add")
    page.route("**/uploads", lambda route: route.abort())
    page.get_by_label("Choose pictures").set_input_files([{"name": "a.png", "mimeType": "image/png", "buffer": b"x"}])
    page.get_by_role("button", name="Upload").click()
    page.locator("[data-says]").get_by_text("stopped before any file was kept").wait_for()


def test_what_somebody_else_does_is_seen_without_loading_the_page(studio, new_page, filled):
    page, address = enter(studio, new_page)
    page.goto(f"{address}/")
    listening(page)
    stock(filled, "birds", 2)
    version = freeze(filled, name="birds")
    page.get_by_text(f"froze birds {version.name}").wait_for()
