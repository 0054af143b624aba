"""A job that waits says its place in the line, and what keeps the workers that could take it."""

import pytest
from sqlalchemy import delete, update

from sfumato.actions import action
from sfumato.compliance.line import ordinal, roughly, show_line
from sfumato.db import now
from sfumato.jobs.queue import enqueue
from sfumato.jobs.records import Job, Worker
from sfumato.jobs.worker import claim

OTHER = "00000000-0000-7000-8000-0000000000aa"


@action("waiting.ask", needs="job.read", doors=())
def wait(act, *, kind="data.check", lane="long", private=False, **spec):
    return enqueue(act, kind=kind, spec=spec, key=f"{kind}:{spec}", lane=lane, private=private)


def hire(workspace, name="w", lanes=("long",), only=None):
    with workspace.db.write() as session:
        session.add(Worker(id=name, lanes=list(lanes), only_job=only, seen_at=now()))


def begin(workspace, name="w", lanes=("long",), **progress):
    """Let a worker take the oldest job, and be so far with it."""
    taken = claim(workspace, name, lanes, None, 60.0)
    with workspace.db.write() as session:
        session.execute(update(Job).where(Job.id == taken.id).values(progress=progress))
    return taken


def said(workspace):
    return [(one.place, one.says) for one in show_line(workspace)]


def test_the_second_in_line_says_who_is_before_it_and_what_runs(either):
    hire(either)
    for name in ("one", "two", "three", "four", "five"):
        wait(either, dataset=name)
    begin(either, done=10, total=100, extra={"seconds_left": 372})
    runs = "“Check one” is being done, about 6 minutes left"
    assert said(either) == [
        (1, f"Next in line: {runs}"),
        (2, f"2nd in line, after “Check two”: {runs}"),
        (3, f"3rd in line, after “Check two” and “Check three”: {runs}"),
        (4, f"4th in line, after “Check two” and “Check three” and 1 more: {runs}"),
    ]
    assert [one.seconds for one in show_line(either)] == [372.0] * 4


def test_what_cannot_be_estimated_is_not(workspace):
    hire(workspace)
    wait(workspace, dataset="one")
    wait(workspace, dataset="two")
    begin(workspace, done=10, total=0)
    assert said(workspace) == [(1, "Next in line: “Check one” is being done, how long that still takes is not known")]
    assert show_line(workspace)[0].seconds is None


def test_a_worker_that_is_free_or_missing_or_a_jobs_own_is_told(workspace):
    job = wait(workspace, dataset="one")
    assert said(workspace) == [(1, "Next in line: no worker is there to take it")]
    hire(workspace)
    assert said(workspace) == [(1, "Next in line: a worker is free and takes what is next")]
    with workspace.db.write() as session:
        session.execute(delete(Worker))
    hire(workspace, only=job.id)
    assert said(workspace) == [(1, "A worker of its own begins with it in a moment")]


def test_lanes_that_no_worker_shares_do_not_wait_for_each_other(workspace):
    hire(workspace, "slow", ("long",))
    hire(workspace, "fast", ("quick",))
    for name in ("one", "two", "three"):
        wait(workspace, dataset=name)
    begin(workspace, "slow")
    drawing = wait(workspace, kind="generation.create", lane="quick", request="none")
    place = next(one for one in show_line(workspace) if one.job == drawing.id)
    assert (place.place, place.says) == (1, "Next in line: a worker is free and takes what is next")


def test_a_worker_of_both_lanes_takes_what_was_asked_for_first(workspace):
    hire(workspace, "all", ("quick", "long"))
    for name in ("one", "two"):
        wait(workspace, dataset=name)
    begin(workspace, "all", ("quick", "long"))
    drawing = wait(workspace, kind="generation.create", lane="quick", request="none")
    assert next(one.place for one in show_line(workspace) if one.job == drawing.id) == 2


def test_two_workers_tell_of_the_one_that_is_free_first(workspace):
    hire(workspace, "a")
    hire(workspace, "b")
    for name in ("one", "two", "three"):
        wait(workspace, dataset=name)
    begin(workspace, "a", extra={"seconds_left": 7200})
    begin(workspace, "b", extra={"seconds_left": 20})
    assert said(workspace) == [
        (1, "Next in line: “Check two” is being done, less than a minute left; 1 more is at work")
    ]


def test_what_others_do_is_counted_and_not_named(either):
    hire(either)
    other = either.in_project(OTHER)
    wait(other, dataset="secret")
    wait(other, dataset="secret too")
    wait(either, dataset="mine")
    begin(either, done=0)
    ((place, says),) = said(either)
    assert place == 2
    assert "secret" not in says
    assert says.startswith("2nd in line, after 1 of others: somebody else's work is being done")
    assert show_line(either)[0].busy == []


@pytest.mark.parametrize(("number", "word"), [(2, "2nd"), (3, "3rd"), (11, "11th"), (21, "21st"), (112, "112th")])
def test_places_are_words(number, word):
    assert ordinal(number) == word


def test_a_time_is_only_as_exact_as_it_is_known():
    assert [roughly(one) for one in (5, 60, 372, 7200)] == [
        "less than a minute left", "about 1 minute left", "about 6 minutes left", "about 2.0 hours left",
    ]  # fmt: skip
