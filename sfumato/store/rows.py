"""Rows of numbers by content hash, kept in files that only grow; what was left half written is passed over.

Each writer appends to a file of its own, so that two never write into one. A row carries a check number, and one
that does not match it, as after a power cut, is not there.
"""

import contextlib
import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from sfumato.store.files import draft, finish

MOST_FILES = 12  # then they are put together
SUFFIX = ".rows"


def layout(width: int) -> np.dtype:
    """How a row of `width` numbers lies in a file."""
    return np.dtype([("sha256", "u1", 32), ("values", "<f2", width), ("check", "<u4")])


class Rows:
    """Rows of `width` half-precision numbers by SHA-256, in one folder."""

    def __init__(self, folder: Path, width: int) -> None:
        self.folder, self.width, self.layout = folder, width, layout(width)
        self.own: Path | None = None
        self.files: list[np.ndarray] = []
        self.reload()

    def reload(self) -> None:
        """See what has been appended by now, also by others."""
        self.files = [rows for path in self._paths() if len(rows := _read(path, self.layout))]
        parts = [_keys(np.ascontiguousarray(rows["sha256"])) for rows in self.files]
        keys = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        self.order = np.argsort(keys, kind="stable")
        self.sorted = keys[self.order]
        self.starts = np.cumsum([0, *(len(rows) for rows in self.files)])

    def find(self, sha256s: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Which of these are there (n) bool, and their numbers (n, width) half precision, zeros where not."""
        wanted = _as_bytes(sha256s)
        known, values = np.zeros(len(wanted), bool), np.zeros((len(wanted), self.width), np.float16)
        if not len(wanted) or not self.files:
            return known, values
        keys = _keys(wanted)
        place = np.searchsorted(self.sorted, keys)
        open_ = np.flatnonzero(place < len(self.sorted))
        while len(open_ := open_[self.sorted[place[open_].clip(max=len(self.sorted) - 1)] == keys[open_]]):
            self._look(open_, self.order[place[open_]], wanted, known, values)
            place[open_] += 1  # one may be there twice, and the first be damaged
            open_ = open_[~known[open_] & (place[open_] < len(self.sorted))]
        return known, values

    def _look(
        self, which: np.ndarray, row: np.ndarray, wanted: np.ndarray, known: np.ndarray, values: np.ndarray
    ) -> None:
        """Take over what these rows say where hash and check number are right."""
        file = np.searchsorted(self.starts, row, side="right") - 1
        for number, rows in enumerate(self.files):
            mine = np.flatnonzero(file == number)
            for part in np.array_split(mine, len(mine) // 4_096 + 1):
                found, place = rows[row[part] - self.starts[number]], which[part]
                right = (found["sha256"] == wanted[place]).all(1) & (_check(found) == found["check"])
                known[place], values[place[right]] = right, found["values"][right]

    def append(self, sha256s: Sequence[str], values: np.ndarray) -> None:
        """Add rows at the end of this writer's own file; they are there for `find` after `reload`."""
        rows = np.zeros(len(sha256s), self.layout)
        rows["sha256"], rows["values"] = _as_bytes(sha256s), values
        rows["check"] = _check(rows)
        if self.own is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._put_together()
            self.own = self.folder / f"{self.width}-{uuid.uuid4().hex}{SUFFIX}"
        with self.own.open("ab") as stream:
            stream.write(rows.tobytes())

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.width}-*{SUFFIX}"))

    def _put_together(self) -> None:
        """One file instead of many; a writer that was still at one of them loses rows that are made again."""
        paths = self._paths()
        if len(paths) < MOST_FILES:
            return
        with draft(self.folder) as stream:
            for path in paths:
                rows = _read(path, self.layout)
                stream.write(rows[_check(rows) == rows["check"]].tobytes())
            finish(stream, self.folder / f"{self.width}-{uuid.uuid4().hex}{SUFFIX}")
        for path in paths:
            path.unlink(missing_ok=True)


def forget(folder: Path, sha256s: Iterable[str]) -> int:
    """Blank the rows of these hashes in all files below the folder; returns how many there were."""
    unwanted, blanked = {bytes.fromhex(one) for one in sha256s}, 0
    for path in folder.rglob(f"*{SUFFIX}"):
        width = path.name.partition("-")[0]
        if not width.isdecimal():
            continue
        kind = layout(int(width))
        with contextlib.suppress(FileNotFoundError), path.open("r+b") as stream:
            for number, sha256 in enumerate(_read(path, kind)["sha256"]):
                if sha256.tobytes() in unwanted:
                    stream.seek(number * kind.itemsize)
                    stream.write(bytes(kind.itemsize))
                    blanked += 1
            stream.flush()
            os.fsync(stream.fileno())
    return blanked


def _read(path: Path, kind: np.dtype) -> np.ndarray:
    """The whole rows of a file; a torn one at its end is left where it is."""
    try:
        n = path.stat().st_size // kind.itemsize
        return np.memmap(path, kind, "r", shape=(n,)) if n else np.zeros(0, kind)
    except FileNotFoundError:
        return np.zeros(0, kind)


def _as_bytes(sha256s: Sequence[str]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(sha256s)), np.uint8).reshape(-1, 32)


def _keys(sha256s: np.ndarray) -> np.ndarray:
    """Each hash as one number to look it up by; the whole of it is compared once a row is found."""
    words = np.ascontiguousarray(sha256s).view("<u8")  # (n, 4)
    return words[:, 0] ^ (words[:, 1] << np.uint64(1)) ^ (words[:, 2] << np.uint64(2)) ^ (words[:, 3] << np.uint64(3))


def _check(rows: np.ndarray) -> np.ndarray:
    """A number that depends on every word of a row and its place; of a blank row it is zero."""
    words = np.concatenate([
        np.ascontiguousarray(rows["sha256"]).view("<u2"), np.ascontiguousarray(rows["values"]).view("<u2")
    ], axis=1)  # fmt: skip
    odd = np.arange(words.shape[1], dtype=np.uint32) * np.uint32(2_654_435_761) | np.uint32(1)
    return (words.astype(np.uint32) * odd).sum(1, dtype=np.uint32)
