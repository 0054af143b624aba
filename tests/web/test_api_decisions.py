"""Two people decide on a dataset's pictures by the API: whoever comes second is told who was first."""

import pytest

from sfumato.data.collect import collect
from sfumato.jobs.worker import run_worker
from tests.data.made_pictures import COLOURS, picture
from tests.web.conftest import enter, open_studio

DATASET = "/api/v1/datasets/mine"


@pytest.fixture
def two(workspace, tmp_path):
    """Two browsers of one studio whose dataset holds four pictures."""
    folder = tmp_path / "discs"
    folder.mkdir()
    for colour in COLOURS:
        picture(colour).save(folder / f"{colour}.png")
        (folder / f"{colour}.txt").write_text(f"{colour} disc")
    run_worker(workspace, only_job=collect(workspace, source="folder", into="mine", options={"path": str(folder)}).id)
    with open_studio(workspace) as one, open_studio(workspace) as other:
        yield enter(one), enter(other)


def items(browser, **asked):
    return browser.get(f"{DATASET}/items", params=asked).json()["items"]


def test_the_second_of_two_who_decide_on_one_picture_is_told(two):
    bea, al = two
    seen = items(al)[0]
    body = {"where": {"ids": [seen["id"]]}, "title": "left out the ugly one"}
    first = bea.post(f"{DATASET}/decisions/leave-out", json=body)
    assert first.status_code == 200, first.text
    late = al.post(
        f"{DATASET}/decisions/recaption",
        json={"captions": {seen["id"]: "a fine disc"}, "expected": {seen["id"]: seen["revision"]}},
    )
    assert late.status_code == 409
    assert "was changed by " in late.json()["detail"]
    assert "(left out the ugly one)" in late.json()["detail"]
    now = bea.get(f"/api/v1/items/{seen['id']}").json()
    assert (now["state"], now["name"], now["revision"]) == ("left out", seen["name"], seen["revision"] + 1)
    again = al.post(
        f"{DATASET}/decisions/recaption",
        json={"captions": {seen["id"]: "a fine disc"}, "expected": {seen["id"]: now["revision"]}},
    )
    assert again.status_code == 200, again.text
    kept = al.post(f"{DATASET}/decisions/keep", json={"where": {"ids": [seen["id"]]}})
    assert kept.status_code == 200, kept.text
    refused = bea.post(f"/api/v1/decisions/{first.json()['id']}/undo", json={})
    assert refused.status_code == 409
    assert "later decision" in refused.json()["detail"]


def test_decisions_are_listed_looked_at_and_taken_back(two):
    bea, _ = two
    made = bea.post(f"{DATASET}/decisions/leave-out", json={"where": {"words": "red"}, "reason": "too red"}).json()
    assert [one["id"] for one in bea.get(f"{DATASET}/decisions").json()["items"]] == [made["id"]]
    assert bea.get(f"/api/v1/decisions/{made['id']}/items").json()["items"][0]["after"] == {"state": "left out"}
    assert len(items(bea)) == 3
    assert [one["name"] for one in items(bea, state="left out")] == ["red disc"]
    assert len(items(bea, state="all", where='{"words": "disc"}')) == 4
    assert bea.get(f"{DATASET}/items", params={"where": '{"colour": 1}'}).status_code == 422
    assert bea.get(f"{DATASET}/meant", params={"where": '{"words": "disc"}'}).json()["left_out"] == 1
    assert bea.get(DATASET).json()["left_out_by_decision"] == 1
    history = bea.get(f"/api/v1/items/{items(bea, state='left out')[0]['id']}/history").json()
    assert history["decisions"][0]["decision"]["reason"] == "too red"
    assert bea.post(f"/api/v1/decisions/{made['id']}/undo", json={}).status_code == 200
    assert len(items(bea)) == 4


def test_the_same_key_decides_once(two):
    bea, _ = two
    headers, body = {"Idempotency-Key": "k"}, {"where": {"words": "red"}}
    first, second = (bea.post(f"{DATASET}/decisions/leave-out", json=body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert len(bea.get(f"{DATASET}/decisions").json()["items"]) == 1


def test_captions_are_shown_and_changed_and_versions_compared(two):
    bea, _ = two
    first = bea.post(f"{DATASET}/versions", json={}).json()
    asked = {"find": "disc", "replace": "circle"}
    shown = bea.get(f"{DATASET}/captions-preview", params={**asked, "where": '{"words": "red"}'}).json()
    assert (shown["n"], shown["first"][0]["after"]) == (1, "red circle")
    done = bea.post(f"{DATASET}/decisions/edit-captions", json={**asked, "where": {}})
    assert done.json()["n"] == 4, done.text
    second = bea.post(f"{DATASET}/versions", json={}).json()
    labels = f"mine@{first['name']}/diff/mine@{second['name']}"
    assert bea.get(f"/api/v1/dataset-versions/{labels}").json()["changed"] == {"caption": 4}
    differing = bea.get(f"/api/v1/dataset-versions/{labels}/items", params={"kind": "changed"}).json()
    assert len(differing) == 4
    told = bea.get(f"/api/v1/dataset-versions/mine@{second['name']}/lineage").json()
    assert [one["id"] for one in told["decisions"]] == [done.json()["id"]]
