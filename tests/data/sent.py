"""A dataset with what exports stumble over, and what it takes to export it in the test's own process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sfumato.actions import Workspace
from sfumato.data.collect import make_dataset
from sfumato.data.exports.asking import export
from sfumato.data.freeze import VersionView, freeze
from sfumato.data.records import Item
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker
from tests.data.made_pictures import COLOURS, SHAPES, encoded, picture

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="#0a0"/></svg>'
CAPTIONS = ['ein Würfel, 赤い家\n"quoted", 100 %', "../../etc/passwd", "=1+1 | <b>bold</b> [x](y)"]


@pytest.fixture
def frozen(workspace) -> VersionView:
    """A version of 36 pictures in three kinds of files, with hostile and non-ASCII captions, authors and licences."""
    with workspace.write() as session:
        dataset = make_dataset(workspace, session, "mine")
    rows = []
    for number in range(12):
        for style in ("flat", "soft", "line"):
            kind = ("PNG", "JPEG", "WEBP")[number % 3]
            drawn = picture(COLOURS[number % 4], SHAPES[number % 3], 24 + number)
            drawn.paste((number * 20, 40, "flat soft line".index(style) * 20, 255), (0, 0, 8, 8))
            said = CAPTIONS[number] if number < 3 else f"thing {number}"
            tone = {"skin tone": ("light", "dark")[len(rows) % 3 == 0]} if len(rows) % 4 else {}
            rows.append({
                "dataset_id": dataset, "sha256": workspace.store.put(encoded(drawn, kind)), "name": said,
                "key": f"{number:02d} {style}.{kind.lower()}", "concept": said.lower(), "style": style,
                "licence": ("MIT", "CC-BY-4.0", "NOASSERTION")[number % 3], "source": "folder things",
                "author": "Zoë <zoe@example.org>" if number % 2 else "", "width": 24 + number, "height": 24 + number,
                "has_alpha": kind != "JPEG", "flip_ok": True, "attributes": tone,
            })  # fmt: skip
    with workspace.write() as session:
        session.add_all(Item(**row) for row in rows)
    return freeze(workspace, name="mine")


@pytest.fixture
def send(workspace, tmp_path) -> Callable[..., tuple[Path, dict[str, Any]]]:
    """A function that exports a version, and returns the folder with what the job said."""

    def run(version: VersionView, form: str, name: str = "out", where_to: Workspace = workspace, **more: Any) -> Any:
        folder = tmp_path / name
        job = export(where_to, data=version.label, form=form, folder=folder, **more)
        run_worker(where_to, only_job=job.id)
        return folder, ended_well(get_job(where_to, job_id=job.id)).result

    return run


def opened(path: Path) -> Image.Image:
    """A picture, decoded."""
    with Image.open(path) as found:
        found.load()
        return found
