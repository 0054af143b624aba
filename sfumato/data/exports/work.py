"""Writing an export: part by part into a draft beside its place, which it takes when all of it is there."""

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sfumato.actions import Workspace
from sfumato.data.exports.asking import draft_of, leftovers
from sfumato.data.exports.credits import credit_lines
from sfumato.data.exports.documents import write_documents
from sfumato.data.exports.outgoing import Line, Shard, lines_of, samples_of, share_out
from sfumato.data.narrowing import Where
from sfumato.data.versions import FrozenVersion, open_version_by_id
from sfumato.db.engine import in_words
from sfumato.errors import Conflict, InvalidInput
from sfumato.jobs import JobContext, LeaseLost, Progress, job
from sfumato.store.disk import require_room
from sfumato.store.files import write_whole

PLAN, PARTS, TOLD = ".plan.jsonl", ".parts", "export.json"
EVERY = 20  # pictures between two steps of progress


@dataclass
class Draft:
    """An export that is being written: its folder, its form, and the parts that it has."""

    workspace: Workspace
    version: FrozenVersion
    folder: Path
    form: ModuleType
    shards: list[Shard]
    left: Counter[str]

    @property
    def name(self) -> str:
        """How files of the export are named."""
        return f"{self.version.view.dataset}-{self.version.view.name}"

    def write(self, number: int) -> Iterator[int]:
        """Write one part from its first picture on, whatever an earlier attempt left of it."""
        shard = self.shards[number]
        self.form.forget(self.folder, self.name, shard)
        left: Counter[str] = Counter()
        listed: list[int] = []
        samples = _noted(samples_of(self.workspace, shard.lines, left), listed)
        for count, _ in enumerate(self.form.write(self.folder, self.name, shard, samples), 1):
            if count % EVERY == 0:
                yield count
        note = {"places": listed, "left": dict(left)}
        write_whole(self.folder / PARTS / f"{number:06d}.json", json.dumps(note).encode())

    def note(self, number: int) -> dict[str, Any]:
        """Which pictures a part that is done has, and how many it left out."""
        found: dict[str, Any] = json.loads((self.folder / PARTS / f"{number:06d}.json").read_text(encoding="utf-8"))
        return found

    def stale(self) -> list[int]:
        """Parts with pictures that were erased after they had been written."""
        erased = self.workspace.store.all_erased()
        found = []
        for number, shard in enumerate(self.shards):
            hashes = {line.place: line.sha256 for line in shard.lines}
            if any(hashes[place] in erased for place in self.note(number)["places"]):
                found.append(number)
        return found

    def sent(self) -> list[Line]:
        """The lines of what the export really has."""
        found = []
        for number, shard in enumerate(self.shards):
            places = set(self.note(number)["places"])
            found += [line for line in shard.lines if line.place in places]
        return found


def _noted(samples: Iterator[Any], listed: list[int]) -> Iterator[Any]:
    for sample in samples:
        listed.append(sample.facts["place"])
        yield sample


