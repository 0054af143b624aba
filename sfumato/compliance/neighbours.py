"""Which training pictures a picture is nearest to, and from which distance on it would be a copy."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sfumato.checkpoints.card import Card
from sfumato.data.pictures import to_premultiplied
from sfumato.features.look import describe
from sfumato.store.files import write_whole
from sfumato.training.cards import calibrate

SHOWN = 3
AT_ONCE = 1_000


@dataclass(frozen=True)
class Neighbour:
    """A training picture: whose it is, and how far from the picture in question (0 the same, about 1 unrelated)."""

    name: str
    style: str
    licence: str
    author: str
    source: str
    version: str
    url: str
    sha256: str
    model: str
    row: int
    distance: float | None = None
    copy_below: float | None = None

    @property
    def is_copied(self) -> bool:
        """Whether the picture in question counts as a near copy of this one."""
        return self.distance is not None and self.copy_below is not None and self.distance < self.copy_below


@dataclass(frozen=True)
class Looks:
    """How the pictures of a card look on one ground, and the distance below which one counts as a copy."""

    features: np.ndarray  # (items, D) float32
    copy_below: float


def neighbour(item: dict[str, Any], model: str, row: int, **measured: Any) -> Neighbour:
    """A card's item as a neighbour."""
    return Neighbour(
        item.get("name", ""), item.get("style", ""), item.get("licence", "NOASSERTION"), item.get("author", ""),
        item.get("source", ""), item.get("source_version", ""), item.get("url", ""), item.get("sha256", ""),
        model, row, **measured,
    )  # fmt: skip


def find_nearest(
    card: Card, model: str, picture: Image.Image, *, background: str, cache: Path, k: int = SHOWN
) -> list[Neighbour]:
    """The k training pictures nearest to a picture of any size, nearest first.

    An opaque picture is compared with the training pictures laid on the same ground, for what lay under its
    own ground cannot be known; `background` is that ground, a picture with holes in it needs none.
    """
    size = int(card.summary["size"])
    small = to_premultiplied(picture, size)[None]
    opaque = small[..., 3].min() == 255
    looks = looks_of(card, background, cache) if opaque else Looks(card.features, card.copy_distance)
    feature = describe(small, card.basis)[0]
    rows = np.array([row for row, item in enumerate(card.items) if item["split"] == "train"])
    distances = np.linalg.norm(looks.features[rows] - feature, axis=1)
    order = np.argsort(distances, kind="stable")[:k]
    return [
        neighbour(
            card.items[rows[one]], model, int(rows[one]),
            distance=round(float(distances[one]), 4), copy_below=round(looks.copy_below, 4),
        )
        for one in order
    ]  # fmt: skip


def distance_to(card: Card, row: int, picture: Image.Image) -> float | None:
    """The distance of a picture as drawn to one item of the card; None when the card has no such item."""
    if not 0 <= row < len(card.items):
        return None
    small = to_premultiplied(picture, int(card.summary["size"]))[None]
    return round(float(np.linalg.norm(describe(small, card.basis)[0] - card.features[row])), 4)


def looks_of(card: Card, background: str, cache: Path) -> Looks:
    """Features of a card's pictures on a ground, with the distance of a copy found anew; kept in a file."""
    colour = hex_colour(background)
    kept = cache / f"looks-{card.sha256[:16]}-{colour}.npy"
    features = _read(kept, len(card.items))
    if features is None:
        chunks = list(_grounded(card, colour))
        features = np.concatenate(chunks)
        write_whole(kept, _npy(features))
    train = np.array([item["split"] == "train" for item in card.items])
    return Looks(features, calibrate(features[~train], features[train])[0])


def _grounded(card: Card, colour: str) -> Iterator[np.ndarray]:
    ground = np.array([int(colour[place : place + 2], 16) for place in (0, 2, 4)], np.float32)
    for start in range(0, len(card.items), AT_ONCE):
        rows = range(start, min(start + AT_ONCE, len(card.items)))
        pictures = np.stack([card.picture(row) for row in rows]).astype(np.float32)
        pictures[..., :3] += ground * (1 - pictures[..., 3:] / 255)
        pictures[..., 3] = 255
        yield describe((pictures + 0.5).clip(0, 255).astype(np.uint8), card.basis)


def _read(path: Path, count: int) -> np.ndarray | None:
    try:
        features = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return features if len(features) == count else None


def _npy(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values.astype(np.float32))
    return out.getvalue()


def hex_colour(said: str) -> str:
    """A ground as six digits: white unless it names another colour in full."""
    letters = said.lstrip("#").lower()
    return letters if len(letters) == 6 and set(letters) <= set("0123456789abcdef") else "ffffff"
