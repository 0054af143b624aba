"""What is known of pictures is changed by hand and in bulk, each change with a name, and shown before it is done."""

import pytest
from PIL import Image

from sfumato.data.caption_edits import CaptionEdit, edit_captions, edited, lint, preview_captions
from sfumato.data.editing import recaption, relicense, set_attributes, set_consent, set_family, set_weights
from sfumato.data.findings import list_findings
from sfumato.data.history import item_history, show_decision
from sfumato.data.items import list_items, show_item
from sfumato.data.mending import mend_pixels
from sfumato.data.narrowing import Where
from sfumato.data.records import Item
from sfumato.data.verdicts import undo
from sfumato.errors import Conflict, InvalidInput, NotFound
from tests.data.curated import found, ids_of, rows
from tests.data.made_pictures import picture


@pytest.fixture
def mine(workspace, shapes, collect):
    collect(path=str(shapes), licence="MIT")
    return workspace


def one(workspace, **by):
    """The only picture that is so."""
    (found,) = [item for item in list_items(workspace, name="mine") if all(vars(item)[k] == v for k, v in by.items())]
    return found


def test_a_picture_gets_a_caption_and_tags_and_what_follows_from_them(mine):
    disc = one(mine, name="red disc")
    assert disc.flip_ok
    words = "  arrow to the\nleft "
    decision = recaption(mine, name="mine", captions={disc.id: words}, tags={disc.id: ["a", " a", "b"]})
    now = show_item(mine, id=disc.id)
    assert (now.name, now.tags, now.flip_ok, now.concept) == ("arrow to the left", ["a", "b"], False, "red disc")
    assert now.edited == ["flip_ok", "name", "tags"]
    assert decision.name == "changed the captions of 1 picture"
    undo(mine, id=decision.id)
    assert (show_item(mine, id=disc.id).name, show_item(mine, id=disc.id).edited) == ("red disc", [])


def test_a_suggestion_is_answered_by_what_is_decided(mine):
    disc = one(mine, name="red disc")
    with mine.write() as session:
        session.get(Item, disc.id).suggested = {"name": "a disc", "skin": "none"}
    recaption(mine, name="mine", captions={disc.id: "a disc"})
    assert show_item(mine, id=disc.id).suggested == {"skin": "none"}
    set_attributes(mine, name="mine", where=Where(ids=[disc.id]), attributes={"skin": "none", "age": "new"})
    assert show_item(mine, id=disc.id).suggested == {}
    assert show_item(mine, id=disc.id).attributes == {"skin": "none", "age": "new"}
    set_attributes(mine, name="mine", where=Where(ids=[disc.id]), attributes={"age": ""})
    assert show_item(mine, id=disc.id).attributes == {"skin": "none"}


def test_a_caption_by_hand_answers_what_checks_of_captions_found_until_it_is_taken_back(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:2], "caption_short") | {ids[2]: "dark"})
    recaption(mine, name="mine", tags={ids[1]: ["red"]})
    decision = recaption(mine, name="mine", captions={ids[0]: "a long word for it"})
    still = {(row.item_id, row.check) for row in list_findings(mine, name="mine")}
    assert still == {(ids[1], "caption_short"), (ids[2], "dark")}
    undo(mine, id=decision.id)
    assert {row.item_id for row in list_findings(mine, name="mine", check="caption_short")} == {ids[0], ids[1]}


def test_a_licence_needs_its_proof_which_is_kept(mine):
    with pytest.raises(InvalidInput, match="proof"):
        relicense(mine, name="mine", where=Where(words="red"), licence="CC0-1.0", proof="  ")
    with pytest.raises(InvalidInput, match="No licence"):
        relicense(mine, name="mine", where=Where(words="red"), licence=" ", proof="a letter")
    with pytest.raises(InvalidInput, match="no address"):
        relicense(mine, name="mine", where=Where(words="red"), licence="CC0-1.0", proof="", url="ftp://x")
    decision = relicense(
        mine, name="mine", where=Where(words="red"), licence="CC Zero", proof="letter of the maker",
        url="https://example.org/letter",
    )  # fmt: skip
    assert (decision.n, decision.reason) == (3, "letter of the maker")
    assert decision.details["url"] == "https://example.org/letter"
    row = next(row for row in rows(mine) if row["name"] == "red disc")
    assert row["licence"] == "CC0-1.0"
    said = row["evidence"]["licence by decision"]
    assert (said["was"], said["proof"], said["by"]) == ("MIT", "letter of the maker", mine.actor.id)


