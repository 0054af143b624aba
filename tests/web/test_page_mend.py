"""Cropping and turning a picture on its page, and changing many at once: what is done, refused and taken back."""

import io
import re

import pytest
from PIL import Image

from sfumato.data.explore import show_histograms
from sfumato.data.freeze import freeze
from sfumato.data.items import show_item
from sfumato.data.narrowing import Where
from sfumato.data.records import Item
from sfumato.jobs.queue import list_jobs
from tests.web.stocked import stock, widened

JSON = {"Accept": "application/json"}


@pytest.fixture
def wide(workspace):
    """A picture of 40 by 20 pixels, red on the left and blue on the right; its dataset is `one`."""
    drawn = Image.new("RGB", (40, 20), "#d22")
    drawn.paste("#22d", (20, 0, 40, 20))
    out = io.BytesIO()
    drawn.save(out, "PNG")
    (item,) = stock(workspace, "one", 1)
    with workspace.write() as session:
        row = session.get_one(Item, item)
        row.sha256, row.width, row.height = workspace.store.put(out.getvalue()), 40, 20
    return item


def shown(browser, item, part="file"):
    return Image.open(io.BytesIO(browser.get(f"/api/v1/items/{item}/{part}").content)).convert("RGB")


def test_a_picture_is_cropped_and_turned_and_browsers_are_shown_what_it_is_now(browser, workspace, wide):
    address = f"/data/one/items/{wide}"
    assert "Crop or turn it" in browser.page(address).text
    before = browser.get(f"/api/v1/items/{wide}/file")
    assert "no-cache" in before.headers["cache-control"]
    sent = {"left": "50", "right": "0", "top": "0", "bottom": "0", "turn": "0", "revision": "1"}
    assert browser.post(f"{address}/mend", data=sent).headers["location"] == address
    assert shown(browser, wide).size == (20, 20)
    assert shown(browser, wide).getpixel((1, 1)) == (34, 34, 221)
    again = browser.get(f"/api/v1/items/{wide}/file", headers={"If-None-Match": before.headers["etag"]})
    assert again.status_code == 200, "what a browser has kept is the picture of before"
    small = browser.get(f"/api/v1/items/{wide}/thumb")
    assert "no-cache" in small.headers["cache-control"]
    page = browser.page(address).text
    assert "cropped: 1 picture" in page
    undo = re.search(r'action="(/data/decisions/[^"]+/undo)"', page)[1]
    assert browser.post(undo, data={"back": address}).headers["location"] == address
    assert shown(browser, wide).size == (40, 20)
    turned = {"turn": "90", "revision": str(show_item(workspace, id=wide).revision)}
    browser.post(f"{address}/mend", data=turned)
    assert shown(browser, wide).size == (20, 40)
    assert shown(browser, wide).getpixel((1, 1)) == (221, 34, 34), "clockwise: what was on the left is above"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Say how to crop, or how far to turn."),
        ({"left": "some"}, "is no part of a side"),
        ({"left": "nan"}, "is no part of a side"),
        ({"top": "-4"}, "is no part of a side"),
        ({"left": "60", "right": "40"}, "Nothing would stay between the left and the right"),
        ({"left": "90"}, "fewer than 8 pixels would be left"),
        ({"turn": "45"}, "cannot be turned by 45"),
        ({"turn": "90", "revision": "7"}, "Since you looked"),
    ],
)
def test_what_cannot_be_mended_is_told_and_what_was_typed_stays(browser, workspace, wide, sent, said):
    answer = browser.post(f"/data/one/items/{wide}/mend", data={"revision": "1", **sent})
    assert answer.status_code in (409, 422)
    assert said in answer.text
    assert 'id="mend"' in answer.text
    if "left" in sent:
        assert f'name="left" type="number" min="0" max="99" step="any" inputmode="decimal" value="{sent["left"]}"' in (
            answer.text
        )
    assert show_item(workspace, id=wide).revision == 1
    assert shown(browser, wide).size == (40, 20)


def test_versions_from_before_and_after_are_compared_in_pictures(browser, workspace, wide):
    freeze(workspace, name="one")
    browser.post(f"/data/one/items/{wide}/mend", data={"left": "25", "revision": "1"})
    freeze(workspace, name="one")
    browser.post(f"/data/one/items/{wide}/mend", data={"turn": "90", "revision": "2"})
    page = browser.page("/data/one/compare?kind=changed").text
    after, before = re.findall(r'src="(/api/v1/items/[^"]+/thumb\?sha256=\w+)"', page)
    sizes = [Image.open(io.BytesIO(browser.get(one).content)).size for one in (before, after)]
    assert sizes == [(40, 20), (30, 20)]
    assert "to learn from" in page
    uses = browser.get(f"/api/v1/items/{wide}/uses").json()
    assert [use["as_now"] for use in uses] == [False, False]
    assert browser.page(f"/data/one/items/{wide}").text.count("as it was before it was changed") == 2
    first = before.partition("=")[2]
    assert [one["id"] for one in browser.get(f"/api/v1/contents/{first}/items").json()] == [wide]
    unheard = after.partition("=")[0] + "=" + "0" * 64
    assert browser.get(unheard).status_code == 404
    assert browser.get(unheard[:-1]).status_code == 422


def test_a_drawing_is_not_offered_to_be_cropped(browser, workspace, wide):
    with workspace.write() as session:
        session.get_one(Item, wide).key = "a/disc.SVG"
    assert "Crop or turn it" not in browser.page(f"/data/one/items/{wide}").text


def test_consent_and_family_are_set_for_what_is_selected(browser, workspace):
    ids = widened(workspace)

    def change(**sent):
        return browser.post("/data/animals/decide", data={"ids": ",".join(ids[:2]), **sent}, headers=JSON)

    assert change(verb="consent", consent="refused").json()["say"] == "Set the consent of “llama” and 1 more."
    assert change(verb="consent", consent="perhaps").status_code == 422
    told = change(verb="family", family="herd").json()
    assert show_histograms(workspace, name="animals", where=Where(family="herd", consent="refused")).n == 2
    browser.post(told["undo"], headers=JSON)
    assert show_histograms(workspace, name="animals", where=Where(family="herd")).n == 0
    page = browser.page("/data/animals/items").text
    assert all(f'value="{verb}">' in page for verb in ("attribute", "licence", "consent", "family"))


def test_the_most_different_are_asked_for_by_number(browser, workspace):
    widened(workspace)
    for n, said in (("", "How many"), ("0", "How many"), ("two", "How many"), ("60", "only 6 pictures")):
        refused = browser.post("/data/animals/pick", data={"n": n})
        assert refused.status_code == 422
        assert said in refused.text
    asked = browser.post("/data/animals/pick", data={"n": "2", "where": '{"style": "flat"}', "reason": "a sample"})
    (job,) = list_jobs(workspace)
    assert asked.headers["location"] == f"/jobs/{job.id}"
    page = browser.page(f"/jobs/{job.id}").text
    assert "Pick the 2 most different of animals" in page
    assert 'href="/records/dataset/animals"' in page
