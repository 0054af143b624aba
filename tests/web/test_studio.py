"""`sfumato studio` as a whole: it opens, draws, ends on Ctrl-C, and goes on at the next start."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import psutil
import pytest

from sfumato.jobs.worker import LANES
from sfumato.web.sessions import csrf_of

pytestmark = pytest.mark.whole


@contextmanager
def entered(studio):
    base, _, _ = studio.address.partition("/launch/")
    with httpx.Client(base_url=base, timeout=30) as client:
        assert client.get(studio.address).status_code == 303
        client.headers.update({"Origin": base, "X-CSRF-Token": csrf_of(client.cookies["sfumato"])})
        yield client


def until(ask, seconds=60):
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def test_a_fresh_start_is_alive_and_ends_without_a_trace(studio_process, tmp_path):
    studio = studio_process()
    with entered(studio) as client:
        assert client.get("/healthz").json()["status"] == "ok"
        asked = client.post("/api/v1/requests", json={"prompt": "a red apple, noto style", "options": {"n": 1}}).json()
        path = f"/api/v1/jobs/{asked['job']['id']}"
        done = until(lambda: (job := client.get(path).json())["status"] == "done" and job)
        picture = done["result"]["pictures"][0]["id"]
        assert client.get(f"/api/v1/images/{picture}/file").content.startswith(b"\x89PNG")
        until(lambda: client.get("/api/v1/datasets/emoji-sample/versions").json().get("items"))
        workers = psutil.Process(studio.process.pid).children(recursive=True)
        assert {one.nice() for one in workers} >= {0, 10} or psutil.Process().nice() != 0
        began = time.monotonic()
        assert studio.end(signal.SIGINT) == 0
        assert time.monotonic() - began < 15
    assert not [one for one in workers if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert "Traceback" not in "\n".join(studio.lines)
    launch = studio.address.rpartition("/")[2]
    assert launch not in (tmp_path / "workspace" / "logs" / "studio.log").read_text()


def test_killed_in_the_middle_it_goes_on_at_the_next_start(studio_process):
    first = studio_process()
    with entered(first) as client:
        asked = client.post("/api/v1/requests", json={"prompt": "a red apple", "options": {"n": 2}}).json()
        cookies = dict(client.cookies)
        workers = psutil.Process(first.process.pid).children(recursive=True)
    first.end(signal.SIGKILL)
    psutil.wait_procs(workers, timeout=20)
    second = studio_process()
    base = second.address.partition("/launch/")[0]
    with httpx.Client(base_url=base, cookies=cookies, timeout=30) as client:
        path = f"/api/v1/jobs/{asked['job']['id']}"
        until(lambda: client.get(path).json()["status"] == "done", 90)
    assert second.end(signal.SIGTERM) == 0


def test_a_worker_that_dies_is_started_again(studio_process):
    studio = studio_process()
    with entered(studio):
        parent = psutil.Process(studio.process.pid)
        time.sleep(3.2)  # one that dies at once is left for a while
        before = parent.children()
        assert len(before) == len(LANES)
        before[0].kill()

        def whole_again():
            alive = {one.pid for one in parent.children() if one.status() != psutil.STATUS_ZOMBIE}
            return len(alive) == len(LANES) and before[0].pid not in alive

        until(whole_again, 20)
        assert studio.end() == 0


@pytest.mark.parametrize("lane", ["quick", pytest.param("long", marks=pytest.mark.slow)])
def test_a_worker_ends_with_its_parent(workspace, lane):
    where = ["--workspace", str(workspace.path), "--lane", lane, "--parent", "1"]
    command = [sys.executable, "-m", "sfumato.jobs.worker", *where]
    assert subprocess.run(command, timeout=30, check=False).returncode == 0
