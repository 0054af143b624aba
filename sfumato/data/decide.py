"""Deciding: the one way in which items change, so that each change has a name, a reason, an author and a way back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, func, insert, select, update
from sqlalchemy.orm import Session

from sfumato.actions import Act
from sfumato.data.narrowing import Where, narrow
from sfumato.data.pairs import carry_over
from sfumato.data.records import ERASED, KEPT, LEFT_OUT, Dataset, Decided, Decision, Finding, Item, called
from sfumato.data.scan import CHECKS
from sfumato.db import new_id
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.people.names import names_in
from sfumato.people.wording import check_words, shortened

EDITABLE = (
    "state", "name", "tags", "style", "category", "concept", "licence", "author", "url", "flip_ok", "weight", "consent",
    "opt_out", "evidence", "attributes", "suggested", "family", "given_split", "sha256", "collected_sha256", "width",
    "height", "has_alpha",
)  # fmt: skip
CHUNK = 1_000  # items that are read and written at once
FEW = 20  # ways in which the items of one chunk change, up to which each way is one statement
SHOWN = 3  # items or decisions that an error names
Edits = Mapping[str, Mapping[str, Any]]


def apply(
    act: Act,
    dataset: Dataset,
    edits: Edits,
    *,
    verb: str,
    name: str,
    reason: str = "",
    reasons: Mapping[str, str] | None = None,
    expected: Mapping[str, int] | None = None,
    details: Mapping[str, Any] | None = None,
    settles: Sequence[str] = (),
    undoes: str = "",
    touch: bool = False,
) -> Decision:
    """Set columns of items (values by column, by item id) as one decision, and settle what it answers.

    An item with no values is written down as decided on, and stays as it is. `expected` are the revisions that
    somebody saw; `settles` are the checks whose open findings are answered ("*" for all). Raises Conflict where
    an item has changed since, or where nothing would change; NotFound for items that are not in the dataset. With
    `touch` it is written down as well of what is so already.
    """
    check_words(reason, "The reason", may_be_empty=True)
    decision = Decision(
        id=new_id(), made_by=act.actor.id, dataset_id=dataset.id, verb=verb, name=shortened(name, 200), reason=reason,
        details={**(details or {}), **({"settles": list(settles)} if settles else {})}, n=0, undoes=undoes,
        undone_by="",
    )  # fmt: skip
    act.session.add(decision)
    act.session.flush()
    for ids in chunks(sorted(edits)):
        _refuse_changed(act.session, ids, expected or {})
        rows = _changes(act.session, dataset, {one: edits[one] for one in ids}, touch=touch)
        decision.n += len(rows)
        why = reasons or {}
        _write(act.session, decision, rows, {one: why[one] for one in rows if one in why})
    if not decision.n:
        raise _nothing(act.session, list(edits))
    settle(act.session, decision, settles)
    return decision


def meant(session: Session, dataset: Dataset, where: Where, *, state: str | None = KEPT) -> list[str]:
    """The ids of the items that are meant; where no state is said, and they are not named, those of this one.

    Raises NotFound where an item that is named is not in the dataset, or where none fits.
    """
    if where.state is None and where.ids is None and where.decision is None and state is not None:
        where = where.model_copy(update={"state": state})
    found = list(session.scalars(narrow(select(Item.id), dataset.id, where).where(Item.state != ERASED)))
    if where.ids is not None and where == Where(ids=where.ids) and len(found) < len(set(where.ids)):
        missing = sorted(set(where.ids) - set(found))
        raise NotFound(
            f"{len(missing):,} of these pictures are not in '{dataset.name}': {', '.join(missing[:SHOWN])}.",
            hint="Look at the list again.",
        )
    if not found:
        if where.check not in (None, "", "*"):
            CHECKS.get(where.check)  # raises NotFound, with the nearest name, where there is none
        if where.ids is not None:
            raise NotFound("Nothing of that is left to decide.", hint="It was decided meanwhile: load the page again.")
        raise NotFound(f"No picture of '{dataset.name}' is meant by that.", hint="Narrow it less.")
    return found


def settle(
    session: Session, decision: Decision, checks: Sequence[str], *, among: ColumnElement[bool] | None = None
) -> None:
    """Mark the open findings of a decision's items as answered by it: those of these checks, or of all ("*").

    An item that it leaves out has all of its findings answered, and with it that of the last one of its copies, and
    what was found of others only because they are like it. Two that were kept by one check of copies are asked about
    by no other. With `among` only those of the findings.
    """
    if not checks:
        return
    own = Finding.dataset_id == decision.dataset_id
    touched = select(Decided.item_id).where(Decided.decision_id == decision.id)
    gone = touched.where(Decided.after["state"].as_string() == LEFT_OUT)

    def answer(which: ColumnElement[bool]) -> None:
        statement = update(Finding).where(own, Finding.state == "open", which)
        statement = statement if among is None else statement.where(among)
        values = {"state": "settled", "settled_by": decision.id}
        session.execute(statement.values(values), execution_options={"synchronize_session": False})

    which: ColumnElement[bool] = Finding.item_id.in_(touched)
    answer(which if "*" in checks else (which & Finding.check.in_(checks)) | Finding.item_id.in_(gone))
    grouped = (own, Finding.group != "")
    thinned = select(Finding.group).where(*grouped, Finding.settled_by == decision.id, Finding.item_id.in_(gone))
    alone = select(Finding.group).where(*grouped, Finding.state == "open", Finding.group.in_(thinned))
    answer((Finding.group == "") & Finding.beside_id.in_(gone))
    answer((Finding.group != "") & Finding.group.in_(alone.group_by(Finding.group).having(func.count() == 1)))
    carry_over(session, decision, among)


def open_findings(session: Session, ids: Sequence[str], dataset_id: str) -> set[str]:
    """Those of the items that have an open finding."""
    found: set[str] = set()
    if len(ids) > CHUNK:  # then all of them are read at once, rather than looked up by very many ids
        own = select(Finding.item_id).where(Finding.dataset_id == dataset_id, Finding.state == "open").distinct()
        return set(session.scalars(own)).intersection(ids)
    for some in chunks(ids):
        open_ones = select(Finding.item_id).where(Finding.item_id.in_(some), Finding.state == "open")
        found |= set(session.scalars(open_ones))
    return found


def rows_of(session: Session, ids: Iterable[str], columns: Sequence[str]) -> Iterator[Any]:
    """These columns of items as plain rows, `id` first, read in chunks."""
    wanted = [Item.id, *(getattr(Item, name) for name in columns)]
    for some in chunks(ids):
        yield from session.execute(select(*wanted).where(Item.id.in_(some)).order_by(Item.id))


def chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids, so many at once that a statement can hold them."""
    left = iter(ids)
    while some := list(islice(left, CHUNK)):
        yield some


