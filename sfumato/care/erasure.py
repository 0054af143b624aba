"""Erasure of a picture: bytes leave, hash and reason stay, and what is frozen counts the gap."""

import contextlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Table, Text, cast, or_, select, update
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.actions.registry import require
from sfumato.care.cards import clean_cards
from sfumato.care.naming import hashes, listed, tables_of
from sfumato.care.records import Erased
from sfumato.data.records import ERASED
from sfumato.db import link, new_id, now
from sfumato.errors import InvalidInput, NotFound
from sfumato.store import Store
from sfumato.store.files import Erasure
from sfumato.store.rows import forget

NEEDS = "workspace.care"
SHORTEST = 4  # characters of an id's end that may stand for it
SHA256 = re.compile(r"[0-9a-f]{64}")
# Caches that hold many pictures at once; they are made again.
DERIVED = ("pictures-*.npy", "looks-*.npy", "map-*.npz", "exports/*.zip")
PERSONAL = ("evidence", "suggested")  # columns of an item that go with its bytes
BACKUPS = "Backups and copies of the workspace that were made before still hold it; erase it there as well."


@dataclass(frozen=True)
class Plan:
    """What erasing would take away, and what it cannot reach."""

    sha256s: list[str]
    refs: list[str]
    datasets: list[str]
    versions: list[str]
    models: list[str]
    files: list[str]


@dataclass(frozen=True)
class ErasedView:
    """What was erased, what follows from it, and what it could not reach."""

    sha256s: list[str]
    reason: str
    day: str
    bytes: int
    datasets: list[str]
    versions: list[str]
    cards: list[str]
    models: list[str]
    files: list[str]
    says: list[str] = field(default_factory=list)


def erase(workspace: Workspace, what: str, *, reason: str, among: tuple[str, ...] = ()) -> ErasedView:
    """Erase a picture for good: an item, a picture that was drawn, or bytes by their SHA-256; in all projects.

    The decision is written first, then bytes, thumbnails, caches and small copies go; if that is cut short, doing
    it again or `sfumato doctor --mend` ends it. Raises NotFound or InvalidInput.
    """
    require(workspace, NEEDS)
    reason = " ".join(reason.split())
    if len(reason) < 3:
        raise InvalidInput(
            "An erasure needs its reason, of three letters at least.",
            hint='Say why, without naming the person: --reason "..."',
        )
    plan = plan_erasure(workspace, what=what, among=among)
    kept = _write_down(workspace, plan=plan, reason=reason)
    freed = sum(workspace.store.erase(one) for one in kept)
    forget_evidence(workspace, set(plan.sha256s))
    cards = _clear_derived(workspace, set(plan.sha256s))
    told = ErasedView(
        plan.sha256s, kept[0].reason, kept[0].day, freed, plan.datasets, plan.versions, cards, plan.models, plan.files
    )
    told.says.extend(_in_words(told))
    return told


@query("care.plan_erasure", needs=NEEDS, doors=("cli",))
def plan_erasure(act: Act, *, what: str, among: tuple[str, ...]) -> Plan:
    """What erasing a picture would take away; raises NotFound, or InvalidInput for what is no picture."""
    with act.workspace.db.read() as session:  # all projects
        tables = tables_of(session.connection())
        sha256s = _meant(session, tables, what.strip(), among)
        for name, column in (("checkpoint", "content_hash"), ("dataset_version", "items_sha256")):
            if set(sha256s) & hashes(session, tables[name], column):
                raise InvalidInput("That is no picture.", hint="`sfumato storage clear checkpoints` removes weights.")
        refs, datasets, files = [], set(), []
        for name in ("item", "image", "published"):
            table = tables[name]
            for row in session.execute(select(table).where(table.c.sha256.in_(sha256s))).mappings():
                refs.append(f"{name}/{row['id']}")
                datasets |= {row["dataset_id"]} if name == "item" else set()
                files += [row["file_name"]] if name == "published" else []
        own = tables["dataset"]
        names = {row.id: row.name for row in session.execute(select(own.c.id, own.c.name))}
        versions, models = _learnt(session, act.store, tables, names, set(sha256s))
    return Plan(sha256s, refs, sorted(names[one] for one in datasets), versions, models, files)


def _meant(session: Session, tables: dict[str, Table], what: str, among: tuple[str, ...]) -> list[str]:
    """The hashes of the picture that is meant; of one that was drawn also those of all files that left of it."""
    kind, _, key = what.rpartition("/")
    if SHA256.fullmatch(key.lower()) and not kind:
        found = {key.lower()}
    else:
        wanted = [kind] if kind else [one for one in ("item", "image", "published") if not among or one in among]
        found = {row for name in wanted if name in ("item", "image", "published")
                 for row in _by_id(session, tables[name], key)}  # fmt: skip
        if not found:
            raise NotFound(f"There is no picture '{what}'.", hint="Name it by its id, the end of it, or its SHA-256.")
        if len(found) > 1:
            raise InvalidInput(f"'{what}' fits {len(found)} pictures.", hint="Write more of the id.")
    image, out = tables["image"], tables["published"]
    drawn = select(image.c.id).where(
        image.c.sha256.in_(found) | image.c.id.in_(select(out.c.image_id).where(out.c.sha256.in_(found)))
    )
    ids = list(session.scalars(drawn))
    for table, column in ((image, image.c.id), (out, out.c.image_id)):
        found |= set(session.scalars(select(table.c.sha256).where(column.in_(ids))))
    return sorted(found | _mended(session, tables, found))


