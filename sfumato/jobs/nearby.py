"""Doing a short job in the process that waits for it, when no worker serves it: nothing has to be started.

It stays a job like any other: its row, its lease and its fences are the same, another worker takes over if
this process dies, and an interrupted one is given back as it is.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import update

from sfumato.actions import Workspace
from sfumato.db import new_id
from sfumato.errors import Conflict, SfumatoError
from sfumato.jobs.queue import JobView, cancel_job, get_job, somebody_works, wait_for_job, worker_name
from sfumato.jobs.records import Job
from sfumato.jobs.run import LEASE, run_attempt
from sfumato.jobs.worker import Shift, claim

Seen = Callable[[JobView], None]


def work_nearby(
    workspace: Workspace, job: JobView, *, on_progress: Seen | None = None, poll: float = 0.05
) -> JobView:
    """Do the job in a thread of this process, or wait for the worker that serves it; returns how it ended.

    When it is interrupted, the job's present step is finished, and the job waits again for whoever takes it.
    """
    me = f"{socket.gethostname()}/{os.getpid()}/{new_id()[-6:]}"
    with held_interrupt() as pressed:
        taken = None if somebody_works(workspace, job) else claim(workspace, me, (), job.id, LEASE)
        if taken is not None and pressed.is_set():
            give_back(workspace, job.id, me)
        elif taken is not None:
            work = threading.Thread(target=run_attempt, args=(workspace, taken.id, taken.attempt), daemon=True)
            work.start()
            try:
                while work.is_alive() and not pressed.is_set():
                    if on_progress:
                        on_progress(get_job(workspace, job_id=job.id))
                    work.join(poll)
            finally:
                give_back(workspace, job.id, me)  # changes nothing where the job has ended
                work.join()  # its next write finds that the job is not its own any more, and ends it
        if pressed.is_set() and not get_job(workspace, job_id=job.id).ended:
            raise KeyboardInterrupt
    # it has ended, unless somebody else does it, or took it over while this process slept
    return wait_for_job(workspace, job.id, on_progress=on_progress)


def work_in_child(
    workspace: Workspace, job: JobView, *, on_progress: Seen | None = None, poll: float = 0.1
) -> JobView:
    """Do one attempt of a job of a lane that no worker serves, by a child of this process; returns how it ended.

    Ctrl-C or SIGTERM stops it after its present step; what it made so far is kept, and it waits for nobody. Raises
    Conflict where somebody else does it already, and SfumatoError when its process dies.
    """
    taken = claim(workspace, worker_name(os.getpid()) + new_id()[-6:], (), job.id, LEASE)
    if taken is None and get_job(workspace, job_id=job.id).ended:
        return get_job(workspace, job_id=job.id)
    if taken is None:
        raise Conflict(
            "Somebody else works on it at this moment.", hint=f"`sfumato jobs cancel {job.id[-6:]}` stops that first."
        )
    stop = threading.Event()
    shift = Shift(workspace, LEASE, stop, lambda: None)
    with held_signals(stop):
        work = threading.Thread(target=shift.run, args=(taken,), daemon=True)
        work.start()
        while work.is_alive():
            if on_progress:
                on_progress(get_job(workspace, job_id=job.id))
            work.join(poll)
    if get_job(workspace, job_id=job.id).ended:
        return get_job(workspace, job_id=job.id)
    ended = cancel_job(workspace, job_id=job.id)
    if not stop.is_set():
        raise SfumatoError(
            "The process that worked on it died.", hint="The same command goes on from what it kept; its log says why."
        )
    return ended


@contextmanager
def held_signals(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set an event and nothing else; outside the main thread nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_interrupt() -> Iterator[threading.Event]:
    """Let the first Ctrl-C only set the event, so that no write and no start of a thread is cut in the middle.

    The second one interrupts as usual. Outside the main thread, which gets no signals, nothing is changed.
    """
    pressed = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield pressed
        return

    def press(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, before)
        pressed.set()

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def give_back(workspace: Workspace, job_id: str, worker: str) -> None:
    """Let a job that this worker holds wait again, so that the next one takes it at once."""
    with workspace.db.write() as session:
        session.execute(
            update(Job)
            .where(Job.id == job_id, Job.worker == worker, Job.status == "running")
            .values(status="waiting", lease_until=None, worker=None)
        )
