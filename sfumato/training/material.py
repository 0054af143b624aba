"""What a run learns from, decoded once and kept in memory: pictures, words, and which to lean on."""

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sfumato.data.captions import variants
from sfumato.data.versions import FrozenVersion, ItemLine
from sfumato.errors import InvalidInput
from sfumato.features.encoders import minilm
from sfumato.features.retrieval import Shelf

USUAL = 12  # tokens of a caption of usual length


@dataclass
class Material:
    """Pictures (N, S, S, 4) uint8 premultiplied, their lines, and their captions as rows of `words`."""

    pictures: np.ndarray
    lines: list[ItemLine]
    captions: np.ndarray  # (N, V) rows of words
    words: np.ndarray  # (C, T, D) float16
    words_on: np.ndarray  # (C, T) bool
    shelf: Shelf
    train: np.ndarray
    held_out: np.ndarray
    flip_ok: np.ndarray
    weights: np.ndarray
    _order: tuple[tuple[int, int], np.ndarray] | None = None

    def order(self, seed: int, position: int, count: int) -> np.ndarray:
        """Rows at places position ... position + count of an endless order, shuffled anew each time around."""
        places = np.arange(position, position + count)
        rounds = places // len(self.train)
        turns = zip(rounds, places, strict=True)
        return np.array([self._round(seed, int(turn))[place % len(self.train)] for turn, place in turns])

    def _round(self, seed: int, number: int) -> np.ndarray:
        if self._order is None or self._order[0] != (seed, number):
            random = np.random.default_rng((seed, 0, number))
            if np.ptp(self.weights) == 0:
                rows = random.permutation(self.train)
            else:
                share = self.weights / self.weights.sum()
                rows = random.choice(self.train, len(self.train), p=share)
            self._order = ((seed, number), rows)
        return self._order[1]

    def tensors(
        self, rows: np.ndarray, captions: np.ndarray, references: np.ndarray, flips: np.ndarray
    ) -> dict[str, Tensor]:
        """Pictures and references (B, 4, S, S) in [-1, 1], words (B, T, D) and what of them is there."""
        said = self.words_on[captions]
        longest = max(1, int(said.any(0).sum()))  # the rest is padding for all of them
        mirrored = self.pictures[rows]
        mirrored[flips] = mirrored[flips][:, :, ::-1]
        beside = self.pictures[np.maximum(references, 0)]
        beside[flips] = beside[flips][:, :, ::-1]
        return {
            "x": as_tensor(mirrored),
            "reference": as_tensor(beside),
            "reference_on": torch.from_numpy((references >= 0).astype(np.float32)),
            "words": torch.from_numpy(self.words[captions, :longest].astype(np.float32)),
            "words_on": torch.from_numpy(said[:, :longest].astype(np.float32)),
        }

    def preview_rows(self, count: int) -> np.ndarray:
        """Half held-out and half seen rows, spread evenly, always the same for one version."""
        half = count // 2
        unseen = _spread(self.held_out, half)
        return np.concatenate([unseen, _spread(self.train, count - len(unseen))])


def as_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 (B, S, S, 4) as float32 (B, 4, S, S) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float().div_(127.5).sub_(1)


def load_material(
    version: FrozenVersion, size: int, cache: Path, *, with_words: bool = True, with_states: bool = True
) -> Generator[tuple[int, int], None, Material]:
    """Decode pictures and encode captions, yielding (done, total); returns the Material.

    Without words no caption is encoded and nothing lies on the shelf, for what looks at pictures alone. Without
    states captions are known and all else is as in a run, but their encodings are nought and of a usual length.
    Raises InvalidInput when nothing is left to train on.
    """
    pictures, lines = version.decode(size)
    train = np.array([row for row, line in enumerate(lines) if line.split == "train"], np.int64)
    if len(train) < 2:
        raise InvalidInput(
            f"{version.label} has {len(train)} pictures to train on.", hint="Collect at least two and freeze again."
        )
    texts: dict[str, int] = {}
    captions = np.array([[texts.setdefault(text, len(texts)) for text in variants(line)] for line in lines], np.int64)
    if with_words:
        if with_states:
            words, words_on = yield from _encode(list(texts), cache)
        else:
            words = np.broadcast_to(np.float16(0), (len(texts), minilm.LENGTH, minilm.DIM))
            words_on = np.broadcast_to(np.arange(minilm.LENGTH) < USUAL, (len(texts), minilm.LENGTH))
        names = sorted({line.concept for line in lines})
        embedded = yield from _embed(names, cache)
        shelf = Shelf.build([(line.concept, line.style, line.split == "train") for line in lines], names, embedded)
    else:
        words, words_on = np.zeros((len(texts), 0, minilm.DIM), np.float16), np.zeros((len(texts), 0), bool)
        shelf = Shelf({}, {})
    held_out = np.array([row for row, line in enumerate(lines) if line.split != "train"], np.int64)
    return Material(
        pictures=pictures,
        lines=lines,
        captions=captions,
        words=words,
        words_on=words_on,
        shelf=shelf,
        train=train,
        held_out=_spread(held_out, len(held_out)),
        flip_ok=np.array([line.flip_ok for line in lines]),
        weights=np.array([lines[row].weight for row in train]),
    )


def _encode(texts: list[str], cache: Path) -> Generator[tuple[int, int], None, tuple[np.ndarray, np.ndarray]]:
    """Token states of every caption, kept in a file named by the captions."""
    kept = cache / f"words-{_named(texts)}.npz"
    if kept.exists():
        held = np.load(kept)
        return held["words"], held["words_on"]
    words = np.zeros((len(texts), minilm.LENGTH, minilm.DIM), np.float16)
    words_on = np.zeros((len(texts), minilm.LENGTH), bool)
    for row, text in enumerate(texts):
        tokens, there = minilm.encode_tokens([text])
        words[row], words_on[row] = tokens[0], there[0]
        if row % 50 == 0:
            yield row, len(texts)
    _keep(kept, lambda draft: np.savez(draft, words=words, words_on=words_on))
    return words, words_on


def _embed(names: list[str], cache: Path) -> Generator[tuple[int, int], None, np.ndarray]:
    kept = cache / f"names-{_named(names)}.npy"
    if kept.exists():
        return np.load(kept)
    found = []
    for row, name in enumerate(names):
        found.append(minilm.encode([name])[0])
        if row % 50 == 0:
            yield row, len(names)
    _keep(kept, lambda draft: np.save(draft, np.stack(found)))
    return np.stack(found)


def _named(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _keep(target: Path, write: Callable[[Path], None]) -> None:
    draft = target.with_name(f".draft-{target.name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    write(draft)
    draft.replace(target)


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    """`count` of the rows, scattered by a fixed shuffle so that neighbours in the list differ."""
    return np.random.default_rng(0).permutation(rows)[:count]