def _mended(session: Session, tables: dict[str, Table], sha256s: set[str]) -> set[str]:
    """The same dataset pictures before and after their pixels were mended, however often."""
    item, decided = tables["item"], tables["decided"]
    said = [cast(column, Text) for column in (decided.c.before, decided.c.after)]
    found, fresh = set(sha256s), set(sha256s)
    while fresh:
        named = [column.contains(one) for one in fresh for column in said]
        ids = set(session.scalars(select(decided.c.item_id).where(or_(*named))))
        ids |= set(session.scalars(select(item.c.id).where(
            item.c.sha256.in_(fresh) | item.c.collected_sha256.in_(fresh)
        )))  # fmt: skip
        own = session.execute(select(item.c.sha256, item.c.collected_sha256).where(item.c.id.in_(ids)))
        seen = {str(one) for pair in own for one in pair if one}
        for pair in session.execute(select(*said).where(decided.c.item_id.in_(ids))):
            seen |= {str(values["sha256"]) for values in map(json.loads, pair) if "sha256" in values}
        fresh = seen - found
        found |= fresh
    return found


def forget_evidence(workspace: Workspace, sha256s: set[str]) -> None:
    """Take away what the files of erased pictures said of themselves, which may name people; also out of decisions."""
    with workspace.db.write() as session:
        tables = tables_of(session.connection())
        item, decided = tables["item"], tables["decided"]
        ids = list(session.scalars(select(item.c.id).where(item.c.sha256.in_(sha256s))))
        session.execute(update(item).where(item.c.id.in_(ids)).values(evidence={}, suggested={}, state=ERASED))
        rows = select(decided.c.id, decided.c.before, decided.c.after).where(decided.c.item_id.in_(ids))
        for key, before, after in session.execute(rows).all():
            values = {"before": before, "after": after}
            if any(name in one for one in (before, after) for name in PERSONAL):
                clean = {name: one | {part: {} for part in PERSONAL if part in one} for name, one in values.items()}
                session.execute(update(decided).where(decided.c.id == key).values(clean))


def _by_id(session: Session, table: Table, key: str) -> Iterable[str]:
    exact = session.scalar(select(table.c.sha256).where(table.c.id == key))
    if exact is not None or len(key) < SHORTEST:
        return [exact] if exact is not None else []
    return session.scalars(select(table.c.sha256).where(table.c.id.endswith(key, autoescape=True)).limit(5)).all()


def _learnt(
    session: Session, store: Store, tables: dict[str, Table], names: dict[str, str], sha256s: set[str]
) -> tuple[list[str], list[str]]:
    """Frozen versions that list any of the pictures, and models of runs that learnt from those."""
    table, run = tables["dataset_version"], tables["run"]
    rows = session.execute(select(table.c.id, table.c.dataset_id, table.c.name, table.c.items_sha256)).all()
    holding = [row for row in rows if sha256s & set(listed(store, row.items_sha256))]
    ids = [row.id for row in holding]
    models = session.scalars(select(run.c.name).where(run.c.version_id.in_(ids)).order_by(run.c.name)).all()
    return [f"{names.get(row.dataset_id, '')}@{row.name}" for row in holding], list(models)


@action("care.erase", needs=NEEDS)
def _write_down(act: Act, *, plan: Plan, reason: str) -> list[Erasure]:
    """Erase a picture for good: its bytes leave, its hash and the reason stay."""
    told = []
    known = {row.sha256: row for row in act.session.scalars(select(Erased).where(Erased.sha256.in_(plan.sha256s)))}
    for sha256 in plan.sha256s:
        row = known.get(sha256)
        if row is None:
            row = Erased(id=new_id(), made_at=now(), made_by=act.actor.id, sha256=sha256, reason=reason)
            act.session.add(row)
            act.session.flush()
            act.says(f"erased a picture: {reason}", subject=row.ref, sha256s=plan.sha256s)
            for ref in plan.refs:
                link(act.session, row.ref, ref, "erases")
        told.append(Erasure(sha256, row.reason, row.made_by, f"{row.made_at:%Y-%m-%d}"))
    return told


def _clear_derived(workspace: Workspace, sha256s: set[str]) -> list[str]:
    """Remove thumbnails, caches, contact sheets, and small copies in cards; returns the cards that held it."""
    cache = workspace.path / "cache"
    forget(cache / "scores", sha256s)
    gone: list[Path] = [path for pattern in DERIVED for path in cache.rglob(pattern)]
    gone += [path for path in cache.rglob("*") if any(one in path.name for one in sha256s)]
    gone += list((workspace.path / "evaluations").rglob("*.png"))  # real pictures lie beside drawings there
    for path in gone:
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            path.unlink()
    return clean_cards(workspace.path / "cards", sha256s)


def _in_words(told: ErasedView) -> list[str]:
    says = [] if told.bytes else ["Its bytes were not here; they are refused from now on."]
    if told.versions:
        says.append(f"These frozen versions count a gap where it was: {', '.join(told.versions)}.")
    if told.models:
        says.append(f"These models learnt from it before and keep what they learnt: {', '.join(told.models)}.")
    if told.files:
        says.append(f"Files that left the workspace cannot be taken back; remove them where they lie: "
                    f"{', '.join(told.files)}.")  # fmt: skip
    return [*says, BACKUPS]


@query("care.erased", doors=("library",))
def list_erased(act: Act) -> list[dict[str, Any]]:
    """All erasures, the newest first: hash, reason, day, and who decided."""
    rows = act.session.scalars(select(Erased).order_by(Erased.id.desc()))
    return [
        {"sha256": row.sha256, "reason": row.reason, "day": f"{row.made_at:%Y-%m-%d}", "by": row.made_by}
        for row in rows
    ]
