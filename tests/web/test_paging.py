"""Lists are read part by part, each thing once, also while new ones come."""

import pytest

from sfumato.actions import action
from sfumato.actions.registry import ACTIONS
from sfumato.data.records import Dataset
from sfumato.db import new_id
from sfumato.jobs import enqueue


@pytest.fixture
def busy(workspace):
    """Seven jobs, three datasets, ten events."""

    @action("test.ask", needs="record.read", doors=())
    def ask(act, *, number):
        act.says(f"asked {number}", subject=f"dataset/{number % 2}")
        if number < 3:
            act.session.add(Dataset(id=new_id(), name=f"set-{number}"))
        if number < 7:
            enqueue(act, kind="test.nothing", spec={}, key=f"test:{number}", lane="quick" if number % 2 else "long")

    for number in range(10):
        ask(workspace, number=number)
    del ACTIONS["test.ask"]
    return workspace


def whole(browser, path, **query):
    found, after, parts = [], None, 0
    while True:
        said = browser.get(path, params=query | ({"after": after} if after is not None else {})).json()
        found += said["items"]
        after, parts = said["next"], parts + 1
        if after is None:
            return found, parts


@pytest.mark.parametrize(("path", "n", "key"), [("/jobs", 7, "id"), ("/log", 10, "position"), ("/datasets", 3, "name")])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_all_are_there_once_and_in_order_whatever_the_size_of_a_part(busy, browser, path, n, key, limit):
    found, parts = whole(browser, f"/api/v1{path}", limit=limit)
    keys = [one[key] for one in found]
    assert len(keys) == len(set(keys)) == n
    assert keys == sorted(keys, reverse=path != "/datasets")
    assert parts == max(1, -(-n // limit))


def test_a_list_can_be_narrowed(busy, browser):
    found, _ = whole(browser, "/api/v1/log", subject="dataset/1", limit=2)
    assert [one["summary"] for one in found] == [f"asked {number}" for number in (9, 7, 5, 3, 1)]
    assert len(whole(browser, "/api/v1/log", action="test.")[0]) == 10
    assert not whole(browser, "/api/v1/log", action="test")[0]
    assert not whole(browser, "/api/v1/jobs", status="running")[0]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x"])
def test_a_part_has_a_size(browser, limit):
    assert browser.get(f"/api/v1/jobs?limit={limit}").status_code == 422


def test_an_empty_list_is_whole(browser):
    assert browser.get("/api/v1/images").json() == {"items": [], "next": None}
