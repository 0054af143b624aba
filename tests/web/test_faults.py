"""What goes wrong around a studio: a database that is held, a killed server, a full disk. Nothing kept is lost."""

import io
import signal
import socket
import sqlite3
import time
from dataclasses import replace
from threading import Timer

import httpx
import psutil
import pytest
from PIL import Image

from sfumato.web.sessions import csrf_of
from tests.web.conftest import enter, open_studio
from tests.web.test_studio import entered, until

pytestmark = pytest.mark.whole

PATH = "/api/v1/datasets/mine/uploads"


def png() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((400, 400), 90).save(out, "PNG")
    return out.getvalue()


def test_a_server_killed_in_the_middle_of_an_upload_keeps_nothing_of_it_and_takes_it_again(studio_process, tmp_path):
    studio = studio_process()
    with entered(studio) as client:
        cookies = dict(client.cookies)
        host, _, port = studio.address.partition("//")[2].partition("/")[0].partition(":")
        head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        said = (
            f"POST {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: http://{host}:{port}\r\nContent-Length: 900000\r\n"
            f"Cookie: sfumato={cookies['sfumato']}\r\nX-CSRF-Token: {csrf_of(cookies['sfumato'])}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        with socket.create_connection((host, int(port))) as half:
            half.sendall(said.encode() + head + png()[:50_000])
            until(lambda: list((tmp_path / "workspace" / "tmp" / "uploads").glob("*.part")), 20)
            workers = psutil.Process(studio.process.pid).children(recursive=True)
            studio.end(signal.SIGKILL)
    psutil.wait_procs(workers, timeout=20)
    second = studio_process()
    base = second.address.partition("/launch/")[0]
    own = {"Origin": base, "X-CSRF-Token": csrf_of(cookies["sfumato"])}
    with httpx.Client(base_url=base, cookies=cookies, headers=own, timeout=30) as client:
        assert client.get("/api/v1/datasets/mine").status_code == 404
        job = client.post(PATH, files=[("files", ("a.png", png()))]).json()["job"]
        until(lambda: client.get(f"/api/v1/jobs/{job['id']}").json()["status"] == "done")
        assert len(client.get("/api/v1/datasets/mine/items").json()["items"]) == 1


@pytest.mark.slow  # generation's tests kill one as well, without the studio around
def test_a_worker_killed_while_it_draws_is_followed_by_one_that_finishes(studio_process):
    studio = studio_process()
    with entered(studio) as client:
        asked = client.post("/api/v1/requests", json={"prompt": "a red apple", "options": {"n": 24}}).json()
        path = f"/api/v1/jobs/{asked['job']['id']}"

        def job():
            return client.get(path).json()

        until(lambda: job()["status"] == "running" and job()["progress"].get("done"), 60)
        workers = psutil.Process(studio.process.pid).children(recursive=True)
        for one in workers:
            one.suspend()  # now nothing goes on, whatever is looked at
        before = job()
        assert before["status"] == "running", "the kill has to fall into the work"
        for one in workers:
            one.kill()
        until(lambda: job()["status"] == "done", 200)
        assert job()["attempt"] > before["attempt"]
        assert len(job()["result"]["pictures"]) == 24


@pytest.mark.sqlite("its one lock is held: PostgreSQL has none that stops everybody")
def test_a_database_held_for_ten_seconds_is_waited_for_or_told_and_nothing_is_lost(studio_process, tmp_path):
    studio = studio_process()
    with entered(studio) as client:
        holder = sqlite3.connect(tmp_path / "workspace" / "workspace.db", isolation_level=None, check_same_thread=False)
        holder.execute("begin immediate")
        timer = Timer(10, lambda: holder.execute("rollback"))
        timer.start()
        began = time.monotonic()
        assert client.get("/api/v1/jobs").status_code == 200
        assert time.monotonic() - began < 5, "reading waits for nobody"
        body = {"prompt": "a red apple", "options": {"n": 1}}
        answer = client.post("/api/v1/requests", json=body, headers={"Idempotency-Key": "once"})
        if answer.status_code != 200:
            assert answer.status_code == 503
            assert answer.json()["hint"]
        timer.join()
        again = client.post("/api/v1/requests", json=body, headers={"Idempotency-Key": "once"})
        assert again.status_code == 200
        assert len(client.get("/api/v1/requests").json()["items"]) == 1


def test_a_studio_on_a_full_disk_says_so_and_does_not_begin(studio_process):
    studio = studio_process(SFUMATO_FREE_MB="100000000")
    assert studio.process.wait(60) == 8
    until(lambda: any("too little room" in line for line in studio.lines), 5)
    assert "Traceback" not in "\n".join(studio.lines)


def test_a_disk_that_fills_meanwhile_is_told_before_anything_is_taken(workspace):
    full = replace(workspace, settings=workspace.settings.model_copy(update={"free_mb": 10**8}))
    with open_studio(full) as client:
        browser = enter(client)
        for answer in (
            browser.post(PATH, files=[("files", ("a.png", png()))]),
            browser.post("/api/v1/datasets/mine/collections", json={"source": "sample"}),
        ):
            assert answer.status_code == 507, answer.text
            assert answer.json()["hint"]
        assert browser.get("/api/v1/jobs").json()["items"] == []
        assert not list((workspace.path / "tmp" / "uploads").glob("*"))
