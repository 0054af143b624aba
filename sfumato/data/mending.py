"""Mending pixels: cropping and turning pictures. The bytes as they were collected stay, and undo brings them back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.decide import Edits, apply, in_words, meant, rows_of
from sfumato.data.editing import Expected
from sfumato.data.history import DecisionView
from sfumato.data.narrowing import Where
from sfumato.data.pictures import as_png, kind_of, open_picture
from sfumato.data.records import Decided, Decision, Item, called
from sfumato.data.verdicts import says, told
from sfumato.errors import InvalidInput

VERB = "mend pixels"
MOST = 40  # pictures that one call mends
SMALLEST = 8  # pixels of a side that has to be left
Box = tuple[float, float, float, float]
TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


@dataclass(frozen=True)
class Mendable:
    """A picture that is to be mended, as it is."""

    id: str
    sha256: str
    collected_sha256: str
    revision: int
    name: str


def mend_pixels(
    workspace: Workspace,
    *,
    name: str,
    where: Where,
    crop: Box | None = None,
    turn: Literal[0, 90, 180, 270] = 0,
    reason: str = "",
    title: str = "",
    expected: Expected = None,
) -> DecisionView:
    """Crop at most 40 pictures to left, top, right and bottom, as shares of their sides from 0 to 1, and turn them.

    Turning is clockwise and comes after cropping. New pixels are kept as PNG; what was collected stays as well.
    """
    _check(crop, turn)
    found = _mendable(workspace, name=name, where=where)
    edits = {one.id: _mended(workspace, one, crop, turn) for one in found}
    seen = {one.id: one.revision for one in found} | (expected or {})
    how = {"crop": list(crop) if crop else None, "turn": turn}
    what = " and ".join(["cropped"] * bool(crop) + [f"turned by {turn}°"] * bool(turn))
    return _write(
        workspace, name=name, edits=edits, expected=seen, title=title or f"{what}: {in_words(len(edits))}",
        reason=reason, details={"where": told(where), **{key: value for key, value in how.items() if value}},
    )  # fmt: skip


def mended_contents(session: Session, dataset_ids: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """Of each mending in datasets, in their order: the item, its source, and its content before and after."""
    made = (
        select(Item.id, Item.source, Decided.before, Decided.after)
        .join(Decided, Decided.item_id == Item.id)
        .join(Decision, Decision.id == Decided.decision_id)
        .where(Decision.dataset_id.in_(list(dataset_ids)), Decision.verb == VERB)
        .order_by(Decision.id, Decided.id)
    )
    return [
        (item, source, str(before["sha256"]), str(after["sha256"]))
        for item, source, before, after in session.execute(made) if "sha256" in after
    ]  # fmt: skip


def _check(crop: Box | None, turn: int) -> None:
    if not crop and not turn:
        raise InvalidInput("Say how to crop, or how far to turn.")
    if turn not in (0, *TURNS):
        raise InvalidInput(f"A picture cannot be turned by {turn}°.", hint="Turn it by 90, 180 or 270.")
    if crop and not (0 <= crop[0] < crop[2] <= 1 and 0 <= crop[1] < crop[3] <= 1):
        raise InvalidInput(
            "A crop is left, top, right and bottom as shares from 0 to 1.", hint="For example 0.1,0,0.9,1"
        )


def _mended(workspace: Workspace, one: Mendable, crop: Box | None, turn: int) -> dict[str, Any]:
    """Keep the new bytes, and return what becomes of the item; raises InvalidInput where it cannot be."""
    data = workspace.store.get(one.sha256)
    if kind_of(data) == "svg":
        raise InvalidInput(f"'{one.name}' is a drawing (SVG), which cannot be cropped or turned.", hint="Leave it out.")
    picture = open_picture(data, workspace.settings.max_pixels)
    if crop:
        width, height = picture.size
        box = (round(crop[0] * width), round(crop[1] * height), round(crop[2] * width), round(crop[3] * height))
        if min(box[2] - box[0], box[3] - box[1]) < SMALLEST:
            raise InvalidInput(f"Of '{one.name}' fewer than {SMALLEST} pixels would be left.", hint="Crop less.")
        picture = picture.crop(box)
    if turn:
        picture = picture.transpose(TURNS[turn])
    has_alpha = picture.getchannel("A").getextrema() != (255, 255)
    sha256 = workspace.store.put(as_png(picture if has_alpha else picture.convert("RGB")))
    return {
        "sha256": sha256, "width": picture.width, "height": picture.height, "has_alpha": has_alpha,
        "collected_sha256": one.collected_sha256 or one.sha256,
    }  # fmt: skip


@query("data.mendable", doors=())
def _mendable(act: Act, *, name: str, where: Where) -> list[Mendable]:
    """The pictures that are to be mended, as they are."""
    ids = meant(act.session, find_dataset(act.session, name), where)
    if len(ids) > MOST:
        raise InvalidInput(f"That means {in_words(len(ids))}; at most {MOST} are mended at once.", hint="Narrow it.")
    rows = rows_of(act.session, ids, ("sha256", "collected_sha256", "revision", "name", "key"))
    return [Mendable(row.id, row.sha256, row.collected_sha256, row.revision, called(row.name, row.key)) for row in rows]


@action("data.mend_pixels", needs="dataset.write")
def _write(
    act: Act, *, name: str, edits: Edits, expected: Expected, title: str, reason: str, details: dict[str, Any]
) -> DecisionView:
    """Crop pictures, and turn them by 90°, 180° or 270°; what was collected stays, and undo brings it back."""
    dataset = find_dataset(act.session, name)
    decision = apply(act, dataset, edits, verb=VERB, name=title, reason=reason, expected=expected, details=details)
    return says(act, dataset, decision)
