"""A frozen version never changes, holds out the same things whatever comes later, and leaks none of them."""

import re
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfumato.actions import Actor
from sfumato.actions.records import Event
from sfumato.data.advice import describe_use
from sfumato.data.freeze import find_version, freeze, list_versions, split_of
from sfumato.data.versions import open_version, open_version_by_id
from sfumato.db import parents
from sfumato.errors import Forbidden, InvalidInput, NotFound
from tests.data.made_pictures import picture

CONCEPTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def splits(version):
    return {(line.concept, line.style): line.split for line in version.items}


def test_freezing_names_what_is_there_and_freezing_again_changes_nothing(workspace, shapes, collect):
    collect(path=str(shapes), licence="MIT")
    first = freeze(workspace, name="mine")
    again = freeze(workspace, name="mine")
    assert (first.is_new, again.is_new, first.n) == (True, False, 12)
    assert (first.id, first.content_hash) == (again.id, again.content_hash)
    assert first.summary["licences"] == {"MIT": 12}
    assert [source["source"] for source in first.summary["sources"]] == ["folder shapes"]
    with workspace.read() as session:
        frozen = session.query(Event).filter(Event.action == "data.freeze").all()
        assert [event.subject for event in frozen] == [f"dataset_version/{first.id}"]
        assert parents(session, f"dataset_version/{first.id}")[0][0] == "frozen from"


def test_a_version_stays_as_it_was_when_the_dataset_grows(workspace, shapes, collect):
    collect(path=str(shapes))
    first = freeze(workspace, name="mine")
    picture("black").save(shapes / "black-disc.png")
    picture("white", "bar").save(shapes / "red-bar.png")
    collect(path=str(shapes))
    second = freeze(workspace, name="mine")
    assert (second.n, second.content_hash != first.content_hash) == (13, True)
    assert [version.name for version in list_versions(workspace, name="mine")] == [first.name, second.name]
    assert len(open_version(workspace, first.label).items) == 12
    assert open_version(workspace, "mine").view.id == open_version(workspace, "mine@latest").view.id == second.id
    assert open_version_by_id(workspace, first.id).label == first.label


def test_the_same_content_has_the_same_hash_in_another_workspace(workspace, shapes, collect, tmp_path, settings):
    from sfumato.actions import Workspace

    collect(path=str(shapes))
    moved = shapes.rename(tmp_path / "moved" if (tmp_path / "moved").mkdir() else tmp_path / "moved" / "shapes")
    with Workspace.open(tmp_path / "other", settings=settings) as other:
        collect(path=str(moved), where=other)
        assert freeze(other, name="mine").content_hash == freeze(workspace, name="mine").content_hash


def test_about_one_in_twenty_concepts_and_one_in_ten_pairs_are_held_out():
    styles = {f"thing {number}": set("abcd") for number in range(4_000)}
    by_split = Counter(split_of(concept, style, styles) for concept, of in styles.items() for style in of)
    concepts = {concept for concept in styles if split_of(concept, "a", styles) == "heldout_concept"}
    assert by_split["heldout_concept"] == 4 * len(concepts), "in all of their styles"
    assert 0.04 < len(concepts) / 4_000 < 0.06
    assert 0.09 < by_split["heldout_pair"] / (16_000 - by_split["heldout_concept"]) < 0.11


def test_a_version_says_of_each_line_where_it_belongs(workspace, styled, collect):
    collect(path=str(styled(50, styles=4)))
    version = open_version(workspace, freeze(workspace, name="mine").label)
    by_split = Counter(line.split for line in version.items)
    assert version.view.summary["splits"] == dict(by_split)
    assert set(by_split) == {"train", "heldout_concept", "heldout_pair"}
    held = {line.concept for line in version.items if line.split == "heldout_concept"}
    assert not held & {line.concept for line in version.items if line.split == "train"}


def test_pairs_are_held_out_only_where_three_other_styles_are_left(workspace, styled, collect):
    collect(path=str(styled(40, styles=3)))
    version = freeze(workspace, name="mine")
    assert "heldout_pair" not in version.summary["splits"]


def test_what_is_held_out_stays_so_when_the_dataset_grows(workspace, styled, collect):
    collect(path=str(styled(30, styles=4)))
    before = splits(open_version(workspace, freeze(workspace, name="mine").label))
    collect(path=str(styled(35, styles=5, name="more")))
    after = splits(open_version(workspace, freeze(workspace, name="mine").label))
    assert all(after[pair] == split for pair, split in before.items() if split != "train")
    assert len(after) > len(before)


