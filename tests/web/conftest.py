"""A studio to knock at: the real app of a real workspace, and a browser that behaves as browsers do."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sfumato.actions import Workspace
from sfumato.web.app import create_app
from sfumato.web.serving import Serving, new_secret
from sfumato.web.sessions import csrf_of
from tests.pictured import embedded, pictured, studio_folder

__all__ = ["embedded", "pictured", "studio_folder"]

HERE = "http://127.0.0.1:8760"
ROOT = Path(__file__).parents[2]


class Browser:
    """Sends what a browser sends: cookies, the origin of the page, and the token of its forms."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    @property
    def csrf(self) -> str:
        secret = self.client.cookies.get("sfumato") or self.client.cookies.get("__Host-sfumato") or ""
        return csrf_of(secret) if secret else ""

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def page(self, path: str) -> Any:
        return self.client.get(path, headers={"Accept": "text/html"})

    def post(self, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        own = {"Origin": HERE, "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": self.csrf}
        return self.client.post(path, headers=own | (headers or {}), **options)


def open_studio(workspace: Workspace, **choices: Any) -> TestClient:
    serving = Serving(**{"launch": new_secret(), "poll": 0.05, "beat": 0.5, **choices})
    base = HERE.replace("http", "https") if serving.secure else HERE
    return TestClient(create_app(workspace, serving), base_url=base, follow_redirects=False)


def enter(client: TestClient) -> Browser:
    launch = client.app.state.house.serving.launch
    answer = client.get(f"/launch/{launch}")
    assert answer.status_code == 303, answer.text
    return Browser(client)


@pytest.fixture
def outside(workspace) -> Iterator[TestClient]:
    """A studio of an empty workspace, seen by somebody who has not come in."""
    with open_studio(workspace) as client:
        yield client


@pytest.fixture
def browser(outside) -> Browser:
    """The same, seen by the person at the machine."""
    return enter(outside)


@pytest.fixture
def drawing(pictured) -> Iterator[Browser]:
    """A studio of a workspace with a model, so that pictures can be asked for."""
    with open_studio(pictured) as client:
        yield enter(client)


class Studio:
    """`sfumato studio` as a process of its own."""

    def __init__(self, folder: Path, *more: str, **environment: str) -> None:
        command = [sys.executable, "-m", "sfumato", "studio", "--no-browser", "--port", "0", *more]
        wanted = {**os.environ, "SFUMATO_WORKSPACE": str(folder), "PYTHONPATH": str(ROOT), **environment}
        self.lines: list[str] = []
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=wanted, cwd=ROOT)
        self._open = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if "/launch/" in line:
                self._open.set()
        self._open.set()

    @property
    def address(self) -> str:
        """The one address that it prints."""
        assert self._open.wait(60), self.lines
        found = [line.strip() for line in self.lines if "/launch/" in line]
        assert found, self.lines
        return found[0]

    def end(self, number: int = signal.SIGINT) -> int:
        """Press Ctrl-C, or worse; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def studio_process(tmp_path, monkeypatch, place) -> Iterator[Callable[..., Studio]]:
    """Starts studios of a workspace, and sees to it that none is left."""
    for name in [name for name in os.environ if name.startswith("SFUMATO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    if url := place(tmp_path).database_url:
        monkeypatch.setenv("SFUMATO_DATABASE_URL", url)
    started: list[Studio] = []

    def start(*more: str, **environment: str) -> Studio:
        started.append(Studio(tmp_path / "workspace", *more, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
