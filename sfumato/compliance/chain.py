"""Walking the record: what something was made from, up to the sources, and what was made from it."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from sfumato.actions import Act
from sfumato.checkpoints.models import ModelView, card_path, card_pixels, find_weights
from sfumato.checkpoints.records import Checkpoint, Model, describe_weights
from sfumato.data.records import describe_version
from sfumato.db import Described, Record, children, parents
from sfumato.db.kinds import get_record, kinds
from sfumato.training.records import describe_run

MOST = 20  # children shown of one record


@dataclass(frozen=True)
class Step:
    """One step of a trace. `role` says what it is to the step before it, `evidence` where it is known from."""

    role: str
    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    ref: str = ""
    evidence: str = ""
    picture: str = ""
    steps: tuple["Step", ...] = ()


@dataclass(frozen=True)
class Weights:
    """Weights that drew a picture, or that those grew from: what their header says, and their training card."""

    sha256: str
    ref: str
    name: str
    header: dict[str, Any]
    card: Path | None
    embedded: bool = False

    @property
    def evidence(self) -> str:
        """How a clause names what these weights say of themselves."""
        return f"header of {'the model ' + self.name if self.embedded else self.ref}"


def walk_up(act: Act, ref: str, role: str = "", seen: frozenset[str] = frozenset()) -> Step:
    """The record `ref` and, step by step, all that it was made from."""
    row = get_record(act.session, ref)
    if row is None:
        return _without_row(act, ref, role, seen)
    above = [walk_up(act, one, name, seen | {ref}) for name, one in parents(act.session, ref) if one not in seen]
    if isinstance(row, Model):
        above.append(walk_up(act, f"checkpoint/{row.checkpoint_id}", "the name of", seen | {ref}))
    if isinstance(row, Checkpoint) and not above:  # the run that trained it is not in this workspace
        above = [*steps_of_header(row.header, f"header of {ref}"), *_grown_from(act, row.header, seen | {ref})]
    return _step(_unless_erased(act, row.describe()), role, ref, tuple(above))


def _unless_erased(act: Act, told: Described) -> Described:
    """The record in words; of one whose picture was erased it is said when and why, and no picture is shown."""
    erasure = act.store.erased(told.picture) if told.picture else None
    if erasure is None:
        return told
    return replace(told, facts={**told.facts, "erased": str(erasure).removeprefix("erased ")}, picture="")


def _step(told: Described, role: str, ref: str, above: tuple[Step, ...] = (), evidence: str = "") -> Step:
    own = tuple(Step("from", part.title, part.facts, evidence=ref or evidence) for part in told.parts)
    return Step(role, told.title, told.facts, ref, evidence or ref, told.picture, own + above)


def _without_row(act: Act, ref: str, role: str, seen: frozenset[str]) -> Step:
    """A step that this workspace has no row of: shipped weights tell it themselves, anything else is missing."""
    kind, _, key = ref.partition("/")
    weights = find_weights(act, key) if kind == "checkpoint" else None
    if weights is None:
        return Step(role, f"{kind.replace('_', ' ')} {key[:12]}, not in this workspace", {"sha256": key}, ref)
    header = weights.header.model_dump()
    evidence = f"header of the model {weights.name}"
    above = [*steps_of_header(header, evidence), *_grown_from(act, header, seen | {ref})]
    told = describe_weights(weights.sha256, header)
    told = replace(told, title=f"{told.title} of the model {weights.name}")
    return _step(told, role, ref, tuple(above), evidence)


def steps_of_header(header: dict[str, Any], evidence: str) -> list[Step]:
    """The run, the dataset version and the sources, as a checkpoint's header tells them."""
    data = header.get("data") or {}
    if data.get("undisclosed") and not header.get("run") and not header.get("parent"):
        return [Step("made by", "somebody who has not disclosed the training data", {}, evidence=evidence)]
    version = describe_version(f"version {data.get('name') or 'without a name'}", data)
    facts = {"seed": (header.get("recipe_options") or {}).get("seed", ""), "samples_seen": header.get("samples_seen")}
    run = describe_run(header.get("run") or "without a name", header.get("recipe", ""), facts)
    learnt = (_step(version, "learnt from", "", evidence=evidence),) if data else ()
    return [_step(run, "trained by", "", learnt, evidence)]


