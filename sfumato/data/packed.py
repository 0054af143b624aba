"""Columns of very many rows in little memory: hashes as bytes, words by number, and numbers that wait in a file."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, SupportsIndex, overload

import numpy as np

NOTHING = "0" * 64  # stands for a hash that is not there


class Hexes(Sequence[str]):
    """Hashes or ids, each in half of its letters' bytes; all zeros read as ""."""

    def __init__(self, values: np.ndarray, *, ids: bool = False) -> None:
        self.values = values  # (n, 16 or 32) uint8
        self.ids = ids

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Hexes":
        """SHA-256s, "" for none."""
        return cls(np.frombuffer(packed(texts), np.uint8).reshape(-1, 32))

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, place: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "Hexes": ...
    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Hexes(self.values[place], ids=self.ids)
        text = self.values[place].tobytes().hex()
        if self.ids:
            return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        return "" if text == NOTHING else text

    def known(self) -> np.ndarray:
        """Which of them are there: (n) bool."""
        return np.array(self.values.any(axis=1), bool)


def packed(texts: Sequence[str]) -> bytes:
    """Hashes as bytes, zeros where there is none."""
    return bytes.fromhex("".join([text or NOTHING for text in texts]))


def packed_ids(texts: Sequence[str]) -> bytes:
    """Ids as bytes."""
    return bytes.fromhex("".join(texts).replace("-", ""))


def alike(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (n) by which rows of bytes (n, 8k) that are the same follow each other, and where each run begins."""
    columns = np.ascontiguousarray(values).view(np.uint64)
    order = np.lexsort(columns.T)
    fresh = np.ones(len(order), bool)
    for column in columns.T:
        fresh[1:] &= column[order[1:]] == column[order[:-1]]
    fresh[1:] = ~fresh[1:]
    return order, np.flatnonzero(fresh)


class Words(Sequence[str]):
    """Texts of which many are the same, each kept once."""

    def __init__(self, codes: np.ndarray, texts: Sequence[str]) -> None:
        self.codes, self.texts = codes, texts

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "Words": ...
    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Words(self.codes[place], self.texts)
        return self.texts[self.codes[place]]

    def __iter__(self) -> Iterator[str]:
        return (self.texts[code] for code in self.codes)


class Growing:
    """A column of words that is read a batch at a time."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.codes = bytearray()

    def add(self, texts: Sequence[str]) -> None:
        """Append a batch."""
        numbers = self.numbers
        codes = [numbers.setdefault(text, len(numbers)) for text in texts]
        self.codes += np.array(codes, np.int32).tobytes()

    def whole(self) -> Words:
        """All of it."""
        return Words(np.frombuffer(self.codes, np.int32), list(self.numbers))


class Waiting:
    """Rows of numbers in a file that has no name and goes with this process; read when they are asked for."""

    def __init__(self, folder: Path, dtype: str, width: int) -> None:
        self.dtype, self.width = np.dtype(dtype), width
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed with its owner

    def add(self, rows: Sequence[Sequence[float]]) -> None:
        """Append a batch."""
        self.file.write(np.array(rows, self.dtype).tobytes())

    def whole(self) -> np.ndarray:
        """All of it, (n, width)."""
        self.file.seek(0)
        return np.frombuffer(self.file.read(), self.dtype).reshape(-1, self.width)
