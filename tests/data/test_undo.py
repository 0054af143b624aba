"""Whatever is decided and undone: what is undone is as it was, and what is refused changes nothing."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfumato.actions import Workspace
from sfumato.data.editing import recaption, set_attributes, set_consent, set_family, set_weights
from sfumato.data.history import list_decisions
from sfumato.data.narrowing import Where
from sfumato.data.records import Dataset, Item
from sfumato.data.verdicts import keep, leave_out, undo
from sfumato.errors import Conflict
from sfumato.settings import Settings
from tests.data.curated import decided_on, found, ids_of, rows

SIZE = 6
WHICH = st.sets(st.integers(0, SIZE - 1), min_size=1, max_size=4)
EDITS = st.one_of(
    st.tuples(st.just("leave out"), WHICH, st.just("")),
    st.tuples(st.just("keep"), WHICH, st.just("")),
    st.tuples(st.just("caption"), WHICH, st.sampled_from(["a cat", "left arrow", ""])),
    st.tuples(st.just("weight"), WHICH, st.sampled_from([0.5, 1.0, 2.0])),
    st.tuples(st.just("consent"), WHICH, st.sampled_from(["given", "refused"])),
    st.tuples(st.just("family"), WHICH, st.sampled_from(["f", "g", ""])),
    st.tuples(st.just("attributes"), WHICH, st.sampled_from(["dark", "light", ""])),
    st.tuples(st.just("undo"), st.integers(0, 12), st.just("")),
)


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    """The database of a workspace with six pictures, on each of which something was found."""
    folder = tmp_path_factory.mktemp("six")
    with Workspace.open(settings=Settings(workspace=folder / "first", database_url=None)) as workspace:
        with workspace.write() as session:
            session.add(Dataset(id="mine", name="mine"))
            session.flush()
            session.add_all(
                Item(dataset_id="mine", sha256=f"{n:064x}", key=f"{n}.png", name=f"thing {n}", concept=f"thing {n}",
                     licence="MIT", source="folder a", width=8, height=8, has_alpha=False, flip_ok=True)
                for n in range(SIZE)
            )  # fmt: skip
        found(workspace, dict.fromkeys(ids_of(workspace), "blurred"))
    return folder / "first" / "workspace.db"


def do(workspace, kind, which, value, made):
    """One step; returns the decision, or None where it was refused."""
    where = Where(ids=[ids_of(workspace)[one] for one in sorted(which)]) if isinstance(which, set) else None
    if kind == "undo":
        return undo(workspace, id=made[which % len(made)].id) if made else None
    if kind in ("leave out", "keep"):
        return (leave_out if kind == "leave out" else keep)(workspace, name="mine", where=where)
    if kind == "caption":
        return recaption(workspace, name="mine", captions=dict.fromkeys(where.ids, value))
    if kind == "weight":
        return set_weights(workspace, name="mine", where=where, weight=value)
    if kind == "consent":
        return set_consent(workspace, name="mine", where=where, consent=value)
    if kind == "family":
        return set_family(workspace, name="mine", where=where, family=value)
    return set_attributes(workspace, name="mine", where=where, attributes={"skin": value})


def state(workspace):
    return rows(workspace, without=("revision",)), [row[:2] for row in decided_on(workspace)]




@given(st.lists(EDITS, min_size=4, max_size=9))
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])
def test_a_sequence_of_edits_and_undos_restores_exactly(six, tmp_path_factory, steps):
    run_through(six, tmp_path_factory, steps)


@pytest.mark.slow
@given(st.lists(EDITS, min_size=1, max_size=16))
@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_edits_and_undos_restores_exactly(six, tmp_path_factory, steps):
    run_through(six, tmp_path_factory, steps)


def run_through(six, tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("run")
    shutil.copyfile(six, folder / "workspace.db")
    with Workspace.open(settings=Settings(workspace=folder, database_url=None)) as workspace:
        made, around = [], {}
        first = state(workspace)
        for kind, which, value in steps:
            before, whole = state(workspace), rows(workspace)
            n = len(list_decisions(workspace, name="mine", limit=100))
            try:
                decision = do(workspace, kind, which, value, made)
            except Conflict:
                assert rows(workspace) == whole, "what is refused changes nothing"
                assert len(list_decisions(workspace, name="mine", limit=100)) == n
                continue
            if decision is None:
                continue
            made.append(decision)
            around[decision.id] = before, state(workspace)
            touched = {old["id"] for old, new in zip(whole, rows(workspace), strict=True) if old != new}
            assert len(touched) == decision.n
            if decision.undoes:
                was, became = around[decision.undoes]
                for place, (old, new) in enumerate(zip(was[0], state(workspace)[0], strict=True)):
                    if old["id"] in touched:
                        assert new == old, "as it was before what is undone"
                        assert became[0][place] == before[0][place]
        while True:  # take back all that stands, the newest first: all is as it was at first
            standing = [one for one in list_decisions(workspace, name="mine", limit=200) if not one.undone_by]
            left = [one for one in standing if one.details.get("stands", True)]
            if not left:
                break
            undo(workspace, id=max(left, key=lambda one: made_order(workspace, one)).id)
        assert state(workspace) == first
    shutil.rmtree(folder)


def made_order(workspace, decision):
    """The place of a decision in the order of making, which ids of one millisecond do not tell."""
    from sqlalchemy import select

    from sfumato.data.records import Decided

    with workspace.read() as session:
        made = session.scalars(select(Decided.after).where(Decided.decision_id == decision.id)).all()
    return decision.made_at, max(after["revision"] for after in made)
