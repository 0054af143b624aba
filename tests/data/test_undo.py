"""Whatever is decided and undone, in whatever order: what is undone is as it was, what others decided stays, and what
is refused changes nothing."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from sfumato.actions import Workspace
from sfumato.data.editing import recaption, set_attributes, set_consent, set_family, set_weights
from sfumato.data.history import list_decisions
from sfumato.data.narrowing import Where
from sfumato.data.records import Dataset, Decided, Decision, Finding, Item
from sfumato.data.verdicts import keep, leave_out, undo
from sfumato.errors import Conflict, NotFound
from sfumato.settings import Settings
from tests.data.curated import found, ids_of, rows

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
    st.tuples(st.just("answer"), WHICH, st.sampled_from(["blurred", "near_copies", "looks_alike", "licence"])),
    st.tuples(st.just("undo"), st.integers(0, 12), st.just("")),
)
ORDER = st.lists(st.integers(0, 30), min_size=1, max_size=8)  # in which all is taken back at last


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    """The database of a workspace with six pictures, of each of which two things were found, and of some copies."""
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
        ids = ids_of(workspace)
        for check in ("blurred", "licence"):
            found(workspace, dict.fromkeys(ids, check))
        found(workspace, dict.fromkeys(ids[:3], "near_copies"), group="three")
        found(workspace, {ids[3]: "near_copies"}, beside_id=ids[4])
        for n in (0, 3):  # what another check asks of the same pair
            found(workspace, {ids[n]: "looks_alike"}, beside_id=ids[n + 1])
    return folder / "first" / "workspace.db"


def do(workspace, kind, which, value, made):
    """One step; returns the decision, or None where it was refused."""
    if kind == "answer":
        ids = [ids_of(workspace)[one] for one in sorted(which)]
        return keep(workspace, name="mine", where=Where(ids=ids, check=value))
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


def findings(workspace):
    """Each finding with whether it is open, and the decision that has answered it."""
    with workspace.read() as session:
        rows = session.scalars(select(Finding).order_by(Finding.id))
        return [(row.id, row.item_id, row.check, row.state, row.settled_by) for row in rows]


def state(workspace):
    return rows(workspace, without=("revision",)), [row[:4] for row in findings(workspace)]


def taken_back(present, was, became):
    """A picture as it is once a decision, that made it what it became of what it was, is undone: all else stays."""
    back = {column: value for column, value in was.items() if value != became[column]}
    old, new = set(was["edited"]), set(became["edited"])
    return {**present, **back, "edited": sorted((set(present["edited"]) - (new - old)) | (old - new))}


def check_findings(workspace):
    """What is answered is so by a decision that stands; what is open is answered by none."""
    with workspace.read() as session:
        made = {row.id: row for row in session.scalars(select(Decision))}
        standing = {one for one, row in made.items() if not row.undone_by and row.details.get("stands", True)}
        settles = {one: made[made[one].details.get("of", one)].details.get("settles", []) for one in standing}
        touched = session.execute(select(Decided.item_id, Decided.decision_id, Decided.after)).all()
    answers = {(item, check) for item, one, _ in touched if one in standing for check in settles[one]}
    answers |= {(item, "*") for item, one, after in touched if one in standing and after.get("state") == "left out"}
    for _, item, check, now, by in findings(workspace):
        assert now == "open" or by in standing
        assert now == "settled" or not {(item, check), (item, "*")} & answers


@given(st.lists(EDITS, min_size=4, max_size=9), ORDER)
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])
def test_a_sequence_of_edits_and_undos_restores_exactly(six, tmp_path_factory, steps, order):
    run_through(six, tmp_path_factory, steps, order)


@pytest.mark.slow
@given(st.lists(EDITS, min_size=1, max_size=16), ORDER)
@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_edits_and_undos_restores_exactly(six, tmp_path_factory, steps, order):
    run_through(six, tmp_path_factory, steps, order)


def run_through(six, tmp_path_factory, steps, order):
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
            except (Conflict, NotFound):
                assert rows(workspace) == whole, "what is refused changes nothing"
                assert len(list_decisions(workspace, name="mine", limit=100)) == n
                continue
            if decision is None:
                continue
            made.append(decision)
            now = state(workspace)
            around[decision.id] = before, now
            touched = {old["id"] for old, new in zip(whole, rows(workspace), strict=True) if old != new}
            assert len(touched) == decision.n
            if decision.undoes:
                was, became = around[decision.undoes]
                for old, new, present, is_now in zip(was[0], became[0], before[0], now[0], strict=True):
                    assert is_now == taken_back(present, old, new), "what is undone is as it was, all else as it is"
            check_findings(workspace)
        take_all_back(workspace, order)
        assert state(workspace) == first
    shutil.rmtree(folder)


def take_all_back(workspace, order):
    """Take back all that stands, in an order that has nothing to do with that of making, where it is not refused."""
    turn = 0
    while True:
        standing = [one for one in list_decisions(workspace, name="mine", limit=200) if not one.undone_by]
        left = [one for one in standing if one.details.get("stands", True)]
        if not left:
            return
        left.sort(key=lambda one: made_order(workspace, one))
        chosen, turn = left[order[turn % len(order)] % len(left)], turn + 1
        try:
            undo(workspace, id=chosen.id)
        except Conflict:
            undo(workspace, id=left[-1].id)  # nothing that stands is later
        check_findings(workspace)


def made_order(workspace, decision):
    """The place of a decision in the order of making, which ids of one millisecond do not tell."""
    with workspace.read() as session:
        made = session.scalars(select(Decided.after).where(Decided.decision_id == decision.id)).all()
    return decision.made_at, max(after["revision"] for after in made)


def test_what_a_later_decision_answered_of_another_check_is_no_reason_to_refuse(six, tmp_path):
    shutil.copyfile(six, tmp_path / "workspace.db")
    with Workspace.open(settings=Settings(workspace=tmp_path, database_url=None)) as workspace:
        ids = ids_of(workspace)
        copies = keep(workspace, name="mine", where=Where(check="near_copies"))
        gone = leave_out(workspace, name="mine", where=Where(ids=ids[:1]), title="the first is out")
        words = recaption(workspace, name="mine", captions={ids[1]: "a cat"})
        keep(workspace, name="mine", where=Where(check="licence"), title="all licences")
        undo(workspace, id=words.id)
        undo(workspace, id=copies.id)
        by_check = [(item, now) for _, item, check, now, _ in findings(workspace) if check == "near_copies"]
        assert sorted(by_check) == sorted([(ids[0], "settled"), *((one, "open") for one in ids[1:4])])
        assert {now for _, _, check, now, _ in findings(workspace) if check == "licence"} == {"settled"}
        again = keep(workspace, name="mine", where=Where(ids=ids[:1]))
        with pytest.raises(Conflict, match=r"1 later decision changed the same of its pictures: 'kept 1 picture'"):
            undo(workspace, id=gone.id)
        undo(workspace, id=again.id)
        undo(workspace, id=gone.id)
        assert {now for _, _, check, now, _ in findings(workspace) if check == "near_copies"} == {"open"}


def test_leaving_out_what_is_out_already_is_said_of_its_state_too(six, tmp_path):
    shutil.copyfile(six, tmp_path / "workspace.db")
    with Workspace.open(settings=Settings(workspace=tmp_path, database_url=None)) as workspace:
        ids = ids_of(workspace)
        gone = leave_out(workspace, name="mine", where=Where(ids=ids[:2]))
        found(workspace, {ids[0]: "dark"})
        leave_out(workspace, name="mine", where=Where(check="dark", state="left out"), title="it is dark as well")
        with pytest.raises(Conflict, match="'it is dark as well'"):
            undo(workspace, id=gone.id)
