"""The data scientist's desk in a real browser: clean a folder with copies and faults, freeze it, read its datasheet."""

import json
import random
import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from sfumato.actions import Workspace
from sfumato.data.collect import collect
from sfumato.data.editing import set_weights
from sfumato.data.explore import show_histograms, show_window
from sfumato.data.findings import list_groups
from sfumato.data.freeze import list_versions
from sfumato.data.history import list_decisions
from sfumato.data.labelling import make_labelling
from sfumato.data.narrowing import Where
from sfumato.data.verdicts import leave_out
from sfumato.jobs.queue import list_jobs
from sfumato.jobs.worker import run_worker
from sfumato.web.app import create_app
from sfumato.web.serving import Serving, new_secret
from tests.browser.conftest import QUICKLY_AND_THOROUGHLY, settled
from tests.data.curated import found, ids_of
from tests.web.stocked import stock

pytestmark = pytest.mark.whole

PAGES = (
    "items", "items?style=noto", "checks", "decisions", "words", "captions?find=llama", "balance", "datasheet",
    "map", "compare", "labelling",
)  # fmt: skip
N, COPIES = 24, 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of many shapes, six of them a second time and smaller, and two that are blurred."""
    place, dice = tmp_path_factory.mktemp("pictures"), random.Random(7)
    for one in range(N):
        drawn = Image.new("RGB", (160, 128), tuple(dice.randrange(60, 256) for _ in range(3)))
        pen = ImageDraw.Draw(drawn)
        for _ in range(14):
            x, y = dice.randrange(150), dice.randrange(120)
            box = (x, y, x + dice.randrange(12, 60), y + dice.randrange(12, 60))
            shape = pen.ellipse if dice.random() < 0.5 else pen.rectangle
            shape(box, fill=tuple(dice.randrange(256) for _ in range(3)))
        drawn.save(place / f"{one}.png")
        (place / f"{one}.txt").write_text(f"shapes number {one}")
        if one < COPIES:
            drawn.resize((120, 96)).save(place / f"{one}-small.png")
        if one >= N - 2:
            drawn.filter(ImageFilter.GaussianBlur(9)).save(place / f"{one}-blurred.png")
    return place


@pytest.fixture(scope="module")
def studio(serve, tmp_path_factory):
    """A studio with one dataset to look at, and the address that lets one browser in."""
    with Workspace.open(tmp_path_factory.mktemp("explore") / "workspace") as workspace:
        stock(workspace, "animals", 300, attributes={"skin": "dark"})
        serving = Serving(launch=new_secret(), poll=0.05)
        with serve(create_app(workspace, serving)) as address:
            yield workspace, address, serving.launch


@pytest.fixture(scope="module")
def cookies(studio, browser):
    """What a browser holds that was let in."""
    _, address, launch = studio
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/launch/{launch}")
    held = context.cookies()
    context.close()
    return held


@pytest.fixture
def come_in(cookies, new_page):
    """Open a page of somebody who is in."""

    def open_page(width=1440, scheme="light", **more):
        page = new_page(width, scheme=scheme, **more)
        page.context.add_cookies(cookies)
        page.set_default_timeout(30_000)  # a check may run beside it
        return page

    return open_page


def work(workspace):
    """Do what waits, as a worker would."""
    for job in list_jobs(workspace):
        if job.status == "waiting":
            run_worker(workspace, only_job=job.id)


def count(page):
    return page.locator("#narrowed strong").inner_text()


def ready(page):
    """Wait until the page is whole; the grid fetches its tiles by itself."""
    settled(page)
    if "/items" in page.url and page.locator(".virtual").count():
        page.locator(".virtual .tile img").first.wait_for()


@pytest.mark.parametrize("thoroughly", QUICKLY_AND_THOROUGHLY)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(studio, come_in, look_at_all, thoroughly):
    _, address, _ = studio
    addresses = [f"{address}/data/animals/{path}" for path in PAGES]
    look_at_all(come_in(), addresses, thoroughly=thoroughly, ready=ready)


def test_a_folder_is_cleaned_frozen_and_described(studio, come_in, folder):
    workspace, address, _ = studio
    collect(workspace, source="folder", into="shapes", options={"path": str(folder)})
    work(workspace)
    page = come_in()

    page.goto(f"{address}/data/shapes/checks")
    page.get_by_role("button", name="Run checks").click()
    page.locator("#checking .job").wait_for()
    work(workspace)
    page.get_by_role("link", name="Choose the checks").click()  # the page has heard that the job is done
    page.locator("#choose-checks[open]").wait_for()
    page.get_by_role("link", name="Near copies").click()
    assert page.locator("[data-group]").count() == COPIES

    page.get_by_role("link", name="Keep the largest").click()
    told = f"Of each group keep the largest, leave {COPIES} sure copies out"
    page.get_by_role("button", name=told).click()
    page.get_by_text("Nothing is left to decide").wait_for()
    assert show_histograms(workspace, name="shapes", where=Where(state="left out")).n == COPIES
    assert list_groups(workspace, name="shapes", check="near_copies") == []

    page.goto(f"{address}/data/shapes/decisions")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Do it again").click()
    page.locator("#decisions").get_by_text("did again").wait_for()
    assert [one.verb for one in list_decisions(workspace, name="shapes")] == ["undo", "undo", "keep best"]

    page.goto(f"{address}/data/shapes/items?state=kept")
    assert count(page) == str(N + 2)
    plot = page.locator('[data-brush="sharpness"] .facet-plot').bounding_box()
    page.mouse.move(plot["x"] + 1, plot["y"] + 10)
    page.mouse.down()
    page.mouse.move(plot["x"] + plot["width"] / 4, plot["y"] + 10, steps=4)
    page.mouse.up()
    page.get_by_text("Sharpness: at most").wait_for()
    assert count(page) == "2"
    page.keyboard.press("a")
    page.keyboard.press("x")
    page.get_by_text(re.compile(r"^Left out “\d+-blurred.png” and 1 more.$")).wait_for()
    page.get_by_text("No picture is like that.").wait_for()

    page.goto(f"{address}/data/shapes")
    page.get_by_role("button", name="Freeze version").click()
    page.wait_for_url("**#version-*")
    version = list_versions(workspace, name="shapes")[0]
    assert version.n == N
    page.goto(f"{address}/data/shapes/datasheet?version={version.name}")
    page.get_by_role("heading", name=f"Datasheet of shapes@{version.name}").wait_for()
    assert f"{N} pictures" in page.locator(".lead").inner_text()


def test_a_grid_of_any_length_holds_only_what_is_in_view_and_goes_by_keys(studio, come_in):
    _, address, _ = studio
    page = come_in(1024)
    page.goto(f"{address}/data/animals/items")
    page.locator("#grid .tile").first.focus()
    assert page.locator("#grid li").count() < 300
    page.keyboard.press("End")
    page.locator('#grid li[data-place="299"] .tile:focus').wait_for()
    assert page.locator('#grid li[data-place="0"]').count() == 0
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    page.get_by_text("3 selected").wait_for()
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_text("2 selected").wait_for()
    page.keyboard.press("Shift+ArrowLeft")
    page.get_by_text("3 selected").wait_for()
    page.keyboard.press("x")
    page.get_by_text("Left out “llama” and 2 more.").wait_for()
    page.locator('#grid li[data-place="299"] .tile[data-state]').wait_for()  # the grid is drawn anew
    page.keyboard.press("Home")
    page.locator('#grid li[data-place="0"] .tile:focus').wait_for()
    page.keyboard.press("x")
    page.get_by_text("Left out “llama”.").wait_for()
    page.keyboard.press("u")
    page.get_by_text("Took back: left out 1 picture").wait_for()
    page.keyboard.press("u")
    page.get_by_text("Took back: left out 3 pictures.").wait_for()
    assert page.locator(".toast").get_by_role("button", name="Undo").count() == 0, "nothing is left to take back"


def test_a_brush_is_moved_by_arrow_keys_and_back_goes_back(studio, come_in):
    workspace, address, _ = studio
    shown = show_window(workspace, name="animals", count=300).items
    set_weights(workspace, name="animals", weights={one.id: 1 + place // 2 % 10 for place, one in enumerate(shown)})
    page = come_in()
    page.goto(f"{address}/data/animals/items?style=flat")
    page.get_by_text("More measures").click()
    before = count(page)
    low = page.get_by_label("Weight, at least")
    low.focus()
    low.press("ArrowRight")
    page.get_by_text("Weight: at least").wait_for()
    assert page.evaluate("document.activeElement.id") == "low-weight"
    assert int(count(page)) < int(before)
    page.go_back()
    page.get_by_text("Weight: at least").wait_for(state="detached")
    assert count(page) == before


def test_without_script_the_grid_has_pages_and_findings_have_forms(studio, come_in):
    _, address, _ = studio
    page = come_in(java_script_enabled=False)
    page.goto(f"{address}/data/animals/items?style=noto")
    assert page.locator("#grid .tile").count() == 60
    page.get_by_role("link", name="More", exact=True).click()
    page.wait_for_url("**start=60*")  # and until it is loaded whole
    assert page.locator("#grid .tile").count() == 60
    page.get_by_role("link", name="Style: noto").click()
    assert page.locator("#narrowed strong").inner_text() == "300"


def test_in_a_group_one_goes_and_the_rest_follows_and_toasts_stay_few(studio, come_in):
    workspace, base, _ = studio
    ids = ids_of(workspace, "animals")[10:]
    for group in range(5):
        some = dict.fromkeys(ids[4 * group : 4 * group + 4], "exact_copies")
        found(workspace, some, name="animals", group=str(group))
    page = come_in()
    page.goto(f"{base}/data/animals/checks/exact_copies")
    settled(page)
    card = page.locator("[data-group]").first
    name = card.get_attribute("id")
    card = page.locator(f"#{name}")
    star = card.locator(".tile.best")
    gone = star.get_attribute("data-id")
    card.get_by_role("button", name="Leave out").first.click()
    card.get_by_role("button", name="leave the 2 others out").wait_for()
    assert card.locator(".is-out .tile").get_attribute("data-id") == gone
    assert star.get_attribute("data-id") != gone
    for _ in range(2):
        with page.expect_response(lambda answer: answer.request.method == "GET" and "group=" in answer.url):
            card.get_by_role("button", name="Leave out").first.click()
        settled(page)
    card.get_by_text("Nothing else is to be decided here.").wait_for()
    assert card.locator(".is-out").count() == 3
    assert card.get_by_role("button", name="Left out").is_disabled()
    page.keyboard.press("u")
    card.get_by_role("button", name="Keep both").wait_for()
    for place in range(1, 5):
        page.locator("[data-group]").nth(place).get_by_role("button", name="Keep all 4").click()
    page.locator("[data-group]").nth(4).get_by_text("Kept “").wait_for()
    toasts = page.locator(".toast")
    assert toasts.count() == 3
    assert all("llama" in said for said in toasts.all_inner_texts()), "each says which picture"
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = page.locator("[data-group] .row").last.bounding_box()
    highest = toasts.first.bounding_box()
    assert last["y"] + last["height"] <= highest["y"] or last["x"] + last["width"] <= highest["x"]


def test_a_card_says_what_was_decided_in_place_of_what_was_wrong(studio, come_in):
    workspace, base, _ = studio
    found(workspace, dict.fromkeys(ids_of(workspace, "animals")[60:62], "caption_short"), name="animals")
    page = come_in()
    page.goto(f"{base}/data/animals/checks/caption_short")
    settled(page)
    card = page.locator("[data-finding]").first
    card.get_by_label("Caption").fill("a llama that looks up")
    card.get_by_role("button", name="Save").click()
    card.get_by_text("Wrote the caption “a llama that looks up”.").wait_for()
    assert card.get_by_text("it is planted").is_hidden()
    assert page.locator("[aria-busy], [data-sent='1']").count() == 0, "nothing waits for an answer that came"
    page.keyboard.press("u")
    card.get_by_text("it is planted").wait_for()


def test_a_licence_is_changed_for_what_is_selected(studio, come_in):
    workspace, base, _ = studio
    page = come_in()
    page.goto(f"{base}/data/animals/items")
    page.locator("#grid .tile").first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.locator("#change-many")
    dialog.locator("summary", has_text="Licence").click()
    assert dialog.locator("details[open]").count() == 1
    dialog.get_by_label("Licence").fill("CC BY 4.0")
    dialog.get_by_label("Proof").fill("her letter of 3 May")
    dialog.get_by_role("button", name="Change licence").click()
    page.get_by_text("Changed the licence of “llama”.").wait_for()
    assert page.locator("[aria-busy], [data-sent='1']").count() == 0
    assert show_histograms(workspace, name="animals", where=Where(licence="CC-BY-4.0")).n == 1
    page.keyboard.press("u")
    page.get_by_text("Took back: changed the licence of 1 picture to CC-BY-4.0").wait_for()
    assert show_histograms(workspace, name="animals", where=Where(licence="CC-BY-4.0")).n == 0


def test_a_picture_is_cropped_by_a_frame_drawn_on_it_and_seen_at_once(studio, come_in, tmp_path):
    workspace, base, _ = studio
    drawn = Image.new("RGB", (200, 100), "#d22")
    drawn.paste("#22d", (100, 0, 200, 100))
    drawn.save(tmp_path / "two.png")
    collect(workspace, source="folder", into="colours", options={"path": str(tmp_path)})
    work(workspace)
    page = come_in()
    page.goto(f"{base}/data/colours/items/{ids_of(workspace, 'colours')[0]}")
    settled(page)
    page.get_by_text("Crop or turn it").click()
    box = page.locator(".mend").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 20, box["y"] + box["height"] + 20, steps=4)
    page.mouse.up()
    page.get_by_text("100 × 99 stay of 200 × 100 pixels.").wait_for()
    page.get_by_label("Cut off from the top, in %").fill("0")
    page.get_by_text("100 × 100 stay of 200 × 100 pixels.").wait_for()
    page.get_by_role("button", name="Crop or turn").click()
    page.get_by_text("cropped: 1 picture").wait_for()
    red = """one => one.decode().then(() => { const paper = document.createElement("canvas").getContext("2d");
        paper.drawImage(one, 0, 0); return paper.getImageData(5, 5, 1, 1).data[0]; })"""
    assert page.locator(".shown-picture img").evaluate(red) < 100, "the browser does not show the one that it had kept"
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("taken back").wait_for()
    assert page.locator(".shown-picture img").evaluate(red) > 200


def test_who_labels_a_picture_second_is_told_and_goes_on_with_the_next(studio, come_in):
    workspace, base, _ = studio
    make_labelling(
        workspace, name="animals", labelling="looks", question="Up or down?", column="looks", choices=["up", "down"]
    )
    first, second = come_in(), come_in()
    for page in (first, second):
        page.goto(f"{base}/data/animals/labelling/looks")
        settled(page)
    seen = second.locator(".label-picture img").get_attribute("src")
    first.keyboard.press("1")
    first.locator(f'.label-picture img:not([src="{seen}"])').wait_for()
    second.keyboard.press("2")
    second.locator("#label .notice.fails").wait_for()
    second.locator(f'.label-picture img:not([src="{seen}"])').wait_for()


def test_at_history_what_was_undone_is_told_where_one_is(studio, come_in):
    workspace, base, _ = studio
    ids = ids_of(workspace, "animals")
    for one in ids[100:116]:
        leave_out(workspace, name="animals", where=Where(ids=[one]))
    page = come_in()
    page.goto(f"{base}/data/animals/decisions")
    settled(page)
    page.get_by_role("button", name="Undo").nth(14).click()
    receipt = page.locator("[data-receipt]")
    receipt.get_by_text("Took back: left out 1 picture").wait_for()
    assert page.evaluate("scrollY") > 100
    top = receipt.bounding_box()["y"]
    assert 0 <= top < 200, "it stays in sight"


def test_many_are_decided_at_once_with_a_receipt_and_undo_that_stay(studio, come_in):
    workspace, base, _ = studio
    ids = ids_of(workspace, "animals")
    found(workspace, dict.fromkeys(ids[:3], "odd_aspect"), name="animals", group="a")
    before = len(list_decisions(workspace, name="animals"))
    page = come_in()
    page.goto(f"{base}/data/animals/checks/odd_aspect")
    settled(page)
    page.get_by_role("button", name="Of each group keep the best").click()
    receipt = page.locator("[data-receipt]")
    receipt.get_by_text("Kept the best of a group of copies, left out 2 pictures.").wait_for()
    assert len(list_decisions(workspace, name="animals")) == before + 1
    receipt.get_by_role("button", name="Undo").click()
    receipt.get_by_text("Took back: kept the best").wait_for()
    assert receipt.get_by_role("button", name="Undo").is_hidden()
    page.locator("[data-group]").wait_for()
    page.reload()
    settled(page)
    assert receipt.is_hidden(), "it is told once"
    page.goto(f"{base}/data/animals/items?style=noto")
    settled(page)
    page.locator(".saving summary").first.click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Vega-Lite").first.click()
    assert json.loads(Path(saved.value.path()).read_text())["title"]["subtitle"].endswith("pictures of animals")