@job("data.export", needs="dataset.write")
def export(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Write parts that are not written yet, then the documents; a killed export goes on after its last whole part."""
    try:
        return (yield from _write(ctx, spec))
    except LeaseLost:
        raise  # the draft is another attempt's
    except (Exception, GeneratorExit) as problem:
        if isinstance(problem, Exception) or (ctx.is_ours() and ctx.cancelled()):
            shutil.rmtree(draft_of(Path(spec["target"]), ctx.job_id), ignore_errors=True)
        raise


def _write(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    target, folder = Path(spec["target"]), draft_of(Path(spec["target"]), ctx.job_id)
    there = finished(target, ctx.job_id)
    with ctx.workspace.read() as session:
        left_behind = leftovers(session)
    for path in left_behind:
        remove(path)
    if there is not None:
        remove(folder)  # what a kill left of it after it had taken its place
        return there
    yield Progress(0, 0, "pictures", "reading the version")
    with in_words():
        draft = _begin(ctx, spec, folder)
        total = sum(len(shard.lines) for shard in draft.shards)
        reached = (ctx.position or {}).get("parts", 0)
        done = sum(len(shard.lines) for shard in draft.shards[:reached])
        for number in range(reached, len(draft.shards)):
            for count in draft.write(number):
                yield Progress(done + count, total, "pictures", f"writing {draft.shards[number].split}")
            done += len(draft.shards[number].lines)
            with ctx.write() as session:
                ctx.save(session, {"parts": number + 1})
            yield Progress(done, total, "pictures", f"writing {draft.shards[number].split}")
        for number in draft.stale():
            yield from (Progress(total, total, "pictures", "taking out what was erased") for _ in draft.write(number))
        yield Progress(total, total, "pictures", "writing the documents")
        told = _close(draft, spec, ctx.job_id)
        ctx.check()
        give_place(folder, target)
    return told


def remove(path: Path) -> None:
    """Take away what was half-written, a folder or a file."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def finished(target: Path, job_id: str) -> dict[str, Any] | None:
    """What an export said that was finished by this very job, before its worker could write that down."""
    try:
        if target.is_file():
            with zipfile.ZipFile(target) as packed:
                told = json.loads(packed.read(TOLD))
        else:
            told = json.loads((target / TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    return told if told.get("job") == job_id else None


def _begin(ctx: JobContext, spec: dict[str, Any], folder: Path) -> Draft:
    """The draft as an earlier attempt left it, or a new one with its plan."""
    version = open_version_by_id(ctx.workspace, spec["version_id"])
    form = importlib.import_module(f"sfumato.data.exports.{spec['form']}")
    plan = folder / PLAN
    if ctx.position is None or not plan.exists():
        shutil.rmtree(folder, ignore_errors=True)
        ctx.position = None
        lines, left = lines_of(version, Where.model_validate(spec["where"]))
        if not lines:
            raise InvalidInput(f"Nothing of {version.label} is left to export.", hint="Widen the slice.")
        store = ctx.workspace.store
        shards = share_out(store.path, lines, pictures=form.PICTURES)
        size = sum(store.path(line.sha256).stat().st_size for line in lines if store.has(line.sha256))
        require_room(folder, ctx.workspace.settings.free_mb, wanted=size, what="The export")
        folder.mkdir(parents=True)
        written = [json.dumps(dict(left)), *(shard.model_dump_json() for shard in shards)]
        write_whole(plan, "\n".join(written).encode())
    left_line, *shard_lines = plan.read_text(encoding="utf-8").split("\n")
    shards = [Shard.model_validate_json(line) for line in shard_lines]
    return Draft(ctx.workspace, version, folder, form, shards, Counter(json.loads(left_line)))


def _close(draft: Draft, spec: dict[str, Any], job_id: str) -> dict[str, Any]:
    """Write the lists and the documents, and take away what only the writing needed."""
    names = draft.form.close(draft.folder, draft.name, draft.shards)
    lines = draft.sent()
    left = draft.left.copy()
    for number in range(len(draft.shards)):
        left += Counter(draft.note(number)["left"])
    files = {name: sha256_of(draft.folder / name) for name in names}
    told = {
        "version": draft.version.label, "content_hash": draft.version.content_hash, "form": spec["form"],
        "n": len(lines), "splits": dict(Counter(line.split for line in lines)), "left_out": dict(left),
        "where": {key: said for key, said in spec["where"].items() if said not in (None, "", {})},
        "files": files, "job": job_id,
    }  # fmt: skip
    facts = [line.model_dump() for line in lines]
    (draft.folder / "LICENCES.txt").write_text(credit_lines(facts, draft.version.label), encoding="utf-8")
    write_documents(draft.workspace, draft.folder, draft.version, told)
    (draft.folder / TOLD).write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    shutil.rmtree(draft.folder / PARTS)
    (draft.folder / PLAN).unlink()
    return told


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read piece by piece."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def give_place(folder: Path, target: Path) -> None:
    """Move the draft to its place: a folder as it is, a .zip as one file. Raises Conflict where something is."""
    if target.suffix != ".zip":
        with contextlib.suppress(OSError):
            target.rmdir()  # an empty folder may be in the way
        if target.exists():
            raise Conflict(f"{target} is there by now; nothing was written over it.", hint="Name another folder.")
        folder.rename(target)
        return
    packed = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as out:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            out.write(path, f"{target.stem}/{path.relative_to(folder).as_posix()}" if path.name != TOLD else TOLD)
    os.replace(packed, target)
    shutil.rmtree(folder)
