"""Pictures with faces in them."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from sfumato.actions import Workspace
from sfumato.data.looking import FACE, FACES, box, look_at
from sfumato.data.records import Item
from sfumato.data.scan import Pictures, Proposal

TITLE = "faces"
SAYS = (
    "A network sees faces in it, drawn ones in part too, and says where, never whose. One can ask for only those "
    "for which no consent is on record."
)
KIND = "neural"
AGREED = ("given", "not needed")


class Options(BaseModel):
    """How sure and how large a face has to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(0.6, ge=0.35, lt=1, description="likelihood of a face")
    area: float = Field(0.002, ge=0, lt=1, description="share of the picture that the largest face covers")
    without_consent: bool = Field(False, description="only where consent is neither given nor unneeded")


def look(pictures: Pictures, options: Options) -> Iterator[Proposal | None]:
    """Propose pictures with faces; the score is the likelihood of the likeliest."""
    seen = yield from look_at(pictures, FACE)
    boxes = seen.values[:, 1:].reshape(len(seen.ids), FACES, 5)
    sure = (boxes[..., 4] > options.above) & (boxes[..., 2] * boxes[..., 3] >= options.area)
    rows = np.flatnonzero(sure.any(1))
    consents = _consents(pictures.workspace, [seen.ids[row] for row in rows])
    for row in rows:
        consent = consents.get(seen.ids[row], "")
        if options.without_consent and consent in AGREED:
            continue
        found = boxes[row][sure[row]]
        n = int(seen.values[row, 0]) if sure[row].all() else len(found)
        largest = float((found[:, 2] * found[:, 3]).max())
        yield Proposal(
            seen.ids[row], float(min(found[:, 4].max(), 1)),
            f"{n} {'face' if n == 1 else 'faces'}, the largest over {largest:.0%} of it; consent: "
            f"{consent or 'not on record'}.",
            details={"faces": n, "boxes": [box(one) for one in found]},
        )  # fmt: skip


def _consents(workspace: Workspace, ids: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        with workspace.read() as session:
            told = select(Item.id, Item.consent).where(Item.id.in_(ids[start : start + 500]))
            found |= {item_id: consent for item_id, consent in session.execute(told)}
    return found
