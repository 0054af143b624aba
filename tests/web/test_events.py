"""What happens is told as it happens, to whoever may know, and again from where somebody stopped listening."""

import asyncio
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from sfumato.actions import Actor, action
from sfumato.actions.registry import ACTIONS
from sfumato.jobs.records import Job
from sfumato.web.app import create_app
from sfumato.web.events import ROOM, Hub, Listener
from sfumato.web.serve import Server
from sfumato.web.serving import Serving


@pytest.fixture
def happen(workspace):
    """Something that happens, by name."""

    @action("test.happen", needs="record.read", doors=())
    def happen(act, *, what, private=False):
        act.says(what, subject="dataset/x", private=private)

    yield happen
    del ACTIONS["test.happen"]


@contextmanager
def served(workspace, **choices):
    """A real server at a port of its own; yields a client that has come in."""
    app = create_app(workspace, Serving(launch="come-in", **{"poll": 0.05, "beat": 0.4, **choices}))
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    server = Server(uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", timeout=10) as client:
            client.get("/launch/come-in")
            yield client, server
    finally:
        server.handle_exit(2, None)
        thread.join(10)
        assert not thread.is_alive(), "the server did not end"


def read(lines, n, *, kinds=("event", "job")):
    """The next messages among a stream's lines: (id, kind, what it says)."""
    found, said = [], {}
    for line in lines:
        if line == "":
            if said.get("event") in kinds:
                found.append((said.get("id"), said["event"], json.loads(said["data"])))
            said = {}
            if len(found) == n:
                return found
        elif not line.startswith(":"):
            key, _, value = line.partition(": ")
            said[key] = value
    return found


def hub_of(server):
    return server.config.app.state.house.hub


@contextmanager
def listening(client, hub, **headers):
    with client.stream("GET", "/api/v1/events", headers=headers) as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1500"  # it is said once they are heard
        assert hub.listeners
        yield lines


def test_what_happens_is_told_in_order(workspace, happen):
    with served(workspace) as (client, server), listening(client, hub_of(server)) as stream:
        for what in ("one", "two", "three"):
            happen(workspace, what=what)
        found = read(stream, 3)
    assert [said["summary"] for _, _, said in found] == ["one", "two", "three"]
    assert [int(number) for number, _, _ in found] == [1, 2, 3]


def test_who_comes_back_is_told_what_was_missed_and_no_more(workspace, happen):
    for what in ("one", "two", "three"):
        happen(workspace, what=what)
    with served(workspace) as (client, server):
        hub = server.config.app.state.house.hub
        with listening(client, hub, **{"Last-Event-ID": "1"}) as stream:
            happen(workspace, what="four")
            found = read(stream, 3)
        assert [said["summary"] for _, _, said in found] == ["two", "three", "four"]
        with listening(client, hub) as fresh:
            happen(workspace, what="five")
            assert [said["summary"] for _, _, said in read(fresh, 1)] == ["five"]


def test_the_progress_of_a_job_is_told(workspace, happen):
    with served(workspace) as (client, server), listening(client, hub_of(server)) as stream:
        with workspace.write() as session:
            session.add(Job(made_by="person/x", kind="test.nothing", spec={}, key="k", lane="quick", status="running"))
        first = read(stream, 1)
        with workspace.write() as session:
            job = session.query(Job).one()
            job.progress, job.status = {"done": 1, "total": 2}, "done"
        second = read(stream, 1)
    assert [one[1] for one in (*first, *second)] == ["job", "job"]
    assert first[0][2]["status"] == "running"
    assert (second[0][2]["status"], second[0][2]["progress"]) == ("done", {"done": 1, "total": 2})


def test_a_job_that_was_done_before_anybody_looked_is_told_too(workspace):
    with served(workspace, poll=0.3) as (client, server), listening(client, hub_of(server)) as stream:
        for key in ("one", "two"):
            with workspace.write() as session:
                session.add(Job(made_by="person/x", kind="test.nothing", spec={}, key=key, lane="quick", status="done"))
            ((_, kind, said),) = read(stream, 1)
            assert (kind, said["status"]) == ("job", "done")


def test_the_stream_says_from_when_on_everything_is_told(workspace, happen):
    """Whoever has drawn a page asks again then for what no log keeps: how far the jobs are."""
    happen(workspace, what="one")
    with served(workspace) as (client, server), listening(client, hub_of(server), **{"Last-Event-ID": "0"}) as stream:
        found = read(stream, 2, kinds=("event", "listening"))
    assert [kind for _, kind, _ in found] == ["event", "listening"]


def test_other_projects_and_other_peoples_private_work_are_told_to_nobody_else(workspace, happen):
    bea = workspace.as_actor(Actor("person/bea", "Bea", ("admin",)))
    with served(workspace) as (client, server), listening(client, hub_of(server)) as stream:
        happen(bea, what="private to bea", private=True)
        happen(workspace.in_project("00000000-0000-7000-8000-00000000000f"), what="elsewhere")
        happen(workspace, what="mine", private=True)
        happen(bea, what="for all")
        found = read(stream, 2)
    assert [said["summary"] for _, _, said in found] == ["mine", "for all"]


def test_silence_is_filled_so_that_nobody_hangs_up(workspace):
    with served(workspace, beat=0.1) as (client, server), listening(client, hub_of(server)) as stream:
        assert any(line.startswith(": ") for _, line in zip(range(20), stream, strict=False))


def test_who_is_signed_out_hears_nothing_more(workspace, happen):
    with served(workspace, beat=0.1) as (client, server):
        house = server.config.app.state.house
        with listening(client, house.hub) as stream:
            house.door.browsers.forget(client.cookies["sfumato"])
            time.sleep(0.3)
            happen(workspace, what="after")
            assert read(stream, 1) == []
        assert not house.hub.listeners


def test_the_end_of_the_studio_ends_all_streams_at_once(workspace):
    with served(workspace) as (client, server), listening(client, hub_of(server)) as stream:
        began = time.monotonic()
        server.handle_exit(2, None)
        assert read(stream, 1) == []
        assert time.monotonic() - began < 3


def test_one_thread_reads_for_all(workspace, happen):
    with served(workspace) as (client, server):
        hub = server.config.app.state.house.hub
        with listening(client, hub) as one, listening(client, hub) as two:
            happen(workspace, what="to both")
            assert [read(stream, 1)[0][2]["summary"] for stream in (one, two)] == ["to both", "to both"]
        assert [thread.name for thread in threading.enumerate()].count("events") == 1


def test_who_listens_too_slowly_is_let_go():
    async def slow():
        listener = Listener("project", "person", asyncio.get_running_loop())
        for _ in range(ROOM + 5):
            listener.push(b"x")
        return listener.queue.qsize(), await listener.queue.get()

    with ThreadPoolExecutor(1) as apart:  # a browser's tests may have left a loop in this thread
        assert apart.submit(asyncio.run, slow()).result() == (1, None)


def test_nothing_is_read_while_nobody_listens(workspace, monkeypatch):
    hub = Hub(workspace, poll=0.01)
    looked = []
    monkeypatch.setattr(hub, "_look", lambda: looked.append(1))
    hub.start()
    time.sleep(0.1)
    hub.stop()
    assert not looked
