"""Of each group of copies one is kept, and of many pictures the most different ones, each with a reason."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sfumato.data.choosing import ThinningView, keep_best, keep_best_would, pick_diverse
from sfumato.data.coreset import k_center
from sfumato.data.features_of import unit
from sfumato.data.findings import list_findings, list_groups
from sfumato.data.history import list_decided, list_decisions
from sfumato.data.items import list_items
from sfumato.data.narrowing import Where
from sfumato.data.records import Appearance, Dataset, Item
from sfumato.data.verdicts import leave_out, undo
from sfumato.errors import InvalidInput, NotFound
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker
from tests.data.curated import decided_on, found, ids_of, rows


@pytest.fixture
def mine(workspace, shapes, collect):
    collect(path=str(shapes), licence="MIT")
    return workspace


def named(workspace, captions):
    """Give items their captions."""
    with workspace.write() as session:
        for one, caption in captions.items():
            session.get(Item, one).name = caption


def measured(workspace, by_item):
    """Plant what a pass over the pixels would have measured."""
    with workspace.write() as session:
        dataset = session.query(Dataset).one()
        names = "brightness contrast darkest lightest noise blocking information colourfulness hue"
        zeros = dict.fromkeys(names.split(), 0.0)
        for one, sharpness in by_item.items():
            sha256 = session.get(Item, one).sha256
            session.add(
                Appearance(dataset_id=dataset.id, item_id=one, measured=sha256, measure=1, file_bytes=1, phash=0,
                           pixels_sha256=sha256, dhash=0, is_flat=False, sharpness=sharpness, **zeros)
            )  # fmt: skip


def test_the_sharpest_of_each_group_is_kept_and_the_others_say_why(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:3], "near_copies"), group="a")
    found(mine, dict.fromkeys(ids[3:5], "near_copies"), group="b")
    found(mine, {ids[1]: "blurred", ids[0]: "blurred"})
    measured(mine, dict(zip(ids, (0.2, 0.9, 0.5, 0.3, 0.3), strict=False)))
    before = rows(mine, without=("revision",))
    decision = keep_best(mine, name="mine", by="sharpest", doubtful=True)
    assert decision.name == "kept the sharpest of 2 groups of copies, left out 3 pictures"
    left = {item.id for item in list_items(mine, name="mine", state="left out")}
    assert left == {ids[0], ids[2], ids[4]}
    reasons = {one.item_id: one.reason for one in list_decided(mine, id=decision.id)}
    assert reasons[ids[0]].endswith("which is sharper (0.900, this 0.200)")
    assert reasons[ids[4]].endswith("which came first")
    assert reasons[ids[1]] == "the sharpest of its group"
    assert [(check, state) for check, state, _ in decided_on(mine) if check == "near_copies"] == [
        ("near_copies", "settled")
    ] * 5
    assert sorted(state for check, state, _ in decided_on(mine) if check == "blurred") == ["open", "settled"]
    assert next(row for row in rows(mine) if row["id"] == ids[1])["edited"] == []
    undo(mine, id=decision.id)
    assert rows(mine, without=("revision",)) == before
    assert {state for _, state, _ in decided_on(mine)} == {"open"}


def test_the_best_is_sound_first_then_large_and_has_the_star(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:3], "near_copies"), group="a")
    found(mine, dict.fromkeys(ids[3:5], "near_copies"), group="b")
    found(mine, {ids[0]: "dark"})
    measured(mine, dict(zip(ids, (0.9, 0.2, 0.3, 0.3, 0.8), strict=False)))
    with mine.write() as session:
        session.get(Item, ids[0]).width = session.get(Item, ids[1]).width = session.get(Item, ids[3]).width = 90
    stars = {}
    for by in ("best", "sharpest", "largest", "first"):
        groups = list_groups(mine, name="mine", by=by)
        stars[by] = {one.item_id for group in groups for one in group.members if one.is_best}
    assert stars["best"] == {ids[1], ids[3]}
    assert stars["sharpest"] == {ids[0], ids[4]}
    for by, starred in stars.items():
        decision = keep_best(mine, name="mine", by=by, doubtful=True)
        left = {item.id for item in list_items(mine, name="mine", state="left out")}
        assert set(ids[:5]) - left == starred
        if by == "best":
            reasons = {one.item_id: one.reason for one in list_decided(mine, id=decision.id)}
            assert reasons[ids[0]].endswith("which has no fault (this: too dark)")
            assert reasons[ids[4]].endswith("which is larger (90 × 24, this 24 × 24)")
        undo(mine, id=decision.id)


def test_of_two_as_large_the_one_with_a_caption_is_kept_though_the_other_is_sharper(mine):
    ids = ids_of(mine)
    named(mine, {ids[0]: "", ids[1]: "a red disc"})
    measured(mine, dict(zip(ids, (0.9, 0.5), strict=False)))
    found(mine, dict.fromkeys(ids[:2], "near_copies"), group="a")
    [group] = list_groups(mine, name="mine")
    best, other = group.members
    assert best.reason.endswith("It has a caption (the next: none).")
    assert other.reason.endswith("The one with the star has a caption (this: none).")
    assert [one.item_id for one in group.members if one.is_best] == [ids[1]]
    keep_best(mine, name="mine")
    assert [one.id for one in list_items(mine, name="mine", state="left out")] == [ids[0]]


def test_a_caption_is_not_thrown_away_in_bulk_with_a_smaller_copy(mine):
    ids = ids_of(mine)
    named(mine, {ids[0]: "", ids[1]: "a red disc"})
    with mine.write() as session:
        session.get(Item, ids[0]).width = 400
    found(mine, dict.fromkeys(ids[:2], "near_copies"), group="a")
    assert keep_best_would(mine, name="mine") == ThinningView(0, 0, 1)
    [group] = list_groups(mine, name="mine")
    assert [one.doubt for one in group.members] == ["", "Its caption would be lost"]


def test_a_copy_with_a_watermark_is_not_the_best_even_where_it_is_sharper(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:2], "near_copies"), group="a")
    found(mine, {ids[0]: "text_in_picture"})
    found(mine, dict.fromkeys(ids[:2], "licence_conflict"))
    measured(mine, dict(zip(ids, (0.9, 0.2), strict=False)))
    (group,) = list_groups(mine, name="mine")
    assert [one.item_id for one in group.members if one.is_best] == [ids[1]]


def test_what_may_be_no_copy_is_left_to_a_person(mine):
    ids = ids_of(mine)
    named(mine, dict.fromkeys(ids[:4], "A red apple.") | {ids[1]: "a red apple", ids[2]: "A pear."})
    found(mine, dict.fromkeys(ids[:3], "near_copies"), group="a")
    found(mine, {ids[3]: "near_copies"}, group="a", details={"doubt": "A part of them differs"})
    named(mine, dict.fromkeys(ids[4:6], "A star."))
    found(mine, dict.fromkeys(ids[4:6], "near_copies"), group="b")
    found(mine, dict.fromkeys(ids[6:8], "exact_copies"), group="c")
    assert keep_best_would(mine, name="mine", by="first") == ThinningView(groups=2, left_out=2, doubtful=2)
    groups = {group.group: group for group in list_groups(mine, name="mine", by="first")}
    assert {one.item_id: one.doubt for one in groups["a"].members} == {
        ids[0]: "", ids[1]: "", ids[2]: "Their captions differ", ids[3]: "A part of them differs"
    }  # fmt: skip
    keep_best(mine, name="mine", by="first")
    assert {item.id for item in list_items(mine, name="mine", state="left out")} == {ids[1], ids[5]}
    still = {one.item_id for one in list_findings(mine, name="mine", check="near_copies")}
    assert still == {ids[0], ids[2], ids[3]}, "those in doubt are asked about, beside the one that was kept"
    with pytest.raises(NotFound, match="in doubt: 2 pictures"):
        keep_best(mine, name="mine", by="first")
    keep_best(mine, name="mine", by="first", groups=["a"])
    assert not list_findings(mine, name="mine", check="near_copies")
    keep_best(mine, name="mine", check="exact_copies", by="first")
    assert list_items(mine, name="mine", state="left out", limit=9)[-1].id == ids[7], "equal pixels have no doubt"


def test_a_group_tells_what_was_left_out_of_it_and_the_star_goes_to_the_best_of_the_others(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:3], "near_copies"), group="a")
    found(mine, dict.fromkeys(ids[3:5], "near_copies"), group="b")
    leave_out(mine, name="mine", where=Where(ids=ids[:1]))
    (group,) = list_groups(mine, name="mine", group="a")
    assert (group.n, [one.item_id for one in group.members if one.is_best]) == (2, [ids[1]])
    assert [(one.item_id, one.state) for one in group.members if not one.is_open] == [(ids[0], "left out")]
    assert group.members[-1].item_id == ids[0]


def test_the_last_of_a_group_whose_copies_are_gone_is_no_finding_any_more(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:2], "near_copies"), group="a")
    found(mine, dict.fromkeys(ids[2:5], "near_copies"), group="b")
    decision = leave_out(mine, name="mine", where=Where(ids=[ids[0], ids[2]]))
    assert {one.item_id for one in list_findings(mine, name="mine", check="near_copies")} == set(ids[3:5])
    undo(mine, id=decision.id)
    assert len(list_findings(mine, name="mine", check="near_copies")) == 5


def test_the_largest_and_the_first_can_be_kept_as_well(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:3], "near_copies"), group="a")
    with mine.write() as session:
        session.get(Item, ids[1]).width = 90
    decision = keep_best(mine, name="mine", by="largest", doubtful=True)
    assert {item.id for item in list_items(mine, name="mine", state="left out")} == {ids[0], ids[2]}
    undo(mine, id=decision.id)
    keep_best(mine, name="mine", by="first", groups=["a"])
    assert {item.id for item in list_items(mine, name="mine", state="left out")} == {ids[1], ids[2]}
    with pytest.raises(NotFound, match="No open group"):
        keep_best(mine, name="mine")


def test_a_coreset_covers_each_cluster_once_and_avoids_what_is_troubled():
    random = np.random.default_rng(3)
    centres = unit(random.standard_normal((5, 64)).astype(np.float32))
    features = unit(np.repeat(centres, 20, axis=0) + 0.02 * random.standard_normal((100, 64)).astype(np.float32))
    troubled = np.zeros(100, bool)
    troubled[:19] = True
    steps = k_center(features, 5, troubled)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            cover = finished.value
            break
    assert sorted(int(row) // 20 for row in cover.picked) == [0, 1, 2, 3, 4]
    assert 19 in cover.picked, "the only one of its cluster of which nothing is found"
    assert (cover.nearest // 20 == np.arange(100) // 20).all()
    assert cover.distance.max() < 0.1
    assert (cover.gaps[1:] > 0.5).all()


def test_the_most_different_pictures_are_picked_as_one_decision_that_is_written_once(mine):
    job = pick_diverse(mine, name="mine", n=4, where=Where())
    run_worker(mine, only_job=job.id)
    told = ended_well(get_job(mine, job_id=job.id)).result
    kept = list_items(mine, name="mine")
    assert len(kept) == 4
    (decision,) = list_decisions(mine, name="mine")
    assert told["decision"] == decision.id
    assert decision.name == "picked the 4 most different of 12 pictures"
    reasons = {one.item_id: one.reason for one in list_decided(mine, id=decision.id)}
    assert all(reasons[item.id].startswith("picked as number ") for item in kept)
    assert sum(reason.startswith("like '") for reason in reasons.values()) == 8
    from sfumato.data.coreset import pick
    from sfumato.jobs import JobContext

    spec = {"dataset": "mine", "dataset_id": ids_dataset(mine), "n": 4, "where": {}}
    steps = pick(JobContext(mine, job.id, 1), spec)
    assert [one.say for one in steps] == ["done"], "an attempt that is cut short after its decision writes no other"
    with pytest.raises(InvalidInput, match="There are only 4 pictures"):
        pick_diverse(mine, name="mine", n=4)


def ids_dataset(workspace):
    with workspace.read() as session:
        return session.query(Dataset).one().id


def test_the_star_and_its_reason_agree_and_a_tie_is_called_one(mine):
    ids = ids_of(mine)
    found(mine, {ids[0]: "near_copies"}, group="a", details={"best": True})
    found(mine, {ids[1]: "near_copies"}, group="a")
    measured(mine, {ids[0]: 0.30001, ids[1]: 0.30002})
    [group] = list_groups(mine, name="mine")
    assert [one.item_id for one in group.members] == ids[:2], "what nobody sees decides nothing"
    assert group.members[0].reason == "It came first of the two: there is no better reason to keep it."
    assert group.members[1].reason == "it is planted The one with the star is as good, and came first."
    found(mine, {ids[0]: "blur"})
    [group] = list_groups(mine, name="mine")
    assert [one.item_id for one in group.members] == [ids[1], ids[0]]
    assert group.members[0].reason == "It has no fault (the next: blur)."
    assert group.members[1].reason == "The one with the star has no fault (this: blur)."


def test_of_those_that_came_at_once_the_first_is_the_first_by_name_else_the_one_that_came_before(mine):
    ids = ids_of(mine)[:4]
    found(mine, dict.fromkeys(ids[:2], "exact_copies"), group="at once")
    found(mine, dict.fromkeys(ids[2:], "exact_copies"), group="days apart")
    noon = datetime(2026, 5, 1, 12, 1, tzinfo=UTC)
    keys = ("part-b/pic-10.png", "part-a/pic-9.png", "a.png", "b.png")
    for one, key, at in zip(ids, keys, (0, 1, 2, -86_400), strict=True):
        with mine.write() as session:
            item = session.get(Item, one)
            item.key, item.collected_at, item.width, item.height = key, noon + timedelta(seconds=at), 8, 8
    decision = keep_best(mine, name="mine", check="exact_copies", by="first")
    assert decision.n == 4
    states = {row["id"]: row["state"] for row in rows(mine)}
    assert [states[one] for one in ids] == ["left out", "kept", "left out", "kept"]
