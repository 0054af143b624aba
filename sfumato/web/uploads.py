"""Pictures and ZIPs that come over the network: taken as a stream into a folder of ours, looked at, then collected."""

import hashlib
import json
import shutil
import struct
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any

from PIL import Image
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from sfumato.actions import Workspace
from sfumato.actions.registry import require
from sfumato.data.collect import NAME, collect
from sfumato.data.pictures import SUFFIXES, kind_of
from sfumato.db import new_id
from sfumato.db.engine import in_words
from sfumato.errors import InvalidInput
from sfumato.jobs import JobView
from sfumato.jobs.records import Job
from sfumato.web.visits import Visit, check_token

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILES = 5_000
FILE_BYTES = 200_000_000
FIELD_BYTES = 10_000
CAPTION_BYTES = 20_000
ZIP_LIST_BYTES = 20_000_000  # of a ZIP's list of files
ZIP_MEGABYTES = 5_000  # that a ZIP may unpack to
HEAD = 20_000  # bytes by which a file's kind is told
KEPT = 86_400.0  # seconds that a folder stays after its job has ended
NAME_BYTES = 120  # of a file's own name that are kept
UNSAFE = '/\\:*?"<>|'
FIELDS = ("csrf", "licence", "author", "label", "part")
FORM: dict[str, Any] = {
    "x-permission": "dataset.write",
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": {"type": "object", "properties": {
            "licence": {"type": "string", "description": "SPDX name of the licence of all files"},
            "author": {"type": "string", "description": "who made them"},
            "label": {"type": "string", "description": "what to call where they come from"},
            "files": {"type": "array", "items": {"type": "string", "format": "binary"},
                      "description": "pictures, captions in .txt files of the same name, and ZIPs of both"},
        }, "required": ["files"]}}},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """A file that was not taken, by the name that its sender gave it."""

    name: str
    reason: str


@dataclass(frozen=True)
class Uploaded:
    """What came of an upload: the job that collects what was taken, and those of ZIPs, which have each their own."""

    job: JobView
    taken: int
    refused: list[Refused]
    more_jobs: list[JobView] = field(default_factory=list)


@dataclass
class Part:
    """The part of the form that is being read."""

    header: bytes = b""
    value: bytes = b""
    headers: dict[str, bytes] = field(default_factory=dict)
    field: str = ""
    name: str = ""
    stream: IO[bytes] | None = None
    path: Path = Path()
    size: int = 0
    digest: Any = None
    head: bytes = b""


