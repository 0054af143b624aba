"""A few pictures with captions, for tests of the command line."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from sfumato.actions import Workspace
from sfumato.data.collect import collect
from sfumato.data.freeze import freeze
from sfumato.jobs.worker import run_worker
from sfumato.settings import Settings
from tests.pictured import embedded, pictured, studio_folder  # noqa: F401

COLOURS = {"red": "#d22", "green": "#2a2", "blue": "#22d", "yellow": "#dd2"}
SHAPES = ("disc", "square", "bar")


@pytest.fixture
def shapes(tmp_path) -> Path:
    """A folder of twelve pictures with captions in metadata.jsonl, and a text file that says it is a picture."""
    return draw_shapes(tmp_path / "shapes")


@pytest.fixture(scope="session")
def collected(tmp_path_factory) -> Path:
    """A workspace in which these pictures were collected, as the datasets `mine` and `shapes`, the latter frozen."""
    folder = tmp_path_factory.mktemp("collected")
    pictures = draw_shapes(folder / "shapes")
    with Workspace.open(settings=Settings(workspace=folder / "studio", database_url=None)) as workspace:
        for name in ("mine", "shapes"):
            job = collect(workspace, source="folder", into=name, options={"path": str(pictures), "licence": "MIT"})
            run_worker(workspace, only_job=job.id)
        freeze(workspace, name="shapes")
    return folder / "studio"


@pytest.fixture
def frozen(studio_folder, collected) -> str:  # noqa: F811
    """The version of twelve pictures in a workspace of one's own."""
    shutil.copytree(collected, studio_folder)
    return "shapes@latest"


def draw_shapes(folder: Path) -> Path:
    """Draw the pictures and write their captions."""
    folder.mkdir()
    lines = []
    for colour, ink in COLOURS.items():
        for shape in SHAPES:
            picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
            draw = ImageDraw.Draw(picture)
            box = {"disc": (6, 6, 26, 26), "square": (8, 8, 24, 24), "bar": (4, 13, 28, 19)}[shape]
            (draw.ellipse if shape == "disc" else draw.rectangle)(box, fill=ink)
            picture.save(folder / f"{colour}-{shape}.png")
            lines.append({"file_name": f"{colour}-{shape}.png", "text": f"{colour} {shape}", "licence": "MIT"})
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "notes.png").write_text("not a picture")
    return folder
