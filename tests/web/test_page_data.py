"""Data as people see it: cards, a dataset, its grid, a picture, what was left out, and taking pictures in."""

import io
import re

import pytest

from sfumato.data.datasheet import answer_question, datasheet
from sfumato.data.editing import set_consent
from sfumato.data.freeze import freeze, version_by_id
from sfumato.data.narrowing import Where
from sfumato.data.questions import QUESTIONS
from sfumato.data.records import Item
from tests.web.conftest import open_studio
from tests.web.stocked import HOSTILE, as_vic, quarantine, stock, with_viewer


def test_an_empty_desk_says_what_will_be_here_and_how_to_begin(browser):
    page = browser.page("/data").text
    assert "Datasets will be here" in page
    assert 'href="/new-dataset"' in page
    assert "sfumato data collect sample" in page


def test_a_card_tells_count_licence_use_and_versions(browser, workspace):
    stock(workspace, "animals", 3)
    freeze(workspace, name="animals")
    page = browser.page("/data").text
    assert "3 pictures" in page
    assert "MIT" in page
    assert "1 frozen version" in page
    assert "look through only" in page


def test_what_somebody_wrote_is_shown_as_text_and_never_runs(browser, workspace):
    ids = stock(workspace, "animals", 1, said=HOSTILE, author=HOSTILE, url="javascript:alert(1)")
    quarantine(workspace, "animals", HOSTILE)
    for path in (
        "/data",
        "/data/animals",
        "/data/animals/items",
        f"/data/animals/items/{ids[0]}",
        "/data/animals/left-out",
    ):
        page = browser.page(path)
        assert page.status_code == 200
        assert HOSTILE not in page.text
        assert 'href="javascript' not in page.text
    assert "&lt;script&gt;" in browser.page(f"/data/animals/items/{ids[0]}").text


def test_a_name_is_chosen_first_and_one_that_cannot_be_is_told(browser, workspace):
    assert browser.get("/new-dataset", params={"name": "animals"}).headers["location"] == "/data/animals/add"
    stock(workspace, "birds", 1)
    taken = browser.page("/new-dataset?name=birds")
    assert taken.status_code == 422
    assert "There is a dataset birds already." in taken.text
    assert 'href="/data/birds/add"' in taken.text
    wrong = browser.page("/new-dataset?name=no%20spaces")
    assert wrong.status_code == 422
    assert "begins with a letter" in wrong.text


def test_freezing_by_the_form_names_a_version_and_an_empty_dataset_is_refused_in_words(browser, workspace):
    stock(workspace, "animals", 2)
    answer = browser.post("/data/animals/versions")
    assert answer.status_code == 303
    assert "#version-" in answer.headers["location"]
    page = browser.page("/data/animals").text
    assert answer.headers["location"].partition("#")[2] in page
    assert "2 pictures" in page
    asked = sum(one.for_a_person for one in QUESTIONS)
    assert f"{asked} questions of the <a" in page, "what nobody has answered is told beside it"
    label = f"animals@{version_by_id(workspace, version_id=answer.headers['location'].partition('#version-')[2]).name}"
    assert datasheet(workspace, name=label).open_questions == asked
    answer_question(workspace, name="animals", question="purpose", text="To teach.")
    assert f"{asked - 1} questions of the <a" in browser.page("/data/animals").text
    sheet = browser.page(f"/data/animals/datasheet?version={label.partition('@')[2]}").text
    assert f"{asked - 1} questions are open" in sheet
    assert 'href="/data/animals/datasheet#a-creators">Answer it' in sheet
    stock(workspace, "nothing", 0)
    refused = browser.post("/data/nothing/versions")
    assert refused.status_code == 422
    assert "is empty" in refused.text


def test_freezing_says_what_would_not_be_in_it_and_that_nothing_has_changed(browser, workspace):
    ids = stock(workspace, "animals", 4)
    with workspace.write() as session:
        for place, one in enumerate(ids):
            session.get_one(Item, one).sha256 = workspace.store.put(bytes([place]))
    set_consent(workspace, name="animals", where=Where(ids=ids[:1]), consent="refused")
    assert "3 pictures as they are now; left out: 1 consent refused" in browser.page("/data/animals").text
    browser.post("/data/animals/versions")
    again = browser.post("/data/animals/versions").headers["location"]
    page = browser.page(again.partition("#")[0]).text
    assert "Nothing has changed since" in page
    assert "; left out: 1 consent refused" in page
    assert "Nothing has changed since" not in browser.page("/data/animals?same=nonsense").text


def test_one_picture_is_one_and_what_a_thing_is_stands_beside_their_number(browser, workspace):
    stock(workspace, "animals", 1)
    stock(workspace, "unnamed", 2, said="")
    page = browser.page("/data/animals").text
    assert "1 picture of 1 thing; 1 has a caption." in page
    assert "came with the same name or caption" in page
    assert "2 pictures of 0 things; 0 have captions." in browser.page("/data/unnamed").text
    sheet = browser.page("/data/unnamed/datasheet").text
    assert "2 pictures, none of which has a name" in sheet
    assert "1 picture has the very bytes of another one." in sheet


def test_what_a_version_holds_out_is_told_in_pictures(browser, workspace):
    stock(workspace, "animals", 3)
    version = freeze(workspace, name="animals")
    words = {"train": "3 to learn from", "heldout_concept": "3 held out as whole things"}
    assert words[next(iter(version.summary["splits"]))] in browser.page("/data/animals").text


def test_collecting_by_the_form_asks_for_a_job_and_the_dataset_shows_it(browser):
    answer = browser.post("/data/icons/collections", data={"source": "sample"})
    assert answer.status_code == 303
    assert "Collect sample into icons" in browser.page("/jobs").text
    coming = browser.page("/data/icons")
    assert coming.status_code == 200, "it is shown before a worker has begun"
    assert "Collect sample into icons" in coming.text
    assert 'id="held" data-part="/data/icons" data-on="data.* job/' in coming.text
    assert browser.page("/data/other").status_code == 404


