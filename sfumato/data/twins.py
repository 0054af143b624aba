"""The same bytes again, under another source or name: a new picture, unless people have left those bytes out."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from sfumato.data.decide import in_words
from sfumato.data.records import KEPT, LEFT_OUT, Decided, Decision, Item
from sfumato.db import new_id
from sfumato.people.names import names_in
from sfumato.people.wording import shortened

VERB = "leave out"
HELD: dict[str, Any] = {"state": KEPT, "edited": [], "revision": 1}
LEFT: dict[str, Any] = {"state": LEFT_OUT, "edited": ["state"], "revision": 2}


@dataclass
class Twins:
    """Of pictures that come: how many have bytes that are here already, and which of those were left out, and why."""

    n: int = 0
    left_out: dict[int, str] = field(default_factory=dict)  # the reason, by the place of the row

    @property
    def counts(self) -> Counter[str]:
        """What collecting counts of it."""
        return Counter({"twins": self.n, "left out again": len(self.left_out)})


def twins_among(session: Session, dataset_id: str, rows: Sequence[dict[str, Any]]) -> Twins:
    """Which of the rows to be written have the bytes of another one, here or before them, in one look at the index.

    Where all pictures of those bytes were left out, the row is to be left out as well.
    """
    # Of all datasets of the project, since only bytes are indexed with no dataset before them.
    one_of_each = (Item.sha256, Item.dataset_id, Item.state)
    same = select(*one_of_each, func.max(Item.id)).where(Item.sha256.in_({row["sha256"] for row in rows}))
    there: dict[str, dict[str, str]] = defaultdict(dict)
    for sha256, of, state, one in session.execute(same.group_by(*one_of_each)):
        if of == dataset_id:
            there[sha256][state] = one
    gone = {sha256: some[LEFT_OUT] for sha256, some in there.items() if set(some) == {LEFT_OUT}}
    why = _why(session, list(gone.values())) if gone else {}
    found, seen = Twins(), set(there)
    for place, row in enumerate(rows):
        sha256 = row["sha256"]
        found.n += sha256 in seen
        seen.add(sha256)
        if sha256 in gone:
            found.left_out[place] = why.get(gone[sha256], "")
    return found


def _why(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """When, by whom and why each of these was left out, as it was last."""
    made = (
        select(Decided.item_id, Decided.reason, Decision)
        .join(Decision, Decision.id == Decided.decision_id)
        .where(Decided.item_id.in_(ids), Decided.after["state"].as_string() == LEFT_OUT)
        .order_by(Decided.after["revision"].as_integer())
    )
    last = {item: (reason, decision) for item, reason, decision in session.execute(made)}
    names = names_in(session, {decision.made_by for _, decision in last.values()})
    told = {}
    for item, (reason, decision) in last.items():
        said = shortened(reason or decision.reason or decision.name, 200)
        told[item] = f"the same bytes were left out on {decision.made_at:%Y-%m-%d} by {names[decision.made_by]}: {said}"
    return told


def leave_out_again(
    session: Session, person: str, dataset_id: str, job_id: str, rows: Sequence[dict[str, Any]], twins: Twins
) -> None:
    """Write down that the new rows, which have their ids, were left out: as one decision of the job."""
    decision = session.scalar(
        select(Decision).where(
            Decision.dataset_id == dataset_id, Decision.verb == VERB, Decision.undone_by == "",
            Decision.details["job"].as_string() == job_id,
        )
    )  # fmt: skip
    if decision is None:
        decision = Decision(
            id=new_id(), made_by=person, dataset_id=dataset_id, verb=VERB, name="", n=0, undoes="", undone_by="",
            reason="They came again.", details={"job": job_id, "settles": ["*"]},
        )  # fmt: skip
        session.add(decision)
    decision.n += len(twins.left_out)
    its = "its very bytes were" if decision.n == 1 else "their very bytes were"
    decision.name = f"left out {in_words(decision.n)}, since {its} left out before"
    session.flush()
    shared = {"made_by": person, "decision_id": decision.id, "before": HELD, "after": LEFT}
    session.execute(
        insert(cast(Table, Decided.__table__)),
        [
            {"id": new_id(), "made_at": decision.made_at, **shared, "item_id": rows[place]["id"], "reason": reason}
            for place, reason in twins.left_out.items()
        ],
    )
