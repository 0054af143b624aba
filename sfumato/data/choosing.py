"""Choosing in bulk, with a reason for each picture: the best of each group of copies, and a diverse part of all."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.decide import Edits, apply, in_words, meant, open_findings, rows_of
from sfumato.data.history import DecisionView
from sfumato.data.narrowing import Where
from sfumato.data.ranking import By, doubt, facts_of, rank, why
from sfumato.data.records import KEPT, LEFT_OUT, Dataset, Decision, Finding, Item, called
from sfumato.data.scan import title_of
from sfumato.data.verdicts import says, told
from sfumato.errors import InvalidInput, NotFound
from sfumato.jobs import JobView, enqueue


@dataclass
class Thinning:
    """What becomes of groups of copies: who is left out and why, the best of each, and what a person has to look at."""

    edits: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    doubtful: int = 0
    doubtful_groups: list[str] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """How many pictures go."""
        return sum(bool(values) for values in self.edits.values())


@dataclass(frozen=True)
class ThinningView:
    """What keeping the best of each group would do: so many groups, pictures left out, and pictures in doubt."""

    groups: int
    left_out: int
    doubtful: int


@action("data.keep_best", needs="dataset.write")
def keep_best(
    act: Act,
    *,
    name: str,
    check: Annotated[str, Field(max_length=60)] = "near_copies",
    by: By = "best",
    groups: list[str] | None = None,
    doubtful: bool = False,
    reason: str = "",
    title: str = "",
) -> DecisionView:
    """Of each group of copies that a check found, keep one and leave the others out, with a reason for each.

    The best has the fewest open findings of a spoilt picture, then the most pixels, then a caption, then it is sharper;
    else it is the sharpest (the larger of two as sharp), the largest, or the first that came. What may be no copy,
    since a part of it or its caption differs, stays open unless `doubtful` is said, or its group is named.
    """
    dataset = find_dataset(act.session, name)
    done = _thinned(act.session, dataset, check, by, groups, doubtful or groups is not None)
    if not done.edits:
        raise _none_to_thin(name, check, done.doubtful)
    decision = apply(
        act, dataset, done.edits, verb="keep best", reason=reason, reasons=done.reasons, settles=(check,),
        name=title or f"kept the {by} of {_groups_of(len(done.groups))}, left out {in_words(done.left_out)}",
        details={
            "check": check, "by": by, "groups": len(done.groups), "left_out": done.left_out, "doubtful": done.doubtful,
        },
    )  # fmt: skip
    return says(act, dataset, decision)


@query("data.keep_best_would", doors=())
def keep_best_would(
    act: Act, *, name: str, check: str = "near_copies", by: By = "best", doubtful: bool = False
) -> ThinningView:  # fmt: skip
    """What `keep_best` would do now."""
    done = _thinned(act.session, find_dataset(act.session, name), check, by, None, doubtful)
    return ThinningView(len(done.groups), done.left_out, done.doubtful)


def doubtful_groups(session: Session, dataset: Dataset, check: str, by: By) -> list[str]:
    """The groups of which `keep_best` leaves something to a person."""
    return _thinned(session, dataset, check, by, None, False).doubtful_groups


def _none_to_thin(name: str, check: str, doubtful: int) -> NotFound:
    if not doubtful:
        return NotFound(f"No open group of copies by '{check}' in '{name}'.", hint=f"Run: sfumato data check {name}")
    return NotFound(
        f"All that is left of {title_of(check)} in '{name}' is in doubt: {in_words(doubtful)}.",
        hint="Look at each group and decide on it, or say that doubtful ones are meant too.",
    )


def _thinned(
    session: Session, dataset: Dataset, check: str, by: By, groups: list[str] | None, doubtful: bool
) -> Thinning:
    of_group = _groups(session, dataset, check, groups)
    facts = facts_of(session, {one for members in of_group.values() for one in members})
    done, bests = Thinning(), {}
    for group, members in sorted(of_group.items()):
        ranked = sorted((one for one in members if one in facts), key=lambda one: rank(facts[one], by))
        best, open_still = facts[ranked[0]], 0
        for one in ranked[1:]:
            if not doubtful and doubt(check, best, facts[one], members[one], members[ranked[0]]):
                open_still += 1
                continue
            done.edits[one] = {"state": LEFT_OUT}
            done.reasons[one] = f"a copy of '{best['name']}', which {why(best, facts[one], by)}"
            done.groups.add(group)
        if open_still:
            done.doubtful += open_still
            done.doubtful_groups.append(group)
        if group in done.groups and not open_still:
            bests[best["id"]] = group
    for one in bests:
        if one not in done.edits:  # it may be the worse one of another group
            done.edits[one], done.reasons[one] = {}, f"the {by} of its group"
    return done


def _groups_of(n: int) -> str:
    return "a group of copies" if n == 1 else f"{n:,} groups of copies"


def _groups(
    session: Session, dataset: Dataset, check: str, groups: list[str] | None
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Groups of two or more copies that are kept, of a check's open findings: what it says of each item."""
    found = (
        select(Finding.group, Finding.item_id, Finding.details)
        .join(Item, Item.id == Finding.item_id)
        .where(
            Finding.dataset_id == dataset.id, Finding.check == check, Finding.state == "open", Finding.group != "",
            Item.state == KEPT,
        )
    )  # fmt: skip
    if groups is not None:
        found = found.where(Finding.group.in_(groups[:5_000]))
    by_group: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for group, item, details in session.execute(found):
        by_group[group][item] = details or {}
    return {group: members for group, members in by_group.items() if len(members) > 1}


