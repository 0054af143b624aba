"""Freezing: naming exactly what a dataset holds now, with some of it held out from training for ever."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.decide import chunks, in_words
from sfumato.data.records import KEPT, LEFT_OUT, Dataset, DatasetVersion, Item
from sfumato.data.rests import Rests, rests_of
from sfumato.db import link, new_id
from sfumato.errors import InvalidInput, unknown

CONCEPTS_HELD_OUT = 0.05
PAIRS_HELD_OUT = 0.10
OTHER_STYLES = 3
GIVEN = ("test", "validation", "valid", "val", "dev", "eval")  # splits of a source that are not to learn from
SPLITS = {  # in words, each of them said of pictures
    "train": "to learn from", "heldout_concept": "held out as whole things",
    "heldout_pair": "held out in one style", "heldout_given": "held out by their source",
    "heldout_family": "held out with their family",
}  # fmt: skip
HELD = ("heldout_concept", "heldout_given", "heldout_family", "heldout_pair")  # the strictest first
NO_CONSENT = ("refused", "withdrawn")


class ItemLine(BaseModel):
    """One item as a frozen version lists it; no ids and no times, so that equal content hashes equal.

    What has a default is written only where it says something, so that lines without it hash as they always did.
    """

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
    attributes: dict[str, Any] = Field(default_factory=dict)
    consent: str = ""
    family: str = ""

    def as_json(self) -> str:
        """The line as a version's list holds it."""
        return self.model_dump_json(exclude_defaults=True)


@dataclass(frozen=True)
class Gathered:
    """What is to be frozen, what is left out of it and why, and the decisions that it rests on."""

    lines: list[ItemLine]
    left_out: dict[str, int]
    rests: Rests


class VersionView(BaseModel):
    """A frozen version in numbers."""

    id: str
    dataset: str
    name: str
    content_hash: str
    n: int
    summary: dict[str, Any]
    made_at: datetime | None = None
    is_new: bool = False

    @property
    def label(self) -> str:
        """How commands name it: dataset@version."""
        return f"{self.dataset}@{self.name}"


def freeze(workspace: Workspace, *, name: str) -> VersionView:
    """Freeze a dataset so that runs can name it; freezing the same content again gives the same version."""
    gathered = _lines(workspace, name=name)
    lines, left_out = gathered.lines, gathered.left_out
    if not lines and left_out:
        why = ", ".join(f"{n:,} {reason}" for reason, n in left_out.items())
        raise InvalidInput(f"Nothing of '{name}' is left to freeze: {why}.", hint="Keep some of it, or undo.")
    if not lines:
        raise InvalidInput(f"The dataset '{name}' is empty.", hint="Collect pictures into it first.")
    data = "\n".join(line.as_json() for line in lines).encode()
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
        "concepts": len({line.concept for line in lines} - {""}),
        **({"left_out": left_out} if left_out else {}),
        **({"decisions": gathered.rests.summary} if gathered.rests.until else {}),
    }
    return _name_version(
        workspace, name=name, items_sha256=items_sha256, n=len(lines), summary=summary, links=list(gathered.rests.links)
    )


@query("data.lines", doors=())
def _lines(act: Act, *, name: str) -> Gathered:
    dataset = find_dataset(act.session, name)
    erased = act.store.all_erased()
    rows = act.session.scalars(select(Item).where(Item.dataset_id == dataset.id)).all()
    styles: dict[str, set[str]] = defaultdict(set)
    left_out: Counter[str] = Counter()
    kept = []
    refused = {row.sha256: row.consent for row in rows if row.consent in NO_CONSENT}
    for row in rows:
        why = _why_not(row, erased) or (f"consent {refused[row.sha256]}" if row.sha256 in refused else "")
        left_out.update([why] if why else [])
        kept += [] if why else [row]
        if row.sha256 not in erased:  # also of what is left out, so that leaving out brings nothing back to learn from
            styles[_thing(row)].add(row.style)
    fields = [field for field in ItemLine.model_fields if field != "split"]
    lines = [
        ItemLine(**{field: getattr(row, field) for field in fields}, split=_split(row, styles)) for row in kept
    ]  # fmt: skip
    whole = sorted(_whole(lines), key=lambda line: (line.concept, line.style, line.source, line.sha256))
    return Gathered(whole, dict(left_out.most_common()), rests_of(act.session, dataset))


