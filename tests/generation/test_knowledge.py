"""What is said of a sentence before drawing: words seen and not seen, styles and their makers, and the limits."""

from dataclasses import replace

import pytest

from sfumato.checkpoints.card import open_card
from sfumato.generation.knowledge import LIMITS, forms, split_style, understand

STYLES = ["fluent-flat", "fluent-3d", "noto", "noto-v1", "fxemoji"]


@pytest.fixture(scope="module")
def card(embedded):
    return open_card(embedded / "card.zip")


@pytest.mark.parametrize(
    ("prompt", "style", "subject"),
    [
        ("a red apple, noto style", "noto", "red apple"),
        ("A Red Apple in Noto style", "noto", "red apple"),
        ("a noto-style apple", "noto", "apple"),
        ("noto style: an apple", "noto", "apple"),
        ("apple noto", "noto", "apple"),
        ("noto v1 apple", "noto-v1", "apple"),
        ("an apple in the fluent 3d style", "fluent-3d", "apple"),
        ("apple, fluent-3d", "fluent-3d", "apple"),
        ("apple, Fluent3D style", "fluent-3d", "apple"),
        ("fluent flat house in winter", "fluent-flat", "house in winter"),
        ("red, in noto style, apple", "noto", "red, apple"),
        ("an apple in firefox style", "fxemoji", "apple"),
        ("an apple, fxemoji", "fxemoji", "apple"),
        ("a firefox", "", "firefox"),
        ("noto", "", "noto"),
        ("an apple", "", "apple"),
        ("a stylish hat", "", "stylish hat"),
    ],
)
def test_a_style_is_found_wherever_it_is_said(prompt, style, subject):
    assert split_style(prompt, STYLES)[:2] == (style, subject)


def test_a_style_that_is_also_a_thing_the_model_knows_needs_the_word_style():
    words = {"noto", "fan"}
    assert split_style("noto fan", STYLES, words)[:2] == ("", "noto fan")
    assert split_style("fan, noto", STYLES, words)[:2] == ("noto", "fan")


@pytest.mark.parametrize(
    "prompt", ["a cat, watercolour style", "a cat in the watercolour style", "cat in watercolour-style"]
)
def test_a_style_that_it_does_not_know_is_named_and_left_out(prompt):
    assert split_style(prompt, STYLES) == ("", "cat", "watercolour")


@pytest.mark.parametrize(
    ("plural", "singular"),
    [("apples", "apple"), ("cherries", "cherry"), ("wolves", "wolf"), ("knives", "knife"), ("boxes", "box"),
     ("children", "child"), ("glass", "glass")],
)  # fmt: skip
def test_plurals_are_known_by_their_singular(plural, singular):
    assert singular in forms(plural)
    assert "gla" not in forms(plural)


def test_words_seen_are_counted_in_training_pictures_alone(card):
    known = understand("two red discs, outline style", card)
    assert known.seen == {"red": 11, "discs": 15}  # of 12 and 16, one is held out
    assert list(known.unseen) == ["two"]
    assert (known.style, known.caption) == ("outline", "two red discs, outline style")
    assert known.nearest_name == "red disc"


def test_what_it_says_names_counts_makers_licences_and_limits(card):
    said = understand("a red dics, outline style", card).text
    assert "It has seen red (11 pictures)." in said
    assert "It has never seen 'dics'; near it lie disc" not in said  # four letters are too few to guess a slip
    assert "It has never seen 'dics'; near it lie" in said
    assert "In the style outline (Ann, MIT)." in said
    assert LIMITS not in said, "nobody knows that of these pictures"
    icons = replace(card, summary={**card.summary, "dataset": "emoji-styles@0123"})
    assert understand("a red dics, outline style", icons).text.endswith(LIMITS)
    said = understand("a yelow square", card).text
    assert "It has never seen 'yelow'; near it lie yellow and" in said
    assert "No style is named, so any may come: " in said
    assert "small (Bo, Apache-2.0)" in said


def test_what_lies_far_from_all_it_learnt_is_said(card):
    known = understand("the treaty of Westphalia", card)
    assert "Nothing it learnt from is close" in known.text
    assert "It knows no cubist style, but outline" not in known.text
    assert "It knows no cubist style" in understand("a disc in cubist style", card).text


@pytest.mark.parametrize("prompt", ["яблоко", "7", "!!!", "a", "style", "苹果 apple", "word " * 300])
def test_any_sentence_is_understood_somehow(card, prompt):
    known = understand(prompt, card)
    assert known.nearest_name in card.names
    assert len(known.text) < 1_500


def test_a_ground_is_known_to_a_model_that_was_taught_grounds(card):
    said = "a red disc on a light blue ground, outline style"
    known, other = understand(said, card, grounds=True), understand(said, card)
    assert (known.ground, known.nearest_name, known.unseen) == ("light blue", "red disc", {})
    assert known.caption == other.caption == "red disc on a light blue ground, outline style"
    assert "plain grounds, light blue among them" in known.text
    assert "leans on" not in known.text, "it is the thing itself"
    assert other.ground == ""
    assert "ground" in other.unseen


def test_a_ground_of_a_colour_that_was_not_taught_is_words_like_others(card):
    assert understand("a red disc on a mauve ground", card, grounds=True).ground == ""
