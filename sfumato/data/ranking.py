"""Which of several copies is the one to keep: a sound one, the largest, one with a caption, or by another rule."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.data.decide import chunks
from sfumato.data.records import Appearance, Finding, Item, called
from sfumato.data.scan import title_of

TOGETHER = 600  # seconds within which pictures are taken as come at once
AS_SHARP = 2  # decimals of sharpness in which two copies have to differ for one to be sharper
By = Literal["best", "sharpest", "largest", "first"]
SPOILS = (  # a picture, so that another copy of it is better
    "corrupt", "dark", "light", "blur", "low_information", "low_contrast", "noise", "blocking", "text_in_picture",
)  # fmt: skip


def facts_of(session: Session, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Name, size, sharpness and faults of items; one that was not measured since its bytes changed has no sharpness."""
    found: dict[str, dict[str, Any]] = {}
    faults: dict[str, list[str]] = defaultdict(list)
    for some in chunks(sorted(ids)):
        spoilt = select(Finding.item_id, Finding.check).where(
            Finding.item_id.in_(some), Finding.check.in_(SPOILS), Finding.state == "open"
        )
        for item, check in session.execute(spoilt.order_by(Finding.check)):
            faults[item].append(title_of(check))
        rows = session.execute(
            select(Item.id, Item.name, Item.key, Item.width, Item.height, Item.sha256, Item.collected_at, Appearance)
            .outerjoin(Appearance, Appearance.item_id == Item.id)
            .where(Item.id.in_(some))
        )
        for row in rows:
            seen = row.Appearance if row.Appearance is not None and row.Appearance.measured == row.sha256 else None
            found[row.id] = {
                "id": row.id, "name": called(row.name, row.key), "pixels": row.width * row.height,
                "size": f"{row.width} × {row.height}", "sharpness": seen.sharpness if seen else 0.0,
                "faults": faults[row.id], "caption": row.name, "came": came(row.collected_at, row.key),
            }  # fmt: skip
    return found


def came(at: datetime, key: str) -> tuple[Any, ...]:
    """A key to sort pictures by their coming: those of one upload, whose parts come side by side, by their names."""
    name = re.split(r"(\d+)", key.rpartition("/")[2].casefold())
    return int(at.timestamp()) // TOGETHER, [int(part) if part.isdecimal() else part for part in name]


def rank(facts: Mapping[str, Any], by: By) -> tuple[Any, ...]:
    """A key to sort copies by; the smaller, the better."""
    sharp, large, bare = -round(facts["sharpness"], AS_SHARP), -facts["pixels"], not facts["caption"]
    order: tuple[Any, ...] = {
        "best": (len(facts["faults"]), large, bare, sharp), "sharpest": (sharp, large, bare),
        "largest": (large, bare, sharp), "first": (),
    }[by]  # fmt: skip
    return (*order, *facts["came"], facts["id"])


def doubt(check: str, best: Mapping[str, Any], other: Mapping[str, Any], *details: Mapping[str, Any]) -> str:
    """Why a person looks before `other` is left out as a copy of the best; "" where there is no doubt.

    `details` are what the check keeps of either: it compared both with one that may be neither. Equal files are not
    doubted.
    """
    if check == "exact_copies" or best["id"] == other["id"]:
        return ""
    told = next((str(one["doubt"]) for one in details if one and one.get("doubt")), "")
    mine, theirs = (re.sub(r"[\W_]+", " ", one["caption"]).strip().casefold() for one in (best, other))
    if told or not theirs or mine == theirs:
        return told
    return "Their captions differ" if mine else "Its caption would be lost"


def why(best: Mapping[str, Any], other: Mapping[str, Any], by: By) -> str:
    """What the one to keep has before another copy, as the end of a sentence."""
    sharper = round(best["sharpness"], AS_SHARP) > round(other["sharpness"], AS_SHARP)
    figures = f"({best['sharpness']:.3f}, this {other['sharpness']:.3f})"
    if by == "best" and len(best["faults"]) < len(other["faults"]):
        return f"has {'fewer faults' if best['faults'] else 'no fault'} (this: {', '.join(other['faults'])})"
    if by == "sharpest" and sharper:
        return f"is sharper {figures}"
    if by != "first" and best["pixels"] > other["pixels"]:
        return f"is larger ({best['size']}, this {other['size']})"
    if by != "first" and best["caption"] and not other["caption"]:
        return "has a caption (this: none)"
    if by in ("best", "largest") and sharper:
        return f"is as large and sharper {figures}"
    return "came first"


def why_kept(ranked: list[Mapping[str, Any]], by: By) -> dict[str, str]:
    """Why the first of some copies is the one to keep, and what it has before each of the others, by item id."""
    best, others = ranked[0], ranked[1:]
    if not others:
        return {best["id"]: ""}
    reason = why(best, others[0], by)
    told = {one["id"]: f"The one with the star {_only_first(why(best, one, by), by)}." for one in others}
    alone = "of those as good as it" if len(others) > 1 else "of the two"
    first = reason == "came first" and by != "first"
    return told | {
        best["id"]: f"It came first {alone}: there is no better reason to keep it." if first
        else f"It {reason}.".replace(", this ", ", the next ").replace("(this: ", "(the next: ")
    }  # fmt: skip


def _only_first(reason: str, by: By) -> str:
    return "is as good, and came first" if reason == "came first" and by != "first" else reason