def _grown_from(act: Act, header: dict[str, Any], seen: frozenset[str]) -> list[Step]:
    parent = header.get("parent") or ""
    if not parent:
        return []
    row = act.session.scalar(select(Checkpoint).where(Checkpoint.content_hash == parent))
    ref = row.ref if row else f"checkpoint/{parent}"
    if ref in seen:
        return []
    told = _ancestor(header, parent)
    if row or told is None or find_weights(act, parent) is not None:
        return [walk_up(act, ref, "grown from", seen)]
    evidence = f"header of weights grown from {parent[:12]}"
    above = [*steps_of_header(told, evidence), *_grown_from(act, told, seen | {ref})]
    return [_step(describe_weights(parent, told), "grown from", "", tuple(above), evidence)]  # no record to go to


def _ancestor(header: dict[str, Any], sha256: str) -> dict[str, Any] | None:
    """What a header says of the weights with this hash, from which its own grew; they know their ancestors too."""
    known = header.get("lineage") or []
    place = next((place for place, one in enumerate(known) if one.get("sha256") == sha256), None)
    return None if place is None else {**known[place], "lineage": known[place + 1 :]}


def walk_down(act: Act, ref: str, seen: frozenset[str] = frozenset()) -> Step:
    """The record `ref` and all that was made from it; of many children the newest are shown."""
    row = get_record(act.session, ref)
    told = row.describe() if row else Described(ref)
    found = seen_here(act, sorted(one for _, one in children(act.session, ref) if one not in seen))
    below = [walk_down(act, one, seen | {ref}) for one in found[-MOST:]]
    if len(found) > MOST:
        below.append(Step("and", f"{len(found) - MOST:,} more"))
    return Step("", told.title, told.facts, ref, ref, told.picture, tuple(below))


def seen_here(act: Act, refs: list[str]) -> list[str]:
    """Those of the records that this actor is shown: none of another project, and none that is private to others."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for ref in refs:
        kind, _, key = ref.partition("/")
        by_kind[kind].append(key)
    shown: set[str] = set()
    for kind, keys in by_kind.items():
        table = kinds().get(kind)
        for start in range(0, len(keys) if table else 0, 500):
            assert table is not None
            some = select(table.id).where(table.id.in_(keys[start : start + 500]))
            shown |= {f"{kind}/{key}" for key in act.session.scalars(some)}
    return [ref for ref in refs if ref in shown]


def lineage(act: Act, sha256: str) -> tuple[list[Weights], list[str]]:
    """The weights with this hash and those that they grew from, and the hashes of those of which nothing is known.

    Ancestors that learnt from the very same pictures are told once.
    """
    found: list[Weights] = []
    data: set[str] = set()
    child: dict[str, Any] = {}
    seen: set[str] = set()
    while sha256 and sha256 not in seen:
        seen.add(sha256)
        weights = _weights(act, sha256) or _told_by(child, sha256)
        if weights is None:
            return found, [sha256]
        child = weights.header
        learnt_from = str((child.get("data") or {}).get("content_hash") or sha256)
        if learnt_from not in data:
            found.append(weights)
        data.add(learnt_from)
        sha256 = str(child.get("parent") or "")
    return found, []


def _told_by(child: dict[str, Any], sha256: str) -> Weights | None:
    """Weights that are not here, as the header of those that grew from them tells of them."""
    header = _ancestor(child, sha256)
    if header is None:
        return None
    return Weights(sha256, f"checkpoint/{sha256}", str(header.get("run") or "weights before"), header, None)


def _weights(act: Act, sha256: str) -> Weights | None:
    view = find_weights(act, sha256)
    if view is not None:
        return of_model(view)
    row = act.session.scalar(select(Checkpoint).where(Checkpoint.content_hash == sha256))
    if row is None:
        return None
    data, options = row.header.get("data") or {}, row.header.get("options") or {}
    card = card_path(act.workspace, str(data.get("content_hash", "")), card_pixels(options))
    return Weights(sha256, row.ref, row.header.get("run", ""), row.header, card if card.exists() else None)


def of_model(view: ModelView) -> Weights:
    """The weights that a model's name stands for."""
    card = view.card_path if view.card_path and view.card_path.exists() else None
    return Weights(view.sha256, view.ref, view.name, view.header.model_dump(), card, view.embedded)


def weights_of_record(act: Act, row: Record) -> str:
    """The hash of the weights that a record is, or names, or was made by; "" if there are none."""
    if isinstance(row, Model):
        found = act.session.get(Checkpoint, row.checkpoint_id)
        return found.content_hash if found else ""
    return row.content_hash if isinstance(row, Checkpoint) else ""
