"""Criteria: setting what a model must hold, and checking whether it does, in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sfumato.actions import Act, action, query
from sfumato.catalog import Catalog
from sfumato.checkpoints.models import DEFAULT, ModelView, named
from sfumato.db import new_id, rows_changed
from sfumato.errors import Conflict, InvalidInput, NotFound, unknown
from sfumato.evaluation.evaluate import GROUPS
from sfumato.evaluation.records import Measurement
from sfumato.people.addressees import names_of
from sfumato.product.records import Criterion
from sfumato.product.verdict import APPROVAL, State, Verdict, Wanted, decide
from sfumato.review.share import share_of
from sfumato.statistics.intervals import Interval

METRICS = Catalog("sfumato.evaluation.metrics", ("FEATURES", "BETTER", "compute"))
N_MIN = 30
FAVOURABLE = {"at_least": "high", "at_most": "low"}  # the end of the interval that would flatter


@dataclass(frozen=True)
class CriterionView:
    """What must hold of a model before it may go live; `words` says it."""

    id: str
    model: str
    measure: str
    group: str
    comparator: str
    threshold: float
    bound: str
    n_min: int
    version: int
    set_by: str
    words: str


@dataclass(frozen=True)
class Checked:
    """How a model stands to its criterion; `words` says it, and what is missing."""

    model: str
    sha256: str
    state: State
    words: str
    criterion: CriterionView
    value: float | None
    low: float | None
    high: float | None
    n: int
    more: int | None
    settled_at: int | None
    evidence: str
    measured_at: datetime | None = None


@action("product.set_criterion", needs="criterion.write", doors=("api", "cli"))
def set_criterion(
    act: Act, *, model: str, measure: str = APPROVAL, group: str = "", at_least: float | None = None,
    at_most: float | None = None, bound: str | None = None, n_min: int = N_MIN, version: int | None = None,
) -> CriterionView:  # fmt: skip
    """Set the one criterion of a model: a measure of a group of drawings, or the approval share, and its threshold.

    The bound is the end of the 95 % interval that speaks against the model ("low" for at least, "high" for at
    most), or "value". `version` is the one that was seen, None where none was set.
    Raises InvalidInput or NotFound for what cannot be, Conflict, naming who, where it was changed meanwhile.
    """
    name = named(act, model).name
    values = _checked(
        act.session, measure=measure, group=group, at_least=at_least, at_most=at_most, bound=bound, n_min=n_min
    )
    row = act.session.scalar(select(Criterion).where(Criterion.model == name))
    if row is None:
        if version is not None:
            raise Conflict("The criterion is not set any more; nothing was changed.", hint="Look at it again.")
        row = Criterion(id=new_id(), made_by=act.actor.id, model=name, **values)
        try:
            with act.session.begin_nested():
                act.session.add(row)
        except IntegrityError as raced:
            raise Conflict("Somebody set a criterion at the same moment.", hint="Look at it, then decide.") from raced
    else:
        _step(act, row, version, made_by=act.actor.id, dropped=False, **values)
    view = _view(act.session, row)
    act.says(f"set what {name} has to reach: {view.words}", subject=row.ref, model=name, version=row.version, **values)
    return view


@action("product.drop_criterion", needs="criterion.write", doors=("api", "cli"))
def drop_criterion(act: Act, *, model: str, version: int) -> None:
    """Take the criterion of a model away; without one it cannot go live. `version` is the one that was seen."""
    row = criterion_of(act.session, named(act, model).name)
    if row is None:
        raise _none_set(model)
    _step(act, row, version, made_by=act.actor.id, dropped=True)
    act.says(f"wants nothing of {row.model} any more", subject=row.ref, model=row.model, version=row.version)


@query("product.criterion", doors=("api", "cli"))
def show_criterion(act: Act, *, model: str = DEFAULT) -> CriterionView | None:
    """What must hold of a model before it may go live, None where nothing was set yet."""
    row = criterion_of(act.session, named(act, model).name)
    return _view(act.session, row) if row is not None else None


@query("product.check", doors=("api", "cli"))
def check(act: Act, *, model: str = DEFAULT) -> Checked:
    """Whether a model's present weights hold its criterion, fail it, or there is not enough data, and what is missing.

    Raises NotFound where no criterion is set.
    """
    return check_weights(act.session, named(act, model))


def check_weights(session: Session, found: ModelView) -> Checked:
    """Check these very weights; numbers of other weights of the same name count for nothing."""
    row = criterion_of(session, found.name)
    if row is None:
        raise _none_set(found.name)
    known, evidence, said, at = _known(session, row, found)
    wanted = Wanted(row.measure, row.comparator, row.threshold, row.bound, row.n_min)
    verdict = decide(wanted, known)
    there = known if known and known.n else None
    return Checked(
        model=found.name, sha256=found.sha256, state=verdict.state, words=_words(row, verdict, known, said),
        criterion=_view(session, row), value=there.value if there else None, low=there.low if there else None,
        high=there.high if there else None, n=there.n if there else 0, more=verdict.more,
        settled_at=verdict.settled_at, evidence=evidence, measured_at=at,
    )  # fmt: skip


def criterion_of(session: Session, model: str) -> Criterion | None:
    """The criterion that is set for a model."""
    return session.scalar(select(Criterion).where(Criterion.model == model, ~Criterion.dropped))


def _checked(
    session: Session, *, measure: str, group: str, at_least: float | None, at_most: float | None, bound: str | None,
    n_min: int,
) -> dict[str, Any]:  # fmt: skip
    if (at_least is None) == (at_most is None):
        raise InvalidInput("A criterion has one threshold.", hint="Say at least or at most, and how much.")
    comparator = "at_least" if at_least is not None else "at_most"
    threshold = float(at_least if at_least is not None else at_most or 0.0)
    if not 0 <= threshold <= 1:
        raise InvalidInput(f"A threshold of {threshold:g} cannot be.", hint="Shares lie between 0 and 1.")
    bound = bound or ("low" if comparator == "at_least" else "high")
    if bound not in ("low", "high", "value"):
        raise unknown("bound", bound, ("low", "high", "value"))
    if bound == FAVOURABLE[comparator]:
        way = comparator.replace("_", " ")
        raise InvalidInput(
            f"The {bound} end of the interval with '{way}' would let a model pass by knowing little of it.",
            hint="Take the other end, or the value.",
        )
    if not 1 <= n_min <= 1_000_000:
        raise InvalidInput(f"{n_min:,} cannot be the least number.", hint="It is 1 or more; 30 says something.")
    if measure == APPROVAL:
        if group:
            raise InvalidInput("The approval share is taken over all pictures.", hint="Leave the group out.")
    else:
        if measure not in (known := [APPROVAL, *measures(session)]):
            raise unknown("measure", measure, known)
        groups = {*GROUPS.values(), *session.scalars(select(Measurement.group).distinct())}
        if group not in groups:
            raise unknown("group of drawings", group, groups)
    return {
        "measure": measure, "group": group, "comparator": comparator, "threshold": threshold, "bound": bound,
        "n_min": n_min,
    }  # fmt: skip


@query("product.measures", doors=("api",))
def known_measures(act: Act) -> list[str]:
    """What a criterion may be of: the approval share, and every figure that metrics give."""
    return [APPROVAL, *measures(act.session)]


def measures(session: Session) -> list[str]:
    """Names of the figures that a criterion may be of: what the metrics give, and what was ever measured here."""
    given = {figure for name in METRICS.names() for figure in getattr(METRICS.get(name), "FIGURES", ())}
    return sorted(given | set(session.scalars(select(Measurement.metric).distinct())))


def _step(act: Act, row: Criterion, version: int | None, **values: Any) -> None:
    """Change a criterion, if it still is as it was seen; raises Conflict that says who changed it to what."""
    seen = row.version if row.dropped and version is None else version
    where = (Criterion.id == row.id, Criterion.version == seen)
    if seen is None or not rows_changed(
        act.session, update(Criterion).where(*where).values(version=Criterion.version + 1, **values)
    ):
        act.session.refresh(row)
        _met(act, row)
    act.session.refresh(row)


def _met(act: Act, row: Criterion) -> NoReturn:
    by = names_of(act.session, [row.made_by])[row.made_by]
    now_is = "it was dropped" if row.dropped else f"it says: {_wants(row)}"
    raise Conflict(
        f"Nothing was changed: {by} has set the criterion of {row.model} meanwhile; {now_is} (version {row.version}).",
        hint=f"Look at it; to replace it, give version {row.version}.",
    )


def _none_set(model: str) -> NotFound:
    return NotFound(
        f"No criterion is set for '{model}'.",
        hint=f"Say what must hold: sfumato models criterion {model} --at-least 0.6",
    )


def _known(session: Session, row: Criterion, found: ModelView) -> tuple[Interval | None, str, str, datetime | None]:
    """What is known of the measure: its interval, the record that says so, in words, and from when it is."""
    if row.measure == APPROVAL:
        share = share_of(session, found.name, found.ref)
        known = Interval(share.share or 0.0, share.low, share.high, share.judged)
        return known, f"judgements of pictures by {found.ref}", share.words, None
    which = (Measurement.subject == found.ref, Measurement.metric == row.measure, Measurement.group == row.group)
    last = session.scalar(select(Measurement).where(*which).order_by(Measurement.id.desc()).limit(1))
    if last is None:
        return None, "", f"{row.measure} of {row.group} was not measured of these weights yet", None
    known = Interval(last.value, last.low, last.high, last.n)
    said = f"{row.measure} of {row.group}: {_percent(last.value)} ({_percent(last.low)} to {_percent(last.high)}) "
    return known, last.ref, f"{said}of {last.n:,}", last.made_at


def _words(row: Criterion, verdict: Verdict, known: Interval | None, said: str) -> str:
    state = verdict.state[:1].upper() + verdict.state[1:]
    parts = [f"{state}: {said}; wanted: {_wants(row)}."]
    thing = "judged picture" if row.measure == APPROVAL else "drawing"
    if verdict.state == "not enough data" and verdict.more:
        parts.append(f"{verdict.more:,} more {thing}{'' if verdict.more == 1 else 's'} needed.")
    if verdict.state == "not enough data" and known and known.n and verdict.settled_at:
        stays = f"If {_percent(known.value)} stays, the {row.bound} end passes"
        at = max(verdict.settled_at, row.n_min)
        parts.append(f"{stays} at {at:,}." if verdict.settled_at > known.n else f"{stays} already.")
    if verdict.state == "not enough data" and known and known.n and verdict.settled_at is None:
        parts.append(f"If {_percent(known.value)} stays, it will fail.")
    return " ".join(parts)


def _wants(row: Criterion) -> str:
    what = row.measure if row.measure == APPROVAL else f"{row.measure} of {row.group}"
    where = {"value": "the measured value", "low": "the low end of its 95 % interval"}
    end = where.get(row.bound, "the high end of its 95 % interval")
    thing = "judged pictures" if row.measure == APPROVAL else "drawings"
    way = row.comparator.replace("_", " ")
    return f"{what} {way} {_percent(row.threshold)} by {end}, from {row.n_min:,} {thing} on"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _view(session: Session, row: Criterion) -> CriterionView:
    by = names_of(session, [row.made_by])[row.made_by]
    return CriterionView(
        row.id, row.model, row.measure, row.group, row.comparator, row.threshold, row.bound, row.n_min, row.version,
        by, _wants(row),
    )  # fmt: skip