def test_the_same_bytes_under_two_names_are_held_out_together(workspace, styled, collect, tmp_path):
    collect(path=str(styled(40, styles=4)))
    first = open_version(workspace, freeze(workspace, name="mine").label)
    held = [line for line in first.items if line.split != "train"]
    assert {line.split for line in held} == {"heldout_concept", "heldout_pair"}
    twins = tmp_path / "twins"
    twins.mkdir()
    for number, line in enumerate(held):
        (twins / f"{number}.png").write_bytes(workspace.store.get(line.sha256))
        (twins / f"{number}.txt").write_text(f"another name {number}")
    collect(path=str(twins))
    split_by_bytes = defaultdict(set)
    for line in open_version(workspace, freeze(workspace, name="mine").label).items:
        split_by_bytes[line.sha256].add(line.split)
    assert all(len(found) == 1 for found in split_by_bytes.values())
    assert all("train" not in split_by_bytes[line.sha256] for line in held)


def test_pictures_without_a_caption_are_held_out_one_by_one(workspace, tmp_path, collect):
    folder = tmp_path / "bare"
    folder.mkdir()
    for number in range(100):
        picture((number, 255 - number, 7)).save(folder / f"{number}.png")
    collect(path=str(folder))
    held = freeze(workspace, name="mine").summary["splits"]
    assert 1 <= held["heldout_concept"] <= 15
    assert held["train"] >= 85


@given(
    st.dictionaries(CONCEPTS, st.sets(st.sampled_from("abcdef"), min_size=1), min_size=1, max_size=8),
    CONCEPTS,
    st.sampled_from("abcdef"),
)
@settings(deadline=None, max_examples=60)
def test_growth_never_brings_a_held_out_item_back_into_training(styles, new_concept, new_style):
    grown = {concept: set(of) for concept, of in styles.items()}
    grown.setdefault(new_concept, set()).add(new_style)
    for concept, of in styles.items():
        for style in of:
            before, after = split_of(concept, style, styles), split_of(concept, style, grown)
            assert before in (after, "train")
            assert (before == "heldout_concept") == (after == "heldout_concept")
            if before == "heldout_pair":
                assert len(of) >= 4


def test_what_cannot_be_frozen_or_found_is_told(workspace, shapes, collect, tmp_path):
    with pytest.raises(NotFound, match="no dataset yet"):
        freeze(workspace, name="mine")
    (tmp_path / "empty").mkdir()
    collect(path=str(tmp_path / "empty"))
    with pytest.raises(InvalidInput, match="is empty"):
        freeze(workspace, name="mine")
    with pytest.raises(InvalidInput, match="no version yet") as told:
        find_version(workspace, label="mine")
    assert "sfumato data freeze mine" in told.value.hint
    collect(path=str(shapes))
    version = freeze(workspace, name="mine")
    for wrong in ("minne", f"mine@{'0' * 8}"):
        with pytest.raises(NotFound):
            find_version(workspace, label=wrong)
    assert find_version(workspace, label=f"mine@{version.content_hash[:5]}").id == version.id


def test_a_viewer_may_look_but_not_freeze(workspace, shapes, collect):
    collect(path=str(shapes))
    viewer = workspace.as_actor(Actor("person/bob", "bob", ("viewer",)))
    with pytest.raises(Forbidden):
        freeze(viewer, name="mine")
    assert list_versions(viewer, name="mine") == []


@pytest.mark.parametrize(
    ("n", "named", "licences", "said"),
    [
        (0, 0, {}, "It is empty"),
        (12, 12, {"MIT": 12}, "Good to search and look through only"),
        (500, 500, {"MIT": 400, "CC0-1.0": 100}, "Enough to fine-tune a model"),
        (5_000, 5_000, {"MIT": 5_000}, "Enough to train a small model from scratch"),
        (5_000, 3_000, {"MIT": 5_000}, "Enough to fine-tune a model"),
        (500, 100, {"NOASSERTION": 500}, "Good to search"),
    ],
)
def test_what_a_collection_is_good_for_is_said_in_words_with_its_numbers(n, named, licences, said):
    words = describe_use(n, named, max(n // 5, 1), licences)
    assert said in words
    if n:
        assert re.search(rf"^{n:,} pictures .* {named:,} have captions", words)
    assert ("clear that before you publish" in words) == ("NOASSERTION" in licences)
