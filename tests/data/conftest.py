"""Folders of pictures, good and bad, and what it takes to collect them in the test's own process."""

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from sfumato.actions import Workspace
from sfumato.data.collect import DatasetView, show_dataset
from sfumato.data.collect import collect as ask
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker

COLOURS = ("red", "green", "blue", "gold")
SHAPES = ("disc", "square", "bar")


def picture(colour: str = "red", shape: str = "disc", side: int = 24) -> Image.Image:
    """A shape on a transparent ground."""
    drawn = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(drawn)
    box = {"disc": (2, 2, side - 3, side - 3), "square": (4, 4, side - 5, side - 5), "bar": (2, 9, side - 3, 14)}
    (draw.ellipse if shape == "disc" else draw.rectangle)(box[shape], fill=colour)
    return drawn


def encoded(drawn: Image.Image, kind: str = "PNG") -> bytes:
    """The picture as a file's bytes."""
    out = io.BytesIO()
    (drawn.convert("RGB") if kind == "JPEG" else drawn).save(out, kind)
    return out.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a great many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


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
