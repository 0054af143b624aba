"""Searching a dataset by a picture: those that look most like it, to an image network."""

import base64
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field
from sqlalchemy import select

from sfumato.actions import Act, Workspace, query
from sfumato.data.collect import find_dataset
from sfumato.data.drawing import Drawer
from sfumato.data.features_of import FEATURES, features_of, unit
from sfumato.data.items import find_item
from sfumato.data.records import KEPT, Item, called
from sfumato.data.scoring import kept_rows, opaque
from sfumato.errors import Conflict, InvalidInput

LARGEST = 16_000_000  # letters of a picture that is sent along
AT_ONCE = 64  # pictures that may be looked at first, before a job is asked for
Most = Annotated[int, Field(ge=1, le=200, description="how many at most")]
Sent = Annotated[str, Field(max_length=LARGEST, description="a picture's bytes in base64, in place of an id")]


@dataclass(frozen=True)
class Alike:
    """A picture of a dataset and how much it looks like the one that was asked about, as a cosine."""

    id: str
    name: str
    sha256: str
    cosine: float


@query("data.alike", doors=("api", "cli"))
def _contents(act: Act, *, name: str, id: str) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Id and hash of the item asked about, "" for none, and of all kept pictures id, name and hash."""
    dataset = find_dataset(act.session, name)
    item = find_item(act.session, id)[0] if id else None
    kept = select(Item.id, Item.name, Item.key, Item.sha256).where(Item.dataset_id == dataset.id, Item.state == KEPT)
    rows = act.session.execute(kept.order_by(Item.id))
    asked = (item.id, item.sha256) if item else ("", "")
    return *asked, [(item_id, called(caption, key), sha256) for item_id, caption, key, sha256 in rows]


def find_alike(workspace: Workspace, *, name: str, id: str = "", picture: Sent = "", limit: Most = 24) -> list[Alike]:
    """The pictures of a dataset that look most like one of them, or like one that is sent along, nearest first."""
    if bool(id) == bool(picture):
        raise InvalidInput("Say which picture is meant.", hint="Give the id of one, or send one along.")
    sent = _sent(workspace, picture) if picture else None
    itself, asked, rows = _contents(workspace, name=name, id=id)
    sha256s = [sha256 for _, _, sha256 in rows]
    known, _ = kept_rows(workspace, FEATURES).find(sha256s)
    if (~known).sum() > AT_ONCE:
        raise Conflict(
            f"{int((~known).sum()):,} pictures of '{name}' have not been looked at yet.",
            hint=f"Run: sfumato data map {name}",
        )
    features = unit(features_of(workspace, sha256s)) if rows else np.zeros((0, FEATURES.width), np.float32)
    wanted = unit(features_of(workspace, [asked]) if sent is None else sent)[0]
    cosines = features @ wanted
    order = [place for place in np.argsort(-cosines, kind="stable") if rows[place][0] != itself and cosines[place] > 0]
    found = [(*rows[place], round(float(min(cosines[place], 1)), 4)) for place in order[:limit]]
    return [Alike(item_id, said, sha256, cosine) for item_id, said, sha256, cosine in found]


def _sent(workspace: Workspace, picture: str) -> np.ndarray:
    """Features (1, 1280) of a picture in base64; raises InvalidInput, also as Unusable."""
    try:
        data = base64.b64decode(picture, validate=True)
    except ValueError as problem:
        raise InvalidInput("The picture is not in base64.", hint="Send its bytes, written in base64.") from problem
    with Drawer() as drawer:
        seen = opaque(data, workspace.settings.max_pixels, FEATURES.side, drawer.draw)
    return FEATURES.run([FEATURES.prepare(seen)])
