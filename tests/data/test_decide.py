"""What is decided is named, can be taken back as a whole, and tells whoever comes second."""

import pytest
from sqlalchemy import select

from sfumato.actions import Actor
from sfumato.actions.records import Event
from sfumato.data.decide import apply
from sfumato.data.findings import close_unseen, keep_findings, list_groups
from sfumato.data.history import item_history, list_decided, list_decisions, show_decision
from sfumato.data.items import list_items
from sfumato.data.narrowing import Where
from sfumato.data.records import Dataset, Finding, Item
from sfumato.data.scan import Proposal
from sfumato.data.verdicts import keep, leave_out, undo
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound
from tests.data.curated import decided_on, found, ids_of, rows


@pytest.fixture
def mine(workspace, shapes, collect):
    collect(path=str(shapes), licence="MIT")
    return workspace


def test_pictures_are_left_out_under_a_name_and_come_back(mine):
    ids = ids_of(mine)
    decision = leave_out(mine, name="mine", where=Where(ids=ids[:3]), reason="near copies")
    assert (decision.n, decision.verb, decision.name) == (3, "leave out", "left out 3 pictures")
    states = {row["id"]: row["state"] for row in rows(mine)}
    assert [states[one] for one in ids[:4]] == ["left out"] * 3 + ["kept"]
    assert len(list_items(mine, name="mine")) == 9
    assert [one.id for one in list_items(mine, name="mine", state="left out")] == ids[:3]
    back = keep(mine, name="mine", where=Where(ids=ids[:1]))
    assert back.n == 1
    assert list_items(mine, name="mine", state="left out")[0].id == ids[1]
    with mine.read() as session:
        said = session.scalars(select(Event.summary).where(Event.action.startswith("data."))).all()
    assert "left out 3 pictures in mine: near copies" in said
    assert show_decision(mine, id=decision.id[-12:]).by_name == decision.by_name
    assert [one.id for one in list_decisions(mine, name="mine")] == [back.id, decision.id]
    assert [one.item_id for one in list_decided(mine, id=decision.id)] == ids[:3]


def test_undo_restores_all_columns_and_redo_does_it_again(mine):
    before = rows(mine, without=("revision",))
    decision = leave_out(mine, name="mine", where=Where(words="red"))
    after = rows(mine, without=("revision",))
    assert decision.n == 3
    undone = undo(mine, id=decision.id)
    assert (undone.name, undone.undoes) == ("took back: left out 3 pictures (words red)", decision.id)
    assert rows(mine, without=("revision",)) == before
    with pytest.raises(Conflict, match="taken back already"):
        undo(mine, id=decision.id)
    again = undo(mine, id=undone.id)
    assert again.name == "did again: left out 3 pictures (words red)"
    assert rows(mine, without=("revision",)) == after
    undo(mine, id=again.id)
    assert rows(mine, without=("revision",)) == before
    assert {row["revision"] for row in rows(mine)} == {1, 5}


def test_undo_is_refused_where_later_decisions_touched_the_same_and_names_them(mine):
    ids = ids_of(mine)
    first = leave_out(mine, name="mine", where=Where(ids=ids[:4]), title="the first")
    second = keep(mine, name="mine", where=Where(ids=ids[3:5]), title="the second")
    third = leave_out(mine, name="mine", where=Where(ids=ids[6:7]))
    before = rows(mine)
    with pytest.raises(Conflict, match=r"1 later decision changed the same of its pictures: 'the second' by .*"):
        undo(mine, id=first.id)
    assert rows(mine) == before
    assert len(list_decisions(mine, name="mine")) == 3
    taken = undo(mine, id=second.id)
    undone = undo(mine, id=first.id)
    with pytest.raises(Conflict, match="took back: the first"):
        undo(mine, id=taken.id)
    undo(mine, id=undone.id)
    undo(mine, id=taken.id)
    assert rows(mine, without=("revision",)) == [
        {key: value for key, value in row.items() if key != "revision"} for row in before
    ]
    undo(mine, id=third.id)


def test_two_people_who_decide_on_one_picture_are_told(mine):
    seen = list_items(mine, name="mine")[0]
    bea = mine.as_actor(Actor("person/bea", "bea", ("data scientist",)))
    leave_out(bea, name="mine", where=Where(ids=[seen.id]), title="left out the ugly")
    with pytest.raises(Conflict, match=rf"'{seen.name}' was changed by bea at \d\d:\d\d on .* \(left out the ugly\)"):
        leave_out(mine, name="mine", where=Where(ids=[seen.id]), expected={seen.id: seen.revision})
    with pytest.raises(Conflict, match=r"so already, last decided on by bea"):
        leave_out(mine, name="mine", where=Where(ids=[seen.id], state="left out"))
    history = item_history(mine, id=seen.id)
    assert history.revision == 2
    assert [(one.decision.by_name, one.before, one.after) for one in history.decisions] == [
        ("bea", {"state": "kept"}, {"state": "left out"})
    ]