def test_a_licence_by_hand_answers_what_it_leaves_nothing_of_and_no_more(mine):
    ids = ids_of(mine)
    found(mine, dict.fromkeys(ids[:3], "licence_unknown"))
    found(mine, dict.fromkeys(ids[:3], "licence_conflict") | {ids[3]: "licence_conflict"})

    def left():
        return {(ids.index(row.item_id), row.check) for row in list_findings(mine, name="mine")}

    said = {"name": "mine", "proof": "a letter"}
    freed = relicense(mine, where=Where(ids=ids[:1]), licence="CC0-1.0", **said)
    relicense(mine, where=Where(ids=ids[1:2]), licence="CC-BY-NC-4.0", **said)
    relicense(mine, where=Where(ids=ids[2:3]), licence="LicenseRef-my-uncle", **said)
    of_last = {(2, "licence_unknown"), (2, "licence_conflict"), (3, "licence_conflict")}
    assert left() == {(1, "licence_conflict")} | of_last
    undo(mine, id=freed.id)
    assert left() == {(0, "licence_unknown"), (0, "licence_conflict"), (1, "licence_conflict")} | of_last


def test_consent_family_and_weights_are_set(mine):
    set_consent(mine, name="mine", where=Where(words="red"), consent="refused")
    set_family(mine, name="mine", where=Where(words="disc"), family="discs")
    set_weights(mine, name="mine", where=Where(words="bar"), weight=2)
    disc = one(mine, name="red disc")
    assert (disc.consent, disc.family, disc.weight) == ("refused", "discs", 1.0)
    ids = ids_of(mine)
    for refused in ({"where": Where(words="bar"), "weight": -1}, {"weights": {ids[0]: 2.0, ids[1]: 1_001}}):
        with pytest.raises(InvalidInput, match=r"cannot be (-1|1001)"):
            set_weights(mine, name="mine", **refused)
    with pytest.raises(InvalidInput, match="`consent` cannot be 'perhaps'") as said:
        set_consent(mine, name="mine", where=Where(words="red"), consent="perhaps")
    assert "'withdrawn'" in said.value.hint
    decision = set_weights(mine, name="mine", weights={ids[0]: 0.5, ids[1]: 3.0}, title="the plan")
    assert [row["weight"] for row in rows(mine)[:2]] == [0.5, 3.0]
    assert (decision.name, decision.n) == ("the plan", 2)
    with pytest.raises(InvalidInput, match="one weight"):
        set_weights(mine, name="mine", weight=2, weights={ids[0]: 1})


def test_many_captions_are_changed_after_they_were_shown(mine):
    asked = {"name": "mine", "find": "disc", "replace": "circle", "add_before": "a"}
    shown = preview_captions(mine, where='{"words": "red"}', **asked)
    assert (shown.n, shown.of) == (3, 3)
    assert sorted((change.before, change.after) for change in shown.first) == [
        ("red bar", "a red bar"), ("red disc", "a red circle"), ("red square", "a red square"),
    ]  # fmt: skip
    before = rows(mine, without=("revision",))
    assert {row["name"] for row in before} >= {"red disc"}, "nothing has changed yet"
    decision = edit_captions(mine, where=Where(words="red"), **asked)
    assert decision.name == "captions: 'disc' → 'circle', added 'a'"
    assert {row["name"] for row in rows(mine) if "red" in row["name"]} == {"a red bar", "a red circle", "a red square"}
    with pytest.raises(NotFound, match="None of 1 captions would change"):
        edit_captions(mine, where=Where(words="circle"), name="mine", find="disc", replace="circle")
    undo(mine, id=decision.id)
    assert rows(mine, without=("revision",)) == before


def test_tags_are_changed_as_well(mine):
    disc = one(mine, name="red disc")
    recaption(mine, name="mine", tags={disc.id: ["round", "big thing"]})
    where = Where(ids=[disc.id])
    how = {"part": "tags", "find": "big", "replace": "small", "remove": "round", "add_after": "x"}
    edit_captions(mine, name="mine", where=where, **how)
    assert show_item(mine, id=disc.id).tags == ["small thing", "x"]


