"""What a run wrote down, as files that other programs read: TensorBoard's events, or a table."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from sfumato.actions import Act, query
from sfumato.errors import InvalidInput, Unsupported
from sfumato.training.runs import find_run
from sfumato.training.watching import Curves, curves_of, previews_of

To = Literal["tensorboard", "csv"]


@dataclass(frozen=True)
class Logbook:
    """Files that were written of a run: how many measures at how many places, and sheets of previews."""

    run: str
    path: str
    curves: int
    points: int
    previews: int


@query("training.export_logs", doors=("cli",))
def export_logs(act: Act, *, name: str, target: Path, to: To = "tensorboard") -> Logbook:
    """Write a run's losses, held-out losses by level of noise, speed and previews into the folder `target`.

    A step is a picture seen, so that runs of different batches lie on one axis. `tensorboard` gives one event file of
    scalars and previews; `csv` gives `curves.csv` with columns `curve`, `samples` and `value`.
    Raises NotFound for the run, InvalidInput where the folder holds something or nothing was written down yet.
    """
    run = find_run(act.session, name)
    folder = act.workspace.path / "runs" / run.id
    named = scalars(curves_of(folder))
    points = sum(len(values) for values in named.values())
    if not points:
        raise InvalidInput(f"The run '{name}' has written nothing down yet.", hint="Wait for its first step.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput(f"{target} is there already.", hint="Name a new or empty folder.")
    previews = previews_of(folder) if to == "tensorboard" else []
    if to == "tensorboard":
        _events(target, named, {at: folder / "previews" / f"{at:012d}.png" for at in previews})
    else:
        _table(target, named)
    return Logbook(run.name, str(target), len(named), points, len(previews))


def scalars(curves: Curves) -> dict[str, list[tuple[float, float]]]:
    """All curves by name, each as (pictures seen, value)."""
    held_out = {f"held-out loss/{level}": values for level, values in curves.held_out.items()}
    named = {"loss/training": curves.loss, **held_out, "speed/pictures a second": curves.speed, **curves.figures}
    return {name: values for name, values in named.items() if values}


def _events(target: Path, named: dict[str, list[tuple[float, float]]], previews: dict[int, Path]) -> None:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as missing:
        raise Unsupported("TensorBoard's files need tensorboardX.", hint="pip install 'sfumato[train]'") from missing
    with SummaryWriter(str(target)) as writer:
        for name, values in named.items():
            for at, value in values:
                writer.add_scalar(name, value, round(at))
        for at, path in previews.items():
            with Image.open(path) as sheet:
                writer.add_image("previews", np.asarray(sheet.convert("RGB")), at, dataformats="HWC")


def _table(target: Path, named: dict[str, list[tuple[float, float]]]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with (target / "curves.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["curve", "samples", "value"])
        writer.writerows((name, round(at), value) for name, values in named.items() for at, value in values)
