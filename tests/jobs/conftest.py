"""Workers as real processes, ended at the latest with the test that started them."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sfumato.actions import Workspace
from sfumato.jobs.queue import get_job, handed_on


@pytest.fixture(autouse=True)
def kinds(settings, monkeypatch) -> None:
    """Let every worker find the kinds of job of these tests."""
    monkeypatch.setenv("SFUMATO_JOB_MODULES", "tests.jobs.counting_work")


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start_worker() -> Iterator[Start]:
    """A function that starts a worker process with a short lease."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(workspace: Workspace, *more: str, lease: float = 1.0) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "sfumato.jobs.worker", "--workspace", str(workspace.path)]
        with (workspace.path / "logs" / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--lease", str(lease), *more], env=handed_on(workspace), stdout=log, stderr=log
            )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait(timeout=30)


def until(true: Callable[[], Any], *, seconds: float = 120) -> Any:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)
    return found


@pytest.fixture(name="until")
def until_() -> Callable[..., Any]:
    """A function that waits until something holds."""
    return until


@pytest.fixture
def ended(until) -> Callable[..., Any]:
    """A function that waits until a job has ended and returns it."""

    def wait(workspace: Workspace, job_id: str, **how: Any) -> Any:
        def look() -> Any:
            job = get_job(workspace, job_id=job_id)
            return job if job.ended else None

        return until(look, **how)

    return wait
