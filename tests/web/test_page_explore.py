"""Exploring, checking and deciding as people see it: brushes and chips, findings, copies, decisions and a way back."""

import html
import re

import pytest

from sfumato.data.explore import show_histograms
from sfumato.data.history import list_decisions
from sfumato.data.items import show_item
from sfumato.data.narrowing import Where
from sfumato.data.records import Item
from sfumato.data.slices import list_slices, save_slice
from tests.data.curated import found
from tests.web.conftest import open_studio
from tests.web.stocked import HOSTILE, as_vic, stock, widened, with_viewer

JSON = {"Accept": "application/json"}


@pytest.fixture
def animals(workspace):
    return widened(workspace)


def test_the_address_narrows_and_each_part_can_be_taken_away(browser, animals):
    page = browser.page("/data/animals/items?style=noto&range=width:11:14&words=llama").text
    assert page.count('class="tile"') == 2
    assert "<strong>2</strong> of 6" in page
    assert "Width: 11 to 14" in page
    assert 'href="/data/animals/items?words=llama&amp;range=width%3A11%3A14" data-narrows>Style: noto' in page


def test_every_chip_and_value_leads_to_a_page(browser, animals, workspace):
    page = browser.page("/data/animals/items?style=noto&range=width:11:").text
    links = {one.replace("&amp;", "&") for one in re.findall(r'href="([^"]+)" data-narrows', page)}
    links |= {one.replace("&amp;", "&") for one in re.findall(r'data-narrows[^>]* href="([^"]+)"', page)}
    assert len(links) > 2
    for link in links:
        assert browser.page(link).status_code == 200, link


@pytest.mark.parametrize(
    "query",
    ["range=width:x:", "range=none:1:2", "attribute=x", "order=none", "start=900", "check=none", "no_caption=maybe"],
)
def test_an_address_that_says_nonsense_is_no_failure(browser, animals, query):
    assert browser.page(f"/data/animals/items?{query}").status_code == 200


def test_hostile_values_are_shown_as_text(browser, workspace):
    ids = stock(workspace, "animals", 2, said=HOSTILE, author=HOSTILE, attributes={HOSTILE: HOSTILE})
    found(workspace, {ids[0]: "odd_aspect"}, name="animals")
    save_slice(workspace, name="animals", slice_name=HOSTILE, where=Where(author=HOSTILE))
    for path in ("items", f"items?author={HOSTILE}", "checks", "checks/odd_aspect", "decisions"):
        page = browser.page(f"/data/animals/{path}")
        assert page.status_code == 200
        assert HOSTILE not in page.text


def test_pictures_are_left_out_in_bulk_told_and_taken_back(browser, animals, workspace):
    said = browser.post("/data/animals/decide", data={"verb": "leave_out", "ids": ",".join(animals[:2])}, headers=JSON)
    assert said.json()["say"] == "Left out “llama” and 1 more."
    assert 'data-state="rejected"' in browser.page("/data/animals/items").text
    back = browser.post(said.json()["undo"], headers=JSON)
    assert back.json()["say"] == "Took back: left out 2 pictures."
    assert 'data-state="rejected"' not in browser.page("/data/animals/items").text
    history = browser.page("/data/animals/decisions").text
    assert "taken back" in history
    assert "Do it again" in history
    assert "data-receipt" in history


def test_what_was_decided_is_told_by_name_where_they_are_few_and_by_number_where_they_are_many(browser, animals):
    def left_out(ids):
        sent = {"verb": "leave_out", "ids": ",".join(ids)}
        return browser.post("/data/animals/decide", data=sent, headers=JSON).json()

    one = left_out(animals[:1])
    assert one["say"] == "Left out “llama”."
    assert browser.post(one["undo"], headers=JSON).json()["say"] == "Took back: left out 1 picture: “llama”."
    assert left_out(animals)["say"] == "Left out 6 pictures."


def test_all_that_a_page_is_narrowed_to_is_decided_at_once(browser, animals, workspace):
    where = Where(ranges={"width": (12, None)}).model_dump_json(exclude_defaults=True)
    answer = browser.post("/data/animals/decide", data={"verb": "leave_out", "where": where})
    assert answer.headers["location"] == "/data/animals/items"
    assert show_histograms(workspace, name="animals", where=Where(state="left out")).n == 4


