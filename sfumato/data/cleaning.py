"""What the decisions of a dataset came to: how many pictures are left out and for what, and what else was changed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.data.decide import chunks, in_words
from sfumato.data.findings import ALIKE
from sfumato.data.records import LEFT_OUT, Decided, Decision
from sfumato.data.scan import title_of

KEEP = "keep"
COPIES, OTHERWISE, NOT_PICKED = "copies", "for other reasons", "less different than those picked"


@dataclass(frozen=True)
class Cleaned:
    """What standing decisions came to, each picture counted once: left out, by what for, captioned, and kept."""

    left_out: dict[str, int] = field(default_factory=dict)
    captioned: int = 0
    changed: int = 0  # in another way
    kept: int = 0  # though a check had something against them

    @property
    def says(self) -> str:
        """It all in one sentence, "" where there is nothing."""
        ranked = sorted(self.left_out.items(), key=lambda one: (one[0] == OTHERWISE, -one[1], one[0]))
        reasons = ", ".join(f"{n:,} {'copy' if (n, what) == (1, COPIES) else what}" for what, n in ranked)
        told = [f"{in_words(sum(self.left_out.values()))} left out: {reasons}"] if ranked else []
        told += [f"{self.captioned:,} caption{'s' * (self.captioned > 1)} written"] if self.captioned else []
        told += [f"{in_words(self.changed)} changed{' otherwise' * bool(told)}"] if self.changed else []
        told += [f"{in_words(self.kept)} kept as no fault"] if self.kept else []
        return f"{'; '.join(told)}." if told else ""


def cleaned(session: Session, decisions: Sequence[Decision]) -> Cleaned:
    """What these decisions, which stand, came to; of two that touched one picture the later one counts."""
    roots = _roots(session, decisions)
    reasons = {one: _reason(root) for one, root in roots.items()}
    state: dict[str, str] = {}  # by item: "" where it is kept, else what it is left out for
    written: set[str] = set()
    changed: set[str] = set()
    for some in chunks(list(reasons)):
        rows = select(Decided.decision_id, Decided.item_id, Decided.after).where(Decided.decision_id.in_(some))
        for decision, item, after in session.execute(rows.order_by(Decided.decision_id)):
            if "state" in after:
                state[item] = reasons[decision] if after["state"] == LEFT_OUT else ""
            elif roots[decision].verb == KEEP and not after.keys() - {"revision", "edited"}:
                state.setdefault(item, "")
            written |= {item} if "name" in after else set()
            changed |= {item} if after.keys() - {"revision", "edited", "state", "name"} else set()
    left_out = Counter(reason for reason in state.values() if reason)
    return Cleaned(dict(left_out), len(written), len(changed - written), sum(not reason for reason in state.values()))


def _roots(session: Session, decisions: Sequence[Decision]) -> dict[str, Decision]:
    """What each decision does, by its id, in their order: itself, or of one that is done again the first."""
    roots = {str(row.details.get("of", row.id)): row for row in decisions}
    found = {row.id: row for row in decisions}
    for some in chunks([root for root in roots if root not in found]):
        found |= {row.id: row for row in session.scalars(select(Decision).where(Decision.id.in_(some)))}
    return {row.id: found[root] for root, row in roots.items()}


def _reason(decision: Decision) -> str:
    check = decision.details.get("check") or (decision.details.get("where") or {}).get("check") or ""
    if check in ALIKE:
        return COPIES
    if decision.verb == "pick diverse":
        return NOT_PICKED
    return title_of(check) if check and check != "*" else OTHERWISE
