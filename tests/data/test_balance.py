"""Shares of what pictures declare are told with intervals, and a plan mends them as one decision."""

import json

import pytest

from sfumato.actions import Actor
from sfumato.data.balance import show_balance
from sfumato.data.plans import apply_plan, plan_balance
from sfumato.data.records import Dataset, Item
from sfumato.data.verdicts import undo
from sfumato.db import new_id
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound

TONES = {"light": 60, "medium": 25, "dark": 15}


@pytest.fixture
def declared(workspace):
    """Rows of a dataset "faces": 100 with a skin tone, 70 of these with a gender, and 10 that declare nothing."""

    def make(name="faces", tones=TONES):
        with workspace.write() as session:
            dataset = Dataset(id=new_id(), name=name)
            session.add(dataset)
            session.flush()
            said = [tone for tone, n in tones.items() for _ in range(n)] + [""] * 10
            for place, tone in enumerate(said):
                attributes = {"skin tone": tone} if tone else {}
                if tone and place % 10 < 7:
                    attributes["gender"] = "woman" if tone == "dark" or place % 5 == 0 else "man"
                session.add(
                    Item(
                        dataset_id=dataset.id, sha256=f"{place:064x}", key=str(place), licence="MIT", source="made",
                        width=8, height=8, has_alpha=False, flip_ok=True, name=f"face {place}", attributes=attributes,
                        style=("flat", "soft")[place % 2],
                    )
                )  # fmt: skip

    make()
    return make


def weights(workspace):
    with workspace.read() as session:
        rows = session.query(Item).order_by(Item.id)
        return [(row.attributes.get("skin tone", ""), row.weight, row.state) for row in rows]


def test_shares_have_intervals_effects_and_the_number_that_a_claim_needs(workspace, declared):
    found = show_balance(workspace, name="faces", attributes=["skin tone"])
    (tone,) = found.balances
    assert (found.n, tone.declared, tone.silent) == (110, 100, 10)
    assert [(one.group, one.n) for one in tone.shares] == [("light", 60), ("medium", 25), ("dark", 15)]
    assert all(one.low < one.share < one.high for one in tone.shares)
    assert tone.distance == pytest.approx(0.6 - 1 / 3)
    assert 0 < tone.distance_excess < tone.distance
    assert tone.p < 0.001
    assert tone.says[0].startswith("light is 60% (48 to 71) of skin tone, 33% would be equal shares; 26 pictures")
    assert tone.says[0].endswith("there are 100: enough.")
    assert "a large effect" in tone.says[-1]
    assert "10 pictures declare none" in tone.says[-1]


def test_all_that_is_declared_is_shown_each_beside_each(workspace, declared):
    found = show_balance(workspace, name="faces")
    assert [one.attribute for one in found.balances] == ["gender", "skin tone"]
    (crossed,) = found.crossed
    assert sum(cell.n for cell in crossed.cells) == 70
    women = {cell.row: cell.share for cell in crossed.cells if cell.column == "dark"}
    assert women["woman"] != women["man"]
    assert crossed.p < 0.05
    assert crossed.says.startswith("gender and skin tone go together")
    alone = show_balance(workspace, name="faces", attributes=["style"]).balances[0]
    assert alone.p > 0.05
    assert alone.says[-1].startswith("No evidence that style is off equal shares")
    with pytest.raises(NotFound, match="skin tone"):
        show_balance(workspace, name="faces", attributes=["skin tine"])


def test_a_target_is_equal_or_given_or_that_of_another_dataset(workspace, declared):
    declared("census", {"light": 10, "medium": 10, "dark": 30})
    as_there = plan_balance(workspace, name="faces", attributes=["skin tone"], target="as:census")
    assert {one.group: one.target for one in as_there.groups} == {"light": 0.2, "medium": 0.2, "dark": 0.6}
    given = json.dumps({"light": 1, "medium": 1, "dark": 2})
    assert plan_balance(workspace, name="faces", attributes=["skin tone"], target=given).groups[-1].target == 0.5
    for wrong, kind in (("even", InvalidInput), ('{"light": 1}', InvalidInput), ("as:nobody", NotFound),
                        ('{"light": 1, "medium": 1, "darc": 2}', NotFound),
                        ('{"light": -1, "medium": 1, "dark": 2}', InvalidInput)):  # fmt: skip
        with pytest.raises(kind):
            plan_balance(workspace, name="faces", attributes=["skin tone"], target=wrong)


