"""What a page says when something goes wrong beneath it: a full disk, a studio that was killed. Nothing is lost."""

import io
import resource
import signal

import psutil
import pytest
from PIL import Image

from tests.browser.conftest import settled
from tests.web.conftest import Studio
from tests.web.test_studio import until

SLOWLY = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}  # bytes a second


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Starts the studio of one workspace, and kills whatever is left of it."""
    monkeypatch.delenv("SFUMATO_WORKSPACE", raising=False)
    found = []

    def start(*more, **environment):
        found.append(Studio(tmp_path / "workspace", *more, **environment))
        return found[-1]

    yield start
    for one in found:
        if one.process.poll() is None:
            one.end()


def noise(side):
    out = io.BytesIO()
    Image.effect_noise((side, side), 90).save(out, "PNG")
    return {"name": "noise.png", "mimeType": "image/png", "buffer": out.getvalue()}


def upload(page, base, picture):
    page.goto(f"{base}/data/mine/add")
    settled(page)
    page.locator("#files").set_input_files(picture)
    page.get_by_role("button", name="Upload", exact=True).click()


def told(page, why):
    """The reason is said in a corner, and stays beside the upload with what was kept."""
    page.locator("#toasts .toast.fails", has_text=why).first.wait_for()
    stays = page.locator("[data-how-far] [data-says]").inner_text()
    assert why in stays
    assert "stopped before any file was kept" in stays


@pytest.mark.slow
def test_an_upload_onto_a_full_disk_says_so_keeps_nothing_by_halves_and_goes_on_once_there_is_room(
    started, new_page, tmp_path
):
    studio = started()
    page = new_page()
    page.goto(studio.address)
    base = studio.address.partition("/launch/")[0]
    process = psutil.Process(studio.process.pid)
    _, most = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (500_000, most))  # from here on the system refuses to write more
    upload(page, base, noise(1_500))
    told(page, "The disk is full")
    assert not list((tmp_path / "workspace" / "tmp" / "uploads").glob("*"))
    process.rlimit(resource.RLIMIT_FSIZE, (most, most))
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url(f"{base}/data/mine")


@pytest.mark.slow
def test_a_studio_that_is_killed_during_an_upload_is_missed_by_the_page_and_back_after_its_next_start(
    started, new_page, tmp_path
):
    studio = started()
    page = new_page()
    page.goto(studio.address)
    base = studio.address.partition("/launch/")[0]
    hands = psutil.Process(studio.process.pid).children(recursive=True)
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", SLOWLY)
    upload(page, base, noise(1_200))
    until(lambda: page.evaluate("document.querySelector('[data-how-far] progress').value") > 0)
    studio.end(signal.SIGKILL)
    psutil.wait_procs(hands, timeout=30)
    told(page, "The studio does not answer")
    started("--port", base.rpartition(":")[2]).address  # noqa: B018  (waits until it is open)
    slow.send("Network.emulateNetworkConditions", SLOWLY | {"uploadThroughput": -1})
    page.goto(f"{base}/data")
    assert page.locator("main").get_by_text("mine", exact=True).count() == 0, "nothing of it was kept"
    upload(page, base, noise(300))
    page.wait_for_url(f"{base}/data/mine")
    until(lambda: len(page.request.get(f"{base}/api/v1/datasets/mine/items").json().get("items", [])) == 1)
