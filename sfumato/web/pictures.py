"""Pictures as tiles take them."""

from collections.abc import Iterable
from typing import Any

from sfumato.data.items import ItemView
from sfumato.data.records import called
from sfumato.generation.pictures import ImageView

API = "/api/v1"


def tiles_of(images: Iterable[ImageView]) -> list[dict[str, Any]]:
    """Drawn pictures as tiles."""
    return [
        {"id": one.id, "href": f"/pictures/{one.id}", "src": f"{API}/images/{one.id}/file", "alt": one.prompt,
         "seed": one.seed, "model": one.model}
        for one in images
    ]  # fmt: skip


def tiles_of_items(items: Iterable[ItemView], dataset: str) -> list[dict[str, Any]]:
    """Pictures of a dataset as tiles."""
    return [
        {"id": one.id, "href": f"/data/{dataset}/items/{one.id}", "src": f"{API}/items/{one.id}/thumb",
         "alt": called(one.name, one.key), "model": called(one.name, one.key)}
        for one in items
    ]  # fmt: skip
