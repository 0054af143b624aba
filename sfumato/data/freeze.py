"""Freezing: naming exactly what a dataset holds now, with some of it held out from training for ever."""

import hashlib
from collections import Counter, defaultdict
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from sfumato.actions import Act, Workspace, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.records import Dataset, DatasetVersion, Item
from sfumato.db import link, new_id
from sfumato.errors import InvalidInput

CONCEPTS_HELD_OUT = 0.05
PAIRS_HELD_OUT = 0.10
OTHER_STYLES = 3


class ItemLine(BaseModel):
    """One item as a frozen version lists it; no ids and no times, so that equal content hashes equal."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    name: str
    tags: list[str]
    style: str
    category: str
    concept: str
    licence: str
    author: str
    source: str
    source_version: str
    url: str
    flip_ok: bool
    weight: float
    split: str


class VersionView(BaseModel):
    """A frozen version in numbers."""

    id: str
    dataset: str
    name: str
    content_hash: str
    n: int
    summary: dict[str, Any]
    is_new: bool = False

    @property
    def label(self) -> str:
        """How commands name it: dataset@version."""
        return f"{self.dataset}@{self.name}"


def freeze(workspace: Workspace, *, name: str) -> VersionView:
    """Freeze a dataset so that runs can name it; freezing the same content again gives the same version."""
    lines = _lines(workspace, name=name)
    if not lines:
        raise InvalidInput(f"The dataset '{name}' is empty.", hint="Collect pictures into it first.")
    data = "\n".join(line.model_dump_json() for line in lines).encode()
    items_sha256 = workspace.store.put(data)
    summary = {
        "splits": dict(Counter(line.split for line in lines)),
        "styles": dict(Counter(line.style for line in lines)),
        "licences": dict(Counter(line.licence for line in lines)),
        "sources": [
            {"source": source, "version": version, "licence": licence, "author": author, "style": style, "n": count}
            for (source, version, licence, author, style), count in sorted(
                Counter(
                    (line.source, line.source_version, line.licence, line.author, line.style) for line in lines
                ).items()
            )
        ],
        "concepts": len({line.concept for line in lines}),
    }
    return _name_version(workspace, name=name, items_sha256=items_sha256, n=len(lines), summary=summary)


@query("data.lines", doors=())
def _lines(act: Act, *, name: str) -> list[ItemLine]:
    dataset = find_dataset(act.session, name)
    erased = act.store.all_erased()
    found = act.session.scalars(select(Item).where(Item.dataset_id == dataset.id))
    rows = [row for row in found if row.sha256 not in erased]
    styles: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        styles[row.concept or row.sha256].add(row.style)
    fields = [field for field in ItemLine.model_fields if field != "split"]
    lines = [
        ItemLine(
            **{field: getattr(row, field) for field in fields},
            split=split_of(row.concept or row.sha256, row.style, styles),
        )
        for row in rows
    ]
    return sorted(_whole(lines), key=lambda line: (line.concept, line.style, line.source, line.sha256))


def _whole(lines: list[ItemLine]) -> list[ItemLine]:
    """The same lines; what has the very bytes of something held out is held out as well, under whatever name."""
    held: dict[str, str] = {}
    for line in sorted(lines, key=lambda line: line.split):  # "heldout_concept" is stricter and comes first
        if line.split != "train":
            held.setdefault(line.sha256, line.split)
    return [line.model_copy(update={"split": held.get(line.sha256, "train")}) for line in lines]


def split_of(concept: str, style: str, styles: dict[str, set[str]]) -> str:
    """Where an item belongs, told from hashes alone: what is held out stays so, however the dataset grows."""
    if _share("concept", concept) < CONCEPTS_HELD_OUT:
        return "heldout_concept"
    others = styles[concept] - {style}
    if len(others) >= OTHER_STYLES and _share("pair", concept, style) < PAIRS_HELD_OUT:
        return "heldout_pair"
    return "train"


def _share(*words: str) -> float:
    return int.from_bytes(hashlib.sha256("\0".join(words).encode()).digest()[:8], "big") / 2**64


@action("data.freeze", needs="dataset.write")
def _name_version(act: Act, *, name: str, items_sha256: str, n: int, summary: dict[str, Any]) -> VersionView:
    """Freeze a dataset: name exactly what it holds now, for runs to learn from."""
    dataset = find_dataset(act.session, name)
    there = act.session.scalar(
        select(DatasetVersion).where(
            DatasetVersion.dataset_id == dataset.id, DatasetVersion.content_hash == items_sha256
        )
    )
    if there is not None:
        return view(there, name)
    row = DatasetVersion(
        id=new_id(), made_by=act.actor.id, dataset_id=dataset.id, name=items_sha256[:8], n=n,
        content_hash=items_sha256, items_sha256=items_sha256, summary=summary,
    )  # fmt: skip
    act.session.add(row)
    link(act.session, row.ref, dataset.ref, "frozen from")
    kept_out = n - summary["splits"].get("train", 0)
    act.says(f"froze {name} {row.name}: {n:,} pictures, {kept_out:,} held out", subject=row.ref)
    return view(row, name).model_copy(update={"is_new": True})


@query("data.versions")
def list_versions(act: Act, *, name: str, after: str | None = None, limit: int = 1_000) -> list[VersionView]:
    """Frozen versions of a dataset, oldest first; `after` is the id of the last one seen."""
    dataset = find_dataset(act.session, name)
    found = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id)
    if after:
        found = found.where(DatasetVersion.id > after)
    return [view(row, name) for row in act.session.scalars(found.order_by(DatasetVersion.id).limit(limit))]


def view(row: DatasetVersion, dataset: str) -> VersionView:
    """Copy a row into what may leave its session."""
    return VersionView(
        id=row.id, dataset=dataset, name=row.name, content_hash=row.content_hash, n=row.n, summary=row.summary
    )


@query("data.version", doors=())
def find_version(act: Act, *, label: str) -> VersionView:
    """The version named NAME@VERSION; NAME or NAME@latest is the newest. Raises NotFound with what there is."""
    from sfumato.errors import unknown

    name, _, version = label.partition("@")
    dataset = find_dataset(act.session, name)
    rows = act.session.scalars(
        select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id).order_by(DatasetVersion.id)
    ).all()
    if not rows:
        raise InvalidInput(f"The dataset '{name}' has no version yet.", hint=f"Run: sfumato data freeze {name}")
    if version in ("", "latest"):
        return view(rows[-1], name)
    for row in rows:
        if len(version) >= 4 and row.content_hash.startswith(version):
            return view(row, name)
    raise unknown(f"version of {name}", version, [row.name for row in rows])


@query("data.version_by_id", doors=())
def version_by_id(act: Act, *, version_id: str) -> VersionView:
    """The version with this id."""
    row, dataset = act.session.execute(
        select(DatasetVersion, Dataset.name)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(DatasetVersion.id == version_id)
    ).one()
    return view(row, dataset)
