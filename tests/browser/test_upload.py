"""What is uploaded is seen whole on the page that one is led to, without loading it again."""

import io
import threading

import pytest
from PIL import Image

from sfumato.jobs.worker import run_worker
from sfumato.web.app import create_app
from sfumato.web.serving import Serving
from tests.browser.conftest import listening, settled

SENT = 401  # more than one request holds, so that several jobs take them in


@pytest.fixture
def studio(workspace, serve):
    """A real studio with a worker in a thread, which begins once it is let go."""
    over, begin = threading.Event(), threading.Event()

    def work():
        begin.wait()
        run_worker(workspace, stop=over, poll=0.02, lanes=("desk",))

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    with serve(create_app(workspace, Serving(launch="come-in", poll=0.05))) as address:
        yield address, begin
    over.set()
    begin.set()
    worker.join(timeout=20)


def picture(number):
    out = io.BytesIO()
    Image.new("RGB", (24, 24), (number % 256, 255 - number % 256, 40 + number // 256)).save(out, "PNG")
    return {"name": f"{number}.png", "mimeType": "image/png", "buffer": out.getvalue()}


@pytest.mark.whole
def test_all_that_was_uploaded_is_shown_once_it_is_there(studio, new_page):
    address, begin = studio
    page = new_page()
    page.goto(f"{address}/launch/come-in")
    page.goto(f"{address}/data/mine/add")
    settled(page)
    page.get_by_label("Choose pictures").set_input_files([picture(number) for number in range(SENT)])
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(lambda url: url.endswith("/data/mine"))
    listening(page)
    page.locator("#runs", has_text="3 jobs").wait_for()
    begin.set()
    page.locator("#advice", has_text=f"{SENT} pictures").wait_for(timeout=20_000)
    page.locator("#freeze", has_text=f"{SENT} pictures").wait_for()
    page.get_by_role("link", name="See the pictures", exact=True).wait_for()
    page.locator("#runs").wait_for(state="hidden")
