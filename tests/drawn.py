"""A few dozen pictures like the sample's: things in several styles, with names, tags, licences and authors."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from sfumato.actions import Workspace
from sfumato.data.collect import collect
from sfumato.data.freeze import freeze
from sfumato.data.versions import open_version
from sfumato.jobs.worker import run_worker

COLOURS = {"red": "#d22", "green": "#2a2", "blue": "#22d", "yellow": "#dd2"}
SHAPES = ("disc", "square", "drop")
STYLES = {"plain": ("MIT", "Ann"), "outline": ("MIT", "Ann"), "small": ("Apache-2.0", "Bo"), "shaded": ("MIT", "Cy")}
ONE_SIDED = "arrow to the left"


def draw_sample(folder: Path, colours: tuple[str, ...] = tuple(COLOURS)) -> Path:
    """Draw every shape in every colour and style, and an arrow that may not be mirrored; metadata beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    things = [(f"{colour} {shape}", shape, COLOURS[colour]) for colour in colours for shape in SHAPES]
    for name, shape, ink in [*things, (ONE_SIDED, "arrow", "#444")]:
        for style, (licence, author) in STYLES.items():
            file_name = f"{name}-{style}.png".replace(" ", "-")
            draw(shape, ink, style).save(folder / file_name)
            lines.append({"file_name": file_name, "text": name, "style": style, "licence": licence, "author": author,
                          "tags": [shape, "thing"], "category": "shapes"})  # fmt: skip
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def draw(shape: str, ink: str, style: str) -> Image.Image:
    """One picture of 32 × 32 with alpha; none is the same mirrored."""
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    inset = 10 if style == "small" else 4
    box = (inset, inset, 31 - inset, 31 - inset)
    look = {"outline": ink, "width": 2} if style == "outline" else {"fill": ink}
    if shape == "disc":
        pen.ellipse(box, **look)
    elif shape == "square":
        pen.rectangle(box, **look)
    else:
        ways = {"drop": (0.0, 2.1, 4.2), "arrow": (math.pi, math.pi - 2.2, math.pi + 2.2)}[shape]
        reach = 16 - inset
        pen.polygon([(16 + reach * math.cos(a), 16 + reach * math.sin(a)) for a in ways], **look)
    if style == "shaded":
        pen.rectangle((20, inset, 26, 31 - inset), fill="#0008")
    pen.point((2, 2), fill="#000")
    return picture


@contextmanager
def opened_studio(folder: Path, colours: tuple[str, ...] = tuple(COLOURS)) -> Iterator[Workspace]:
    """A workspace with the sample collected and frozen as `drawn`."""
    with Workspace.open(folder / "studio") as workspace:
        source = {"path": str(draw_sample(folder / "drawn", colours))}
        job = collect(workspace, source="folder", into="drawn", options=source)
        run_worker(workspace, only_job=job.id)
        freeze(workspace, name="drawn")
        yield workspace


def material_of(workspace: Workspace, size: int) -> Any:
    """The frozen sample as runs learn from it."""
    from sfumato.training.material import load_material

    steps = load_material(open_version(workspace, "drawn"), size, workspace.path / "cache")
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            return finished.value
