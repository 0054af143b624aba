"""Exploring: distributions within a narrowing, words and pairs, tables, a grid; always as the dataset is now."""

import json

import pytest

from sfumato.data.charts import can_draw, chart_file, show_chart
from sfumato.data.counts import Table, show_counts
from sfumato.data.explore import show_crosstab, show_histograms, show_window, show_words
from sfumato.data.narrowing import Where
from sfumato.data.records import Appearance, Decided, Decision, Finding, Item
from sfumato.db import new_id
from sfumato.errors import InvalidInput, NotFound, Unsupported

SEEN = ("brightness", "contrast", "darkest", "lightest", "sharpness", "noise", "blocking", "information",
        "colourfulness", "hue")  # fmt: skip


@pytest.fixture
def stocked(workspace):
    """Twenty pictures: sizes 10 to 29, two styles, brightness by their place; every fifth has an open finding."""
    from tests.web.stocked import stock

    ids = stock(workspace, "mine", 20, said="red cat")
    with workspace.write() as session:
        for place, one in enumerate(ids):
            item = session.get(Item, one)
            item.width, item.name = 10 + place, ("red cat", "red dog and cat", "")[place % 3]
            item.attributes = {"skin": ("dark", "light")[place % 2]} if place < 10 else {}
            session.add(
                Appearance(
                    id=new_id(), made_by="x", dataset_id=item.dataset_id, item_id=one, measured="m", measure=1,
                    file_bytes=100 + place, pixels_sha256="p", is_flat=False, phash=0, dhash=0,
                    **dict.fromkeys(SEEN, place / 20),
                )
            )  # fmt: skip
            if place % 5 == 0:
                session.add(
                    Finding(id=new_id(), made_by="x", dataset_id=item.dataset_id, item_id=one, check="dark", score=1.0,
                            reason="It is dark.")
                )  # fmt: skip
    return ids


def of(found, column):
    return next(one for one in [*found.histograms, *found.values] if one.column == column)


def test_every_bin_holds_what_lies_between_its_edges_and_each_is_counted_once(workspace, stocked):
    found = show_histograms(workspace, name="mine")
    assert (found.n, found.of) == (20, 20)
    for one in found.histograms:
        assert sum(one.every) == sum(one.kept) == 20, one.column
        assert len(one.edges) == len(one.every) + 1
    assert of(found, "width").every == [1] * 20
    assert of(found, "check").values == [("dark", 4, 4)]


def test_a_column_is_counted_without_its_own_part_and_all_others_with_it(workspace, stocked):
    where = Where(ranges={"width": (10, 14)}, style="noto")
    found = show_histograms(workspace, name="mine", where=where)
    assert found.n == 3  # 10, 12 and 14
    assert sum(of(found, "width").kept) == 10
    assert sum(of(found, "brightness").kept) == 3
    assert dict((v, n) for v, _, n in of(found, "style").values) == {"noto": 3, "flat": 2}
    assert (of(found, "width").low, of(found, "width").high) == (10, 14)


@pytest.mark.parametrize(
    "where",
    [
        Where(words="cat", style="flat"), Where(check="*"), Where(check="dark", ranges={"hue": (None, 0.6)}),
        Where(attributes={"skin": "dark"}), Where(attributes={"skin": ""}), Where(no_caption=True),
        Where(ranges={"aspect": (1, None), "caption_letters": (1, 8)}), Where(licence="none"), Where(check="unknown"),
    ],
)  # fmt: skip
def test_memory_and_database_mean_the_same_pictures(workspace, stocked, where):
    from sqlalchemy import select

    from sfumato.data.collect import find_dataset
    from sfumato.data.narrowing import narrow

    with workspace.read() as session:
        dataset = find_dataset(session, "mine")
        asked = sorted(session.scalars(narrow(select(Item.id), dataset.id, where)))
    shown = show_window(workspace, name="mine", where=where, count=100)
    assert [one.id for one in shown.items] == asked
    assert shown.n == len(asked) == show_histograms(workspace, name="mine", where=where).n


def test_a_window_is_a_part_of_the_whole_in_any_order(workspace, stocked):
    first = show_window(workspace, name="mine", start=0, count=15).items
    rest = show_window(workspace, name="mine", start=15, count=15).items
    assert [one.id for one in first + rest] == sorted(stocked)
    widest = show_window(workspace, name="mine", order="-width", count=1).items[0]
    assert widest.id == stocked[19]
    with pytest.raises(NotFound, match="measured column"):
        show_window(workspace, name="mine", order="weightiness")


