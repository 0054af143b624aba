"""A version holds what is kept, parts no family, says what was left out and why, and which decisions it rests on."""

import json
from collections import Counter

import pytest

from sfumato.data.datasheet import datasheet
from sfumato.data.editing import set_attributes, set_consent, set_family, set_weights
from sfumato.data.exports.outgoing import lines_of
from sfumato.data.freeze import count_unfit, freeze
from sfumato.data.items import list_items
from sfumato.data.mending import mend_pixels
from sfumato.data.narrowing import Where
from sfumato.data.records import Item
from sfumato.data.rests import show_lineage
from sfumato.data.verdicts import keep, leave_out, undo
from sfumato.data.versions import open_version
from sfumato.db import parents
from sfumato.errors import InvalidInput
from tests.data.curated import ids_of, rows

SAMPLE = "f02dea37fbaecb141cea6b004be52241ee95d442e830c601cfb700ba24e15830"  # as Sfumato 0.2 named it


@pytest.fixture
def mine(workspace, shapes, collect):
    collect(path=str(shapes), licence="MIT")
    return workspace


def change(workspace, by_item):
    """Set columns as a source would, without a decision."""
    with workspace.write() as session:
        for one, values in by_item.items():
            for column, value in values.items():
                setattr(session.get(Item, one), column, value)


def names(workspace):
    return {line.name for line in open_version(workspace, freeze(workspace, name="mine").label).items}


def test_a_version_of_what_nobody_decided_on_is_named_as_it_always_was(workspace, collect):
    collect("sample", into="sample")
    version = freeze(workspace, name="sample")
    assert version.content_hash == SAMPLE
    assert not {"left_out", "decisions"} & set(version.summary)


def test_what_is_left_out_is_in_no_later_version_and_earlier_ones_stay(mine):
    first = freeze(mine, name="mine")
    decision = leave_out(mine, name="mine", where=Where(words="red"))
    second = freeze(mine, name="mine")
    assert (first.n, second.n) == (12, 9)
    assert second.summary["left_out"] == {"left out by decision": 3}
    assert "red disc" not in names(mine)
    undo(mine, id=decision.id)
    third = freeze(mine, name="mine")
    assert (third.id, third.is_new) == (first.id, False)
    assert len(open_version(mine, first.label).items) == 12


def test_an_opt_out_counts_unless_a_person_kept_the_picture_and_no_consent_always_counts(mine):
    ids = ids_of(mine)
    change(mine, {one: {"opt_out": "tdm-reservation 1"} for one in ids[:3]})
    set_consent(mine, name="mine", where=Where(ids=ids[3:5]), consent="withdrawn")
    assert freeze(mine, name="mine").summary["left_out"] == {"opted out by the file": 3, "consent withdrawn": 2}
    keep(mine, name="mine", where=Where(ids=ids[2:5]))
    version = freeze(mine, name="mine")
    assert version.summary["left_out"] == {"opted out by the file": 2, "consent withdrawn": 2}
    leave_out(mine, name="mine", where=Where())
    with pytest.raises(InvalidInput, match=r"Nothing of 'mine' is left to freeze: 12 left out by decision"):
        freeze(mine, name="mine")


def test_what_the_source_keeps_for_tests_is_held_out(mine):
    before = open_version(mine, freeze(mine, name="mine").label).items
    learnt = [line.name for line in before if line.split == "train"]  # a concept held out stays held out as such
    given = dict(zip(learnt, ("test", "Validation", "train"), strict=False))
    ids = {item.name: item.id for item in list_items(mine, name="mine")}
    change(mine, {ids[name]: {"given_split": split} for name, split in given.items()})
    after = open_version(mine, freeze(mine, name="mine").label).items
    assert {line.name for line in after if line.split == "heldout_given"} == set(learnt[:2])
    assert Counter(line.split for line in after)["train"] == len(learnt) - 2


def test_a_family_is_in_one_split_and_so_are_equal_bytes(workspace, styled, collect):
    collect(path=str(styled(60, styles=4)))
    ids = ids_of(workspace)
    for number in range(12):
        set_family(workspace, name="mine", where=Where(ids=ids[number * 20 : number * 20 + 20]), family=f"f{number}")
    lines = open_version(workspace, freeze(workspace, name="mine").label).items
    by_family = {}
    for line in lines:
        by_family.setdefault(line.family, set()).add(line.split == "train")
    assert all(len(found) == 1 for found in by_family.values())
    held = {line.split for line in lines} - {"train"}
    assert held == {"heldout_concept", "heldout_pair", "heldout_family"}
    learnt = {line.concept for line in lines if line.split == "train"}
    assert not learnt & {line.concept for line in lines if line.split == "heldout_concept"}


