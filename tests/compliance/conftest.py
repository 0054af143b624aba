"""A studio with a tiny model that was really trained, and pictures that really left it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from sfumato.actions import Workspace
from sfumato.checkpoints import models
from sfumato.checkpoints.models import find_model
from sfumato.data.collect import collect
from sfumato.data.freeze import freeze
from sfumato.generation.create import create
from sfumato.jobs.queue import get_job
from sfumato.jobs.worker import run_worker
from sfumato.training.runs import train

COLOURS = {"red": "#d22", "green": "#2a2", "blue": "#22d", "yellow": "#dd2", "black": "#111", "pink": "#e8a"}
SHAPES = ("disc", "square", "bar", "ring")
MAKERS = {"plain": ("MIT", "Ann Ink"), "bold": ("Apache-2.0", "Bold Company")}
TINY = {"samples": 16, "batch": 4, "size": 16, "depth": 1, "width": 64, "checkpoint_every": 16, "held_out": 2}


def draw_folder(folder: Path) -> Path:
    """Twenty-four things in two styles, with captions, licences and authors in metadata.jsonl."""
    folder.mkdir()
    lines = []
    for style, (licence, author) in MAKERS.items():
        for colour, ink in COLOURS.items():
            for shape in SHAPES:
                picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
                pen = ImageDraw.Draw(picture)
                grown = 3 if style == "bold" else 0
                near, far = 8 - grown, 24 + grown
                box = (4, near + 5, 28, far - 5) if shape == "bar" else (near, near, far, far)
                if shape == "ring":
                    pen.ellipse(box, outline=ink, width=3 + grown)
                else:
                    (pen.ellipse if shape == "disc" else pen.rectangle)(box, fill=ink)
                name = f"{style}-{colour}-{shape}.png"
                picture.save(folder / name)
                said = {"text": f"{colour} {shape}", "style": style, "licence": licence, "author": author}
                lines.append({"file_name": name, **said})
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def work_off(workspace: Workspace, job: object) -> None:
    """Run one job here and now, by the worker's own loop."""
    run_worker(workspace, only_job=job.id, poll=0.01)  # type: ignore[attr-defined]
    done = get_job(workspace, job_id=job.id)  # type: ignore[attr-defined]
    assert done.status == "done", done.error


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory) -> Path:
    """A workspace whose model 'tiny' learnt from 'shapes', with its card; copied for each test that writes."""
    root = tmp_path_factory.mktemp("trained")
    with Workspace.open(root / "studio") as workspace:
        work_off(workspace, collect(workspace, source="folder", into="shapes",
                                    options={"path": str(draw_folder(root / "shapes"))}))  # fmt: skip
        freeze(workspace, name="shapes")
        job = train(workspace, recipe_name="flow", data="shapes", name="tiny", options=TINY)
        work_off(workspace, job)
    return root / "studio"


def draw(workspace: Workspace, prompt: str, out: Path, **options: object) -> list[Path]:
    """Create pictures and return where they lie."""
    plan = {"model": "tiny", "n": 1, "seed": 7, "steps": 2, "engine": "torch_local", **options}
    asked = create(workspace, prompt=prompt, out=out, options=plan)
    work_off(workspace, asked.job)
    result = get_job(workspace, job_id=asked.job.id).result
    assert result is not None
    return [Path(one["path"]) for one in result["pictures"]]


@dataclass(frozen=True)
class Gallery:
    """A workspace and pictures that left it; tests read it and change nothing in it."""

    workspace: Workspace
    path: Path
    private: Path


@pytest.fixture(scope="session")
def gallery(trained_folder, tmp_path_factory) -> Iterator[Gallery]:
    """One picture with its prompt and one without."""
    out = tmp_path_factory.mktemp("pictures")
    with Workspace.open(trained_folder) as workspace:
        (path,) = draw(workspace, "a red disc, plain style", out)
        (private,) = draw(workspace, "a blue bar, bold style", out, private=True, upscale=1, background="transparent")
        yield Gallery(workspace, path, private)


@pytest.fixture
def studio(gallery, tmp_path) -> Iterator[Workspace]:
    """A copy of that workspace, to change at will."""
    shutil.copytree(gallery.workspace.path, tmp_path / "studio")
    with Workspace.open(tmp_path / "studio") as workspace:
        yield workspace


@pytest.fixture
def shipped(gallery, tmp_path, monkeypatch) -> Path:
    """The trained model in the place of the one that ships with Sfumato, known by that name everywhere."""
    folder = tmp_path / "embedded"
    folder.mkdir()
    view = find_model(gallery.workspace, "tiny")
    shutil.copyfile(view.path, folder / "model.safetensors")
    shutil.copyfile(view.card_path, folder / "card.zip")
    monkeypatch.setattr(models, "EMBEDDED", folder)
    return folder
