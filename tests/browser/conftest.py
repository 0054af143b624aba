"""A real Chromium for tests, and a server in a thread for what they look at."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium that was installed with the system's packages."""
    from playwright.sync_api import sync_playwright

    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip("the program chromium is missing: install it (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page of a browser of one's own: width, height, scheme; what goes wrong in its console fails the test."""
    contexts, wrong = [], []

    def open_page(width: int = 1440, height: int = 900, scheme: str = "light", **more: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [one for one in wrong if "Content Security Policy" in one or "rror:" in one], wrong


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an app on a free port of this machine from a thread, and give its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started, "the server did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(scope="session")
def serve() -> Callable[[Any], Any]:
    """Return what serves an app for as long as a `with` lasts."""
    return serving


def settled(page: Any) -> None:
    """Wait until all modules of the page run, so that it answers to keys and choices; the page itself says so."""
    page.locator("html[data-ready]").wait_for(state="attached")


def listening(page: Any) -> None:
    """Wait until the page is told of what happens elsewhere."""
    page.locator("html[data-listening]").wait_for(state="attached")


def write(page: Any, field: str, words: str) -> None:
    """Type where the page has put the focus by itself, once it has."""
    page.locator(f"{field}:focus").wait_for()
    page.keyboard.type(words)


AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def clean() -> Callable[[Any], None]:
    """Return what asserts that axe finds nothing wrong on a page once nothing in it moves or fades."""
    from axe_playwright_python.sync_playwright import Axe

    def look(page: Any) -> None:
        settled(page)
        page.emulate_media(reduced_motion="reduce")
        page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}}).response["violations"]
        said = [
            (one["id"], [node["html"][:160] + " | " + node["failureSummary"][:200] for node in one["nodes"][:3]])
            for one in found
        ]
        page.emulate_media(reduced_motion="no-preference")
        assert not said, said

    return look


LOOKS = (("light", 1440), ("dark", 390))


def with_room(page: Any, address: str, width: int) -> None:
    """Assert that a page does not scroll sideways, once what a script lays out has followed the new width."""
    from playwright.sync_api import TimeoutError as Still

    try:
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth", timeout=5_000)
    except Still as still:
        raise AssertionError(f"{address} scrolls sideways at {width} pixels") from still


@pytest.fixture
def look_at_all(clean: Callable[[Any], None]) -> Callable[..., None]:
    """Return what goes through pages and asserts that none scrolls sideways in any look, and that axe is content.

    Axe takes long, so it sees each page in one look, turn and turn about; `thoroughly` it sees every page in all.
    """

    def look(page: Any, addresses: list[str], *, thoroughly: bool, ready: Callable[[Any], None] = settled) -> None:
        for number, address in enumerate(addresses):
            page.goto(address)
            ready(page)
            for turn, (scheme, width) in enumerate(LOOKS):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 900})
                if thoroughly or number % len(LOOKS) == turn:
                    clean(page)
                with_room(page, address, width)

    return look


QUICKLY_AND_THOROUGHLY = [False, pytest.param(True, marks=pytest.mark.slow)]