def test_a_plan_by_weights_is_shown_then_applied_then_undone(workspace, declared):
    plan = plan_balance(workspace, name="faces", attributes=["skin tone"])
    assert [one.group for one in plan.groups] == ["light", "medium", "dark"]
    assert [round(one.weight, 3) for one in plan.groups] == [0.556, 1.333, 2.222]
    assert (plan.effective_before, plan.effective_after) == (100, pytest.approx(72.97, abs=0.01))
    assert plan.says.startswith("dark goes from 15% to 33%; 100 pictures count as 73 equal ones, 100 before.")
    before = weights(workspace)
    made = apply_plan(workspace, name="faces", attributes=["skin tone"], seen=plan.seen, reason="fair")
    assert (made.n, made.verb) == (100, "set weight")
    after = weights(workspace)
    for tone in TONES:
        assert sum(weight for one, weight, _ in after if one == tone) == pytest.approx(100 / 3, abs=1e-3)
    assert [weight for one, weight, _ in after if not one] == [1.0] * 10
    with pytest.raises(Conflict, match="changed"):
        apply_plan(workspace, name="faces", attributes=["skin tone"], seen=plan.seen)
    with pytest.raises(InvalidInput, match="balanced like this"):
        apply_plan(workspace, name="faces", attributes=["skin tone"])
    undo(workspace, id=made.id)
    assert weights(workspace) == before


def test_a_plan_by_leaving_out_keeps_what_the_scarcest_allows(workspace, declared):
    plan = plan_balance(workspace, name="faces", attributes=["skin tone"], how="leave out")
    assert [one.leave_out for one in plan.groups] == [45, 10, 0]
    assert plan.effective_after == 45
    made = apply_plan(workspace, name="faces", attributes=["skin tone"], how="leave out")
    first = weights(workspace)
    assert sum(state == "left out" for _, _, state in first) == made.n == 55
    balanced = show_balance(workspace, name="faces", attributes=["skin tone"]).balances[0]
    assert [one.n for one in balanced.shares] == [15, 15, 15]
    undo(workspace, id=made.id)
    apply_plan(workspace, name="faces", attributes=["skin tone"], how="leave out")
    assert weights(workspace) == first, "the same ones each time"


def test_a_plan_to_collect_says_how_many_of_what(workspace, declared):
    plan = plan_balance(workspace, name="faces", attributes=["skin tone"], how="collect")
    assert {one.group: one.collect for one in plan.groups} == {"light": 0, "medium": 35, "dark": 45}
    assert plan.says.startswith("Collect 45 of dark, 35 of medium: dark goes from 15% to 33%.")
    with pytest.raises(InvalidInput, match="What is not there"):
        apply_plan(workspace, name="faces", attributes=["skin tone"], how="collect")


def test_several_attributes_are_balanced_together(workspace, declared):
    plan = plan_balance(workspace, name="faces", attributes=["skin tone", "gender"])
    assert len(plan.groups) == 5
    assert "No picture has dark / man: only collecting mends that." in plan.says
    assert plan.n == 70
    assert sum(one.after for one in plan.groups) == pytest.approx(1)
    assert sum(one.weight * one.n for one in plan.groups) == pytest.approx(70)
    more = plan_balance(workspace, name="faces", attributes=["skin tone", "gender"], how="collect")
    assert {one.group: one.collect for one in more.groups}["dark / man"] == max(one.n for one in more.groups)


def test_who_may_not_change_datasets_may_look_and_not_apply(workspace, declared):
    viewer = workspace.as_actor(Actor("person/vic", "vic", ("viewer",)))
    assert plan_balance(viewer, name="faces", attributes=["skin tone"]).n == 100
    with pytest.raises(Forbidden):
        apply_plan(viewer, name="faces", attributes=["skin tone"])
    with pytest.raises(InvalidInput, match="one group"):
        plan_balance(viewer, name="faces", attributes=["licence"])
    with pytest.raises(InvalidInput, match="one, two or three"):
        plan_balance(viewer, name="faces", attributes=[])