@action("data.pick_diverse", needs="dataset.write")
def pick_diverse(
    act: Act, *, name: str, n: Annotated[int, Field(ge=1, le=1_000_000)], where: Where | None = None,
    reason: str = "", title: str = "",
) -> JobView:  # fmt: skip
    """Ask for the n pictures that show most of what there is to be picked and the others left out, with reasons.

    Each next one is the one least like those picked so far; one with an open finding is picked only where it is
    much less like them than the others. What is meant is narrowed by `where`; what is not meant stays as it is.
    """
    dataset = find_dataset(act.session, name)
    said = where or Where()
    ids = meant(act.session, dataset, said)
    if len(ids) <= n:
        raise InvalidInput(f"There are only {in_words(len(ids))}.", hint="Pick fewer than that.")
    spec = {
        "dataset": name, "dataset_id": dataset.id, "n": n, "where": said.model_dump(mode="json", exclude_defaults=True),
        "reason": reason, "title": title,
    }  # fmt: skip
    act.says(f"asked for the {n:,} most different of {in_words(len(ids))} of {name}", subject=dataset.ref)
    last = act.session.scalar(select(func.max(Decision.id)).where(Decision.dataset_id == dataset.id))
    key = hashlib.sha256(json.dumps([spec, last], sort_keys=True).encode()).hexdigest()
    return enqueue(act, kind="data.pick_diverse", spec=spec, key=f"data.pick_diverse:{key}")


@query("data.candidates", doors=())
def read_candidates(act: Act, *, name: str, where: Where) -> list[tuple[str, str, str, int, bool]]:
    """Of what is meant: id, content, what it is called, revision, and whether something is found of it."""
    dataset = find_dataset(act.session, name)
    ids = meant(act.session, dataset, where)
    troubled = open_findings(act.session, ids, dataset.id)
    rows = rows_of(act.session, ids, ("sha256", "name", "key", "revision"))
    return [(row.id, row.sha256, called(row.name, row.key), row.revision, row.id in troubled) for row in rows]


@action("data.write_picked", needs="dataset.write", doors=())
def write_picked(
    act: Act, *, name: str, edits: Edits, reasons: dict[str, str], expected: dict[str, int], spec: dict[str, Any],
    job_id: str,
) -> DecisionView:  # fmt: skip
    """Leave out what was not picked; what was is written down with its reason, and stays."""
    dataset = find_dataset(act.session, name)
    picked = sum(not values for values in edits.values())
    decision = apply(
        act, dataset, edits, verb="pick diverse", reason=spec.get("reason", ""), reasons=reasons, expected=expected,
        settles=("",),
        name=spec.get("title") or f"picked the {picked:,} most different of {in_words(len(edits))}",
        details={"where": told(Where(**spec["where"])), "n": picked, "job": job_id},
    )  # fmt: skip
    return says(act, dataset, decision)


@query("data.picked", doors=())
def find_picked(act: Act, *, dataset_id: str, job_id: str) -> DecisionView | None:
    """The decision that a job has written already, None where it has not."""
    from sfumato.data.history import seen
    from sfumato.people.names import names_in

    made = select(Decision).where(
        Decision.dataset_id == dataset_id, Decision.verb == "pick diverse",
        Decision.details["job"].as_string() == job_id,
    )  # fmt: skip
    row = act.session.scalar(made)
    dataset = act.session.get_one(Dataset, dataset_id)
    return seen(row, dataset.name, names_in(act.session, [row.made_by])) if row is not None else None
