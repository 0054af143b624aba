"""What happens, as it happens: one thread per process reads the log of events and hands it to all who listen."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool

from sfumato.actions import Workspace
from sfumato.actions.events import EventView, last_position, list_events, view
from sfumato.actions.records import Event
from sfumato.errors import SfumatoError
from sfumato.jobs.queue import JobView
from sfumato.jobs.queue import view as view_job
from sfumato.jobs.records import Job
from sfumato.web.written import as_json

ROOM = 256  # messages that wait for one who listens slowly, before the connection is given up
CATCH_UP = 2_000  # events that somebody who comes back is told; more, and the page is better loaded anew
LISTENING = b"event: listening\ndata: {}\n\n"  # what changes from here on reaches them; jobs are not told again


@dataclass(eq=False)
class Listener:
    """One who listens: the project, the person, where, and what waits to be sent."""

    project: str
    person: str
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(ROOM))
    position: int = 0
    slow: bool = False
    asked: float = field(default_factory=time.monotonic)

    def push(self, message: bytes | None) -> None:
        """Put a message at the end, called on the loop; who is too slow is let go, and comes back where it was."""
        if self.slow:
            return
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.slow = True
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


def written(name: str, said: Any, number: int | None = None) -> bytes:
    """One message of a stream; what has a number can be resumed after it."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(said, ensure_ascii=False)}\n\n".encode()


class Hub:
    """Reads new events and the progress of jobs, at most twice a second, and only while somebody listens."""

    def __init__(self, workspace: Workspace, *, poll: float = 0.5, beat: float = 15.0) -> None:
        self.workspace = workspace
        self.poll, self.beat = poll, beat
        self.listeners: set[Listener] = set()
        self.position = 0
        self.newest_job = ""
        self._jobs: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start reading."""
        self._thread = threading.Thread(target=self._read_on, name="events", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all streams, and the thread."""
        self._over.set()
        self._wake.set()
        self._send_all(None)
        if self._thread is not None:
            self._thread.join(timeout=5)

    @property
    def over(self) -> bool:
        """Whether the studio is about to end."""
        return self._over.is_set()

    def join(self, listener: Listener) -> None:
        """Let somebody listen; what was written from now on reaches them."""
        with self._lock:
            if not self.listeners:
                self.position = last_position(self.workspace)
                self.newest_job = newest_job(self.workspace)
            listener.position = self.position
            self.listeners.add(listener)
        self._wake.set()

    def leave(self, listener: Listener) -> None:
        """Let somebody listen no more."""
        with self._lock:
            self.listeners.discard(listener)

    def missed(self, workspace: Workspace, since: int, until: int) -> list[bytes]:
        """What somebody who comes back has not been told: events after `since`, up to `until`, oldest first."""
        rows = list_events(workspace, after=since, until=until, limit=CATCH_UP, oldest_first=True)
        return [event_message(row) for row in rows]

    def _read_on(self) -> None:
        while not self._over.is_set():
            if not self.listeners:
                self._wake.wait()
                self._wake.clear()
                continue
            with suppress(SfumatoError, RuntimeError):  # a busy database is read the next time; an ended loop never
                self._look()
            self._over.wait(self.poll)

    def _look(self) -> None:
        with self._lock, self.workspace.db.read() as session:
            new = select(Event).where(Event.position > self.position).order_by(Event.position).limit(500)
            events = [(row.project_id, row.private_to, view(row)) for row in session.scalars(new)]
            told = list(self._jobs)
            fresh = Job.id > self.newest_job  # it may have ended before it was ever looked at
            wanted = select(Job).where(Job.status.in_(("waiting", "running")) | Job.id.in_(told) | fresh)
            jobs = [(row.project_id, row.private_to, view_job(row)) for row in session.scalars(wanted.limit(500))]
            self.newest_job = max((self.newest_job, *(job.id for _, _, job in jobs)))
            for project, private_to, event in events:
                self.position = event.position
                self._send(project, private_to, event_message(event), event.position)
        self._tell_jobs(jobs)

    def _tell_jobs(self, jobs: list[tuple[str, str, JobView]]) -> None:
        """Tell of the jobs that have changed since the last look."""
        for project, private_to, job in jobs:
            message = written("job", as_json(JobView, job))
            if self._jobs.get(job.id) != message:
                self._jobs[job.id] = message
                self._send(project, private_to, message)
            if job.ended:
                self._jobs.pop(job.id, None)

    def _send(self, project: str, private_to: str, message: bytes, position: int = 0) -> None:
        for one in list(self.listeners):
            theirs = one.project == project and private_to in ("", one.person)
            if theirs and (not position or position > one.position):
                one.loop.call_soon_threadsafe(one.push, message)

    def _send_all(self, message: bytes | None) -> None:
        for one in list(self.listeners):
            try:
                one.loop.call_soon_threadsafe(one.push, message)
            except RuntimeError:
                self.listeners.discard(one)  # its loop has ended before


def newest_job(workspace: Workspace) -> str:
    """The id of the job that was asked for last, "" where there is none: ids rise with time."""
    with workspace.db.read() as session:
        return session.scalar(select(func.max(Job.id))) or ""


def event_message(event: EventView) -> bytes:
    """An event of the log as a message."""
    return written("event", as_json(EventView, event), event.position)


async def stream(
    hub: Hub, workspace: Workspace, listener: Listener, since: int | None, may_stay: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """What is sent to one who listens, from where they were before, until they leave, may not stay, or all ends."""
    await run_in_threadpool(hub.join, listener)
    try:
        yield b"retry: 1500\n\n"
        if since is not None and since < listener.position:
            for message in await run_in_threadpool(hub.missed, workspace, since, listener.position):
                yield message
        elif since is None:
            yield f"id: {listener.position}\n\n".encode()
        yield LISTENING
        while not hub.over:
            try:
                said: bytes | None = await asyncio.wait_for(listener.queue.get(), hub.beat)
            except TimeoutError:
                said = b": still here\n\n"
            if said is None or not await _may_stay(hub, listener, may_stay):
                return
            yield said
    finally:
        hub.leave(listener)


async def _may_stay(hub: Hub, listener: Listener, ask: Callable[[], bool]) -> bool:
    """Whether somebody still may listen: asked again with every beat, as a session may have been ended elsewhere."""
    moment = time.monotonic()
    if moment - listener.asked >= hub.beat:
        listener.asked = moment
        return await run_in_threadpool(ask)
    return True