def test_an_attribute_is_set_and_becomes_a_way_to_narrow(browser, animals):
    data = {"verb": "attribute", "ids": animals[0], "attribute": "skin", "value": "dark"}
    assert browser.post("/data/animals/decide", data=data, headers=JSON).status_code == 200
    assert browser.page("/data/animals/items?attribute=skin:dark").text.count('class="tile"') == 1


def test_nothing_selected_or_an_unknown_verb_is_refused_in_words(browser, animals):
    said = browser.post("/data/animals/decide", data={"verb": "keep"}, headers=JSON).text
    assert "No picture was selected" in said
    assert browser.post("/data/animals/decide", data={"verb": "burn", "ids": animals[0]}).status_code == 422


def test_an_undo_that_a_later_decision_stands_in_the_way_of_is_refused_in_words(browser, animals, workspace):
    browser.post("/data/animals/decide", data={"verb": "leave_out", "ids": animals[0]})
    browser.post("/data/animals/decide", data={"verb": "keep", "ids": animals[0]})
    first = list_decisions(workspace, name="animals")[-1]
    refused = browser.post(f"/data/decisions/{first.id}/undo")
    assert refused.status_code == 409
    assert "notice fails" in refused.text


def test_of_a_form_that_is_refused_nothing_is_written(browser, animals, workspace):
    address = f"/data/animals/items/{animals[0]}"
    item = show_item(workspace, id=animals[0])
    sent = {"caption": "a new one", "licence": "CC0-1.0", "proof": "", "revision": str(item.revision)}
    many = "\n".join(map(str, range(200)))
    for refused in (
        sent, sent | {"proof": "x", "licence": "My own !!"}, sent | {"proof": "x", "tags": many},
        sent | {"proof": "x", "attributes": "licence: dark"}, sent | {"proof": "x", "consent": "perhaps"},
    ):  # fmt: skip
        assert browser.post(f"{address}/change", data=refused).status_code == 422
        assert show_item(workspace, id=animals[0]) == item


def test_a_slice_under_a_name_that_is_taken_is_told_above_the_grid(browser, animals):
    sent = {"slice_name": "wide", "where": '{"style": "flat"}'}
    assert browser.post("/data/animals/slices", data=sent).status_code == 303
    refused = browser.post("/data/animals/slices", data={**sent, "where": '{"style": "noto"}'})
    assert refused.status_code == 409
    assert "There is a slice" in refused.text
    assert 'id="grid"' in refused.text


def test_findings_are_listed_by_check_and_decided_one_by_one(browser, animals, workspace):
    stock(workspace, "plants", 1)
    assert "No check has looked" in browser.page("/data/plants/checks").text
    found(workspace, dict.fromkeys(animals[:3], "odd_aspect"), name="animals")
    assert ">3</span>" in browser.page("/data/animals/checks").text
    page = browser.page("/data/animals/checks/odd_aspect").text
    assert page.count("it is planted") == 3
    browser.post("/data/animals/decide", data={"verb": "keep", "ids": animals[0], "check": "odd_aspect"})
    assert browser.page("/data/animals/checks/odd_aspect").text.count("it is planted") == 2
    assert browser.page("/data/animals/checks/none").status_code == 404


def test_a_finding_shows_where_it_is_and_what_its_number_means(browser, animals, workspace):
    with workspace.write() as session:
        session.get(Item, animals[0]).width, session.get(Item, animals[0]).height = 200, 100
    boxes = {"boxes": [[0.5, 0.1, 0.25, 0.2]]}
    found(workspace, {animals[0]: "text_in_picture"}, name="animals", details=boxes)
    found(workspace, {animals[1]: "text_in_picture"}, name="animals")
    page = browser.page("/data/animals/checks/text_in_picture").text
    assert page.count('class="tile-places"') == 1
    assert 'viewBox="0 0 200 100"' in page
    assert '<rect x="100.0" y="10.0" width="50.0" height="20.0"/>' in page
    assert "Score 0.50" in page
    assert "It goes from 0 to 1" in page


def test_a_decision_is_called_by_what_the_check_looks_for(browser, animals, workspace):
    found(workspace, dict.fromkeys(animals[:2], "looks_alike"), name="animals")
    where = Where(check="looks_alike").model_dump_json(exclude_defaults=True)
    browser.post("/data/animals/decide", data={"verb": "leave_out", "where": where})
    told = "left out 2 pictures (pictures that look alike)"
    for place in ("/activity", *(f"/data/animals/{one}" for one in ("decisions", f"items/{animals[0]}", "datasheet"))):
        page = browser.page(place).text
        assert told in page, place
        assert "check looks_alike" not in page


