"""The training card: a bundle that lets anybody trace a model's pictures without the data at hand.

For every training picture it holds a small copy, caption, origin, licence, author and a compact feature.
It is a zip of JSON lines and arrays with a manifest of hashes.
"""

import contextlib
import functools
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sfumato.errors import Damaged, InvalidInput, NotFound
from sfumato.store.files import write_whole

FORMAT = 1
LARGEST = 400_000_000
AGAIN = "`sfumato models card MODEL` makes it again."


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
    offsets: np.ndarray  # (items + 1) where each small picture begins and ends
    parts: dict[str, str]  # the SHA-256 of every part
    sha256: str  # of the manifest, which names them all

    @property
    def copy_distance(self) -> float:
        """Below this distance a picture counts as a near copy (calibrated on held-out real pictures)."""
        return float(self.summary["copy_distance"])

    def picture(self, row: int) -> np.ndarray:
        """A small training picture, (S, S, 4) uint8 premultiplied, exactly as the network learnt from it."""
        return decode_small(self.small(row))

    def small(self, row: int) -> bytes:
        """The bytes of that picture as the card holds them."""
        return self._pictures[self.offsets[row] : self.offsets[row + 1]]

    @functools.cached_property
    def _pictures(self) -> bytes:
        with in_words(self.path), zipfile.ZipFile(self.path) as bundle:
            data = bundle.read("pictures.bin")
        return whole(self.path, "pictures.bin", data, self.parts)

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
    """Write a card and return its manifest's SHA-256; `features` (N, D) are rounded to half precision."""
    return _write(
        path, summary=summary, items=items, blobs=[encode_small(picture) for picture in pictures], names=names,
        name_embeddings=name_embeddings, features=features, basis=basis,
    )  # fmt: skip


def drop_items(path: Path, sha256s: set[str]) -> int:
    """Write a card anew without the pictures of these hashes, their captions and features; returns how many it held.

    Its summary then counts what was erased. A card that holds none of them stays, one that holds nothing else goes.
    """
    card = open_card(path)
    kept = [row for row, item in enumerate(card.items) if item.get("sha256") not in sha256s]
    dropped = len(card.items) - len(kept)
    if not dropped:
        return 0
    if not kept:
        path.unlink()
        return dropped
    names = sorted({card.items[row]["name"] for row in kept if card.items[row]["split"] == "train"})
    places = {name: place for place, name in enumerate(card.names)}
    told = [name for name in names if name in places]
    _write(
        path, summary={**card.summary, "erased": int(card.summary.get("erased", 0)) + dropped},
        items=[card.items[row] for row in kept], blobs=[card.small(row) for row in kept], names=told,
        name_embeddings=card.name_embeddings[[places[name] for name in told]], features=card.features[kept],
        basis=card.basis,
    )  # fmt: skip
    return dropped


def _write(
    path: Path,
    *,
    summary: dict[str, Any],
    items: Sequence[dict[str, Any]],
    blobs: Sequence[bytes],
    names: list[str],
    name_embeddings: np.ndarray,
    features: np.ndarray,
    basis: dict[str, np.ndarray],
) -> str:
    largest = np.abs(name_embeddings).max(axis=1, keepdims=True).clip(1e-9)  # their length is one again when read
    parts = {
        "items.jsonl": "\n".join(json.dumps(item, ensure_ascii=False, sort_keys=True) for item in items).encode(),
        "pictures.bin": b"".join(blobs),
        "offsets.npy": _npy(np.cumsum([0] + [len(blob) for blob in blobs])),
        "names.json": json.dumps(names, ensure_ascii=False).encode(),
        "names.npy": _npy(np.round(name_embeddings / largest * 127).astype(np.int8)),
        "features.npy": _npy(features.astype(np.float16)),
        **{f"basis-{name}.npy": _npy(values.astype(np.float32)) for name, values in basis.items()},
    }
    manifest = {
        "format": FORMAT,
        "kind": "training card",
        "summary": summary,
        "parts": {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()},
    }
    said = json.dumps(manifest, sort_keys=True).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name, data in {"manifest.json": said, **parts}.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name == "pictures.bin" else zipfile.ZIP_DEFLATED
            bundle.writestr(entry, data)
    write_whole(path, out.getvalue())
    return hashlib.sha256(said).hexdigest()


def _npy(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


@contextlib.contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn whatever a broken bundle makes its readers raise into Damaged."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, RuntimeError) as problem:
        raise Damaged(f"{path.name} cannot be read as a training card: {problem}.", hint=AGAIN) from problem


def whole(path: Path, name: str, data: bytes, parts: dict[str, str]) -> bytes:
    """The data of a part, if it is what the manifest names; raises Damaged."""
    if hashlib.sha256(data).hexdigest() != parts[name]:
        raise Damaged(f"The part {name} of {path.name} was changed.", hint=AGAIN)
    return data


def open_card(path: Path) -> Card:
    """Open a card and check it against its manifest; raises NotFound, InvalidInput or Damaged."""
    if not path.is_file():
        raise NotFound(f"There is no training card {path}.", hint=AGAIN)
    found = path.stat()
    return _open(path, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=4)
def _open(path: Path, changed_at: int, size: int) -> Card:
    with in_words(path), zipfile.ZipFile(path) as bundle:
        if sum(entry.file_size for entry in bundle.infolist()) > LARGEST:
            raise InvalidInput(f"{path.name} would unpack to more than a training card ever holds.")
        manifest = json.loads(bundle.read("manifest.json"))
        if not isinstance(manifest, dict) or manifest.get("kind") != "training card":
            raise InvalidInput(f"{path.name} is not a training card.")
        if manifest["format"] > FORMAT:
            raise Damaged(f"{path.name} has format {manifest['format']}.", hint="Install the newer Sfumato.")
        parts = manifest["parts"]
        read = {name: whole(path, name, bundle.read(name), parts) for name in parts if name != "pictures.bin"}
        arrays = {name: np.load(io.BytesIO(data)) for name, data in read.items() if name.endswith(".npy")}
        embedded = arrays["names.npy"].astype(np.float32)
        return Card(
            path=path,
            summary=manifest["summary"],
            items=[json.loads(line) for line in read["items.jsonl"].decode().split("\n")],
            names=json.loads(read["names.json"]),
            name_embeddings=embedded / np.linalg.norm(embedded, axis=1, keepdims=True).clip(1e-9),
            features=arrays["features.npy"].astype(np.float32),
            basis={
                name.removeprefix("basis-").removesuffix(".npy"): values
                for name, values in arrays.items()
                if name.startswith("basis-")
            },
            offsets=arrays["offsets.npy"],
            parts=parts,
            sha256=hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest(),
        )
