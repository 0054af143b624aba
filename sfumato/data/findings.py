"""Findings: keeping what checks propose without doubles, and listing it."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from sfumato.actions import Act, query
from sfumato.data.collect import find_dataset
from sfumato.data.pairs import ALIKE, answer_lone, answered_pairs
from sfumato.data.ranking import By, doubt, facts_of, rank, why_kept
from sfumato.data.records import LEFT_OUT, Appearance, Dataset, Decision, Finding, Item, Scan, called
from sfumato.data.scan import CHECKS, Proposal
from sfumato.db import new_id
from sfumato.errors import InvalidInput

SPACE = uuid.UUID("6f1d7f0e-6a5f-5c62-9f43-0d0f6c1b7a55")  # of the names of groups
REWRITES = ("edit captions", "accept suggestions")  # captions, in bulk
MOST_NAMED = 5_000  # groups that are asked for by name
SAID = ("score", "reason", "group", "details")


@dataclass(frozen=True)
class FindingView:
    """What a check proposes about one picture, and what became of it."""

    id: str
    item_id: str
    item_name: str
    item_key: str  # what it is called in its source, such as a file's path
    sha256: str
    check: str
    score: float
    reason: str
    group: str
    beside_id: str
    details: dict[str, Any]
    state: str
    settled_by: str
    scan_id: str
    made_at: datetime
    width: int = 0
    height: int = 0

    @property
    def place(self) -> str:
        """Where the next part of the list goes on."""
        return f"{self.score!r}/{self.id}"


@dataclass(frozen=True)
class Member:
    """One picture of a group of copies."""

    item_id: str
    finding_id: str
    name: str
    key: str  # what it is called in its source, such as a file's path
    sha256: str
    width: int
    height: int
    sharpness: float
    file_bytes: int
    state: str
    reason: str
    is_best: bool
    is_open: bool = True  # False: it was left out already
    doubt: str = ""  # why it may be no copy of the best one


@dataclass(frozen=True)
class LicenceFound:
    """One licence of which a check found something: how many pictures, why, and some of them by id and name."""

    licence: str
    n: int
    score: float
    reason: str
    shown: list[tuple[str, str]]


@dataclass(frozen=True)
class GroupView:
    """Pictures that are copies of each other, `n` of them to be decided; the best one is the one to keep."""

    group: str
    check: str
    n: int
    score: float
    members: list[Member]

    @property
    def place(self) -> str:
        """Where the next part of the list goes on."""
        return f"{self.score!r}/{self.group}"


def group_name(check: str, first_item_id: str) -> str:
    """The name of the group of copies whose oldest picture has this id; the same at every scan."""
    return str(uuid.uuid5(SPACE, f"{check}/{first_item_id}"))


def keep_findings(
    session: Session, dataset_id: str, check: str, proposals: list[Proposal], *, scan_id: str, person: str
) -> list[str]:
    """Write what is proposed and return the ids of its rows.

    What is open already is brought up to date, what was gone opens again, and what a decision settled stays settled.
    Two pictures of one group that were both decided on are asked about no more: not by another check, nor beside
    another one of their group.
    """
    wanted = [one.item_id for one in proposals]
    rows = session.scalars(
        select(Finding).where(Finding.dataset_id == dataset_id, Finding.check == check, Finding.item_id.in_(wanted))
    )
    there = {(row.item_id, row.beside_id): row for row in rows}
    pairs = {(one.item_id, one.beside_id) for one in proposals if one.beside_id} if check in ALIKE else set()
    answered = answered_pairs(session, dataset_id, pairs) if pairs else {}
    ids = []
    for one in proposals:
        row = there.get((one.item_id, one.beside_id))
        if row is None:
            row = Finding(
                id=new_id(), made_by=person, dataset_id=dataset_id, item_id=one.item_id, check=check, scan_id=scan_id,
                beside_id=one.beside_id, **{name: getattr(one, name) for name in SAID},
            )  # fmt: skip
            decision = answered.get((one.item_id, one.beside_id))
            if decision:
                row.state, row.settled_by = "settled", decision
            session.add(row)
            there[one.item_id, one.beside_id] = row
        elif row.state != "settled":
            row.state = "open"
            for name in SAID:
                if getattr(row, name) != getattr(one, name):
                    setattr(row, name, getattr(one, name))
        ids.append(row.id)
    return ids


def close_unseen(session: Session, dataset_id: str, check: str, seen: Iterable[str]) -> int:
    """Mark as gone the open findings of a check that it did not propose this time; returns how many.

    What then is left alone of a group, beside nothing, is no question any more.
    """
    standing = select(Finding.id).where(
        Finding.dataset_id == dataset_id, Finding.check == check, Finding.state == "open"
    )
    gone = sorted(set(session.scalars(standing)) - set(seen))
    for start in range(0, len(gone), 500):
        session.execute(update(Finding).where(Finding.id.in_(gone[start : start + 500])).values(state="gone"))
    if check in ALIKE:
        answer_lone(session, dataset_id, check)
    return len(gone)


@query("data.findings")
def list_findings(
    act: Act, *, name: str, after: str | None = None, limit: int = 60, check: str = "", state: str = "open",
    group: str = "",
) -> list[FindingView]:  # fmt: skip
    """What checks propose about a dataset's pictures, the worst first; `after` is the `place` of the last one seen.

    Raises NotFound, with the nearest name, where nothing is found and there is no such check.
    """
    dataset = find_dataset(act.session, name)
    found = (
        select(Finding, Item)
        .join(Item, Item.id == Finding.item_id)
        .where(Finding.dataset_id == dataset.id)
        .order_by(Finding.score.desc(), Finding.id)
        .limit(limit)
    )
    for column, said in ((Finding.check, check), (Finding.state, state), (Finding.group, group)):
        if said:
            found = found.where(column == said)
    if after:
        score, last = _place(after)
        found = found.where(or_(Finding.score < score, and_(Finding.score == score, Finding.id > last)))
    rows = act.session.execute(found).all()
    if check and not rows:
        CHECKS.get(check)
    return [
        FindingView(
            row.id, row.item_id, called(item.name, item.key), item.key, item.sha256, row.check, row.score, row.reason,
            row.group, row.beside_id, row.details, row.state, row.answered_by, row.scan_id, row.made_at, item.width,
            item.height,
        )
        for row, item in rows
    ]  # fmt: skip


@query("data.captions_changed", doors=())
def captions_changed(act: Act, *, name: str, check: str) -> bool:
    """Whether captions were changed in bulk since a check last went over the dataset, so that what it found is old."""
    dataset = find_dataset(act.session, name)
    scans = select(Scan.checks, Scan.made_at).where(Scan.dataset_id == dataset.id).order_by(Scan.id.desc()).limit(50)
    since = next((at for checks, at in act.session.execute(scans) if check in checks), None)
    own = (Decision.dataset_id == dataset.id, Decision.verb.in_(REWRITES))
    last = act.session.scalar(select(func.max(Decision.made_at)).where(*own))
    return since is not None and last is not None and last > since


@query("data.findings_by_licence", doors=())
def list_by_licence(act: Act, *, name: str, check: str, sample: int = 6) -> list[LicenceFound]:
    """What a check found of licences, each licence once, the one that most pictures have first."""
    dataset = find_dataset(act.session, name)
    ours = (Finding.dataset_id == dataset.id, Finding.check == check, Finding.state == "open")
    n = func.count()
    found = (
        select(Item.licence, n, func.max(Finding.score), func.min(Finding.reason))
        .join(Item, Item.id == Finding.item_id)
        .where(*ours)
        .group_by(Item.licence)
        .order_by(n.desc(), Item.licence)
    )
    rows = []
    for licence, count, score, reason in act.session.execute(found):
        shown = (
            select(Item.id, Item.name)
            .join(Finding, Finding.item_id == Item.id)
            .where(*ours, Item.licence == licence)
            .order_by(Finding.id)
            .limit(sample)
        )
        some = [(one, caption) for one, caption in act.session.execute(shown)]
        rows.append(LicenceFound(licence, int(count), float(score), reason, some))
    return rows


@query("data.groups")
def list_groups(
    act: Act, *, name: str, after: str | None = None, limit: int = 20, check: str = "near_copies", by: By = "best",
    group: str = "", doubtful: bool = False,
) -> list[GroupView]:  # fmt: skip
    """Groups of copies with all their pictures, the most alike first, each with the one that `keep_best` would keep.

    What was left out of a group already comes last. `after` is the `place` of the last one seen. With `doubtful` only
    the groups of which `keep_best` leaves something to a person.
    """
    from sfumato.data.choosing import doubtful_groups

    dataset = find_dataset(act.session, name)
    only = [group] if group else doubtful_groups(act.session, dataset, check, by) if doubtful else None
    found = groups_of(act.session, dataset, check, by=by, after=after, limit=limit, only=only)
    if not found:
        CHECKS.get(check)  # raises NotFound, with the nearest name, where there is none
    return found


def groups_of(
    session: Session, dataset: Dataset, check: str, *, by: By = "best", after: str | None = None, limit: int = 20,
    only: list[str] | None = None,
) -> list[GroupView]:  # fmt: skip
    """Groups of copies of a dataset, or some of them, the most alike first; the best of each by a rule is marked."""
    score, n = func.max(Finding.score), func.count()
    found = (
        select(Finding.group, score, n)
        .where(Finding.dataset_id == dataset.id, Finding.check == check, Finding.state == "open", Finding.group != "")
        .group_by(Finding.group)
        .having(n > 1)
        .order_by(score.desc(), Finding.group)
        .limit(limit)
    )
    if only is not None:
        found = found.where(Finding.group.in_(only[:MOST_NAMED]))
    if after:
        last_score, last = _place(after)
        found = found.having(or_(score < last_score, and_(score == last_score, Finding.group > last)))
    groups = session.execute(found).all()
    members = _members(session, dataset.id, check, [group for group, _, _ in groups], by)
    return [
        GroupView(group, check, int(count), float(worst), sorted(members[group], key=_order))
        for group, worst, count in groups
    ]


def _order(one: Member) -> tuple[bool, bool]:
    return not one.is_best, not one.is_open


def _members(session: Session, dataset_id: str, check: str, groups: list[str], by: By) -> dict[str, list[Member]]:
    rows = session.execute(
        select(Finding, Item, Appearance)
        .join(Item, Item.id == Finding.item_id)
        .outerjoin(Appearance, Appearance.item_id == Item.id)
        .where(
            Finding.dataset_id == dataset_id, Finding.check == check, Finding.group.in_(groups),
            or_(Finding.state == "open", and_(Finding.state == "settled", Item.state == LEFT_OUT)),
        )
        .order_by(Finding.score, Finding.id)
    ).all()  # fmt: skip
    still = [row for row in rows if row[0].state == "open"]
    facts = facts_of(session, {item.id for _, item, _ in still})
    ranked: dict[str, list[Mapping[str, Any]]] = {}
    for finding, item, _ in sorted(still, key=lambda row: rank(facts[row[1].id], by)):
        ranked.setdefault(finding.group, []).append(facts[item.id])
    best = {group: some[0] for group, some in ranked.items()}
    told = {group: why_kept(some, by) for group, some in ranked.items()}
    found: dict[str, list[Member]] = {group: [] for group in groups}
    said = {(finding.group, item.id): finding.details for finding, item, _ in rows}
    for finding, item, seen in rows:
        first = best[finding.group]
        found[finding.group].append(
            Member(
                item.id, finding.id, called(item.name, item.key), item.key, item.sha256, item.width, item.height,
                seen.sharpness if seen else 0.0, seen.file_bytes if seen else 0, item.state,
                _why(finding, told[finding.group].get(item.id, ""), item.id == first["id"]), item.id == first["id"],
                finding.state == "open",
                doubt(check, first, facts.get(item.id, first), finding.details, said[finding.group, first["id"]]),
            )
        )  # fmt: skip
    return found


def _why(finding: Finding, ranked: str, is_best: bool) -> str:
    """What a group says of one picture: the check's own words, where these are not about which one is the best."""
    if finding.state != "open":
        return "It is left out already."
    if is_best or finding.details.get("best"):
        return ranked
    return f"{finding.reason} {ranked}".strip()


def _place(said: str) -> tuple[float, str]:
    score, _, last = said.partition("/")
    try:
        return float(score), last
    except ValueError as problem:
        raise InvalidInput(f"'{said[:80]}' is no place in this list.", hint="Send what `next` said.") from problem