def test_a_picture_without_a_caption_is_called_by_its_file_alone(browser, workspace):
    (one,) = stock(workspace, "bare", 1, said="")
    with workspace.write() as session:
        session.get(Item, one).key = "8cc210c910c6/pic-494.jpg"
    found(workspace, {one: "dark"}, name="bare")
    for place in (f"/data/bare/items/{one}", "/data/bare/checks/dark", f"/data/bare/items/{one}/alike"):
        page = browser.page(place).text
        assert "pic-494.jpg" in page
        assert "8cc210c910c6" not in page.replace('title="8cc210c910c6/pic-494.jpg"', ""), place
    said = browser.post("/data/bare/decide", data={"verb": "keep", "ids": one, "check": "dark"}, headers=JSON).json()
    assert said["say"] == "Kept “pic-494.jpg”."


def test_a_caption_is_written_where_a_check_misses_it_and_that_answers_it(browser, animals, workspace):
    found(workspace, dict.fromkeys(animals[:2], "caption_missing"), name="animals")
    address = "/data/animals/checks/caption_missing"
    assert browser.page(address).text.count('name="text"') == 2
    sent = {"verb": "caption", "ids": animals[0], "check": "caption_missing", "text": " a grey heron "}
    told = browser.post("/data/animals/decide", data=sent, headers=JSON).json()
    assert told["say"] == "Wrote the caption “a grey heron”."
    assert browser.page(address).text.count('name="text"') == 1
    assert "a grey heron" in browser.page(f"/data/animals/items/{animals[0]}").text
    assert browser.post("/data/animals/decide", data=sent | {"text": " "}).status_code == 422
    browser.post(told["undo"], data={})
    assert browser.page(address).text.count('name="text"') == 2


def test_next_goes_through_all_that_is_open_and_a_picture_says_how_its_file_is_called(browser, animals, workspace):
    found(workspace, {animals[0]: "blur"}, name="animals")
    found(workspace, dict.fromkeys(animals[1:3], "odd_aspect"), name="animals")
    found(workspace, dict.fromkeys(animals[3:6], "noise"), name="animals")
    seen, at = [], "noise"
    for _ in range(3):
        page = browser.page(f"/data/animals/checks/{at}").text
        at = re.search(r'checks/(\w+)">Next:', page)[1]
        seen.append(at)
    assert seen == ["odd_aspect", "blur", "noise"]
    assert "Leave it out" in browser.page("/data/animals/checks/blur").text
    assert ".png</p>" in browser.page("/data/animals/checks/blur").text
    browser.post("/data/animals/decide", data={"verb": "keep", "ids": animals[0], "check": "blur"})
    done = browser.page("/data/animals/checks/blur").text
    assert "Nothing is left to decide" in done
    assert re.search(r'checks/noise">Next: ', done)


def test_checks_are_asked_for_and_the_page_shows_the_job(browser, animals):
    assert browser.post("/data/animals/scans", data={"check-odd_aspect": "true"}).status_code == 303
    assert "Check animals" in browser.page("/data/animals/checks").text


def test_a_slice_is_saved_from_the_page_and_offered_there(browser, animals, workspace):
    saved = browser.post("/data/animals/slices", data={"slice_name": "noto ones", "where": '{"style": "noto"}'})
    assert saved.headers["location"] == "/data/animals/items?style=noto"
    page = browser.page("/data/animals/items").text
    assert "noto ones" in page
    assert 'aria-label="Forget the slice noto ones"' in page
    browser.post("/data/animals/slices/drop", data={"slice_name": "noto ones"})
    assert list_slices(workspace, name="animals") == []


def test_who_may_only_look_sees_why_and_is_refused(workspace, animals):
    found(workspace, {animals[0]: "odd_aspect"}, name="animals")
    with_viewer(workspace)
    with open_studio(workspace) as client:
        vic = as_vic(client)
        for path in ("items", "checks", "checks/odd_aspect"):
            page = vic.page(f"/data/animals/{path}").text
            assert "dataset.write" in page
            assert 'value="leave_out"' not in page
        refused = vic.post("/data/animals/decide", data={"verb": "leave_out", "ids": animals[0]})
        assert refused.status_code == 403