class Taking:
    """Reads a form part by part; files get names of ours, and never a place outside of the folder."""

    def __init__(self, folder: Path, visit: Visit, max_pixels: int) -> None:
        self.folder, self.visit, self.max_pixels = folder, visit, max_pixels
        self.fields: dict[str, str] = {}
        self.captions: dict[str, str] = {}
        self.pictures: dict[str, str] = {}
        self.zips: list[str] = []
        self.refused: list[Refused] = []
        self.files = 0
        self.part = Part()
        self.trusted = bool(visit.bearer) or not visit.secret
        if visit.header("x-csrf-token"):
            check_token(visit, visit.header("x-csrf-token"))
            self.trusted = True

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser calls."""
        return {
            "on_part_begin": self._begin, "on_part_data": self._data, "on_part_end": self._end,
            "on_header_field": self._header_field, "on_header_value": self._header_value,
            "on_header_end": self._header_end, "on_headers_finished": self._headers_finished,
        }  # fmt: skip

    def _begin(self) -> None:
        self.part = Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self.part.header += data[start:end]  # it may come in pieces

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self.part.value += data[start:end]
        if len(self.part.value) > FIELD_BYTES:
            raise InvalidInput("A header of the form is too long.")

    def _header_end(self) -> None:
        self.part.headers[self.part.header.decode("latin-1").lower()] = self.part.value
        self.part.header = self.part.value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self.part.headers.get("content-disposition", b""))
        self.part.field = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            return
        if not self.trusted:
            check_token(self.visit, self.fields.get("csrf", ""))  # a form has it before its files
            self.trusted = True
        self.files += 1
        if self.files > FILES:
            raise InvalidInput(f"At most {FILES:,} files are taken at once.", hint="Send the rest in another upload.")
        said = options[b"filename"].decode("utf-8", "replace").replace("\\", "/")
        self.part.name = PurePath(said).name[:200]
        self.part.path = self.folder / f"{self.files}.part"
        self.part.stream = self.part.path.open("wb")
        self.part.digest = hashlib.sha256()

    def _data(self, data: bytes, start: int, end: int) -> None:
        part, piece = self.part, data[start:end]
        part.size += len(piece)
        if part.stream is None:
            if part.size > FIELD_BYTES:
                raise InvalidInput(f"The field '{part.field}' is too long.")
            part.head += piece
            return
        part.head += piece[: max(0, HEAD - len(part.head))]
        if part.size <= FILE_BYTES:
            part.digest.update(piece)
            part.stream.write(piece)

    def _end(self) -> None:
        part = self.part
        if part.stream is None:
            if part.field in FIELDS:
                self.fields[part.field] = part.head.decode("utf-8", "replace")
            return
        part.stream.close()
        part.stream = None
        stem, suffix = PurePath(part.name).stem, PurePath(part.name).suffix.lower()
        if suffix == ".txt" and part.size <= CAPTION_BYTES:
            self.captions[stem] = part.head.decode("utf-8", "replace")
        elif part.name:
            zipped = suffix == ".zip" and zipfile.is_zipfile(part.path)
            reason = look_at_zip(part) if zipped else self._look(part)
            if reason:
                self.refused.append(Refused(part.name, reason))
            else:
                name = place_for(part.digest.hexdigest(), part.name, "zip" if zipped else kind_of(part.head))
                (self.folder / name).parent.mkdir(exist_ok=True)
                part.path.replace(self.folder / name)
                if zipped:
                    self.zips.append(name)
                else:
                    self.pictures[name] = stem
        part.path.unlink(missing_ok=True)

    def _look(self, part: Part) -> str:
        """Why a file is not taken, "" if it is: told from its first bytes, and from its size before it is decoded."""
        kind = kind_of(part.head)
        if part.size > FILE_BYTES:
            return f"it is larger than {FILE_BYTES:,} bytes"
        if not kind:
            return "it holds no picture of a kind that is known"
        if kind == "svg":
            return ""  # drawn by collecting, in a process apart
        try:
            with Image.open(part.path, formats=[kind.upper()]) as found:
                width, height = found.size
        except Image.DecompressionBombError:
            return f"it has more pixels than the {self.max_pixels:,} allowed"
        except Exception:  # whatever a decoder stumbles over, it is the file's fault
            return "it cannot be decoded"
        if width * height > self.max_pixels:
            return f"it has {width} × {height} pixels, more than the {self.max_pixels:,} allowed"
        return ""


def place_for(digest: str, said: str, kind: str) -> str:
    """Where a file lies in the folder of its upload: by its bytes first, then by its own name, as far as that is safe.

    So two files of one name, or of the same bytes, are two pictures, and the same file sent again is the same one.
    """
    stem, suffix = PurePath(said).stem, PurePath(said).suffix.lower()
    safe = "".join(letter if letter.isprintable() and letter not in UNSAFE else "_" for letter in stem).strip(" .")
    short = safe.encode()[:NAME_BYTES].decode(errors="ignore") or "picture"
    return f"{digest[:12]}/{short}{suffix if SUFFIXES.get(suffix) == kind else f'.{kind}'}"


def look_at_zip(part: Part) -> str:
    """Why a ZIP is not taken, "" if it is: told from its size and that of its list; its job looks at the rest."""
    if part.size > FILE_BYTES:
        return f"it is larger than {FILE_BYTES:,} bytes"
    with part.path.open("rb") as stream:
        stream.seek(-min(part.size, 66_000), 2)
        end = stream.read().rpartition(b"PK\5\6")[2]
    if len(end) < 18 or struct.unpack("<I", end[8:12])[0] > ZIP_LIST_BYTES:
        return "it lists more files than are taken at once"
    return ""


async def take_in(visit: Visit, name: str, request: Request) -> Uploaded:
    """Take a form's files and ask for them to be collected; what breaks off leaves nothing behind."""
    workspace = visit.workspace
    require(workspace, "dataset.write")
    if not NAME.fullmatch(name):
        raise InvalidInput(f"'{name}' cannot be a dataset's name.", hint="Use letters, digits, dots and dashes.")
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise InvalidInput("Files are taken as a form.", hint="Send them as multipart/form-data.")
    folder = uploads(workspace) / f"{new_id()}.part"
    try:
        await run_in_threadpool(_make_room, workspace, folder)
        taking = Taking(folder, visit, workspace.settings.max_pixels)
        parser = MultipartParser(options[b"boundary"], taking.callbacks())
        async for piece in request.stream():
            await run_in_threadpool(_write, parser, piece)
        with suppress(MultipartParseError):
            parser.finalize()
        return await run_in_threadpool(_finish, workspace, name, folder, taking)
    except MultipartParseError as problem:
        raise InvalidInput("The form cannot be read.", hint="Send it as multipart/form-data.") from problem
    finally:
        await run_in_threadpool(shutil.rmtree, folder, True)


