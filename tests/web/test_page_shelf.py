"""A dataset's page: renamed and put away under "More", and what old addresses lead to."""

from sfumato.data.collect import list_datasets
from sfumato.data.shelving import archive_dataset, rename_dataset
from tests.web.conftest import open_studio
from tests.web.stocked import as_vic, stock, with_viewer


def test_a_dataset_is_renamed_by_the_form_and_its_old_address_leads_there(browser, workspace):
    stock(workspace, "animals", 2)
    assert 'href="/data/animals/shelf"' in browser.page("/data/animals").text
    assert 'action="/data/animals/rename"' in browser.page("/data/animals/shelf").text
    answer = browser.post("/data/animals/rename", data={"to": "beasts"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/data/beasts")
    assert browser.get("/data/animals").headers["location"] == "/data/beasts"
    assert browser.get("/data/animals/add").headers["location"] == "/data/beasts/add"
    assert browser.page("/data/animals/items").status_code == 200
    assert "It was called animals." in browser.page("/data/beasts/shelf").text


def test_a_name_that_is_taken_is_told_beside_what_was_typed(browser, workspace):
    stock(workspace, "animals", 1)
    stock(workspace, "birds", 1)
    taken = browser.post("/data/animals/rename", data={"to": "birds"})
    assert taken.status_code == 409
    assert "There is a dataset &#39;birds&#39; already" in taken.text
    assert 'value="birds"' in taken.text
    assert browser.post("/data/animals/rename", data={"to": "no spaces"}).status_code == 422
    assert [one.name for one in list_datasets(workspace)] == ["animals", "birds"]


def test_a_dataset_that_is_put_away_leaves_the_cards_and_says_so_on_its_page(browser, workspace):
    stock(workspace, "animals", 1)
    stock(workspace, "birds", 1)
    assert browser.post("/data/animals/archive").headers["location"] == "/data/animals"
    cards = browser.page("/data").text
    assert 'href="/data/animals"' not in cards
    assert 'href="/data?archived=1">1 dataset put away' in cards
    assert 'href="/data/animals"' in browser.page("/data?archived=1").text
    page = browser.page("/data/animals").text
    assert "put away" in page
    assert 'action="/data/animals/unarchive"' in page
    assert browser.get("/data/animals/add").headers["location"] == "/data/animals", "its page says why not"
    refused = browser.post("/data/animals/collections", data={"source": "sample"})
    assert refused.status_code == 409
    assert "is put away since" in refused.text
    browser.post("/data/animals/unarchive")
    assert 'href="/data/animals"' in browser.page("/data").text


def test_all_cards_put_away_are_not_an_empty_desk(browser, workspace):
    stock(workspace, "animals", 1)
    archive_dataset(workspace, name="animals")
    page = browser.page("/data").text
    assert "1 dataset put away" in page


def test_whoever_may_only_look_is_told_why_and_changes_nothing(workspace):
    stock(workspace, "animals", 1)
    with_viewer(workspace)
    with open_studio(workspace) as client:
        vic = as_vic(client)
        page = vic.page("/data/animals/shelf").text
        assert "disabled" in page
        assert "dataset.write" in page
        assert vic.post("/data/animals/rename", data={"to": "beasts"}).status_code == 403
        assert vic.post("/data/animals/archive").status_code == 403
    assert [one.name for one in list_datasets(workspace)] == ["animals"]


def test_the_api_renames_and_puts_away(browser, workspace):
    stock(workspace, "animals", 1)
    rename_dataset(workspace, name="animals", to="beasts")
    assert browser.get("/api/v1/datasets/animals").json()["name"] == "beasts"
    assert browser.post("/api/v1/datasets/beasts/archive", json={}).json()["archived_at"]
    assert browser.get("/api/v1/datasets").json()["items"] == []
    assert len(browser.get("/api/v1/datasets?archived=true").json()["items"]) == 1
    assert browser.post("/api/v1/datasets/beasts/unarchive", json={}).json()["archived_at"] is None
