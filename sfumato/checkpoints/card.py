"""The training card: a bundle that lets anybody trace a model's pictures without the data at hand.

For every training picture it holds a small copy, caption, origin, licence, author and a compact feature.
It is a zip of JSON lines and arrays with a manifest of hashes.
"""

import functools
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sfumato.errors import Damaged, InvalidInput
from sfumato.store.files import write_whole

FORMAT = 1


@dataclass(frozen=True)
class Near:
    """A training picture near another picture; distance 0 is the same, about 1 is unrelated."""

    row: int
    distance: float
    item: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Card:
    """An open training card."""

    path: Path
    summary: dict[str, Any]
    items: list[dict[str, Any]]
    names: list[str]
    name_embeddings: np.ndarray  # (names, 384) float32, unit length
    features: np.ndarray  # (items, D) float32
    basis: dict[str, np.ndarray]
    sha256: str

    @property
    def copy_distance(self) -> float:
        """Below this distance a picture counts as a near copy (calibrated on held-out real pictures)."""
        return float(self.summary["copy_distance"])

    def picture(self, row: int) -> np.ndarray:
        """A small training picture, (S, S, 4) uint8 premultiplied, exactly as the network learnt from it."""
        start, end = self._offsets[row], self._offsets[row + 1]
        return decode_small(self._pictures[start:end])

    @functools.cached_property
    def _offsets(self) -> np.ndarray:
        with zipfile.ZipFile(self.path) as bundle:
            return np.load(io.BytesIO(bundle.read("offsets.npy")))

    @functools.cached_property
    def _pictures(self) -> bytes:
        with zipfile.ZipFile(self.path) as bundle:
            return bundle.read("pictures.bin")

    def nearest(self, feature: np.ndarray, k: int = 3) -> list[Near]:
        """The k training pictures nearest to a feature (D), nearest first; held-out ones are not in question."""
        rows = np.array([row for row, item in enumerate(self.items) if item["split"] == "train"])
        distances = np.linalg.norm(self.features[rows] - feature, axis=1)
        order = np.argsort(distances, kind="stable")[:k]
        return [Near(int(rows[one]), float(distances[one]), self.items[rows[one]]) for one in order]

    def of_name(self, name: str, style: str = "") -> list[dict[str, Any]]:
        """Training items of that name, in one style if it is given."""
        wanted = name.lower()
        return [
            item
            for item in self.items
            if item["name"].lower() == wanted and item["split"] == "train" and style in ("", item["style"])
        ]


def encode_small(picture: np.ndarray) -> bytes:
    """A small premultiplied picture (S, S, 4) uint8 without loss."""
    out = io.BytesIO()
    Image.fromarray(picture, "RGBA").save(out, "WEBP", lossless=True, quality=100, method=4, exact=True)
    return out.getvalue()


def decode_small(data: bytes) -> np.ndarray:
    """The pixels that `encode_small` was given."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).copy()


def write_card(
    path: Path,
    *,
    summary: dict[str, Any],
    items: Sequence[dict[str, Any]],
    pictures: np.ndarray,
    names: list[str],
    name_embeddings: np.ndarray,
    features: np.ndarray,
    basis: dict[str, np.ndarray],
) -> str:
    """Write a card and return its SHA-256; `features` (N, D) are rounded to half precision."""
    blobs = [encode_small(picture) for picture in pictures]
    parts = {
        "items.jsonl": "\n".join(json.dumps(item, ensure_ascii=False, sort_keys=True) for item in items).encode(),
        "pictures.bin": b"".join(blobs),
        "offsets.npy": _npy(np.cumsum([0] + [len(blob) for blob in blobs])),
        "names.json": json.dumps(names, ensure_ascii=False).encode(),
        "names.npy": _npy(np.round(name_embeddings * 127).clip(-127, 127).astype(np.int8)),
        "features.npy": _npy(features.astype(np.float16)),
        **{f"basis-{name}.npy": _npy(values.astype(np.float32)) for name, values in basis.items()},
    }
    manifest = {
        "format": FORMAT,
        "kind": "training card",
        "summary": summary,
        "parts": {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name, data in {"manifest.json": json.dumps(manifest, sort_keys=True).encode(), **parts}.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name == "pictures.bin" else zipfile.ZIP_DEFLATED
            bundle.writestr(entry, data)
    write_whole(path, out.getvalue())
    return hashlib.sha256(out.getvalue()).hexdigest()


def _npy(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


@functools.lru_cache(maxsize=4)
def open_card(path: Path) -> Card:
    """Open a card and check it against its manifest; raises InvalidInput or Damaged."""
    try:
        with zipfile.ZipFile(path) as bundle:
            manifest = json.loads(bundle.read("manifest.json"))
            if manifest.get("kind") != "training card":
                raise InvalidInput(f"{path.name} is not a training card.")
            if manifest["format"] > FORMAT:
                raise Damaged(f"{path.name} has format {manifest['format']}.", hint="Install the newer Sfumato.")
            read = {name: bundle.read(name) for name in manifest["parts"] if name != "pictures.bin"}
    except (zipfile.BadZipFile, KeyError, ValueError) as problem:
        raise Damaged(f"{path.name} cannot be read as a training card: {problem}.") from problem
    for name, data in read.items():
        if hashlib.sha256(data).hexdigest() != manifest["parts"][name]:
            raise Damaged(f"The part {name} of {path.name} was changed.")
    embedded = np.load(io.BytesIO(read["names.npy"])).astype(np.float32)
    return Card(
        path=path,
        summary=manifest["summary"],
        items=[json.loads(line) for line in read["items.jsonl"].decode().splitlines()],
        names=json.loads(read["names.json"]),
        name_embeddings=embedded / np.linalg.norm(embedded, axis=1, keepdims=True).clip(1e-9),
        features=np.load(io.BytesIO(read["features.npy"])).astype(np.float32),
        basis={
            name.removeprefix("basis-").removesuffix(".npy"): np.load(io.BytesIO(data))
            for name, data in read.items()
            if name.startswith("basis-")
        },
        sha256=hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest(),
    )