@query("data.unfit", doors=())
def count_unfit(act: Act, *, name: str) -> dict[str, int]:
    """The pictures that are kept, and yet would be in no version that is frozen now, by reason."""
    dataset = find_dataset(act.session, name)
    own = (Item.dataset_id == dataset.id, Item.state == KEPT)
    refused = select(Item.sha256, Item.consent).where(Item.dataset_id == dataset.id, Item.consent.in_(NO_CONSENT))
    of_bytes: dict[str, str] = {sha256: consent for sha256, consent in act.session.execute(refused)}
    columns = (Item.sha256, Item.state, Item.consent, Item.opt_out, Item.edited)
    told: Counter[str] = Counter()
    for row in act.session.execute(select(*columns).where(*own, Item.opt_out != "")):
        told.update([_why_not(row, set())] if _why_not(row, set()) and row.sha256 not in of_bytes else [])
    for some in chunks(of_bytes):
        for row in act.session.execute(select(*columns).where(*own, Item.sha256.in_(some))):
            told[f"consent {row.consent if row.consent in NO_CONSENT else of_bytes[row.sha256]}"] += 1
    return dict(told.most_common())


def _why_not(row: Any, erased: set[str]) -> str:
    """Why an item is in no version that is frozen now; "" if it is."""
    if row.sha256 in erased:
        return "erased"
    if row.state == LEFT_OUT:
        return "left out by decision"
    if row.consent in NO_CONSENT:
        return f"consent {row.consent}"
    if row.opt_out and "state" not in row.edited:
        return "opted out by the file"
    return ""


def _thing(row: Item) -> str:
    """What a picture shows, or the picture itself as it was collected."""
    return row.concept or row.collected_sha256 or row.sha256


def _split(row: Item, styles: dict[str, set[str]]) -> str:
    """Where an item belongs: what its source keeps for tests is held out as well."""
    split = split_of(_thing(row), row.style, styles)
    return "heldout_given" if split != "heldout_concept" and row.given_split.lower() in GIVEN else split


def _whole(lines: list[ItemLine]) -> list[ItemLine]:
    """The same lines; what is bound to something held out, by its bytes or its family, is held out as well."""
    bound = _groups(lines)
    held: dict[str, str] = {}
    twins: dict[str, str] = {}
    for line in sorted(lines, key=lambda line: _rank(line.split)):
        if line.split != "train":
            held.setdefault(bound[line.sha256], "heldout_family")
            twins.setdefault(line.sha256, line.split)

    def settled(line: ItemLine) -> str:
        if line.sha256 in twins:
            return twins[line.sha256]
        return held.get(bound[line.sha256], "train")

    return [line if line.split == settled(line) else line.model_copy(update={"split": settled(line)}) for line in lines]


def _rank(split: str) -> int:
    return HELD.index(split) if split in HELD else len(HELD)


def _groups(lines: Iterable[ItemLine]) -> dict[str, str]:
    """The group of each picture, by its bytes: bytes that are of one family, or of families that share bytes."""
    above: dict[str, str] = {}

    def root(name: str) -> str:
        above.setdefault(name, name)
        while above[name] != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    for line in lines:
        own = root(line.sha256)
        if line.family:
            above[own] = root(f"family {line.family}")
    return {line.sha256: root(line.sha256) for line in lines}


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
def _name_version(
    act: Act, *, name: str, items_sha256: str, n: int, summary: dict[str, Any], links: list[str]
) -> VersionView:
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
    for decision in links:
        link(act.session, row.ref, f"decision/{decision}", "rests on")
    kept_out, left_out = n - summary["splits"].get("train", 0), sum(summary.get("left_out", {}).values())
    more = f", {left_out:,} left out" if left_out else ""
    act.says(f"froze {name} {row.name}: {in_words(n)}, {kept_out:,} held out{more}", subject=row.ref)
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
        id=row.id, dataset=dataset, name=row.name, content_hash=row.content_hash, n=row.n, summary=row.summary,
        made_at=row.made_at,
    )


@query("data.version", doors=())
def find_version(act: Act, *, label: str) -> VersionView:
    """The version named NAME@VERSION; NAME or NAME@latest is the newest. Raises NotFound with what there is."""
    row, dataset = version_row(act.session, label)
    return view(row, dataset.name)


def version_row(session: Session, label: str) -> tuple[DatasetVersion, Dataset]:
    """The row of the version named NAME@VERSION, and its dataset; NAME or NAME@latest is the newest."""
    name, _, version = label.partition("@")
    dataset = find_dataset(session, name)
    rows = session.scalars(
        select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id).order_by(DatasetVersion.id)
    ).all()
    if not rows:
        raise InvalidInput(f"The dataset '{name}' has no version yet.", hint=f"Run: sfumato data freeze {name}")
    if version in ("", "latest"):
        return rows[-1], dataset
    for row in rows:
        if len(version) >= 4 and row.content_hash.startswith(version):
            return row, dataset
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