def test_what_is_held_out_stays_so_when_others_are_left_out_or_mended(workspace, styled, collect):
    collect(path=str(styled(60, styles=4)))
    before = splits_by_pair(workspace)
    pairs = {pair for pair, split in before.items() if split == "heldout_pair"}
    assert pairs
    others = [item for item in ids_and_pairs(workspace) if item[1] not in pairs]
    leave_out(workspace, name="mine", where=Where(ids=[one for one, pair in others if pair[1] == "style-1"]))
    after = splits_by_pair(workspace)
    assert {pair for pair, split in after.items() if split == "heldout_pair"} == pairs


def splits_by_pair(workspace):
    version = open_version(workspace, freeze(workspace, name="mine").label)
    return {(line.concept, line.style): line.split for line in version.items}


def ids_and_pairs(workspace):
    with workspace.read() as session:
        return [(row.id, (row.concept, row.style)) for row in session.query(Item).order_by(Item.id)]


def test_a_picture_without_a_caption_stays_where_it_was_when_it_is_mended(workspace, tmp_path, collect):
    from tests.data.made_pictures import picture

    folder = tmp_path / "bare"
    folder.mkdir()
    for number in range(30):
        picture((number, 255 - number, 7)).save(folder / f"{number}.png")
    collect(path=str(folder))

    def splits():
        return Counter(freeze(workspace, name="mine").summary["splits"])

    before = splits()
    mend_pixels(workspace, name="mine", where=Where(), turn=90)
    assert splits() == before


def test_lines_say_what_was_decided_and_nothing_where_nothing_was(mine):
    ids = ids_of(mine)
    set_attributes(mine, name="mine", where=Where(ids=ids[:1]), attributes={"skin": "dark"})
    set_weights(mine, name="mine", where=Where(ids=ids[:1]), weight=3)
    version = freeze(mine, name="mine")
    lines = [json.loads(line) for line in mine.store.get(version.content_hash).decode().split("\n")]
    (told,) = [line for line in lines if "attributes" in line]
    assert (told["attributes"], told["weight"]) == ({"skin": "dark"}, 3.0)
    assert all(not {"family", "consent"} & set(line) for line in lines)
    assert open_version(mine, version.label).items[0].family == ""


def test_a_version_says_which_decisions_it_rests_on(mine):
    first = freeze(mine, name="mine")
    gone = leave_out(mine, name="mine", where=Where(words="red"), title="left out 3 near copies")
    undone = leave_out(mine, name="mine", where=Where(words="blue"))
    undo(mine, id=undone.id)
    second = freeze(mine, name="mine")
    found = show_lineage(mine, label=second.label)
    assert [one.id for one in found.decisions] == [gone.id]
    assert found.says == f"1 decision since {first.label}: left out 3 near copies ({gone.by_name})."
    with mine.read() as session:
        assert ("rests on", f"decision/{gone.id}") in parents(session, f"dataset_version/{second.id}")
    undo(mine, id=gone.id)
    set_weights(mine, name="mine", where=Where(words="blue"), weight=2)
    third = show_lineage(mine, label=freeze(mine, name="mine").label)
    names_of = [one.name for one in third.decisions]
    assert names_of == ["took back: left out 3 near copies", "set the weight of 3 pictures to 2"]
    assert show_lineage(mine, label=first.label).says == "Nothing was decided."
    assert "left out 3" not in json.dumps(second.summary), "a model's header carries the summary, and nobody's words"


def test_consent_that_is_refused_holds_for_the_same_bytes_under_another_name(mine, tmp_path):
    ids = ids_of(mine)
    before = freeze(mine, name="mine")
    change(mine, {ids[1]: {"sha256": rows(mine)[0]["sha256"]}})
    set_consent(mine, name="mine", where=Where(ids=ids[:1]), consent="refused")
    assert count_unfit(mine, name="mine") == {"consent refused": 2}
    assert freeze(mine, name="mine").summary["left_out"] == {"consent refused": 2}
    lines, left = lines_of(open_version(mine, before.label), Where())
    assert left == {"consent refused": 1}
    sheet = datasheet(mine, name=before.label)
    assert "12 were frozen; of these must not be used any more: 1 consent refused." in sheet.find("count").measured
    set_consent(mine, name="mine", where=Where(), consent="refused")
    assert "12 were frozen" in datasheet(mine, name=before.label).find("count").measured
    assert rows(mine)[0]["sha256"] not in {line.sha256 for line in lines}