def test_a_pattern_works_with_groups_and_one_that_never_ends_is_stopped(mine, monkeypatch):
    from sfumato.data import caption_edits

    where = Where(words="red")
    edit_captions(mine, name="mine", where=where, find=r"^(\w+) (\w+)$", replace=r"\2, \1", regex=True)
    assert {row["name"] for row in rows(mine)} >= {"disc, red", "bar, red"}
    monkeypatch.setattr(caption_edits, "SECONDS", 0.5)
    with pytest.raises(InvalidInput, match=r"takes more than 0.5 seconds"):
        edited([["a" * 60]], CaptionEdit(find="(a+)+b", regex=True))
    with pytest.raises(InvalidInput, match="cannot be read"):
        preview_captions(mine, name="mine", find="(", regex=True)
    with pytest.raises(InvalidInput, match="cannot be done: invalid group reference"):
        preview_captions(mine, name="mine", find="(r)", replace=r"\3", regex=True)
    with pytest.raises(InvalidInput, match="more than 2,000 letters"):
        preview_captions(mine, name="mine", find="x*", replace="y" * 400, regex=True)
    with pytest.raises(InvalidInput, match="Say what is to change"):
        preview_captions(mine, name="mine")


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("a  red_disc .", "a red disc"),
        ("red disc.PNG", "red disc"),
        ('"a red disc"', "a red disc"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("the the cat , on a mat", "the cat, on a mat"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        ("'tis a 'disc'", "'tis a 'disc'"),
        ("a bad badger", "a bad badger"),
    ],
)
def test_the_writing_of_captions_is_mended(text, mended):
    assert lint(text) == mended
    assert lint(mended) == mended


def test_words_are_removed_as_wholes_and_added_once():
    texts = [["stock photo, a cat"], ["photography of a cat"], ["a cat, icon"]]
    removed = edited(texts, CaptionEdit(remove="stock photo, icon", add_after=", drawn"))
    assert removed == [["a cat, drawn"], ["photography of a cat, drawn"], ["a cat, drawn"]]
    assert edited(removed, CaptionEdit(add_after=", drawn")) == removed


def test_pictures_are_cropped_and_turned_and_the_first_bytes_stay(mine, shapes):
    disc = one(mine, name="red disc")
    where = Where(ids=[disc.id])
    decision = mend_pixels(mine, name="mine", where=where, crop=(0, 0, 0.5, 1), turn=90)
    now = show_item(mine, id=disc.id)
    assert (now.width, now.height) == (24, 12)
    assert decision.name == "cropped and turned by 90°: 1 picture"
    expected = picture("red", "disc").crop((0, 0, 12, 24)).rotate(-90, expand=True)
    with Image.open(mine.store.path(now.sha256)) as mended:
        assert mended.convert("RGBA").tobytes() == expected.tobytes()
    again = mend_pixels(mine, name="mine", where=where, turn=180)
    row = next(row for row in rows(mine) if row["id"] == disc.id)
    assert row["collected_sha256"] == disc.sha256
    assert mine.store.get(disc.sha256) == (shapes / "red-disc.png").read_bytes()
    undo(mine, id=again.id)
    undo(mine, id=decision.id)
    assert show_item(mine, id=disc.id).sha256 == disc.sha256


def test_what_cannot_be_mended_is_told(mine):
    where = Where(words="red")
    for wrong in ({}, {"turn": 45}, {"crop": (0.5, 0, 0.4, 1)}, {"crop": (0, 0, 0.1, 1)}):
        with pytest.raises(InvalidInput):
            mend_pixels(mine, name="mine", where=where, **wrong)
    disc = one(mine, name="red disc")
    with pytest.raises(Conflict, match="was changed"):
        mend_pixels(mine, name="mine", where=Where(ids=[disc.id]), turn=90, expected={disc.id: 7})
    assert item_history(mine, id=disc.id).decisions == []


def test_a_whole_decision_is_shown_by_its_id(mine):
    decision = set_consent(mine, name="mine", where=Where(words="red"), consent="given")
    assert show_decision(mine, id=decision.id).details == {"where": {"words": "red"}, "consent": "given"}
