"""Making a training card from a frozen version, so that a model can travel with what it learnt from."""

from pathlib import Path
from typing import Any

import numpy as np

from sfumato.checkpoints.card import write_card
from sfumato.data.versions import FrozenVersion
from sfumato.features.encoders import minilm
from sfumato.features.look import describe, learn_basis, nearest_distances

FALSE_ALARMS = 1  # per cent of held-out real pictures that may count as copies
SAME = 0.02


def make_card(version: FrozenVersion, size: int, path: Path, facts: dict[str, Any]) -> str:
    """Write the card of a version at pictures of `size`; returns the card's SHA-256.

    The distance of a near copy is the first percentile of what held-out real pictures have to their
    nearest training picture: about one real, independent picture in a hundred would be called a copy.
    """
    pictures, lines = version.decode(size)
    split = np.array([line.split for line in lines])
    basis = learn_basis(pictures[split == "train"])
    looks = describe(pictures, basis)
    unseen = looks[split != "train"]
    apart = nearest_distances(unseen, looks[split == "train"]) if len(unseen) else np.zeros(0)
    apart = apart[apart > SAME]  # the same picture on both sides says nothing about copies
    copy_distance = float(np.percentile(apart, FALSE_ALARMS)) if len(apart) >= 20 else 0.1
    names = sorted({line.name for line in lines if line.split == "train"})
    summary = {
        "dataset": version.label,
        "content_hash": version.content_hash,
        "n": len(lines),
        "n_train": int((split == "train").sum()),
        **version.view.summary,
        "size": size,
        "copy_distance": copy_distance,
        "calibrated_on": len(apart),
        **facts,
    }
    return write_card(
        path,
        summary=summary,
        items=[line.model_dump(exclude={"weight", "flip_ok"}) for line in lines],
        pictures=pictures,
        names=names,
        name_embeddings=minilm.encode(names),
        features=looks,
        basis=basis,
    )
