"""Plans that mend an imbalance: by weighting, leaving out or collecting, with their effect shown before anything is."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.decide import apply
from sfumato.data.groups import MOST_GROUPS, Member, counts_of, members, target_of, unseen
from sfumato.data.history import DecisionView
from sfumato.data.items import read_where
from sfumato.data.records import LEFT_OUT, Dataset
from sfumato.data.verdicts import says
from sfumato.errors import Conflict, InvalidInput
from sfumato.statistics.balance import effective_size

How = Literal["weight", "leave out", "collect"]
HOW = ("weight", "leave out", "collect")
SAID = 6  # groups that a sentence names


@dataclass(frozen=True)
class GroupPlan:
    """What a plan does to one group: its share as it is and as it becomes, and how."""

    group: str
    n: int
    before: float
    target: float
    after: float
    weight: float  # by which each of its pictures is multiplied
    leave_out: int
    collect: int


@dataclass(frozen=True)
class BalancePlan:
    """A plan for a dataset; `seen` tells whether it is still about the same pictures when it is applied."""

    dataset: str
    attributes: list[str]
    target: str
    how: str
    n: int
    silent: int
    groups: list[GroupPlan]
    effective_before: float
    effective_after: float
    seen: str
    says: str


@query("data.plan_balance")
def plan_balance(
    act: Act, *, name: str, attributes: list[str], target: str = "equal", how: How = "weight", where: str = ""
) -> BalancePlan:
    """Plan how a dataset becomes balanced over attributes, and show the shares before and after; nothing changes.

    `target` is "equal", "as:DATASET", or shares as JSON. Pictures that declare nothing keep their weight.
    """
    dataset = find_dataset(act.session, name)
    return _plan(act.session, dataset, attributes, target, how, where)[0]


@action("data.apply_plan", needs="dataset.write")
def apply_plan(
    act: Act, *, name: str, attributes: list[str], target: str = "equal", how: How = "weight", where: str = "",
    reason: str = "", seen: str = "",
) -> DecisionView:  # fmt: skip
    """Apply a balance plan as one decision, which can be undone: weights for training, or pictures left out.

    Raises Conflict where the pictures are others than those of the plan that was `seen`.
    """
    dataset = find_dataset(act.session, name)
    plan, found = _plan(act.session, dataset, attributes, target, how, where)
    if seen and seen != plan.seen:
        raise Conflict("The pictures have changed since this plan was made.", hint="Look at the plan again.")
    if how == "collect":
        raise InvalidInput("What is not there cannot be applied.", hint=plan.says)
    edits = _weights(plan, found) if how == "weight" else _left_out(plan, found)
    if not edits:
        raise InvalidInput("Nothing would change: it is balanced like this already.")
    said = f"balanced {', '.join(attributes)} to {plan.target} by {'weights' if how == 'weight' else 'leaving out'}"
    details = {
        "attributes": attributes, "target": target, "effective_before": plan.effective_before,
        "effective_after": plan.effective_after,
    }  # fmt: skip
    verb, settles = ("set weight", ()) if how == "weight" else ("leave out", ("*",))
    decision = apply(act, dataset, edits, verb=verb, name=said, reason=reason, details=details, settles=settles)
    return says(act, dataset, decision)


def _plan(
    session: Session, dataset: Dataset, attributes: Sequence[str], target: str, how: str, where: str
) -> tuple[BalancePlan, list[Member]]:
    if how not in HOW:
        raise InvalidInput(f"'{how}' is no way to balance.", hint=f"Say {', '.join(HOW[:-1])} or {HOW[-1]}.")
    names = list(dict.fromkeys(attributes))
    if not 1 <= len(names) <= 3:
        raise InvalidInput("A plan is about one, two or three attributes.", hint="Name those that matter most.")
    found = members(session, dataset, names, read_where(where))
    counts = counts_of(found)
    if len(counts) < 2:
        raise InvalidInput(f"There is one group alone: {next(iter(counts), 'none')}.", hint="Nothing can be balanced.")
    none = unseen(found)
    if how == "collect" and len(counts) + len(none) <= MOST_GROUPS:
        counts.update(dict.fromkeys(none, 0))
    wanted, words = target_of(session, target, counts, names)
    told = [one for one in found if one.group]
    weighed: dict[str, float] = defaultdict(float)
    for one in told:
        weighed[one.group] += one.weight if how == "weight" else 1.0
    if how == "weight":
        groups, after = _by_weight(counts, weighed, wanted, told)
    elif how == "leave out":
        groups, after = _by_leaving_out(counts, wanted)
    else:
        groups, after = _by_collecting(counts, wanted)
    groups.sort(key=lambda one: (-one.n, one.group))
    before = effective_size([one.weight for one in told]) if how == "weight" else float(len(told))
    marks = "\n".join(f"{one.id} {one.group} {one.weight}" for one in found)
    plan = BalancePlan(
        dataset.name, names, words, how, len(told), len(found) - len(told), groups, before, after,
        hashlib.sha256(marks.encode()).hexdigest()[:16], "",
    )  # fmt: skip
    return BalancePlan(**{**plan.__dict__, "says": _says(plan, none)}), found


def _by_weight(
    counts: Mapping[str, int], weighed: Mapping[str, float], wanted: Mapping[str, float], told: Sequence[Member]
) -> tuple[list[GroupPlan], float]:
    """Multiply the weights of each group so that its share of all weight becomes what it ought to be."""
    total = sum(weighed.values())
    empty = [group for group in counts if wanted[group] > 0 and weighed[group] <= 0]
    if empty:
        raise InvalidInput(f"All pictures of '{empty[0]}' have the weight 0.", hint="Give them a weight first.")
    factors = {group: wanted[group] * total / weighed[group] if weighed[group] else 1.0 for group in counts}
    groups = [
        GroupPlan(group, n, weighed[group] / total, wanted[group], wanted[group], factors[group], 0, 0)
        for group, n in counts.items()
    ]
    return groups, effective_size([one.weight * factors[one.group] for one in told])


def _by_leaving_out(counts: Mapping[str, int], wanted: Mapping[str, float]) -> tuple[list[GroupPlan], float]:
    """Keep as many of each group as the scarcest one allows."""
    size = min(n / wanted[group] for group, n in counts.items() if wanted[group] > 0)
    keeps = {group: min(n, round(size * wanted[group])) for group, n in counts.items()}
    n, left = sum(counts.values()), sum(keeps.values())
    groups = [
        GroupPlan(group, many, many / n, wanted[group], keeps[group] / left, 1.0, many - keeps[group], 0)
        for group, many in counts.items()
    ]
    return groups, float(left)


def _by_collecting(counts: Mapping[str, int], wanted: Mapping[str, float]) -> tuple[list[GroupPlan], float]:
    """Add to each group what it lacks beside the most plentiful one."""
    unwanted = [group for group in counts if wanted[group] <= 0]
    if unwanted:
        raise InvalidInput(
            f"No number of new pictures takes the share of '{unwanted[0]}' to 0.", hint="Leave them out instead."
        )
    size = max(n / wanted[group] for group, n in counts.items())
    wants = {group: max(n, math.ceil(size * wanted[group] - 1e-9)) for group, n in counts.items()}
    n, more = sum(counts.values()), sum(wants.values())
    groups = [
        GroupPlan(group, many, many / n, wanted[group], wants[group] / more, 1.0, 0, wants[group] - many)
        for group, many in counts.items()
    ]
    return groups, float(more)


def _says(plan: BalancePlan, none: Sequence[str]) -> str:
    """What the plan does, in sentences."""
    least = min(plan.groups, key=lambda one: (one.before - one.target, one.group))
    share = f"{least.group} goes from {least.before:.0%} to {least.after:.0%}"
    worth = f"{plan.n:,} pictures count as {plan.effective_after:,.0f} equal ones"
    if plan.how == "weight":
        most = max(one.weight for one in plan.groups)
        said = f"{share}; {worth}, {plan.effective_before:,.0f} before. The largest factor is {most:.1f}."
        if plan.effective_after < plan.effective_before / 2:
            said += " That costs more than half of what the pictures are worth: collect some instead."
    elif plan.how == "leave out":
        left = sum(one.leave_out for one in plan.groups)
        said = f"{share}; {left:,} of {plan.n:,} pictures are left out, {plan.effective_after:,.0f} stay."
    else:
        lacks = sorted((one for one in plan.groups if one.collect), key=lambda one: -one.collect)
        wanted = ", ".join(f"{one.collect:,} of {one.group}" for one in lacks[:SAID])
        if len(lacks) > SAID:
            rest = sum(one.collect for one in lacks[SAID:])
            wanted += f", and {rest:,} of {len(lacks) - SAID:,} more groups"
        said = f"Collect {wanted}: {share}." if lacks else "Nothing has to be collected."
    silent = f" {plan.silent:,} pictures that declare nothing stay as they are." if plan.silent else ""
    if none and plan.how != "collect":
        silent += f" No picture has {', '.join(none[:5])}: only collecting mends that."
    return said + silent


def _weights(plan: BalancePlan, found: Sequence[Member]) -> dict[str, dict[str, Any]]:
    factors = {one.group: one.weight for one in plan.groups}
    edits = {}
    for one in found:
        weight = round(one.weight * factors.get(one.group, 1.0), 6)
        if one.group and not math.isclose(weight, one.weight, rel_tol=1e-5, abs_tol=1e-9):
            edits[one.id] = {"weight": weight}
    return edits


def _left_out(plan: BalancePlan, found: Sequence[Member]) -> dict[str, dict[str, Any]]:
    """Which pictures go is told by their content alone, as by lot: the same ones each time."""
    edits: dict[str, dict[str, Any]] = {}
    for group in plan.groups:
        drawn = sorted(
            (one for one in found if one.group == group.group),
            key=lambda one: hashlib.sha256(f"balance {one.sha256} {one.id}".encode()).digest(),
        )
        edits |= {one.id: {"state": LEFT_OUT} for one in drawn[: group.leave_out]}
    return edits
