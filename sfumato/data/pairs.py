"""Pairs of pictures that several checks ask about: once a person has judged one, no check asks about it again."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from sfumato.data.records import Decided, Decision, Finding

ALIKE = ("near_copies", "exact_copies", "looks_alike")  # checks that find pictures of which one may be enough
AT_ONCE = 500  # items that a statement names
QUIET = {"synchronize_session": False}
Pair = tuple[str, str]


def answered_pairs(session: Session, dataset_id: str, pairs: Iterable[Pair]) -> dict[Pair, str]:
    """Those of the pairs that a decision has answered already, with the decision's id.

    Two of one group are answered once both are; a pair that has no group, once the one that was found is.
    """
    wanted = set(pairs)
    items = sorted({one for pair in wanted for one in pair})
    groups: dict[str, dict[str, str]] = {}
    alone: dict[Pair, str] = {}
    for start in range(0, len(items), AT_ONCE):
        settled = select(Finding.item_id, Finding.beside_id, Finding.group, Finding.settled_by).where(
            Finding.dataset_id == dataset_id, Finding.state == "settled", Finding.check.in_(ALIKE),
            Finding.item_id.in_(items[start : start + AT_ONCE]),
        )  # fmt: skip
        for item, beside, group, decision in session.execute(settled):
            if group:
                groups.setdefault(item, {})[group] = decision
            elif beside:
                alone[item, beside] = alone[beside, item] = decision
    found = {pair: alone[pair] for pair in wanted if pair in alone}
    for one, other in wanted:
        both = sorted(groups.get(one, {}).keys() & groups.get(other, {}).keys())
        if both:
            found[one, other] = groups[one][both[0]]
    return found


def carry_over(session: Session, decision: Decision, among: ColumnElement[bool] | None = None) -> None:
    """Let a decision that answered pairs by one check answer them for the others as well: all ask the same of them.

    What others found in a group is answered only if all that is open of the group is.
    """
    own = (Finding.dataset_id == decision.dataset_id, Finding.check.in_(ALIKE))
    by_it = select(Finding.item_id).where(*own, Finding.state == "settled", Finding.settled_by == decision.id)
    if session.scalar(by_it.limit(1)) is None:
        return
    touched = select(Decided.item_id).where(Decided.decision_id == decision.id)
    columns = (Finding.id, Finding.group, Finding.item_id, Finding.beside_id)
    still = select(*columns).where(*own, Finding.state == "open")
    still = still if among is None else still.where(among)
    here = still.where(Finding.item_id.in_(touched)).subquery()
    loose = session.execute(still.where(Finding.group == "", Finding.beside_id != "", Finding.item_id.in_(touched)))
    whole = session.execute(still.where(Finding.group != "", Finding.group.in_(select(here.c.group))))
    rows = [*loose, *whole]
    answered = answered_pairs(session, decision.dataset_id, {(row.item_id, row.beside_id) for row in rows})
    by_group: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for one, group, item, beside in rows:
        by_group[group or one].append((one, item, beside))
    done = [
        one
        for some in by_group.values()
        if any(beside for _, _, beside in some)
        and all(not beside or (item, beside) in answered for _, item, beside in some)
        for one, _, _ in some
    ]
    _settle(session, done, decision.id)


def answer_lone(session: Session, dataset_id: str, check: str) -> None:
    """Answer what is open of the best of a group whose others were all answered: it is beside nothing any more."""
    own = (Finding.dataset_id == dataset_id, Finding.check == check, Finding.group != "")
    lone = select(func.min(Finding.id), Finding.group).where(*own, Finding.state == "open").group_by(Finding.group)
    lone = lone.having(func.count() == 1, func.max(Finding.beside_id) == "")
    by_group = {group: one for one, group in session.execute(lone)}
    groups = sorted(by_group)
    for start in range(0, len(groups), AT_ONCE):
        by = select(Finding.group, func.max(Finding.settled_by)).where(
            *own, Finding.state == "settled", Finding.group.in_(groups[start : start + AT_ONCE])
        )
        for group, decision in session.execute(by.group_by(Finding.group)).all():
            _settle(session, [by_group[group]], decision)


def _settle(session: Session, ids: list[str], decision: str) -> None:
    for start in range(0, len(ids), AT_ONCE):
        some = update(Finding).where(Finding.id.in_(ids[start : start + AT_ONCE]))
        session.execute(some.values(state="settled", settled_by=decision), execution_options=QUIET)
