"""A few pictures with captions, for tests of the command line."""

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.pictured import embedded, pictured, studio_folder  # noqa: F401

COLOURS = {"red": "#d22", "green": "#2a2", "blue": "#22d", "yellow": "#dd2"}
SHAPES = ("disc", "square", "bar")


@pytest.fixture
def shapes(tmp_path) -> Path:
    """A folder of twelve pictures with captions in metadata.jsonl, and a text file that says it is a picture."""
    folder = tmp_path / "shapes"
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
