"""How much of what a model drew was approved, with the interval in which the true share lies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session, aliased

from sfumato.actions import Act, query
from sfumato.checkpoints.models import DEFAULT, find_model
from sfumato.db import Link, Record
from sfumato.db.kinds import kinds
from sfumato.review.standing import decisions
from sfumato.statistics.intervals import wilson


@dataclass(frozen=True)
class Share:
    """How many of a model's pictures were judged and approved; `words` says it: "31 of 40 approved (62–88 %)"."""

    model: str
    approved: int
    judged: int
    pictures: int
    share: float | None
    low: float
    high: float
    words: str


@query("review.share", doors=("api", "cli"))
def approval_share(act: Act, *, model: str = DEFAULT) -> Share:
    """How many of the pictures that a model's present weights drew were approved, of those that were judged.

    Each picture counts once, by the verdict that decides.
    """
    found = find_model(act.workspace, model)
    return share_of(act.session, found.name, found.ref)


def share_of(session: Session, name: str, weights: str) -> Share:
    """The share of approved pictures among the judged ones that these weights (checkpoint/…) drew."""
    refs = _drawn_by(weights, lambda image: literal("image/") + image.id)
    verdicts = list(decisions(session, refs).values())
    approved, judged = verdicts.count("approved"), len(verdicts)
    pictures = session.scalar(_drawn_by(weights, lambda image: func.count(image.id))) or 0
    found = wilson(approved / judged if judged else 0.0, judged)
    words = f"{approved:,} of {judged:,} approved ({percents(found.low, found.high)})"
    if not judged:
        words = f"none of its {pictures:,} pictures was judged yet" if pictures else "it has drawn no picture here yet"
    share = found.value if judged else None
    return Share(name, approved, judged, pictures, share, found.low, found.high, words)


def percents(low: float, high: float) -> str:
    """An interval of shares as a person writes it: "62–88 %"."""
    return f"{100 * low:.0f}–{100 * high:.0f} %"


def _drawn_by(weights: str, column: Callable[[type[Record]], Any]) -> Select[Any]:
    """Selects of all pictures that these weights drew, by the links that drawing wrote, but of no private one.

    A share has to be the same whoever looks.
    """
    image = kinds()["image"]
    asked, drawn = aliased(Link), aliased(Link)
    by_them = (
        select(asked.child)
        .join(drawn, drawn.child == asked.parent)
        .where(asked.child == literal("image/") + image.id, asked.role == "asked by")
        .where(drawn.role == "drawn by", drawn.parent == weights)
    )
    return select(column(image)).where(by_them.exists(), image.private_to == "")  # type: ignore[attr-defined]
