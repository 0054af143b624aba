"""A content-addressed folder. A write is complete or absent, also after kill -9 or on a full disk."""

import contextlib
import ctypes
import errno
import functools
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sfumato.errors import Damaged, Gone, NoSpace, NotFound


@dataclass(frozen=True)
class Erasure:
    """What stays of bytes that had to go: their hash, why, who decided it (as an id), and the day."""

    sha256: str
    reason: str
    by: str
    day: str

    def __str__(self) -> str:
        return f"erased on {self.day} because {self.reason.strip().rstrip('.')}"


@dataclass(frozen=True)
class Staged:
    """Bytes that were written under the name of a draft, and their SHA-256."""

    sha256: str
    draft: str

    def discard(self) -> None:
        """Remove the draft, if it was not settled."""
        Path(self.draft).unlink(missing_ok=True)


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
        """Keep `data` and return its SHA-256 in hex; keeping the same again changes nothing. Raises Gone if erased."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.has(sha256):
            self._refuse_erased(sha256)
            write_whole(self.path(sha256), data, self.root / "incoming")
        return sha256

    def put_file(self, source: Path) -> str:
        """Keep a copy of the file `source` and return its SHA-256 in hex. Raises Gone if it was erased."""
        digest = hashlib.sha256()
        with source.open("rb") as stream, draft(self.root / "incoming") as copy:
            while block := stream.read(1 << 20):
                digest.update(block)
                copy.write(block)
            target = self.path(digest.hexdigest())
            if not target.exists():
                self._refuse_erased(digest.hexdigest())
                finish(copy, target)
        return digest.hexdigest()

    def stage(self, data: bytes, sha256: str) -> "Staged | None":
        """Write what `settle` will keep; None where bytes of this SHA-256 are kept already. Raises Gone, NoSpace.

        Nobody sees it before it is settled, and it is lost if the process is killed until then.
        """
        if self.has(sha256):
            return None
        self._refuse_erased(sha256)
        name = f"{self.root}/incoming/.draft-{os.urandom(12).hex()}"
        with in_words():
            try:
                with open(name, "xb", buffering=0) as stream:
                    os.fchmod(stream.fileno(), 0o644)
                    left = memoryview(data)
                    while left:
                        left = left[stream.write(left) :]
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        return Staged(sha256, name)

    def settle(self, staged: Sequence["Staged"]) -> None:
        """Keep what was staged, when all of it has reached the disk. Raises NoSpace, and then keeps none of it."""
        if not staged:
            return
        with in_words():
            reach_disk(self.root, [one.draft for one in staged])
            for folder in {one.sha256[:2] for one in staged}:
                (self.root / folder).mkdir(exist_ok=True)
            for one in staged:
                os.replace(one.draft, f"{self.root}/{one.sha256[:2]}/{one.sha256}")

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
        """Return the bytes; raises NotFound, Gone, and with `check` Damaged if they no longer match their name."""
        try:
            with self.path(sha256).open("rb", buffering=0) as stream:
                data = stream.read()
        except FileNotFoundError as missing:
            self._refuse_erased(sha256)
            raise NotFound(f"The file {sha256[:12]} is not in the store.") from missing
        if check and hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged(f"The file {sha256[:12]} in the store was changed.", hint="Restore it from a backup.")
        return data

    def erase(self, erasure: Erasure) -> int:
        """Remove bytes for good and remember why, so that they are refused from now on; returns how many were freed."""
        write_whole(self.note(erasure.sha256), json.dumps(asdict(erasure)).encode(), self.root / "incoming")
        return self.remove(erasure.sha256)

    def remove(self, sha256: str) -> int:
        """Remove bytes that nothing needs any more; returns how many were freed."""
        path = self.path(sha256)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def erased(self, sha256: str) -> Erasure | None:
        """Why the bytes with this hash were erased; None if they were not."""
        try:
            return Erasure(**json.loads(self.note(sha256).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def all_erased(self) -> set[str]:
        """The hashes of all that was erased."""
        folder = self.root / "erased"
        return {path.stem for path in folder.glob("*.json")} if folder.is_dir() else set()

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Every file that lies here with its size and times, by hash; what has no such name is passed over."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
                for entry in found:
                    if len(entry.name) == 64:
                        with contextlib.suppress(FileNotFoundError):
                            yield entry.name, entry.stat()

    def note(self, sha256: str) -> Path:
        """Where it is written why the bytes with this hash were erased."""
        return self.root / "erased" / f"{sha256}.json"

    def _refuse_erased(self, sha256: str) -> None:
        erasure = self.erased(sha256) if self.note(sha256).exists() else None
        if erasure is not None:
            raise Gone(f"The file {sha256[:12]} was {erasure}.", hint="It cannot be had again from this workspace.")


def write_whole(target: Path, data: bytes, drafts: Path | None = None, *, mode: int = 0o644) -> None:
    """Write `data` to `target` so that it is there whole or not at all; raises NoSpace on a full disk."""
    with draft(drafts or target.parent) as stream:
        stream.write(data)
        finish(stream, target, mode=mode)


@contextlib.contextmanager
def draft(folder: Path) -> Iterator[Any]:
    """A file under a name of its own that is gone at the end, unless `finish` gave it its place; raises NoSpace."""
    with in_words():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".draft-", delete=False) as stream:
            try:
                yield stream
            finally:
                Path(stream.name).unlink(missing_ok=True)


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Raise NoSpace where the disk is full."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoSpace(
                "The disk is full; nothing was kept.", hint="Free some room, then do the same again."
            ) from problem
        raise


def finish(stream: Any, target: Path, *, mode: int = 0o644) -> None:
    """Give a draft its place, when all of it has reached the disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    stream.flush()
    os.fsync(stream.fileno())
    os.fchmod(stream.fileno(), mode)
    os.replace(stream.name, target)


def reach_disk(folder: Path, files: Sequence[str]) -> None:
    """Return when files below the folder have reached the disk: all at once where the system can, else one by one."""
    sync = _syncfs()
    for name in [folder] if sync else files:
        handle = os.open(name, os.O_RDONLY)
        try:
            if sync is None:
                os.fsync(handle)
            elif sync(handle) != 0:
                problem = ctypes.get_errno()
                raise OSError(problem, os.strerror(problem))
        finally:
            os.close(handle)


@functools.cache
def _syncfs() -> Callable[[int], int] | None:
    """Linux's call that writes a whole file system out; None elsewhere."""
    try:
        found: Callable[[int], int] = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):
        return None
    return found