def test_a_verdict_settles_what_was_found_and_undo_opens_it_again(mine):
    ids = ids_of(mine)
    found(mine, {ids[0]: "blurred", ids[1]: "blurred", ids[2]: "copies"})
    decision = leave_out(mine, name="mine", where=Where(check="blurred"))
    assert decision.n == 2
    states = lambda: [state for _, state, _ in decided_on(mine)]  # noqa: E731
    assert states() == ["settled", "settled", "open"]
    assert {by for _, state, by in decided_on(mine) if state == "settled"} == {decision.id}
    undone = undo(mine, id=decision.id)
    assert states() == ["open", "open", "open"]
    undo(mine, id=undone.id)
    assert states() == ["settled", "settled", "open"]


def test_keeping_for_one_check_answers_that_check_alone_and_leaves_the_picture_as_it_is(mine):
    ids = ids_of(mine)
    found(mine, {ids[0]: "blurred"})
    found(mine, {ids[0]: "copies"})
    keep(mine, name="mine", where=Where(check="blurred"))
    assert sorted((check, state) for check, state, _ in decided_on(mine)) == [
        ("blurred", "settled"), ("copies", "open"),
    ]  # fmt: skip
    assert rows(mine)[0]["edited"] == []
    keep(mine, name="mine", where=Where(ids=[ids[0]]))
    assert rows(mine)[0]["edited"] == ["state"]
    assert {state for _, state, _ in decided_on(mine)} == {"settled"}


def test_what_cannot_be_decided_is_told_and_changes_nothing(mine):
    before = rows(mine)
    with pytest.raises(NotFound, match="1 of these pictures are not in 'mine'"):
        leave_out(mine, name="mine", where=Where(ids=[ids_of(mine)[0], "0" * 36]))
    with pytest.raises(NotFound, match="No picture of 'mine' is meant"):
        leave_out(mine, name="mine", where=Where(words="elephant"))
    with pytest.raises(NotFound) as told:
        leave_out(mine, name="mine", where=Where(ids=ids_of(mine)[:1], check="near_copies"))
    assert told.value.hint == "It was decided meanwhile: load the page again."
    with pytest.raises(Forbidden):
        leave_out(mine.as_actor(Actor("person/bob", "bob", ("viewer",))), name="mine", where=Where())
    with pytest.raises(NotFound, match="no single decision"):
        undo(mine, id="0000")
    with pytest.raises(InvalidInput, match="cannot set 'key'"):
        edit(mine, {ids_of(mine)[0]: {"key": "x"}})
    with pytest.raises(InvalidInput, match="at most 60"):
        edit(mine, {ids_of(mine)[0]: {"licence": "x" * 61}})
    assert rows(mine) == before
    assert list_decisions(mine, name="mine") == []


def edit(workspace, edits):
    from sfumato.actions import Act

    with workspace.write() as session:
        dataset = session.scalar(select(Dataset).where(Dataset.name == "mine"))
        return apply(Act(session, workspace), dataset, edits, verb="edit", name="edited")


def test_a_thousand_pictures_are_more_than_one_chunk(workspace, styled, collect):
    collect(path=str(styled(300, styles=4)))
    decision = leave_out(workspace, name="mine", where=Where())
    assert decision.n == 1_200
    assert {row["state"] for row in rows(workspace)} == {"left out"}
    undo(workspace, id=decision.id)
    with workspace.read() as session:
        assert set(session.scalars(select(Item.state))) == {"kept"}
        assert session.scalar(select(Finding.id)) is None


def test_what_was_found_of_a_picture_only_beside_one_that_is_left_out_is_answered_and_comes_back(mine):
    ids = ids_of(mine)
    found(mine, {ids[0]: "near_copies"}, beside_id=ids[1])
    found(mine, {ids[2]: "looks_alike"}, beside_id=ids[3])
    gone = leave_out(mine, name="mine", where=Where(ids=[ids[1]]))
    assert decided_on(mine) == [("looks_alike", "open", ""), ("near_copies", "settled", gone.id)]
    undo(mine, id=gone.id)
    assert [state for _, state, _ in decided_on(mine)] == ["open", "open"]


