"""The disk below a workspace: how much room is left, and whether it is a share of another machine."""

import os
from pathlib import Path

from sfumato.errors import NoSpace

MOUNTS = Path("/proc/mounts")
SHARES = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "afs", "ceph", "glusterfs",
          "fuse.glusterfs", "davfs", "fuse.davfs2", "ncpfs"}  # fmt: skip


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    folder = folder.expanduser().absolute()
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def free_bytes(folder: Path) -> int:
    """How many bytes may still be written where the folder lies, or would lie."""
    found = os.statvfs(nearest(folder))
    return found.f_bavail * found.f_frsize


def require_room(folder: Path, megabytes: int, *, wanted: int = 0, what: str = "It") -> None:
    """Raise NoSpace, before anything is begun, unless so much stays free beside the bytes that are wanted."""
    free = free_bytes(folder)
    if free - wanted < megabytes * 1_000_000:
        needs = f"{what} needs {in_words(wanted)}, and " if wanted else ""
        raise NoSpace(
            f"There is too little room: {in_words(free)} are free. {needs}{in_words(megabytes * 1_000_000)} are to "
            "stay free, so nothing was begun.",
            hint="`sfumato storage` shows what takes the room. SFUMATO_FREE_MB sets how much has to stay free.",
        )


def in_words(count: int) -> str:
    """Bytes as people say them: "12.3 MB"."""
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:,.1f} {unit}"


def share_of(folder: Path, mounts: Path | None = None) -> str:
    """The kind of network share that a folder lies on ("nfs4"), "" where it lies on a disk of this machine."""
    try:
        lines = (mounts or MOUNTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""  # a system without such a list
    place = nearest(folder).resolve()
    best, kind = "", ""
    for line in lines:
        words = line.split()
        if len(words) < 3:
            continue
        point = words[1].encode().decode("unicode_escape")
        if len(point) >= len(best) and place.is_relative_to(point):
            best, kind = point, words[2]
    return kind if kind in SHARES else ""
