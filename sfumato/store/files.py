"""A content-addressed folder. A write is complete or absent, also after kill -9 or on a full disk."""

import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

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
        with source.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        if not self.has(sha256):
            target = self.path(sha256)
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = self.root / "incoming" / f"{sha256}.{os.getpid()}"
            try:
                shutil.copyfile(source, draft)
                os.replace(draft, target)
            except OSError as problem:
                draft.unlink(missing_ok=True)
                raise _in_words(problem) from problem
        return sha256

    def get(self, sha256: str, *, check: bool = False) -> bytes:
        """Return the bytes; raises NotFound, and with `check` Damaged if they no longer match their name."""
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError as missing:
            raise NotFound(f"The file {sha256[:12]} is not in the store.") from missing
        if check and hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged(f"The file {sha256[:12]} in the store was changed.", hint="Restore it from a backup.")
        return data


def write_whole(target: Path, data: bytes, drafts: Path | None = None, mode: int = 0o644) -> None:
    """Write `data` to `target` so that it is there whole or not at all; raises NoSpace on a full disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=drafts or target.parent, prefix=".draft-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, mode)
        os.replace(name, target)
    except OSError as problem:
        if name:
            Path(name).unlink(missing_ok=True)
        raise _in_words(problem) from problem


def _in_words(problem: OSError) -> Exception:
    if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoSpace("The disk is full; nothing was kept.", hint="Free some room and run the same command again.")
    return problem
