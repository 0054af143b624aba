"""What a run on somebody else's model would see and take, told without loading that model."""

from typing import Any

import numpy as np

from sfumato.data.versions import FrozenVersion
from sfumato.training.ahead import SHOWN, Fact, Fed, as_png, texts_of
from sfumato.training.ahead_of_buckets import Laid, as_seen, by_turns, cuts_of, facts_of, lay, table_of
from sfumato.training.buckets import batches_of, fit_of
from sfumato.training.feeding import captions_of
from sfumato.training.material import Material, as_tensor
from sfumato.training.weighing import Weighed

__all__ = ["by_turns", "cuts_of", "facts_of", "fed", "fit_of", "lay", "licence_of", "table_of", "taken"]
SIDE = 128  # pixels of pictures that are shown as they are cropped


def taken(module: Any, options: Any, version: FrozenVersion, material: Material) -> Weighed:
    """Memory and time of the run; raises Unsupported where diffusers is not installed."""
    found: Weighed = module.weigh(module, options, len(material.lines), captions_of(version))
    return found


def licence_of(header: Any) -> list[Fact]:
    """What the parent's maker allows, and that nothing is known of what it learnt from."""
    rows = [header.model_dump(), *header.lineage]
    return [
        Fact("of the parent's maker", 1, f"licence: {data['licence']}; what it learnt from has not been disclosed")
        for one in rows if (data := one.get("data") or {}).get("undisclosed")
    ]  # fmt: skip


def fed(module: Any, options: Any, material: Material, laid: Laid) -> list[Fed]:
    """The first pictures of a run as small copies, in its order, with captions and sides as its batches choose them."""
    texts, found = texts_of(material), list[Fed]()
    material.nothing = len(texts)  # type: ignore[attr-defined]  # as the run adds no words after all captions
    batches = batches_of(material, laid.places)
    if len(batches.groups) > 1:
        material.order = batches.rows  # type: ignore[method-assign]
    for position in range(0, min(options.samples, SHOWN), options.batch):
        rows, captions, flips, _ = module.choices(options, material, position)
        for row, caption, flip in list(zip(rows, captions, flips, strict=True))[: SHOWN - len(found)]:
            if laid.fit.name == "whole":
                copy = material.pictures[row : row + 1]
                picture = as_png(np.asarray(as_tensor(copy[:, :, ::-1] if flip else copy)[0].numpy()))
            else:
                picture = as_seen(laid, int(row), SIDE, mirrored=bool(flip))
            said = texts[caption] if caption < len(texts) else ""
            found.append(Fed(material.lines[row].name, said, bool(flip), {"picture": picture}))
    return found