def in_words(n: int) -> str:
    """So many pictures: "1 picture", "40 pictures"."""
    return "1 picture" if n == 1 else f"{n:,} pictures"


def last_decision(session: Session, item_id: str) -> Decision | None:
    """The decision that touched an item last."""
    made = select(Decision).join(Decided, Decided.decision_id == Decision.id).where(Decided.item_id == item_id)
    return session.scalar(made.order_by(Decided.after["revision"].as_integer().desc()).limit(1))


def _changes(
    session: Session, dataset: Dataset, edits: Edits, *, touch: bool
) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """What each item's columns were and become, by item id; what is so already is left out, unless to `touch`."""
    columns = sorted({column for values in edits.values() for column in values} - {"edited"})
    wrong = [column for column in columns if column not in EDITABLE]
    if wrong:
        raise InvalidInput(f"A decision cannot set '{wrong[0]}'.", hint=f"It can set: {', '.join(EDITABLE)}.")
    wanted = [Item.id, Item.revision, Item.edited, *(getattr(Item, column) for column in columns)]
    same = select(*wanted).where(Item.id.in_(edits), Item.dataset_id == dataset.id).order_by(Item.id)
    there = {row[0]: row for row in session.execute(same.with_for_update())}
    missing = sorted(set(edits) - set(there))
    if missing:
        raise NotFound(f"There is no picture '{missing[0]}' in '{dataset.name}'.", hint="Look at the list again.")
    gone = session.scalars(select(Item.id).where(Item.id.in_(edits), Item.state == ERASED))
    # What was erased stays so: nothing makes it a kept one again.
    edits = {**edits, **{one: {key: value for key, value in edits[one].items() if key != "state"} for one in gone}}
    rows: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    known: dict[Any, Any] = {}  # what becomes of those that were the same, and to which the same is done
    for one, values in edits.items():
        _, revision, edited, *present = there[one]
        alike = (id(values), revision, *edited, *map(_plain, present))
        if alike in known:
            if known[alike] is not None:
                rows[one] = known[alike]
            continue
        known[alike] = None
        now = dict(zip(columns, present, strict=True))
        own = {column: value for column, value in values.items() if column != "edited"}
        _check_lengths(own)
        decided = sorted({*edited, *own}) if "edited" not in values else list(values["edited"])
        changed = [column for column in own if now[column] != own[column]]
        if values and not changed and decided == edited and not touch:
            continue
        before = {column: now[column] for column in changed} | {"edited": edited, "revision": revision}
        after = {column: own[column] for column in changed} | {"edited": decided, "revision": revision + 1}
        rows[one] = known[alike] = (before, after)
    return rows


