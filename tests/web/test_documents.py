"""What leaves of a dataset by the API: exports, tables, datasheets; and what makes it even."""

import csv
import io
import json
import zipfile

from sfumato.data.freeze import freeze
from sfumato.data.records import Item
from sfumato.jobs.worker import run_worker
from tests.web.conftest import HERE, open_studio
from tests.web.stocked import HOSTILE, as_vic, stock, with_viewer

API = "/api/v1/datasets/animals"


def put(browser, path, said):
    own = {"Origin": HERE, "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": browser.csrf}
    return browser.client.put(path, json=said, headers=own)


def declare(workspace):
    with workspace.write() as session:
        for place, item in enumerate(session.query(Item).order_by(Item.id)):
            item.attributes = {"size": "small" if place < 2 else "large"}


def test_an_export_is_asked_for_and_fetched_when_it_is_done(browser, workspace):
    stock(workspace, "animals", 4, said=HOSTILE)
    version = freeze(workspace, name="animals")
    asked = browser.post(f"{API}/exports", json={"form": "imagefolder", "where": {"style": "nothing"}})
    assert asked.status_code == 200, asked.text
    run_worker(workspace, only_job=asked.json()["id"])
    assert browser.get(f"/api/v1/exports/{asked.json()['id']}/file").status_code == 404
    asked = browser.post(f"{API}/exports", json={"form": "imagefolder", "version": version.name}).json()
    run_worker(workspace, only_job=asked["id"])
    shown = browser.get(f"/api/v1/jobs/{asked['id']}").json()
    assert (shown["status"], shown["result"]["n"]) == ("done", 4)
    assert str(workspace.path) not in json.dumps(shown), "where the server keeps it is nobody's business"
    answer = browser.get(f"/api/v1/exports/{asked['id']}/file")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert any(name.endswith("metadata.jsonl") for name in packed.namelist())
    assert browser.post(f"{API}/exports", json={"form": "zip"}).status_code == 422
    assert browser.post(f"{API}/exports", json={"form": "imagefolder", "folder": "/etc"}).status_code == 422


def test_a_datasheet_is_read_answered_and_kept_from_two_hands(browser, workspace):
    stock(workspace, "animals", 3)
    freeze(workspace, name="animals")
    sheet = browser.get(f"{API}/datasheet", params={"version": "latest"}).json()
    assert sheet["n"] == 3
    answered = put(browser, f"{API}/datasheet/purpose", {"text": HOSTILE, "revision": 0})
    assert answered.json() == 1, answered.text
    assert put(browser, f"{API}/datasheet/purpose", {"text": "x", "revision": 0}).status_code == 409
    assert put(browser, f"{API}/datasheet/purpos", {"text": "x"}).status_code == 404
    page = browser.get(f"{API}/datasheet/file", params={"kind": "html"})
    assert page.headers["content-disposition"].startswith("attachment")
    assert HOSTILE not in page.text
    assert browser.get(f"{API}/datasheet/file", params={"kind": "doc"}).status_code == 422
    told = browser.get(f"{API}/croissant").json()
    assert told["@type"] == "sc:Dataset"


def test_a_table_is_narrowed_and_kept_as_a_file(browser, workspace):
    stock(workspace, "animals", 3)
    declare(workspace)
    where = json.dumps({"attributes": {"size": "small"}})
    answer = browser.get(f"{API}/table", params={"where": where})
    assert len(list(csv.DictReader(io.StringIO(answer.text)))) == 2
    assert answer.headers["content-disposition"] == "attachment; filename=items.csv"
    lines = browser.get(f"{API}/table", params={"kind": "jsonl"}).text.splitlines()
    assert [json.loads(line)["attributes"]["size"] for line in lines] == ["small", "small", "large"]
    assert browser.get(f"{API}/table", params={"where": "{"}).status_code == 422


def test_a_plan_is_seen_applied_and_refused_to_whoever_only_looks(browser, workspace):
    stock(workspace, "animals", 5)
    declare(workspace)
    shown = browser.get(f"{API}/balance").json()
    assert shown["balances"][0]["attribute"] == "size"
    over = {"attributes": ["size"], "target": '{"small": 1, "large": 1}'}
    plan = browser.get(f"{API}/balance-plan", params=over).json()
    assert [one["weight"] for one in plan["groups"]] == [2.5 / 3, 1.25]
    made = browser.post(f"{API}/balance-plan", json=over | {"seen": plan["seen"]})
    assert made.json()["n"] == 5, made.text
    assert browser.post(f"{API}/balance-plan", json=over | {"seen": plan["seen"]}).status_code == 409
    assert browser.get(f"{API}/balance-plan").status_code == 422
    with_viewer(workspace)
    with open_studio(workspace) as client:
        vic = as_vic(client)
        assert vic.get(f"{API}/balance-plan", params=over).status_code == 200
        assert vic.post(f"{API}/balance-plan", json=over).status_code == 403
        assert vic.post(f"{API}/exports", json={"form": "imagefolder"}).status_code == 403
