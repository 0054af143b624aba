"""Transactions are whole, reads see one state, and records of one thing are added once."""

import time
import uuid

import pytest
from sqlalchemy import select, text

from sfumato.actions import Workspace
from sfumato.db import Link, children, find_or_add, link, new_id, now, parents


def test_what_raises_changes_nothing(either):
    def write_and_fail():
        with either.db.write() as session:
            link(session, "image/1", "model/1", "drawn by")
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with either.db.read() as session:
        assert session.scalars(select(Link)).all() == []


def test_a_read_sees_one_state_while_others_write(either):
    with either.db.read() as reading:
        assert reading.scalars(select(Link.child)).all() == []
        with either.db.write() as session:
            link(session, "image/1", "model/1", "drawn by")
        assert reading.scalars(select(Link.child)).all() == []
    with either.db.read() as session:
        assert session.scalars(select(Link.child)).all() == ["image/1"]


def test_links_are_written_once_and_walked_both_ways(either):
    for _ in range(2):
        with either.db.write() as session:
            link(session, "image/1", "model/1", "drawn by")
            link(session, "image/1", "request/1", "asked by")
    with either.db.read() as session:
        assert parents(session, "image/1") == [("asked by", "request/1"), ("drawn by", "model/1")]
        assert children(session, "model/1") == [("drawn by", "image/1")]
        assert children(session, "image/1") == []


def test_what_is_there_is_found_and_not_added(either):
    for expected in (True, False):
        with either.db.write() as session:
            same = select(Link).where(Link.child == "a")
            row, added = find_or_add(session, same, Link(child="a", parent=str(expected), role="r"))
            assert (row.parent, added) == ("True", expected)


def test_ids_are_of_version_7_and_in_the_order_in_which_they_were_made():
    made = []
    for _ in range(2_000):
        made.append(new_id())
        time.sleep(1e-6)  # longer than the part of a millisecond that an id tells
    assert made == sorted(made)
    assert len({one[:13] for one in made}) < len(made), "many of them within one millisecond"
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in made} == {(7, uuid.RFC_4122)}


def test_a_moment_without_a_zone_is_refused_and_others_come_back_in_utc(either):
    from sfumato.jobs.records import Worker

    moment = now()
    with either.db.write() as session:
        session.add(Worker(id="w", lanes=[], seen_at=moment))
    with either.db.read() as session:
        found = session.scalars(select(Worker.seen_at)).one()
        assert (found, found.utcoffset().total_seconds()) == (moment, 0)
    with pytest.raises(Exception, match="without a zone"), either.db.write() as session:
        session.add(Worker(id="naive", lanes=[], seen_at=moment.replace(tzinfo=None)))


def test_a_folder_may_have_any_name(tmp_path, settings):
    folder = tmp_path / "a b #1 100% söß?x"
    with Workspace.open(folder, settings=settings) as workspace, workspace.db.write() as session:
        session.execute(text("update workspace_info set value = '7' where key = 'events'"))
    assert (folder / "workspace.db").exists()
