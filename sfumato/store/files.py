"""A content-addressed folder. A write is complete or absent, also after kill -9 or on a full disk."""

import contextlib
import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sfumato.errors import Damaged, NoSpace, NotFound


class Store:
    """Bytes by their SHA-256, two levels of folders deep."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "incoming").mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash lie, or would lie."""
        return self.root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether the bytes with this hash are here."""
        return self.path(sha256).exists()

    def put(self, data: bytes) -> str:
        """Keep `data` and return its SHA-256 in hex; keeping the same again changes nothing."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.has(sha256):
            write_whole(self.path(sha256), data, self.root / "incoming")
        return sha256

    def put_file(self, source: Path) -> str:
        """Keep a copy of the file `source` and return its SHA-256 in hex."""
        digest = hashlib.sha256()
        with source.open("rb") as stream, draft(self.root / "incoming") as copy:
            while block := stream.read(1 << 20):
                digest.update(block)
                copy.write(block)
            target = self.path(digest.hexdigest())
            if not target.exists():
                finish(copy, target)
        return digest.hexdigest()

    def sweep(self, *, older_than: float = 86_400) -> int:
        """Remove drafts that a killed process left behind, once they are a day old; returns how many."""
        removed = 0
        for left in (self.root / "incoming").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > older_than:
                    left.unlink()
                    removed += 1
        return removed

    def get(self, sha256: str, *, check: bool = False) -> bytes:
        """Return the bytes; raises NotFound, and with `check` Damaged if they no longer match their name."""
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError as missing:
            raise NotFound(f"The file {sha256[:12]} is not in the store.") from missing
        if check and hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged(f"The file {sha256[:12]} in the store was changed.", hint="Restore it from a backup.")
        return data


def write_whole(target: Path, data: bytes, drafts: Path | None = None, *, mode: int = 0o644) -> None:
    """Write `data` to `target` so that it is there whole or not at all; raises NoSpace on a full disk."""
    with draft(drafts or target.parent) as stream:
        stream.write(data)
        finish(stream, target, mode=mode)


@contextlib.contextmanager
def draft(folder: Path) -> Iterator[Any]:
    """A file under a name of its own that is gone at the end, unless `finish` gave it its place; raises NoSpace."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".draft-", delete=False) as stream:
            try:
                yield stream
            finally:
                Path(stream.name).unlink(missing_ok=True)
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoSpace(
                "The disk is full; nothing was kept.", hint="Free some room and run the same command again."
            ) from problem
        raise


def finish(stream: Any, target: Path, *, mode: int = 0o644) -> None:
    """Give a draft its place, when all of it has reached the disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    stream.flush()
    os.fsync(stream.fileno())
    os.fchmod(stream.fileno(), mode)
    os.replace(stream.name, target)