def test_what_was_decided_and_what_came_since_is_seen_at_once(workspace, stocked):
    from tests.web.stocked import stock

    show_histograms(workspace, name="mine")
    with workspace.write() as session:
        item = session.get(Item, stocked[3])
        decision = Decision(id=new_id(), made_by="x", dataset_id=item.dataset_id, verb="leave_out", name="one", n=1)
        session.add(decision)
        session.flush()
        session.add(Decided(id=new_id(), made_by="x", decision_id=decision.id, item_id=item.id, before={}, after={}))
        item.state, item.attributes = "left out", {"hair": "red"}
    found = show_histograms(workspace, name="mine")
    assert of(found, "state").values == [("kept", 19, 19), ("left out", 1, 1)]
    assert of(found, "attribute hair").values[1] == ("red", 1, 1)
    stock(workspace, "more", 1)
    with workspace.write() as session:
        one = session.get(Item, stocked[0])
        session.add(
            Item(id=new_id(), made_by="x", dataset_id=one.dataset_id, sha256=one.sha256, key="new", name="a cow",
                 licence="MIT", source="s", width=5, height=5, has_alpha=False, flip_ok=True)
        )  # fmt: skip
    assert show_histograms(workspace, name="mine").of == 21
    assert show_words(workspace, name="mine", where=Where(source="s"))[0].n == 1


def test_words_and_pairs_are_counted_by_caption(workspace, stocked):
    words = {one.words[0]: one.n for one in show_words(workspace, name="mine")}
    assert words == {"red": 14, "cat": 14, "dog": 7, "and": 7}
    pairs = {tuple(sorted(one.words)): one for one in show_words(workspace, name="mine", pairs=True)}
    assert pairs["cat", "red"].n == 14
    assert pairs["dog", "red"].n == 7
    assert pairs["cat", "red"].lift == pytest.approx(20 / 14, abs=0.01)
    assert show_words(workspace, name="mine", where=Where(style="none"), pairs=True) == []


def test_one_column_against_another_adds_up(workspace, stocked):
    found = show_crosstab(workspace, name="mine", rows="skin", columns="style")
    assert found.n == sum(map(sum, found.counts)) == 20
    assert set(found.rows) == {"dark", "light", "none"}
    with pytest.raises(NotFound, match="Did you mean 'style'"):
        show_crosstab(workspace, name="mine", rows="skin", columns="styl")


def test_tables_are_files_whose_words_are_no_formulas(workspace, stocked):
    assert show_counts(workspace, name="mine", of="words").csv().startswith("word,captions,share\n")
    assert len(show_counts(workspace, name="mine", of="columns").rows) > 100
    assert show_counts(workspace, name="mine", of="crosstab", rows="skin", columns="style").head[0] == "skin / style"
    assert Table(["a"], [["=1+1"], [3]]).csv() == "a\n'=1+1\n3\n"
    with pytest.raises(InvalidInput, match="both"):
        show_counts(workspace, name="mine", of="crosstab")
    with pytest.raises(NotFound):
        show_counts(workspace, name="mine", of="chairs")


def test_an_empty_dataset_has_nothing_to_show(workspace):
    from sfumato.data.collect import make_dataset

    with workspace.write() as session:
        make_dataset(workspace, session, "none")
    found = show_histograms(workspace, name="none")
    assert (found.n, found.of, found.histograms, found.values) == (0, 0, [], [])
    assert show_words(workspace, name="none") == []
    assert show_window(workspace, name="none").items == []


def test_a_chart_holds_the_numbers_of_its_table_and_says_what_it_is_narrowed_to(workspace, stocked):
    where = Where(ranges={"brightness": (0.5, None)})
    drawn = show_chart(workspace, name="mine", of="style", where=where)
    rows = [row[1:] for row in show_counts(workspace, name="mine", of="values", where=where).rows if row[0] == "style"]
    for which, place in (("all pictures", 1), ("these", 2)):
        told = {one["value"]: one["pictures"] for one in drawn.spec["data"]["values"] if one["which"] == which}
        assert told == {row[0]: row[place] for row in rows}
    assert "10 of 20 pictures of mine" in drawn.spec["description"]
    bins = show_chart(workspace, name="mine", of="width", where=where).spec["data"]["values"]
    assert [one["pictures"] for one in bins if one["which"] == "these"] == of(
        show_histograms(workspace, name="mine", where=where), "width"
    ).kept
    cells = show_chart(workspace, name="mine", of="crosstab", rows="style", columns="skin").spec["data"]["values"]
    assert sum(one["pictures"] for one in cells) == 20
    assert show_chart(workspace, name="mine", of="pairs").spec["data"]["values"][0]["words"] == "red + cat"
    with pytest.raises(NotFound, match="no chart 'brightnes'"):
        show_chart(workspace, name="mine", of="brightnes")


def test_a_chart_is_written_the_same_each_time_in_each_kind(workspace, stocked):
    chart = show_chart(workspace, name="mine", of="brightness")
    assert json.loads(chart_file(chart, "json")) == chart.spec
    with pytest.raises(NotFound, match="no kind of file 'gif'"):
        chart_file(chart, "gif")
    if not can_draw():
        with pytest.raises(Unsupported, match="vl-convert"):
            chart_file(chart, "png")
        return
    drawn = chart_file(chart, "svg")
    assert drawn == chart_file(chart, "svg")
    assert drawn.startswith(b"<svg")
    assert b"20 pictures of mine" in drawn
    assert chart_file(chart, "png").startswith(b"\x89PNG")
