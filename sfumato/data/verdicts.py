"""Verdicts: leaving pictures out of what is frozen next, keeping them, and taking a decision back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from sfumato.actions import Act, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.decide import apply, in_words, meant, open_findings, rows_of
from sfumato.data.history import DecisionView, find_decision, seen
from sfumato.data.items import ItemView, read_where, view
from sfumato.data.narrowing import Where, narrow
from sfumato.data.records import KEPT, LEFT_OUT, Dataset, Decision, Item
from sfumato.data.scan import title_of
from sfumato.data.undoing import edits_back, move_findings, refuse_contradicted, root_of, stands
from sfumato.errors import Conflict, InvalidInput
from sfumato.people.names import names_in
from sfumato.people.wording import shortened

RIGHTS = ("consent", "opt_out")  # checks of which a picture that is kept is kept in spite of what its file says


@action("data.leave_out", needs="dataset.write")
def leave_out(
    act: Act, *, name: str, where: Where, reason: str = "", title: str = "", expected: dict[str, int] | None = None
) -> DecisionView:
    """Leave pictures out of what is frozen from now on; nothing is deleted, and it can be undone as a whole."""
    dataset = find_dataset(act.session, name)
    ids = meant(act.session, dataset, where)
    known = open_findings(act.session, ids, dataset.id)
    gone: Mapping[str, Any] = {"state": LEFT_OUT}
    edits: dict[str, Mapping[str, Any]] = dict.fromkeys(ids, gone)
    edits |= {row.id: {} for row in rows_of(act.session, sorted(known), ("state",)) if row.state == LEFT_OUT}
    said = title or f"left out {in_words(len(ids))}{because_of(where)}"
    decision = apply(
        act, dataset, edits, verb="leave out", name=said, reason=reason, expected=expected, settles=("*",),
        details={"where": told(where)},
    )  # fmt: skip
    return says(act, dataset, decision)


@action("data.keep", needs="dataset.write")
def keep(
    act: Act, *, name: str, where: Where, reason: str = "", title: str = "", expected: dict[str, int] | None = None
) -> DecisionView:
    """Keep pictures: what was left out comes back, and findings are answered, those of one check if one is named.

    A picture kept without naming a check, or for its consent or opt-out, is kept in spite of an opt-out in its file.
    """
    dataset = find_dataset(act.session, name)
    ids = meant(act.session, dataset, where, state=None)
    only = where.check if where.check not in (None, "*", *RIGHTS) else None
    known = open_findings(act.session, ids, dataset.id)
    kept: Mapping[str, Any] = {"state": KEPT}
    edits: dict[str, Mapping[str, Any]] = {}
    for row in rows_of(act.session, ids, ("state", "edited")):
        stands = row.state == KEPT and (only is not None or (row.id in known and "state" in row.edited))
        edits[row.id] = {} if stands else kept
    said = title or f"kept {in_words(len(ids))}{because_of(where)}"
    decision = apply(
        act, dataset, edits, verb="keep", name=said, reason=reason, expected=expected, settles=(only or "*",),
        details={"where": told(where)},
    )  # fmt: skip
    return says(act, dataset, decision)


@dataclass(frozen=True)
class Meant:
    """How many pictures a Where means, and the first of them."""

    n: int
    left_out: int
    first: list[ItemView]


@query("data.meant", doors=("api", "cli"))
def show_meant(act: Act, *, name: str, where: str = "", limit: int = 6) -> Meant:
    """How many pictures of a dataset a `where` (as JSON) means, kept or left out, and the first of them."""
    dataset, said = find_dataset(act.session, name), read_where(where)
    both: Any = select(Item.state, func.count())
    counted = narrow(both, dataset.id, said).group_by(Item.state)
    by_state = {state: int(n) for state, n in act.session.execute(counted)}
    first = act.session.scalars(narrow(select(Item), dataset.id, said).order_by(Item.id).limit(min(limit, 60)))
    return Meant(sum(by_state.values()), by_state.get(LEFT_OUT, 0), [view(row, dataset.name) for row in first])


@action("data.undo", needs="dataset.write")
def undo(act: Act, *, id: str, reason: str = "") -> DecisionView:
    """Take a decision back as a whole, by its id or the end of it; undoing an undo does it again.

    Raises Conflict, naming them, where later decisions have changed the same of its pictures. Frozen versions stay.
    """
    session = act.session
    target, dataset = find_decision(session, id)
    if target.undone_by:
        raise Conflict(
            f"'{target.name}' was taken back already.", hint=f"Undo {target.undone_by[-12:]} to do it again."
        )
    refuse_contradicted(session, target)
    edits = edits_back(session, target)
    _refuse_erased(act, edits)
    again = not stands(target)
    said = session.get_one(Decision, root_of(target)).name
    decision = apply(
        act, dataset, edits, verb="undo", name=f"{'did again' if again else 'took back'}: {said}", reason=reason,
        undoes=target.id, details={"of": root_of(target), "stands": again}, touch=True,
    )  # fmt: skip
    target.undone_by = decision.id
    session.flush()
    move_findings(session, target, decision)
    return says(act, dataset, decision)


def says(act: Act, dataset: Dataset, decision: Decision) -> DecisionView:
    """Let the event say what was decided, and return it."""
    why = f": {shortened(decision.reason, 120)}" if decision.reason else ""
    act.says(f"{decision.name} in {dataset.name}{why}", subject=dataset.ref, decision=decision.id, n=decision.n)
    return seen(decision, dataset.name, names_in(act.session, [decision.made_by]))


def because_of(where: Where) -> str:
    """How a decision's name says what it was narrowed to."""
    parts = [_part(part, value) for part, value in told(where).items() if isinstance(value, str)]
    return f" ({shortened(', '.join(parts), 120)})" if parts else ""


def _part(part: str, value: str) -> str:
    if part == "check":
        return title_of(value) if value != "*" else "with a finding"
    if part in ("group", "decision"):
        return f"of one {'group of copies' if part == 'group' else 'decision'}"
    return f"{part.replace('_', ' ')} {value}"


def told(where: Where) -> dict[str, Any]:
    """What was said of a Where, for a decision's details; the list of its items is kept with the decision already."""
    return where.model_dump(mode="json", exclude_defaults=True, exclude={"ids"})


def _refuse_erased(act: Act, edits: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse to bring back bytes that were erased since."""
    for values in edits.values():
        erasure = act.store.erased(values["sha256"]) if "sha256" in values else None
        if erasure is not None:
            raise InvalidInput(f"The bytes as they were before were {erasure}.", hint="They cannot be had again.")
