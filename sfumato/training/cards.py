"""The training card of a model: asked for as an action, made from the frozen version it learnt from."""

from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from sfumato.actions import Act, action
from sfumato.checkpoints.card import write_card
from sfumato.checkpoints.models import card_path, card_pixels, find_model
from sfumato.data.records import DatasetVersion
from sfumato.data.versions import FrozenVersion
from sfumato.errors import Conflict, NotFound
from sfumato.features.encoders import minilm
from sfumato.features.look import describe, learn_basis, nearest_distances
from sfumato.jobs import JobView, enqueue

FALSE_ALARMS = 1  # per cent of held-out real pictures that may count as copies
SAME = 0.02
LEAST = 20  # held-out pictures below which a percentile says nothing
UNCALIBRATED = 0.1
OWN = {"weight", "flip_ok", "attributes", "consent", "family"}  # what stays in the workspace


@action("model.card", needs="training.write")
def ask_for_card(act: Act, *, name: str) -> JobView:
    """Make the training card of a model: small copies of what it learnt from, so that it can be traced anywhere."""
    model = find_model(act.workspace, name)
    if model.embedded:
        raise Conflict(f"The model '{name}' came with its card.", hint=f"`sfumato models show {name}` says what it is.")
    content_hash = str(model.header.data.get("content_hash", ""))
    version = act.session.scalar(select(DatasetVersion.id).where(DatasetVersion.content_hash == content_hash))
    if version is None:
        raise NotFound(
            f"What '{name}' learnt from ({model.header.data.get('name', 'unnamed')}) is not in this workspace.",
            hint="A card is made where the pictures are: collect and freeze the same data here first.",
        )
    size = card_pixels(model.header.options)
    act.says(f"asked for the training card of {name}", subject=model.ref)
    spec = {"version": version, "size": size, "model": name}
    return enqueue(act, kind="training.card", spec=spec, key=f"training.card:{version}:{size}")


def has_card(version: FrozenVersion, size: int) -> bool:
    """Whether the card of a version at a picture size is here already."""
    return card_path(version.workspace, version.content_hash, size).exists()


def make_card(version: FrozenVersion, size: int) -> Path:
    """Write the card of a version at pictures of `size` where models look for it.

    The distance of a near copy is the first percentile of what held-out real pictures have to their
    nearest training picture: about one real, independent picture in a hundred would be called a copy.
    """
    pictures, lines = version.decode(size)
    split = np.array([line.split for line in lines])
    basis = learn_basis(pictures[split == "train"])
    looks = describe(pictures, basis)
    copy_distance, calibrated_on = calibrate(looks[split != "train"], looks[split == "train"])
    names = sorted({line.name for line in lines if line.split == "train"})
    summary: dict[str, Any] = {
        "dataset": version.label,
        "content_hash": version.content_hash,
        "n": len(lines),
        "n_train": int((split == "train").sum()),
        **version.facts,
        "size": size,
        "copy_distance": copy_distance,
        "calibrated_on": calibrated_on,
    }
    path = card_path(version.workspace, version.content_hash, size)
    write_card(
        path,
        summary=summary,
        items=[line.model_dump(exclude=OWN) for line in lines],
        pictures=pictures,
        names=names,
        name_embeddings=minilm.encode(names),
        features=looks,
        basis=basis,
    )
    return path


def calibrate(unseen: np.ndarray, learnt: np.ndarray) -> tuple[float, int]:
    """The distance below which a picture counts as a copy, and how many held-out pictures it rests on.

    Takes features of held-out and of training pictures, (N, D) and (M, D). The same picture on both
    sides says nothing about copies and is left out.
    """
    apart = nearest_distances(unseen, learnt) if len(unseen) else np.zeros(0)
    apart = apart[apart > SAME]
    if len(apart) < LEAST:
        return UNCALIBRATED, 0
    return float(np.percentile(apart, FALSE_ALARMS)), len(apart)
