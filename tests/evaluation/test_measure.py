"""Figures of groups whose drawings are known: real pictures, other things' pictures, and the originals themselves."""

from dataclasses import replace

import numpy as np
import pytest

from sfumato.data.sources.icons import SETS
from sfumato.evaluation import scorer
from sfumato.evaluation.measure import Group, all_names, caption_of, choose_rows, measure, premultiplied
from tests.sample import pictures


def pairs_of(card, *, split="train", style="noto", count=24):
    """Rows of one split and style, and as many rows of the same things in another style."""
    items = card.items
    rows = [row for row, item in enumerate(items) if item["split"] == split and item["style"] == style]
    others = {item["name"]: row for row, item in enumerate(items) if item["style"] == "fluent-3d"}
    rows = [row for row in rows if items[row]["name"] in others][:count]
    return np.array(rows), np.array([others[items[row]["name"]] for row in rows])


def drawn(card, rows, shown):
    train = np.array([row for row, item in enumerate(card.items) if item["split"] == "train"])
    return Group(rows, np.stack([card.picture(row) for row in shown]), train[: len(rows)])


def test_the_originals_reach_the_ceiling_and_are_all_copies(card):
    rows, _ = pairs_of(card)
    found = measure(card, drawn(card, rows, rows)).figures
    for name in ("recall@1", "recall@5"):
        assert found[name].measured == found[name].ceiling
        assert found[name].floor.value < found[name].measured.low
    assert found["near copies"].measured.value == 1


def test_the_same_things_in_another_style_are_recognised_and_no_copies_of_what_was_asked(card):
    rows, others = pairs_of(card)
    found = measure(card, drawn(card, rows, others))
    assert found.figures["recall@5"].measured.low > found.figures["recall@5"].floor.high
    for account, row in zip(found.pictures, others, strict=True):
        assert account["nearest"] == caption_of(card.items[row]) or not account["near_copy"]


def test_drawings_of_other_things_do_no_better_than_chance(card):
    rows, _ = pairs_of(card)
    found = measure(card, drawn(card, rows, np.roll(rows, 5))).figures["recall@5"]
    assert found.measured.low <= found.floor.value + 0.05
    assert found.measured.high < found.ceiling.value


def test_noise_is_neither_recognised_nor_a_copy(card):
    rows, _ = pairs_of(card)
    noise = np.random.default_rng(0).integers(0, 256, (len(rows), 16, 16, 4)).astype(np.uint8)
    found = measure(card, Group(rows, premultiplied(noise), rows)).figures
    assert found["recall@5"].measured.value < 0.3
    assert found["near copies"].measured.value == 0


def test_a_group_holds_only_its_split_and_the_seed_decides_which(card):
    one, again, other = (choose_rows(card, "heldout_pair", 10, seed) for seed in (1, 1, 2))
    assert {card.items[row]["split"] for row in one} == {"heldout_pair"}
    assert one.tolist() == again.tolist() != other.tolist()
    assert len(set(one.tolist())) == len(one)
    assert len(choose_rows(card, "nothing", 10, 0)) == 0


def test_a_held_out_picture_that_was_learnt_under_another_name_is_not_asked_for(card):
    whole = choose_rows(card, "heldout_pair", 1000, 0)
    learnt = next(item for item in card.items if item["split"] == "train")
    items = [{**item, "sha256": learnt["sha256"]} if row == whole[0] else item for row, item in enumerate(card.items)]
    assert set(choose_rows(replace(card, items=items), "heldout_pair", 1000, 0)) == set(whole) - {whole[0]}


def test_the_judge_says_what_it_learnt_from_and_none_of_it_is_in_the_corpus(card):
    told = scorer.load().told
    assert {one["licence"] for one in told["learnt_from"]} == {"CC-BY-4.0"}
    assert not set(told["styles"]) & ({item["style"] for item in card.items} | set(SETS))
    assert scorer.WEIGHTS.stat().st_size <= 2_000_000


def test_the_judge_knows_real_pictures_of_styles_that_it_never_saw(card):
    names = all_names(card)
    shown = pictures("noto")
    seen = scorer.see_pictures(np.stack([shown[name] for name in shown]))
    best = (seen @ scorer.read_names(names).T).argmax(1)
    assert np.mean([names[one] == name for one, name in zip(best, shown, strict=True)]) > 0.6


def test_a_picture_is_judged_alike_alone_and_among_others():
    shown = np.stack(list(pictures("noto").values())[:5])
    assert scorer.see_pictures(shown)[4] == pytest.approx(scorer.see_pictures(shown[4:])[0], abs=1e-5)
