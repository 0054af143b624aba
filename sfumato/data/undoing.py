"""Taking a decision back: what it set becomes what it was, and what it answered is asked again, or stays answered.

Other decisions stay as they are. It is refused only where one that was made later, and stands otherwise than it did
then, is about the same column of the same picture.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, aliased

from sfumato.data.decide import chunks, rows_of, settle
from sfumato.data.records import Decided, Decision, Finding
from sfumato.errors import Conflict
from sfumato.people.names import names_in

ACCOUNT = ("edited", "revision")  # columns that keep account of the others
PAGE = 1_000  # rows that are read at once
QUIET = {"synchronize_session": False}


def stands(decision: Decision) -> bool:
    """Whether what it is about is done by it, rather than taken back."""
    return bool(decision.details.get("stands", True))


def root_of(decision: Decision) -> str:
    """The id of the decision that this one does, takes back, or does again."""
    return str(decision.details.get("of", decision.id))


def edits_back(session: Session, target: Decision) -> dict[str, dict[str, Any]]:
    """The columns of each of its items as they were, by item id; what others have set stays in `edited`."""
    rows = session.execute(
        select(Decided.item_id, Decided.before, Decided.after).where(Decided.decision_id == target.id)
    ).all()
    present = {row.id: set(row.edited) for row in rows_of(session, sorted(row.item_id for row in rows), ("edited",))}
    found: dict[str, dict[str, Any]] = {}
    for item, before, after in rows:
        old, new = set(before["edited"]), set(after["edited"])
        edited = sorted((present[item] - (new - old)) | (old - new))
        found[item] = {name: value for name, value in before.items() if name not in ACCOUNT} | {"edited": edited}
    return found


def refuse_contradicted(session: Session, target: Decision) -> None:
    """Refuse to undo what a later decision, that stands otherwise than at the target's time, is about as well."""
    clashing = [one for one in _later(session, target) if _clash(session, target, one)]
    if not clashing:
        return
    names = names_in(session, [one.made_by for one in clashing])
    said = "; ".join(f"'{one.name}' by {names[one.made_by]} ({one.id[-12:]})" for one in clashing[:5])
    raise Conflict(
        f"'{target.name}' cannot be undone: {len(clashing):,} later decision{'s' * (len(clashing) > 1)} changed "
        f"the same of its pictures: {said}. Nothing was changed.",
        hint="Undo those first, the newest before the others.",
    )


def _later(session: Session, target: Decision) -> list[Decision]:
    """Decisions on any of its items that were made later, the last of each that was not done and undone since."""
    own, other = aliased(Decided), aliased(Decided)
    later = (
        select(other.decision_id)
        .join(own, own.item_id == other.item_id)
        .where(
            own.decision_id == target.id,
            other.after["revision"].as_integer() > own.after["revision"].as_integer(),
        )
        .distinct()
    )
    by_root: dict[str, list[Decision]] = defaultdict(list)
    for one in session.scalars(select(Decision).where(Decision.id.in_(later)).order_by(Decision.id)):
        by_root[root_of(one)].append(one)
    return [some[-1] for root, some in by_root.items() if len(some) % 2 and root != root_of(target)]


def _clash(session: Session, target: Decision, later: Decision) -> bool:
    """Whether both are about the same column of one picture."""
    own, other = aliased(Decided), aliased(Decided)
    both = (
        select(own.before, own.after, other.before, other.after)
        .join(other, other.item_id == own.item_id)
        .where(own.decision_id == target.id, other.decision_id == later.id)
        .execution_options(yield_per=PAGE)
    )
    implied = {"state"} if "*" in later.details.get("settles", ()) else set()  # it says of each that it stays so, too
    return any(
        _about(before, after) & (_about(its_before, its_after) | implied)
        for before, after, its_before, its_after in session.execute(both)
    )


def _about(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The columns that a decision changed, or was the first or the last to say of a picture."""
    return {name for name in after if name not in ACCOUNT} | (set(before["edited"]) ^ set(after["edited"]))


def move_findings(session: Session, target: Decision, decision: Decision) -> None:
    """Open what the undone decision had answered, unless another one that stands answers it as well.

    What is done again answers again what was answered once.
    """
    own = Finding.dataset_id == target.dataset_id
    opened = update(Finding).where(own, Finding.settled_by == target.id, Finding.state == "settled")
    n: Any = session.execute(opened.values(state="open"), execution_options=QUIET)
    if n.rowcount:
        for other in _heirs(session, target):
            settle(session, other, _answers(session, other), among=_known_to(session, other, target))
    if stands(decision):
        checks = _answers(session, decision)
        settle(session, decision, checks, among=_known_to(session, decision) & (Finding.settled_by != ""))


def _answers(session: Session, decision: Decision) -> list[str]:
    return list(session.get_one(Decision, root_of(decision)).details.get("settles", []))


def _known_to(session: Session, decision: Decision, opened_by: Decision | None = None) -> Any:
    """Findings that were there when it was first decided; of those alone that the undoing of another has opened."""
    known: Any = Finding.made_at <= session.get_one(Decision, root_of(decision)).made_at
    return known if opened_by is None else known & (Finding.settled_by == opened_by.id)


def _heirs(session: Session, target: Decision) -> Iterator[Decision]:
    """Decisions that stand, made after the target, on pictures of which something is open again; the oldest first."""
    own = (Finding.dataset_id == target.dataset_id, Finding.settled_by == target.id, Finding.state == "open")
    groups = select(Finding.group).where(*own, Finding.group != "")
    about: set[str] = set()
    near = or_(Finding.settled_by == target.id, Finding.group.in_(groups))
    for item, beside in session.execute(
        select(Finding.item_id, Finding.beside_id).where(Finding.dataset_id == target.dataset_id, near)
    ):
        about |= {item, beside} - {""}
    made: dict[str, Decision] = {}
    for some in chunks(sorted(about)):
        ids = select(Decided.decision_id).where(Decided.item_id.in_(some)).distinct()
        later = select(Decision).where(
            Decision.id.in_(ids), Decision.made_at > target.made_at, Decision.undone_by == "", Decision.id != target.id
        )
        made |= {one.id: one for one in session.scalars(later) if stands(one)}
    yield from sorted(made.values(), key=lambda one: (one.made_at, one.id))
