"""Does a style pack draw a style that its base has never seen better than a prompt with the nearest style does?

    python bench/style.py WORKSPACE [full] [lora]     # the dataset `twemoji` is collected into it if need be

One style (Twemoji, CC-BY-4.0) is in no data of the model that ships. 50 of its icons are learnt, by full
fine-tuning and by LoRA; then things of the remainder are drawn and set beside the real icons, of which no model
has seen one. Every arm draws the same things from the same noise. The judge (EfficientNet-lite0) has learnt from none.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from sfumato import library
from sfumato.actions import Workspace
from sfumato.checkpoints.models import DEFAULT, find_model
from sfumato.data.captions import style_words
from sfumato.data.versions import open_version
from sfumato.evaluation.drawings import draw_batch
from sfumato.evaluation.measure import premultiplied
from sfumato.features.encoders import efficientnet_lite0
from sfumato.features.look import describe
from sfumato.generation.drawing import Plan
from sfumato.generation.jobs import choose_engine, load_network
from sfumato.generation.knowledge import understand
from sfumato.training.style import Style, check_style, make_style

STYLE, LEARNT, JUDGED, SEED, KEPT = "twemoji", 50, 96, 7, 48


def pick(workspace: Workspace) -> tuple[list[Any], list[Any], Any]:
    """Lines to learn from, and lines of the remainder that are judged; all are things that the base may know."""
    if STYLE not in {one.name for one in library.list_datasets(workspace)}:
        library.collect(workspace, "icons", into=STYLE, styles=[STYLE])
    library.freeze(workspace, name=STYLE)
    version = open_version(workspace, STYLE)
    order = np.random.default_rng(SEED).permutation(len(version.items))
    lines = [version.items[place] for place in order]
    return lines[:LEARNT], lines[LEARNT : LEARNT + JUDGED], version


def lay_out(folder: Path, lines: list[Any], version: Any) -> Path:
    """The icons as a person would have them: pictures, and captions in text files of the same names."""
    for place, line in enumerate(lines):
        (folder / f"{place:03d}.png").write_bytes(version.read_bytes(line))
        (folder / f"{place:03d}.txt").write_text(line.name)
    return folder


def drawn(workspace: Workspace, model: str, style: str, names: list[str]) -> np.ndarray:
    """One drawing for each name in a style, (N, S, S, 4) uint8 premultiplied."""
    found = find_model(workspace, model)
    network, card = load_network(choose_engine("auto", found), found), found.card()
    pictures: list[np.ndarray] = []
    for start in range(0, len(names), 16):
        plans = [
            Plan(understand(f"{name}, {style_words(style)} style", card), [SEED + start + place])
            for place, name in enumerate(names[start : start + 16])
        ]
        for thing in draw_batch(network, card, plans):
            if isinstance(thing, list):
                pictures += [one.picture for one in thing]
    return premultiplied(pictures)


def scores(pictures: np.ndarray, real: np.ndarray, basis: dict[str, np.ndarray]) -> dict[str, float]:
    """Figures of drawings beside the real icons of the same things, both (N, S, S, 4)."""
    here, there = (efficientnet_lite0.encode(one) for one in (pictures, real))
    here, there = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (here, there))
    fit = here @ there.T
    own = np.diag(fit)
    looks = np.linalg.norm(describe(pictures, basis) - describe(real, basis), axis=1)
    mean = there.mean(0)
    axes = np.linalg.svd(there - mean, full_matrices=False)[2][:KEPT].T
    return {
        "likeness": round(float(own.mean()), 4),
        "retrieved@1": round(float((own >= fit.max(1)).mean()), 4),
        "retrieved@5": round(float(((fit > own[:, None]).sum(1) < 5).mean()), 4),
        "distance in pixels": round(float(looks.mean()), 4),
        "Fréchet distance": round(frechet((here - mean) @ axes, (there - mean) @ axes), 5),
        "likeness error": round(float(own.std() / len(own) ** 0.5), 4),
    }


def frechet(one: np.ndarray, other: np.ndarray) -> float:
    """Fréchet distance of two sets of features (Heusel et al. 2017, equation 6)."""
    s, t = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    cross = np.sqrt(np.linalg.eigvals(s @ t).real.clip(0)).sum()
    return float(((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * cross)


def learn(workspace: Workspace, icons: Path, how: Any) -> tuple[Style, float]:
    """A style pack of the icons, and the seconds that it took."""
    start = time.monotonic()
    made = make_style(
        workspace, source=icons, name=f"{STYLE}-{how}", how=how, licence="CC-BY-4.0",
        author="Twitter", wait=lambda job: library.wait(workspace, job),
    )  # fmt: skip
    return made, time.monotonic() - start


def main(place: str, *hows: str) -> None:
    """Learn, draw, judge, and print the figures as JSON."""
    with library.open(place) as workspace, tempfile.TemporaryDirectory() as folder:
        learnt, judged, version = pick(workspace)
        icons = lay_out(Path(folder), learnt, version)
        size = int(find_model(workspace, DEFAULT).header.options["size"])
        every, lines = version.decode(size)
        rows = {line.sha256: row for row, line in enumerate(lines)}
        real = every[[rows[line.sha256] for line in judged]]
        names, card = [line.name for line in judged], find_model(workspace, DEFAULT).card()
        told: dict[str, Any] = {"learnt": len(learnt), "judged": len(judged)}
        for how in hows or ("full", "lora"):
            made, seconds = learn(workspace, icons, how)
            told[how] = {"seconds": round(seconds, 1)}
            told[how] |= scores(drawn(workspace, made.model, made.name, names), real, card.basis)
            print(json.dumps({how: told[how]}, ensure_ascii=False), flush=True)
        nearest = check_style(workspace, source=icons).nearest
        told[f"prompted: {nearest}"] = scores(drawn(workspace, DEFAULT, nearest, names), real, card.basis)
    print(json.dumps(told, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
