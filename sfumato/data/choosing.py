"""Choosing in bulk, with a reason for each picture: the best of each group of copies, and a diverse part of all."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.decide import Edits, apply, in_words, meant, open_findings, rows_of
from sfumato.data.history import DecisionView
from sfumato.data.narrowing import Where
from sfumato.data.ranking import By, facts_of, rank, why
from sfumato.data.records import KEPT, LEFT_OUT, Dataset, Decision, Finding, Item, called
from sfumato.data.verdicts import says, told
from sfumato.errors import InvalidInput, NotFound
from sfumato.jobs import JobView, enqueue


@action("data.keep_best", needs="dataset.write", doors=("api", "cli"))
def keep_best(
    act: Act,
    *,
    name: str,
    check: Annotated[str, Field(max_length=60)] = "near_copies",
    by: By = "best",
    groups: list[str] | None = None,
    reason: str = "",
    title: str = "",
) -> DecisionView:
    """Of each group of copies that a check found, keep one and leave the others out, with a reason for each.

    The best has the fewest open findings of a spoilt picture, then the most pixels; else it is the sharpest (the
    larger of two as sharp), the largest (the sharper of two as large), or the first that came.
    """
    dataset = find_dataset(act.session, name)
    of_group = _groups(act.session, dataset, check, groups)
    facts = facts_of(act.session, {one for ids in of_group.values() for one in ids})
    edits: dict[str, Mapping[str, Any]] = {}
    reasons: dict[str, str] = {}
    best_of: dict[str, str] = {}
    for group, ids in sorted(of_group.items()):
        ranked = sorted((one for one in ids if one in facts), key=lambda one: rank(facts[one], by))
        for one in ranked[1:] if len(ranked) > 1 else ():
            edits[one] = {"state": LEFT_OUT}
            reasons[one] = f"a copy of '{facts[ranked[0]]['name']}', which {why(facts[ranked[0]], facts[one], by)}"
            best_of[ranked[0]] = group
    for one in best_of:
        if one not in edits:  # it may be the worse one of another group
            edits[one], reasons[one] = {}, f"the {by} of its group"
    if not edits:
        raise NotFound(f"No open group of copies by '{check}' in '{name}'.", hint=f"Run: sfumato data check {name}")
    gone = sum(bool(values) for values in edits.values())
    decision = apply(
        act, dataset, edits, verb="keep best", reason=reason, reasons=reasons, settles=(check,),
        name=title or f"kept the {by} of {_groups_of(len(best_of))}, left out {in_words(gone)}",
        details={"check": check, "by": by, "groups": len(best_of), "left_out": gone},
    )  # fmt: skip
    return says(act, dataset, decision)


def _groups_of(n: int) -> str:
    return "a group of copies" if n == 1 else f"{n:,} groups of copies"


def _groups(session: Session, dataset: Dataset, check: str, groups: list[str] | None) -> dict[str, list[str]]:
    """Kept items by the group of copies that they are in, of the open findings of a check."""
    found = (
        select(Finding.group, Finding.item_id)
        .join(Item, Item.id == Finding.item_id)
        .where(
            Finding.dataset_id == dataset.id, Finding.check == check, Finding.state == "open", Finding.group != "",
            Item.state == KEPT,
        )
    )  # fmt: skip
    if groups is not None:
        found = found.where(Finding.group.in_(groups[:5_000]))
    by_group: dict[str, list[str]] = defaultdict(list)
    for group, item in session.execute(found.distinct()):
        by_group[group].append(item)
    return by_group


@action("data.pick_diverse", needs="dataset.write", doors=("api", "cli"))
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
