"""Counts that are kept: exact where they are quick, at once where they are slow."""

import re
import time

from sfumato.data.freeze import freeze
from sfumato.data.items import list_items
from sfumato.data.narrowing import Where
from sfumato.data.verdicts import leave_out
from sfumato.web import kept as keeping
from sfumato.web.kept import kept
from tests.web.stocked import stock


def test_a_quick_count_is_made_anew_as_soon_as_something_has_happened(workspace):
    stock(workspace, "animals", 1)
    seen = []
    for _ in range(2):
        kept(workspace, "quick", lambda: seen.append(1))
    assert len(seen) == 1
    freeze(workspace, name="animals")
    kept(workspace, "quick", lambda: seen.append(1))
    assert len(seen) == 2


def test_a_slow_count_keeps_nobody_waiting_twice(workspace):
    stock(workspace, "animals", 1)
    counted = []

    def count():
        time.sleep(0.05)
        counted.append(1)
        return len(counted)

    assert kept(workspace, "slow", count, slow=0.01) == 1
    for one in keeping._kept.values():
        one.at -= 1_000
    freeze(workspace, name="animals")
    began = time.perf_counter()
    assert kept(workspace, "slow", count, slow=0.01) == 1
    assert time.perf_counter() - began < 0.04
    until = time.monotonic() + 5
    while kept(workspace, "slow", count, slow=0.01) != 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert kept(workspace, "slow", count, slow=0.01) == 2


def test_the_page_of_a_dataset_says_what_is_so_now(browser, workspace):
    stock(workspace, "animals", 3)

    def n():
        return re.search(r"(\d) pictures? as they are now", browser.page("/data/animals").text)[1]

    assert n() == "3"
    for one in keeping._kept.values():
        one.cost = 0.4  # as on a machine that is busy
    leave_out(workspace, name="animals", where=Where(ids=[list_items(workspace, name="animals", limit=1)[0].id]))
    assert n() == "2"


def test_what_is_kept_is_not_shown_to_another_project(workspace):
    assert kept(workspace, "own", lambda: 1) == 1
    assert kept(workspace.in_project("another"), "own", lambda: 2) == 2
