"""The difference of two frozen versions: what came, what went, what became of the rest, in words and with pictures."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, query
from sfumato.data.decide import chunks
from sfumato.data.freeze import ItemLine, version_row
from sfumato.data.history import DecisionView, seen
from sfumato.data.mending import mended_contents
from sfumato.data.records import Dataset, DatasetVersion, Item
from sfumato.data.rests import standing
from sfumato.errors import InvalidInput
from sfumato.people.names import names_in

Kind = Literal["added", "removed", "changed"]
COLUMNS = {
    "sha256": "pixels", "name": "caption", "tags": "tags", "licence": "licence", "author": "author", "style": "style",
    "category": "category", "concept": "thing", "split": "split", "weight": "weight", "attributes": "attributes",
    "consent": "consent", "family": "family", "flip_ok": "mirroring",
}  # fmt: skip
COUNTED = ("style", "licence", "split")
MOST = 200


@dataclass(frozen=True)
class Differing:
    """A picture that is in one version alone, or is not the same in both; `item_id` is "" where its record is gone."""

    place: int
    item_id: str
    name: str
    sha256: str
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Counted:
    """How many pictures of each value two versions hold."""

    before: dict[str, int]
    after: dict[str, int]


@dataclass(frozen=True)
class Diff:
    """What became of one version on the way to another."""

    before: str
    after: str
    added: int
    removed: int
    changed: dict[str, int]
    same: int
    styles: Counted
    licences: Counted
    splits: Counted
    decisions: list[DecisionView]
    says: str
    pictures_changed: int = 0


@dataclass(frozen=True)
class Pair:
    """Lines that stand for the same picture in two versions; one of them is None where it is in one alone."""

    before: ItemLine | None
    after: ItemLine | None


def diff(workspace: Workspace, *, first: str, second: str) -> Diff:
    """What became of a frozen version (NAME@VERSION) on the way to another: counts, decisions between, and in words."""
    old, new, decisions = _between(workspace, first=first, second=second)
    both, pairs = _paired(workspace, old, new, _mended(workspace, labels=[old[0], new[0]]))
    added = sum(one.before is None for one in pairs)
    removed = sum(one.after is None for one in pairs)
    changed = Counter(COLUMNS[column] for one in pairs for column in changes_of(one))
    same = len(both) + sum(_kind_of(one) == "same" for one in pairs)
    shared = _counts_of_lines(both)
    before, after = (
        {column: _counts(lines, column, shared[column]) for column in COUNTED}
        for lines in ([one.before for one in pairs], [one.after for one in pairs])
    )
    styles, licences, splits = (Counted(before[column], after[column]) for column in COUNTED)
    says = in_words(old[0], new[0], added, removed, dict(changed.most_common()), decisions)
    return Diff(
        old[0], new[0], added, removed, dict(changed.most_common()), same, styles, licences, splits, decisions, says,
        sum(_kind_of(one) == "changed" for one in pairs),
    )


def list_differing(
    workspace: Workspace, *, first: str, second: str, kind: Kind = "added", start: int = 0, count: int = 60
) -> list[Differing]:
    """The pictures that came, went or changed between two frozen versions, from the place `start` on, at most 200."""
    if kind not in ("added", "removed", "changed"):
        raise InvalidInput(f"There is no difference called '{kind}'.", hint="It is added, removed or changed.")
    old, new, _ = _between(workspace, first=first, second=second)
    collected = _mended(workspace, labels=[old[0], new[0]])
    found = [one for one in _paired(workspace, old, new, collected)[1] if _kind_of(one) == kind]
    some = found[max(start, 0) : max(start, 0) + max(1, min(count, MOST))]
    lines = [one.after or one.before for one in some]
    ids = _items(workspace, dataset=new[0], sha256s=[line.sha256 for line in lines if line])
    return [
        Differing(max(start, 0) + place, ids.get((line.source, line.sha256), ids.get(("", line.sha256), "")),
                  line.name, line.sha256, changes_of(one))
        for place, (one, line) in enumerate(zip(some, lines, strict=True)) if line
    ]  # fmt: skip


def changes_of(one: Pair) -> dict[str, tuple[Any, Any]]:
    """The columns in which a picture's two lines differ."""
    if one.before is None or one.after is None:
        return {}
    pairs = {column: (getattr(one.before, column), getattr(one.after, column)) for column in COLUMNS}
    return {column: pair for column, pair in pairs.items() if pair[0] != pair[1]}


def _kind_of(one: Pair) -> str:
    if one.before is None or one.after is None:
        return "added" if one.before is None else "removed"
    return "changed" if changes_of(one) else "same"


Known = tuple[str, str]  # a label and the hash of its list


@query("data.diff")
def _between(act: Act, *, first: str, second: str) -> tuple[Known, Known, list[DecisionView]]:
    """Show what became of a frozen version on the way to another: counts, decisions between, and in words."""
    (old, dataset), (new, other) = (version_row(act.session, label) for label in (first, second))
    decisions: list[DecisionView] = []
    if dataset.id == other.id:
        decisions = _decisions(act.session, dataset, old, new)
    known = [(f"{of.name}@{row.name}", row.items_sha256) for row, of in ((old, dataset), (new, other))]
    return known[0], known[1], decisions