def test_a_pair_that_was_decided_on_is_asked_about_by_no_other_check_until_that_is_taken_back(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:2], "near_copies"), group="a")
    done = keep(mine, name="mine", where=Where(ids=ids[:2], check="near_copies"))
    pairs = [(ids[0], ids[1]), (ids[1], ids[0]), (ids[2], ids[0])]
    with mine.write() as session:
        dataset = session.scalar(select(Dataset))
        said = [Proposal(one, 0.9, "It is alike.", group="b", beside_id=other) for one, other in pairs]
        keep_findings(session, dataset.id, "looks_alike", said, scan_id="x", person="x")
    with mine.read() as session:
        rows_now = session.scalars(select(Finding).where(Finding.check == "looks_alike")).all()
    assert {row.item_id: (row.state, row.settled_by) for row in rows_now} == {
        ids[0]: ("settled", done.id), ids[1]: ("settled", done.id), ids[2]: ("open", ""),
    }  # fmt: skip
    undo(mine, id=done.id)
    assert {state for _, state, _ in decided_on(mine)} == {"open"}


def alike_of(workspace, check="looks_alike"):
    with workspace.read() as session:
        rows_now = session.scalars(select(Finding).where(Finding.check == check).order_by(Finding.id))
        return {row.item_id: row.state for row in rows_now}


def beside(workspace, ids, check, group):
    """Plant that the first is the best of a group (beside nothing, if `check` marks it so), the others beside it."""
    marks = check == "near_copies"
    found(workspace, {ids[0]: check}, group=group, beside_id="" if marks else ids[1])
    for one in ids[1:]:
        found(workspace, {one: check}, group=group, beside_id=ids[0])


def test_a_pair_that_is_kept_by_one_check_is_answered_for_those_that_have_asked_already(mine):
    ids = ids_of(mine)
    beside(mine, ids[:2], "near_copies", "near")
    beside(mine, ids[:2], "looks_alike", "like")
    beside(mine, ids[2:5], "looks_alike", "three")
    found(mine, {ids[2]: "near_copies"}, beside_id=ids[3])
    done = keep(mine, name="mine", where=Where(ids=ids[:4], check="near_copies"))
    assert alike_of(mine) == dict.fromkeys(ids[:2], "settled") | dict.fromkeys(ids[2:5], "open"), (
        "of three of which one pair was kept, the third is still to be looked at, beside both"
    )
    undone = undo(mine, id=done.id)
    assert {*alike_of(mine).values(), *alike_of(mine, "near_copies").values()} == {"open"}
    undo(mine, id=undone.id)
    assert alike_of(mine) == dict.fromkeys(ids[:2], "settled") | dict.fromkeys(ids[2:5], "open")


def test_it_goes_from_what_looks_alike_to_near_copies_with_the_best_of_the_group_too(mine):
    ids = ids_of(mine)
    beside(mine, ids[:3], "near_copies", "near")
    beside(mine, ids[:3], "looks_alike", "like")
    keep(mine, name="mine", where=Where(ids=ids[:3], check="looks_alike"))
    assert alike_of(mine, "near_copies") == dict.fromkeys(ids[:3], "settled")


def test_the_best_of_a_group_is_not_asked_about_once_all_others_are_answered(mine):
    ids = ids_of(mine)
    beside(mine, ids[:2], "near_copies", "near")
    done = keep(mine, name="mine", where=Where(ids=ids[:2], check="near_copies"))
    said = [
        Proposal(ids[1], 0.0, "The largest of 2.", group="near"),
        Proposal(ids[0], 0.9, "It is alike.", group="near", beside_id=ids[1]),
    ]
    with mine.write() as session:
        dataset = session.scalar(select(Dataset))
        seen = keep_findings(session, dataset.id, "near_copies", said, scan_id="x", person="x")
        close_unseen(session, dataset.id, "near_copies", seen)
    assert {state for _, state, _ in decided_on(mine)} == {"settled"}, "the pair is known, whichever is the best"
    undo(mine, id=done.id)
    assert {state for _, state, _ in decided_on(mine)} == {"open"}


def test_the_best_of_a_group_with_one_that_is_new_stays_beside_it(mine):
    ids = ids_of(mine)
    beside(mine, ids[:2], "near_copies", "near")
    keep(mine, name="mine", where=Where(ids=ids[:2], check="near_copies"))
    said = [Proposal(ids[2], 0.0, "The largest of 3.", group="near")]
    said += [Proposal(one, 0.9, "It is alike.", group="near", beside_id=ids[2]) for one in ids[:2]]
    with mine.write() as session:
        dataset = session.scalar(select(Dataset))
        seen = keep_findings(session, dataset.id, "near_copies", said, scan_id="x", person="x")
        close_unseen(session, dataset.id, "near_copies", seen)
    [group] = list_groups(mine, name="mine")
    assert {one.item_id for one in group.members} == set(ids[:3])
