"""Where a picture of a dataset went: the frozen versions that hold it, and the models that learnt from those."""

import mmap
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from sfumato.actions import Act, Workspace, query
from sfumato.checkpoints.models import views
from sfumato.checkpoints.records import Checkpoint, Model
from sfumato.data.freeze import ItemLine
from sfumato.data.items import contents_of, find_item
from sfumato.data.records import DatasetVersion
from sfumato.errors import NotFound
from sfumato.training.records import Run

MOST = 200  # versions that are looked through, the newest first


@dataclass(frozen=True)
class Use:
    """A frozen version that holds a picture, whether to learn from or held out, and the models made from it."""

    version: str
    version_id: str
    split: str
    models: list[str]
    as_now: bool = True  # not as it was before it was cropped or turned


@dataclass(frozen=True)
class Frozen:
    """A version whose list is to be looked through."""

    id: str
    name: str
    content_hash: str


@query("item.frozen", doors=())
def _frozen(act: Act, *, id: str) -> tuple[list[str], str, str, list[Frozen]]:
    item, dataset = find_item(act.session, id)
    rows = act.session.execute(
        select(DatasetVersion.id, DatasetVersion.name, DatasetVersion.content_hash)
        .where(DatasetVersion.dataset_id == item.dataset_id)
        .order_by(DatasetVersion.id.desc())
        .limit(MOST)
    )
    return contents_of(act.session, item), item.source, dataset, [Frozen(*row) for row in rows]


@query("item.models", doors=())
def _models(act: Act, *, versions: dict[str, str]) -> dict[str, list[str]]:
    """Models by the content hash of the version that they learnt from, given version ids by hash."""
    rows = act.session.execute(
        select(Run.version_id, Model.name)
        .join(Checkpoint, Checkpoint.run_id == Run.id)
        .join(Model, Model.checkpoint_id == Checkpoint.id)
        .where(Run.version_id.in_(set(versions.values())))
        .order_by(Model.name)
    ).all()
    found = {sha256: [name for version, name in rows if version == id] for sha256, id in versions.items()}
    for view in views(act):
        if view.embedded and (learnt := str(view.header.data.get("content_hash", ""))) in found:
            found[learnt].insert(0, view.name)
    return found


def uses_of(workspace: Workspace, *, id: str) -> list[Use]:
    """The versions that hold a picture, newest first, and the models that learnt from each; raises NotFound."""
    contents, source, dataset, frozen = _frozen(workspace, id=id)
    found: dict[str, tuple[str, bool]] = {}
    for one in frozen:
        path = workspace.store.path(one.content_hash)
        splits = ((_split(path, sha256, source), sha256 == contents[0]) for sha256 in contents)
        if held := next((split for split in splits if split[0]), None):
            found[one.id] = held
    holding = [one for one in frozen if one.id in found]
    models = _models(workspace, versions={one.content_hash: one.id for one in holding})
    return [
        Use(f"{dataset}@{one.name}", one.id, found[one.id][0], models[one.content_hash], found[one.id][1])
        for one in holding
    ]


def _split(path: Path, sha256: str, source: str) -> str:
    """Where a version's list puts a picture, "" where it does not hold it: looked for in the bytes, none is parsed."""
    try:
        stream = path.open("rb")
    except FileNotFoundError as missing:
        raise NotFound(f"The list of a version ({path.name[:12]}) is not in the store.") from missing
    with stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as held:
        place = held.find(sha256.encode())
        while place >= 0:
            start, end = held.rfind(b"\n", 0, place) + 1, held.find(b"\n", place)
            line = ItemLine.model_validate_json(held[start : end if end >= 0 else len(held)])
            if line.sha256 == sha256 and line.source == source:
                return line.split
            place = held.find(sha256.encode(), place + 64)
    return ""
