"""What is asked for in private is found by who asked alone: not by lists, ids, hashes, traces or the log."""

from dataclasses import replace

import pytest
from sqlalchemy import select

import sfumato
from sfumato.actions import Actor
from sfumato.actions.records import Event
from sfumato.compliance.files import read_file
from sfumato.compliance.trace import known_of, trace
from sfumato.errors import NotFound
from sfumato.generation.records import Image, Published, Request
from sfumato.jobs.queue import get_job, list_jobs
from sfumato.trust.keys import anchors, keys_folder
from tests.generation.test_create import QUICK, SENTENCE

TABLES = (Request, Image, Published)


def seen(workspace):
    with workspace.read() as session:
        return [len(session.scalars(select(table)).all()) for table in TABLES]


def test_others_do_not_come_upon_it_and_who_asked_does(pictured, tmp_path):
    alice, bob = (pictured.as_actor(Actor(f"person/{name}", name, ("admin",))) for name in ("alice", "bob"))
    made = sfumato.create(alice, SENTENCE, out=tmp_path / "own", **QUICK | {"n": 1, "private": True})
    open_one = sfumato.create(bob, SENTENCE, out=tmp_path / "open", **QUICK | {"n": 1})
    assert (seen(alice), seen(bob)) == ([2, 2, 2], [1, 1, 1])
    picture = made.pictures[0]
    [job] = [one for one in list_jobs(alice) if one.asked_by == "person/alice"]
    assert [one.asked_by for one in list_jobs(bob)] == ["person/bob"]
    for verb in (
        lambda: get_job(bob, job_id=job.id),
        lambda: trace(bob, picture.id),
        lambda: trace(bob, made.request_id),
    ):
        with pytest.raises(NotFound):
            verb()
    assert known_of(alice, what=picture.id, file=None, down=False).standing == "on record"
    with bob.read() as session:
        said = session.execute(select(Event.action, Event.made_by)).all()
    assert {by for _, by in said} == {"person/bob"}
    chain = known_of(bob, what=open_one.pictures[0].id, file=None, down=False).chain
    below = known_of(bob, what=find(chain, "checkpoint/"), file=None, down=True).below
    assert [step.ref for step in below.steps] == [f"request/{open_one.request_id}"]


def find(step, begin):
    """The first step of a chain whose record is of a kind."""
    if step.ref.startswith(begin):
        return step.ref
    return next(filter(None, (find(one, begin) for one in step.steps)), None)


def test_pictures_of_one_project_are_not_found_in_another(pictured, tmp_path):
    other = replace(pictured, project="00000000-0000-7000-8000-0000000000aa")
    made = sfumato.create(pictured, SENTENCE, out=tmp_path / "own", **QUICK | {"n": 1})
    assert seen(other) == [0, 0, 0]
    for said in (made.pictures[0].id, made.request_id, f"image/{made.pictures[0].id}"):
        with pytest.raises(NotFound):
            trace(other, said)
    with pictured.read() as session:
        sha256 = session.scalars(select(Published.sha256)).one()
    with other.read() as session:
        assert session.scalar(select(Published).where(Published.sha256 == sha256)) is None
    theirs = sfumato.create(other, SENTENCE, out=tmp_path / "theirs", **QUICK | {"n": 1})
    assert (seen(other), seen(pictured)) == ([1, 1, 1], [1, 1, 1])
    assert known_of(other, what=theirs.pictures[0].id, file=None, down=False).standing == "on record"
    file = read_file(made.pictures[0].path, anchors(keys_folder(other)))
    assert known_of(other, what="", file=file, down=False).standing == "signed here"