def test_all_of_a_dataset_that_a_job_changes_is_drawn_anew(browser, workspace):
    stock(workspace, "icons", 0)
    head, _, rest = browser.page("/data/icons").text.partition('id="held"')
    assert 'id="head" data-part="/data/icons" data-on="data.* ' in head
    for what in ('id="numbers"', 'id="versions"', "Pictures will be here"):
        assert what not in head
        assert what in rest
    assert rest.startswith(' data-part="/data/icons" data-on="data.* ')


def test_a_wrong_option_is_told_beside_what_was_sent(browser):
    refused = browser.post("/data/icons/collections", data={"source": "icons", "size": "7", "styles": "noto"})
    assert refused.status_code == 422
    assert "size" in refused.text
    assert 'value="7"' in refused.text


def test_pictures_are_taken_from_a_form_without_script(browser):
    from tests.drawn import COLOURS, draw

    out = io.BytesIO()
    draw("disc", next(iter(COLOURS.values())), "plain").save(out, "PNG")
    files = [("files", ("a.png", out.getvalue(), "image/png")), ("files", ("b.png", b"no picture", "image/png"))]
    answer = browser.post("/data/mine/uploads", files=files, data={"licence": "MIT"})
    assert answer.status_code == 200
    assert "1 picture taken" in answer.text
    assert "b.png" in answer.text
    assert browser.post("/data/mine/uploads", files=files[:1]).headers["location"] == "/data/mine"


def test_the_grid_is_paged_and_narrowed(browser, workspace):
    stock(workspace, "animals", 70)
    first = browser.page("/data/animals/items").text
    assert first.count('class="tile"') == 60
    more = re.search(r'rel="next" href="([^"]+)"', first)
    assert browser.page(more[1].replace("&amp;", "&")).text.count('class="tile"') == 10
    assert browser.page("/data/animals/items?style=noto").text.count('class="tile"') == 35
    none = browser.page("/data/animals/items?words=giraffe").text
    assert "picture is like that" in none
    assert 'class="tile"' not in none


def test_a_picture_tells_what_is_written_in_its_file_and_where(browser, workspace):
    words = {"value": ["harbour", "dusk"], "found": "IPTC"}
    told = {"creator": {"value": "<b>Bea</b>", "found": "EXIF"}, "keywords": words}
    ids = stock(workspace, "animals", 1, evidence=told)
    page = browser.page(f"/data/animals/items/{ids[0]}").text
    assert "&lt;b&gt;Bea&lt;/b&gt;" in page
    assert "harbour, dusk" in page
    assert "EXIF" in page
    assert browser.get(f"/api/v1/items/{ids[0]}").json()["evidence"] == told


def test_a_picture_tells_whose_it_is_what_it_asks_and_which_versions_hold_it(browser, workspace):
    ids = stock(workspace, "animals", 1)
    version = freeze(workspace, name="animals")
    page = browser.page(f"/data/animals/items/{ids[0]}").text
    assert "you keep its notice" in page
    assert "By Bea" in page
    assert f"animals@{version.name}" in page
    assert browser.get(f"/items/{ids[0]}").headers["location"] == f"/data/animals/items/{ids[0]}"
    assert browser.get(f"/data/versions/{version.id}").headers["location"] == f"/data/animals#version-{version.id}"


@pytest.mark.parametrize(
    "path",
    ["/data/none", "/data/none/items", "/data/none/left-out", "/items/0000", "/data/versions/x", "/data/..%2fetc/add"],
)
def test_what_is_not_there_is_told_in_words(browser, path):
    answer = browser.page(path)
    assert (answer.status_code == 404 and "There is no" in answer.text) or "nothing at this address" in answer.text


def test_who_may_only_look_sees_why_a_button_is_shut(workspace):
    stock(workspace, "animals", 1)
    with_viewer(workspace)
    with open_studio(workspace) as client:
        vic = as_vic(client)
        page = vic.page("/data/animals").text
        assert "dataset.write" in page
        assert 'action="/data/animals/versions"' not in page
        assert vic.post("/data/animals/versions").status_code == 403
        assert vic.post("/data/animals/collections", data={"source": "sample"}).status_code == 403


def test_places_on_the_server_are_offered_to_admins_alone(workspace, browser):
    page = browser.page("/data/animals/add").text
    assert all(f"?source={one}" in page for one in ("folder", "zip", "tar", "table", "parquet", "imagefolder", "icons"))
    assert 'name="packages_dir"' in browser.page("/data/animals/add?source=icons").text
    with_viewer(workspace, role="data scientist")
    with open_studio(workspace) as client:
        vic = as_vic(client)
        page = vic.page("/data/animals/add").text
        assert not any(f"?source={one}" in page for one in ("folder", "zip", "tar", "table", "parquet", "imagefolder"))
        assert all(f"?source={one}" in page for one in ("icons", "sample", "openclipart"))
        assert 'name="packages_dir"' not in vic.page("/data/animals/add?source=icons").text
        assert 'name="path"' not in vic.page("/data/animals/add?source=openclipart").text
        for source, place in (("folder", "path"), ("zip", "path"), ("icons", "packages_dir"), ("table", "root")):
            sent = {"source": source, "path": "", place: "/etc"}
            assert vic.post("/data/animals/collections", data=sent).status_code == 403
            asked = {"source": source, "options": {place: "/etc"}}
            assert vic.post("/api/v1/datasets/animals/collections", json=asked).status_code == 403
        assert vic.post("/data/animals/collections", data={"source": "openclipart"}).status_code == 303