def _decisions(session: Session, dataset: Dataset, old: DatasetVersion, new: DatasetVersion) -> list[DecisionView]:
    """What stands of what was decided between two versions, whichever of them came first."""
    first, last = sorted((old, new), key=lambda row: row.id)
    since = str(first.summary.get("decisions", {}).get("until", "")) or first.id
    until = str(last.summary.get("decisions", {}).get("until", ""))
    rows = standing(session, dataset.id, since, until) if until > since else []
    names = names_in(session, {row.made_by for row in rows})
    return [seen(row, dataset.name, names) for row in rows]


@query("data.differing", doors=("api", "cli"))
def _mended(act: Act, *, labels: list[str]) -> dict[str, str]:
    """Show the pictures that came, went or changed between two frozen versions."""
    found: dict[str, str] = {}
    ids = {version_row(act.session, label)[1].id for label in labels}
    for _, _, before, after in mended_contents(act.session, ids):
        found[after] = found.get(before, before)
    return found


@query("data.items_by_content", doors=())
def _items(act: Act, *, dataset: str, sha256s: list[str]) -> dict[tuple[str, str], str]:
    """The ids of a dataset's items by source and content, also by what they had before they were mended."""
    _, own = version_row(act.session, dataset)
    found: dict[tuple[str, str], str] = {}
    for some in chunks(sha256s):
        which = or_(Item.sha256.in_(some), Item.collected_sha256.in_(some))
        rows = act.session.execute(
            select(Item.id, Item.source, Item.sha256, Item.collected_sha256).where(Item.dataset_id == own.id, which)
        )
        for row in rows:
            for sha256 in (row.collected_sha256, row.sha256):
                found[row.source, sha256] = found["", sha256] = row.id
    for item, source, before, after in mended_contents(act.session, [own.id]):
        for sha256 in (before, after):
            found.setdefault(("", sha256), item)
            found.setdefault((source, sha256), item)
    return found


def _paired(
    workspace: Workspace, old: Known, new: Known, collected: dict[str, str]
) -> tuple[list[str], list[Pair]]:  # fmt: skip
    """The written lines that both versions have, and the other ones side by side.

    Those are paired by source and content, then by what was mended, then by what they say.
    """
    texts = [workspace.store.get(items).decode().split("\n") for _, items in (old, new)]
    same = Counter(texts[0]) & Counter(texts[1])
    before, after = (_but(lines, same) for lines in texts)
    pairs: list[Pair] = []

    def match(key: Any, *, alone: bool = False) -> None:
        waiting: dict[Any, list[ItemLine]] = {}
        for line in before:
            waiting.setdefault(key(line), []).append(line)
        times = Counter(map(key, after))
        rest = []
        for line in after:
            same = waiting.get(key(line))
            if same and not (alone and (len(same) > 1 or times[key(line)] > 1)):
                pairs.append(Pair(same.pop(0), line))
            else:
                rest.append(line)
        before[:] = [line for some in waiting.values() for line in some]
        after[:] = rest

    match(lambda line: (line.source, line.sha256, line.name, line.style))
    match(lambda line: (line.source, line.sha256))
    match(lambda line: (line.source, collected.get(line.sha256, line.sha256)))
    match(lambda line: line.sha256)
    match(lambda line: (line.source, line.url, line.name, line.style), alone=True)  # other bytes at the same place
    lone = [Pair(line, None) for line in before] + [Pair(None, line) for line in after]
    return list(same.elements()), pairs + lone


def _but(lines: list[str], same: Counter[str]) -> list[ItemLine]:
    """The lines as read, without those that are the same in both versions."""
    left, found = same.copy(), []
    for line in lines:
        if left[line] > 0:
            left[line] -= 1
        else:
            found.append(ItemLine.model_validate(json.loads(line)))
    return found


def _counts_of_lines(texts: list[str]) -> dict[str, Counter[str]]:
    """How often each value of the columns that are counted is in written lines; what is not written is as usual."""
    rows: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    usual = {column: ItemLine.model_fields[column].get_default(call_default_factory=True) for column in COUNTED}
    return {column: Counter(str(row.get(column, usual[column])) for row in rows) for column in COUNTED}


def _counts(lines: Iterable[ItemLine | None], column: str, shared: Counter[str]) -> dict[str, int]:
    own = Counter(str(getattr(line, column)) for line in lines if line is not None)
    return dict((own + shared).most_common())


def in_words(
    before: str, after: str, added: int, removed: int, changed: dict[str, int], decisions: list[DecisionView]
) -> str:
    """The difference as sentences."""
    if not (added or removed or changed):
        return f"{before} and {after} hold the same."
    parts = [f"{added:,} came"] * bool(added) + [f"{removed:,} went"] * bool(removed)
    parts += [f"{n:,} changed {column}" for column, n in changed.items()]
    said = f"From {before} to {after}: {', '.join(parts)}."
    if decisions:
        told = "; ".join(f"{one.name} ({one.by_name})" for one in decisions[:5])
        more = f"; and {len(decisions) - 5:,} more" if len(decisions) > 5 else ""
        said += f" Decided between: {told}{more}."
    return said