def test_what_is_known_of_a_picture_is_changed_and_its_history_tells_it(browser, animals):
    known = {"caption": "a llama", "tags": "wool\nspit", "attributes": "skin: dark", "licence": "CC0-1.0",
             "proof": "the author's letter of May", "consent": "given", "reason": "her", "revision": "1"}  # fmt: skip
    answer = browser.post(f"/data/animals/items/{animals[0]}/change", data=known)
    assert answer.status_code == 303, answer.text
    page = browser.page(f"/data/animals/items/{animals[0]}").text
    for word in ("a llama", "wool", "CC0-1.0", "given", "her", "dark"):
        assert word in page
    again = browser.post(f"/data/animals/items/{animals[0]}/change", data={**known, "revision": "5"})
    assert again.status_code == 303  # nothing differs, so nothing is decided


def test_who_saw_an_older_state_is_told_and_keeps_what_was_typed(browser, animals):
    path = f"/data/animals/items/{animals[0]}/change"
    browser.post(path, data={"caption": "first", "revision": "1"})
    refused = browser.post(path, data={"caption": "second", "revision": "1"})
    assert refused.status_code == 409
    assert "second</textarea>" in refused.text
    assert 'name="revision" value="2"' in refused.text
    assert browser.post(path, data={"caption": "second", "revision": "2"}).status_code == 303


@pytest.mark.parametrize(("field", "value"), [("licence", "MIT-0"), ("attributes", "no colon")])
def test_a_change_that_cannot_be_is_told_beside_what_was_typed(browser, animals, field, value):
    refused = browser.post(f"/data/animals/items/{animals[0]}/change", data={field: value, "revision": "1"})
    assert refused.status_code == 422
    assert value in refused.text


def test_words_pairs_and_tables_are_shown_and_kept_as_files(browser, animals):
    page = browser.page("/data/animals/words?rows=style&columns=category")
    assert page.status_code == 200
    assert 'href="/data/animals/items?words=llama"' in page.text
    assert browser.page("/data/animals/words?style=none").status_code == 200
    file = browser.get("/data/animals/counts/crosstab.csv?rows=style&columns=category")
    assert file.headers["content-disposition"].endswith('"animals-crosstab.csv"')
    assert file.text.splitlines()[0] == "style / category,animals"
    assert browser.get("/data/animals/counts/none.csv").status_code == 404


def test_each_chart_of_the_page_is_kept_as_vega_lite_within_what_the_page_means(browser, animals):
    for path in ("/data/animals/items?style=noto", "/data/animals/words?style=noto"):
        page = browser.page(path).text
        links = re.findall(r'href="(/data/animals/chart\.json[^"]*)"', page)
        assert len(links) >= 3, path
        for link in links:
            file = browser.get(html.unescape(link))
            assert file.status_code == 200, link
            assert file.headers["content-disposition"].startswith('attachment; filename="animals-')
            assert "$schema" in file.json()
    width = browser.get("/data/animals/chart.json?of=width&style=noto").json()
    assert sum(one["pictures"] for one in width["data"]["values"] if one["which"] == "these") == 3
    assert browser.get("/data/animals/chart.json?of=none").status_code == 404
    assert browser.get("/data/animals/chart.gif?of=width").status_code == 404
    assert browser.get("/data/animals/chart.json").status_code == 422
    assert browser.get("/api/v1/datasets/animals/charts/width").json()["spec"]["title"]["text"] == "Width"


def test_captions_are_changed_after_what_would_change_was_seen(browser, animals):
    page = browser.page("/data/animals/captions?find=llama&replace=alpaca&style=noto").text
    assert "3 of 3 captions would change" in page
    assert "alpaca" in page
    assert "alpaca" not in browser.page("/data/animals/words").text
    data = {"find": "llama", "replace": "alpaca", "where": '{"style":"noto"}'}
    assert browser.post("/data/animals/captions", data=data).status_code == 303
    assert browser.page("/data/animals/items?words=alpaca").text.count('class="tile"') == 3
    refused = browser.post("/data/animals/captions", data=data)
    assert refused.status_code == 404
    assert "notice fails" in refused.text


