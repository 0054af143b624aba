"""Going live: a model gets the alias `live` if its criterion holds, and what was live before can come back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.checkpoints.models import LIVE, alias_of, find_weights, named
from sfumato.checkpoints.records import Alias
from sfumato.db import link, new_id
from sfumato.errors import Conflict, NotFound
from sfumato.people.addressees import names_of
from sfumato.people.wording import check_words, shortened
from sfumato.product.criteria import check_weights


@dataclass(frozen=True)
class Live:
    """What is live, since when, by whom, on what grounds, and what was live before it."""

    model: str
    sha256: str
    since: datetime
    by: str
    by_name: str
    grounds: str
    before: str
    here: bool


@action("product.go_live", needs="model.promote", doors=("api", "cli"))
def go_live(act: Act, *, model: str) -> Live:
    """Give a model's present weights the alias `live`, if its criterion holds.

    Raises Conflict that says what is missing, NotFound where no criterion is set.
    """
    found = named(act, model)
    checked = check_weights(act.session, found)
    if checked.state != "holds":
        raise Conflict(
            f"{found.name} cannot go live. {checked.words}", hint=_next(checked.state, checked.criterion.measure)
        )
    stands = alias_of(act.session, LIVE)
    if stands is not None and (stands.model, stands.sha256) == (found.name, found.sha256):
        return _view(act, stands)
    criterion = checked.criterion
    details: dict[str, Any] = {
        "grounds": checked.words, "criterion": f"criterion/{criterion.id}", "criterion_version": criterion.version,
        "evidence": checked.evidence, "n": checked.n, "value": checked.value, "low": checked.low, "high": checked.high,
    }  # fmt: skip
    row = _append(act, Alias(name=LIVE, model=found.name, sha256=found.sha256, details=details))
    link(act.session, row.ref, found.ref, "the name of")
    act.says(f"let {found.name} go live: {checked.words}", subject=row.ref, weights=found.ref, **details)
    return _view(act, row)


@action("product.roll_back", needs="model.promote", doors=("api", "cli"))
def roll_back(act: Act, *, reason: str = "") -> Live:
    """Give the alias `live` back to what had it before; raises Conflict where nothing had, or its weights are gone."""
    check_words(reason, "The reason", may_be_empty=True)
    stands = alias_of(act.session, LIVE)
    before = _before(act.session, stands) if stands is not None else None
    if stands is None or before is None:
        raise Conflict("No model was live before this one.", hint="Let another go live instead.")
    if find_weights(act, before.sha256) is None:
        raise Conflict(
            f"The weights of '{before.model}' are not in this workspace any more.", hint="Let another model go live."
        )
    row = _append(act, Alias(name=LIVE, model=before.model, sha256=before.sha256, undoes=stands.id,
                             details={"grounds": reason}))  # fmt: skip
    why = f": {shortened(reason)}" if reason else ""
    act.says(f"brought {before.model} back live in the place of {stands.model}{why}", subject=row.ref)
    act.concerns(stands.made_by)
    return _view(act, before)


@query("product.live", doors=("api", "cli"))
def show_live(act: Act) -> Live:
    """What is live in this project and on what grounds; raises NotFound where nothing is."""
    stands = alias_of(act.session, LIVE)
    if stands is None:
        raise NotFound("No model is live in this project yet.", hint="Run: sfumato models go-live MODEL")
    return _view(act, stands)


def _next(state: str, measure: str) -> str:
    if state == "fails":
        return "Train it further, or change what is wanted of it."
    return "Judge more of its pictures." if measure == "approval share" else "Run: sfumato evaluate MODEL --per-group N"


def _append(act: Act, row: Alias) -> Alias:
    row.id, row.made_by = new_id(), act.actor.id
    row.turn = (act.session.scalar(select(func.max(Alias.turn)).where(Alias.name == row.name)) or 0) + 1
    try:
        with act.session.begin_nested():
            act.session.add(row)
    except IntegrityError as raced:
        raise Conflict(
            "Somebody changed what is live at the same moment; nothing was changed.", hint="Look again."
        ) from raced
    return row


def _before(session: Session, stands: Alias) -> Alias | None:
    """What would stand if this were undone."""
    undone = select(Alias.undoes).where(Alias.name == stands.name, Alias.undoes.is_not(None))
    which = (Alias.name == stands.name, Alias.turn < stands.turn, Alias.undoes.is_(None), Alias.id.not_in(undone))
    return session.scalar(select(Alias).where(*which).order_by(Alias.turn.desc()).limit(1))


def _view(act: Act, row: Alias) -> Live:
    before = _before(act.session, row)
    by = names_of(act.session, [row.made_by])[row.made_by]
    return Live(
        row.model, row.sha256, row.made_at, row.made_by, by, str(row.details.get("grounds", "")),
        before.model if before else "", find_weights(act, row.sha256) is not None,
    )  # fmt: skip
