"""What a backup is: a zip with tables as JSON lines, files by their names, and a manifest that is written last."""

import contextlib
import hashlib
import json
import re
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from sfumato.errors import Damaged, InvalidInput, Unsupported

FORMAT = 1
MANIFEST = "manifest.json"
STORED = re.compile(r"store/([0-9a-f]{2})/([0-9a-f]{64})")
LONGEST = 400  # characters of a name within
BLOCK = 1 << 20


class Member(BaseModel):
    """A file within a backup."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What a backup says of itself."""

    kind: str = "sfumato backup"
    format: int = FORMAT
    sfumato: str = ""
    made_at: str = ""
    workspace_format: str = ""
    revision: str = ""
    with_keys: bool = False
    tables: dict[str, int] = Field(default_factory=dict)
    files: dict[str, Member] = Field(default_factory=dict, description="all but the store's, which are named by hash")
    stored: int = 0
    stored_bytes: int = 0
    stored_names: str = Field("", description="the SHA-256 of the sorted names of the store's files")
    missing: list[str] = Field(default_factory=list, description="files that rows named and that were not there")


class Writer:
    """Adds members to a zip as they are read, hashing on the way."""

    def __init__(self, bundle: zipfile.ZipFile) -> None:
        self.bundle = bundle
        self.files: dict[str, Member] = {}
        self.written = 0

    def add(self, name: str, blocks: Iterator[bytes], *, squeeze: bool = False, listed: bool = True) -> Member:
        """Add one member from blocks of bytes; `squeeze` deflates what is text."""
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED if squeeze else zipfile.ZIP_STORED
        entry.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self.bundle.open(entry, "w", force_zip64=True) as out:
            for block in blocks:
                digest.update(block)
                out.write(block)
                size += len(block)
        member = Member(bytes=size, sha256=digest.hexdigest())
        self.written += size
        if listed:
            self.files[name] = member
        return member


def blocks_of(path: Path, most: int | None = None) -> Iterator[bytes]:
    """The bytes of a file in blocks, at most so many: what is appended to it meanwhile is left."""
    left = path.stat().st_size if most is None else most
    with path.open("rb") as stream:
        while left > 0 and (block := stream.read(min(BLOCK, left))):
            left -= len(block)
            yield block


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open a backup; raises InvalidInput for what is none, Damaged for what is cut, Unsupported for a newer one."""
    if not path.is_file():
        raise InvalidInput(f"{path} is not a backup.", hint="Name a file that `sfumato backup` wrote.")
    try:
        with zipfile.ZipFile(path) as bundle:
            check_names(bundle)
            yield bundle, _manifest(bundle, path)
    except (zipfile.BadZipFile, EOFError) as problem:
        raise Damaged(
            f"{path.name} is not a whole backup: {problem}.", hint="It was cut short or changed. Take another."
        ) from problem


def _manifest(bundle: zipfile.ZipFile, path: Path) -> Manifest:
    if MANIFEST not in bundle.namelist():
        raise InvalidInput(f"{path.name} is not a backup of Sfumato.", hint="Name a file that `sfumato backup` wrote.")
    try:
        told = json.loads(bundle.read(MANIFEST))
        if not isinstance(told, dict) or told.get("kind") != "sfumato backup":
            raise InvalidInput(f"{path.name} is not a backup of Sfumato.")
        if int(told.get("format", 0)) > FORMAT:  # before anything else: what a newer one holds is not known here
            raise Unsupported(
                f"{path.name} has the format {told['format']}; this Sfumato reads up to {FORMAT}.",
                hint="Install the newer Sfumato that made it.",
            )
        return Manifest.model_validate(told)
    except (ValueError, TypeError, RecursionError) as problem:
        raise Damaged(f"The manifest of {path.name} cannot be read.") from problem


def check_names(bundle: zipfile.ZipFile) -> None:
    """Raise InvalidInput where a name would lead out of the folder, is a link, or is there twice."""
    seen: set[str] = set()
    for entry in bundle.infolist():
        name = entry.filename
        parts = PurePosixPath(name).parts
        wrong = (
            not parts or name.startswith("/") or "\\" in name or "\0" in name or ".." in parts or ":" in parts[0]
            or len(name) > LONGEST or str(PurePosixPath(name)) != name or entry.is_dir()
            or (entry.external_attr >> 16) & 0o170000 not in (0, 0o100000) or name in seen
        )  # fmt: skip
        if wrong:
            raise InvalidInput(f"The backup holds a name that may not be: {name[:80]!r}.", hint="Nothing was restored.")
        seen.add(name)


def unpack(bundle: zipfile.ZipFile, manifest: Manifest, folder: Path) -> Generator[int, None, None]:
    """Write all files of a backup into a folder and check every hash, yielding bytes; raises Damaged."""
    names = {entry.filename for entry in bundle.infolist()} - {MANIFEST}
    stored = sorted(name for name in names if STORED.fullmatch(name))
    said = hashlib.sha256("\n".join(stored).encode()).hexdigest()
    if names - set(stored) != set(manifest.files) or len(stored) != manifest.stored or said != manifest.stored_names:
        raise Damaged("The backup does not hold what its manifest says.", hint="Take another backup.")
    for name in (*manifest.files, *stored):
        if name.startswith("tables/"):
            continue
        found = STORED.fullmatch(name)
        wanted = found.group(2) if found else manifest.files[name].sha256
        if found and found.group(1) != wanted[:2]:
            raise Damaged(f"The backup's file {name} lies in the wrong place.")
        yield from _unpack_one(bundle, name, folder / name, wanted)


def _unpack_one(bundle: zipfile.ZipFile, name: str, target: Path, wanted: str) -> Generator[int, None, None]:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with bundle.open(name) as source, target.open("xb") as out:
        while block := source.read(BLOCK):
            digest.update(block)
            out.write(block)
            yield len(block)
    if digest.hexdigest() != wanted:
        raise Damaged(f"The backup's file {name} was changed.", hint="Nothing was restored. Take another backup.")
    target.chmod(0o600 if name.startswith("keys/") else 0o644)


def table_lines(bundle: zipfile.ZipFile, manifest: Manifest, table: str) -> Iterator[bytes]:
    """The rows of a table; raises Damaged at the end if they are not what the manifest says."""
    name = f"tables/{table}.jsonl"
    if name not in manifest.files:
        raise Damaged(f"The backup lacks its table {table}.")
    digest = hashlib.sha256()
    with bundle.open(name) as stream:
        for line in stream:
            digest.update(line)
            yield line
    if digest.hexdigest() != manifest.files[name].sha256:
        raise Damaged(f"The backup's table {table} was changed.", hint="Nothing was restored. Take another backup.")
