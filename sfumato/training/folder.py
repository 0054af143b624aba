"""A run's folder: its log and its previews, for every kind of loop. Loads no torch."""

import contextlib
import io
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sfumato.store.files import write_whole

CAPTIONS = "captions.json"  # of the previews, beside them
LARGE = 128  # pixels of a preview above which it is not enlarged
SLOWEST = 0.02  # share of a new loss in the mean that is shown


def prepare(folder: Path) -> None:
    """Make the run's folder if need be, and clear away what a killed attempt had only half written."""
    folder.mkdir(parents=True, exist_ok=True)
    for draft in (*folder.glob(".draft-*"), *folder.glob("checkpoint-*")):
        draft.unlink(missing_ok=True)


def log_step(folder: Path, samples_seen: int, *, into: str = "log.jsonl", **figures: Any) -> None:
    """Append a line to the run's log, or to another file beside it."""
    line = json.dumps({"at": round(time.time(), 3), "samples": samples_seen, **figures})
    with (folder / into).open("a") as stream:
        stream.write(line + "\n")


@dataclass
class Smoothed:
    """A mean of losses: of all of them at first, and once there are fifty of about the last fifty."""

    mean: float = 0.0
    count: int = 0

    @property
    def shown(self) -> float:
        """As it is shown and written down."""
        return round(self.mean, 4)

    def see(self, loss: float) -> None:
        """Take one more loss in; one that is no number, where a batch was left out, says nothing."""
        if math.isfinite(loss):
            self.count += 1
            self.mean += max(1 / self.count, SLOWEST) * (loss - self.mean)


def last_loss(folder: Path) -> tuple[float, int]:
    """The mean loss that a run has shown last, and of how many steps it was, so that its curve goes on."""
    for said in _backwards(folder / "curve.jsonl"):
        if "loss" in said:
            return float(said["loss"]), int(said.get("of", 1 / SLOWEST))
    return 0.0, 0


def last_logged(folder: Path) -> dict[str, Any]:
    """The figures of the log's last whole line, so that a run that goes on can show them at once."""
    for said in _backwards(folder / "log.jsonl"):
        return {key: said[key] for key in ("held_out", "preview") if said.get(key)}
    return {}


def _backwards(log: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a log, the last one first."""
    for line in reversed(log.read_text().splitlines() if log.exists() else []):
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def keep_captions(folder: Path, captions: list[str]) -> None:
    """Write down which captions the previews draw, row by row from the left."""
    (folder / "previews").mkdir(exist_ok=True)
    write_whole(folder / "previews" / CAPTIONS, json.dumps(captions, ensure_ascii=False).encode())


def save_preview(folder: Path, samples_seen: int, pictures: np.ndarray) -> Path:
    """Keep a grid of premultiplied pictures (N, S, S, 4) on white as PNG."""
    alpha = pictures[..., 3:].astype(np.float32) / 255
    white = (pictures[..., :3] + (1 - alpha) * 255).clip(0, 255).astype(np.uint8)
    columns = int(np.ceil(len(white) ** 0.5))
    side = white.shape[1]
    grid = np.full((-(-len(white) // columns) * side, columns * side, 3), 255, np.uint8)
    for place, picture in enumerate(white):
        top, left = place // columns * side, place % columns * side
        grid[top : top + side, left : left + side] = picture
    out = io.BytesIO()
    times = 3 if side <= LARGE else 1
    larger = (grid.shape[1] * times, grid.shape[0] * times)
    Image.fromarray(grid).resize(larger, Image.Resampling.NEAREST).save(out, "PNG")
    path = folder / "previews" / f"{samples_seen:012d}.png"
    write_whole(path, out.getvalue())
    return path