def uploads(workspace: Workspace) -> Path:
    """Where uploads lie until they are collected."""
    return workspace.path / "tmp" / "uploads"


def _write(parser: MultipartParser, piece: bytes) -> None:
    with in_words():
        parser.write(piece)


def _make_room(workspace: Workspace, folder: Path) -> None:
    sweep(workspace)
    with in_words():
        folder.mkdir(parents=True)


def _finish(workspace: Workspace, name: str, folder: Path, taking: Taking) -> Uploaded:
    """Write down captions, give the folder its lasting name, and ask for the job."""
    if not taking.pictures and not taking.zips:
        why = "; ".join(f"{one.name}: {one.reason}" for one in taking.refused[:3]) or "there were no files"
        raise InvalidInput(f"Nothing was taken: {why}.", hint="PNG, JPEG, WebP, GIF, BMP, SVG and ZIP are taken.")
    lines = [
        json.dumps({"file_name": one, "text": taking.captions.get(stem, "")}) for one, stem in taking.pictures.items()
    ]
    with in_words():
        (folder / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
        kept = folder.with_suffix("")
        folder.rename(kept)
    said = {key: taking.fields[key].strip() for key in ("licence", "author") if taking.fields.get(key, "").strip()}
    label = taking.fields.get("label", "").strip() or "upload"
    part = taking.fields.get("part", "").strip()[:20]
    wanted: list[tuple[str, dict[str, Any]]] = []
    if taking.pictures:
        wanted.append(("folder", {"path": str(kept), "label": label}))
    for one in dict.fromkeys(taking.zips):  # two ZIPs may hold files of one name: each is a source of its own
        called = f"{label} {one[:8]}"
        wanted.append(("zip", {"path": str(kept / one), "label": called, "most_mb": ZIP_MEGABYTES}))
    try:
        jobs = [
            collect(workspace, source=source, into=name, options=where | said, part=part) for source, where in wanted
        ]
    except BaseException:
        shutil.rmtree(kept, ignore_errors=True)
        raise
    return Uploaded(jobs[0], len(taking.pictures) + len(taking.zips), taking.refused, jobs[1:])


def sweep(workspace: Workspace) -> int:
    """Remove the folders of uploads that broke off or were collected a day ago; returns how many."""
    there = [path for path in uploads(workspace).glob("*") if time.time() - path.stat().st_mtime > KEPT]
    if not there:
        return 0
    with workspace.db.read() as session:
        waiting = select(Job.spec).where(Job.kind == "data.collect", Job.status.in_(("waiting", "running")))
        paths = [Path(spec["options"].get("path", "")) for spec in session.scalars(waiting)]
    needed = {*paths, *(above for path in paths for above in path.parents)}
    gone = [path for path in there if path not in needed]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return len(gone)