def _plain(value: Any) -> Any:
    """A value of a column as something that can be looked up by."""
    return value if isinstance(value, str | int | float | None) else json.dumps(value, sort_keys=True)


def _write(
    session: Session, decision: Decision, rows: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
    reasons: Mapping[str, str],
) -> None:  # fmt: skip
    """Set the columns, and write down what they were."""
    if not rows:
        return
    _set(session, {one: after for one, (_, after) in rows.items()})
    shared = {"made_by": decision.made_by, "made_at": decision.made_at, "decision_id": decision.id}
    session.execute(
        insert(cast(Table, Decided.__table__)),
        [
            {"id": new_id(), **shared, "item_id": one, "before": before, "after": after, "reason": reasons.get(one, "")}
            for one, (before, after) in rows.items()
        ],
    )
    for held in [one for one in session if isinstance(one, Item) and one.id in rows]:
        session.expire(held)


def _set(session: Session, rows: Mapping[str, dict[str, Any]]) -> None:
    """Set the columns of items; those that become the same are set together."""
    alike: dict[str, list[str]] = {}
    said: dict[int, str] = {}  # most rows share what they become with others
    for one, after in rows.items():
        key = said.get(id(after)) or said.setdefault(id(after), json.dumps(after, sort_keys=True))
        alike.setdefault(key, []).append(one)
    if len(alike) > FEW:
        # The ids were read from this project's own rows within this transaction.
        session.bulk_update_mappings(Item.__mapper__, [{"id": one, **after} for one, after in rows.items()])
        return
    for ids in alike.values():
        together = update(Item).where(Item.id.in_(ids)).values(rows[ids[0]])
        session.execute(together, execution_options={"synchronize_session": False})


def _check_lengths(values: Mapping[str, Any]) -> None:
    for column, value in values.items():
        longest = getattr(Item.__table__.c[column].type, "length", None)
        if longest and isinstance(value, str) and len(value) > longest:
            raise InvalidInput(f"The {column} has {len(value):,} letters; at most {longest} are taken.")


def _refuse_changed(session: Session, ids: Sequence[str], expected: Mapping[str, int]) -> None:
    """Refuse to decide on what somebody else has changed since it was looked at, and say who did."""
    seen = {one: expected[one] for one in ids if one in expected}
    if not seen:
        return
    rows = session.execute(select(Item.id, Item.revision, Item.name, Item.key).where(Item.id.in_(seen)))
    changed = [row for row in rows if row.revision != seen[row.id]]
    if not changed:
        return
    said = [f"'{called(row.name, row.key)}' was changed{_by(session, row.id)}" for row in changed[:SHOWN]]
    more = f", and {len(changed) - SHOWN:,} more" if len(changed) > SHOWN else ""
    raise Conflict(
        f"Since you looked, {'; '.join(said)}{more}. Nothing was changed now.", hint="Look again, and decide anew."
    )


def _by(session: Session, item_id: str) -> str:
    """Who changed an item last, when, and what they called it."""
    last = last_decision(session, item_id)
    if last is None:
        return ""
    who = names_in(session, [last.made_by])[last.made_by]
    return f" by {who} at {last.made_at:%H:%M on %Y-%m-%d} UTC ({last.name})"


def _nothing(session: Session, ids: list[str]) -> Conflict:
    """The error of a decision that would change nothing."""
    by = _by(session, ids[0]) if ids else ""
    return Conflict(
        f"Nothing would change: {in_words(len(ids))} {'is' if len(ids) == 1 else 'are'} so already"
        + (f", last decided on{by}." if by else "."),
        hint="Nothing was written down.",
    )
