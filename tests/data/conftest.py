"""Folders of pictures, good and bad, and what it takes to collect them in the test's own process."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select

from sfumato.actions import Workspace
from sfumato.data.collect import DatasetView, show_dataset
from sfumato.data.collect import collect as ask
from sfumato.data.records import Item
from sfumato.jobs.queue import ended_well, get_job, handed_on
from sfumato.jobs.worker import run_worker
from tests.data.made_pictures import COLOURS, SHAPES, picture
from tests.data.sent import frozen, send  # noqa: F401


@pytest.fixture
def shapes(tmp_path) -> Path:
    """Twelve pictures with captions in .txt files."""
    folder = tmp_path / "shapes"
    folder.mkdir()
    for colour in COLOURS:
        for shape in SHAPES:
            picture(colour, shape).save(folder / f"{colour}-{shape}.png")
            (folder / f"{colour}-{shape}.txt").write_text(f"{colour}\n {shape}\n")
    return folder


@pytest.fixture
def styled(tmp_path) -> Callable[..., Path]:
    """A function that makes a folder of `n` things in `styles` styles, each picture with its own bytes."""

    def make(n: int, styles: int = 4, name: str = "styled") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lines = []
        for thing in range(n):
            for style in range(styles):
                file_name = f"{thing}-{style}.png"
                Image.new("RGBA", (4, 4), (thing % 256, thing // 256, style, 255)).save(folder / file_name)
                lines.append({"file_name": file_name, "text": f"thing {thing}", "style": f"style-{style}",
                              "licence": "MIT"})  # fmt: skip
        (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
        return folder

    return make


@pytest.fixture
def collect(workspace) -> Callable[..., DatasetView]:
    """A function that collects into "mine" and returns the dataset; what the job said is its `said`."""

    def run(source: str = "folder", *, into: str = "mine", where: Workspace = workspace, **options: Any) -> DatasetView:
        job = ask(where, source=source, into=into, options=options)
        run_worker(where, only_job=job.id)
        run.result = ended_well(get_job(where, job_id=job.id)).result  # type: ignore[attr-defined]
        return show_dataset(where, name=into)

    return run


@pytest.fixture
def killed_halfway(workspace) -> Callable[..., int]:
    """A function that has a worker collect or check, kills it once rows of `table` were written, and counts them."""

    def run(table: Any = Item) -> int:
        command = [sys.executable, "-m", "sfumato.jobs.worker", "--workspace", str(workspace.path), "--lease", "0.5"]
        environment = {**handed_on(workspace), "SFUMATO_JOB_MODULES": "tests.data.stalled"}
        deadline = time.monotonic() + 60
        with subprocess.Popen(command, env=environment) as worker:
            while (there := rows(table)) == 0:
                assert time.monotonic() < deadline
                assert worker.poll() is None
                time.sleep(0.02)
            worker.send_signal(signal.SIGKILL)
        return there

    def rows(table: Any) -> int:
        with workspace.read() as session:
            return session.scalar(select(func.count(table.id))) or 0

    return run