def test_balance_shows_shares_and_applies_a_plan_that_was_seen(browser, animals, workspace):
    import re

    assert "Nothing is declared" not in browser.page("/data/animals/balance").text
    browser.post("/data/animals/decide", data={"verb": "attribute", "ids": ",".join(animals[:4]), "attribute": "skin",
                                               "value": "dark"})  # fmt: skip
    browser.post("/data/animals/decide", data={"verb": "attribute", "ids": ",".join(animals[4:]), "attribute": "skin",
                                               "value": "light"})  # fmt: skip
    page = browser.page("/data/animals/balance?attribute=skin&how=weight").text
    assert "50.0 %" in page
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]
    answer = browser.post("/data/animals/balance", data={"attribute": "skin", "how": "weight", "seen": seen})
    assert answer.status_code == 303
    with workspace.read() as session:
        weights = [session.get(Item, one).weight for one in animals]
    assert weights[0] < weights[5]


def test_a_datasheet_shows_what_is_open_and_takes_an_answer(browser, animals):
    page = browser.page("/data/animals/datasheet").text
    assert "nobody has answered" in page
    key = re.search(r'name="question" value="([^"]+)"', page)[1]
    answer = browser.post("/data/animals/datasheet", data={"question": key, "revision": "0", "text": "For our zoo."})
    assert answer.headers["location"] == f"/data/animals/datasheet#q-{key}"
    assert "For our zoo." in browser.page("/data/animals/datasheet").text


def test_two_versions_are_compared_in_words_numbers_and_pictures(browser, animals, workspace):
    from sfumato.data.freeze import freeze

    assert "Two versions will be here" in browser.page("/data/animals/compare").text
    freeze(workspace, name="animals")
    browser.post("/data/animals/decide", data={"verb": "leave_out", "ids": animals[0]})
    freeze(workspace, name="animals")
    page = browser.page("/data/animals/compare").text
    assert "Left out 1 picture" in page or "left out 1 picture" in page
    assert browser.page("/data/animals/compare?kind=removed").text.count('<li class="finding">') == 1
    assert browser.page("/data/animals/compare?a=none&b=none2").status_code == 404


def test_a_labelling_task_is_made_answered_skipped_and_taken_back(browser, animals, workspace):
    data = {"task": "hair", "question": "Which hair?", "column": "hair", "choices": "red\nblack"}
    assert browser.post("/data/animals/labelling", data=data).headers["location"] == "/data/animals/labelling/hair"
    refused = browser.post("/data/animals/labelling", data={**data, "task": "other", "choices": "red"})
    assert refused.status_code == 422
    assert "Which hair?" in refused.text
    path = "/data/animals/labelling/hair"
    page = browser.page(path).text
    assert animals[0] in page
    assert 'data-label-key="2"' in page
    browser.post(path, data={"id": animals[0], "answer": "black", "revision": "1"})
    with workspace.read() as session:
        assert session.get(Item, animals[0]).attributes == {"hair": "black"}
    assert browser.post(path, data={"id": animals[0], "answer": "red"}).status_code == 409
    browser.post(path, data={"id": animals[1], "act": "skip"})
    assert f'value="{animals[2]}"' in browser.page(path).text
    browser.post(path, data={"act": "undo"})
    browser.post(path, data={"act": "close"})
    assert "closed" in browser.page(path).text
    assert "black 1" in browser.page("/data/animals/labelling").text


def test_suggested_captions_are_accepted_or_refused_one_by_one_or_all(browser, animals, workspace):
    with workspace.write() as session:
        for one in animals[:3]:
            session.get(Item, one).suggested = {"name": {"text": f"a {HOSTILE} fox", "by": "folder"}}
    page = browser.page("/data/animals/captions").text
    assert HOSTILE not in page
    assert page.count("the name of its folder") == 3
    browser.post("/data/animals/suggestions/answer", data={"id": animals[0], "act": "accept"})
    browser.post("/data/animals/suggestions/answer", data={"id": animals[1], "act": "refuse"})
    assert browser.page("/data/animals/captions").text.count("the name of its folder") == 1
    browser.post("/data/animals/suggestions/answer", data={"act": "accept"})
    with workspace.read() as session:
        captions = [session.get(Item, one).name for one in animals[:3]]
    assert captions == [f"a {HOSTILE} fox", "llama", f"a {HOSTILE} fox"]
    refused = browser.post("/data/animals/suggestions/answer", data={"act": "accept"})
    assert refused.status_code == 404
    assert "None of these pictures lacks a caption." in browser.post("/data/animals/suggestions").text
    with workspace.write() as session:
        session.get(Item, animals[0]).name = ""
    assert browser.post("/data/animals/suggestions").headers["location"].startswith("/jobs/")
