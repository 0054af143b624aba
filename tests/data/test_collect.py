"""A folder becomes a dataset: with all that is known of each picture, once, and whatever else lies in it."""

import json
import os
import subprocess
import sys

import pytest
from sqlalchemy import select

from sfumato.actions import Workspace
from sfumato.data.collect import collect as ask
from sfumato.data.collect import list_datasets, show_dataset
from sfumato.data.items import list_items
from sfumato.data.records import Item, Quarantined
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.jobs.queue import get_job, handed_on
from sfumato.jobs.worker import run_worker
from tests.data.made_pictures import encoded, picture


def items(workspace):
    with workspace.read() as session:
        return session.scalars(select(Item).order_by(Item.source, Item.key)).all()


@pytest.mark.parametrize(("said", "kept"), [("cc by 4.0", "CC-BY-4.0"), ("ask Bea", "ask Bea"), ("", "NOASSERTION")])
def test_a_licence_is_kept_by_its_spdx_name_where_it_is_recognised(shapes, collect, said, kept):
    assert collect(path=str(shapes), licence=said).licences == {kept: 12}


def test_pictures_come_with_the_captions_beside_them(workspace, shapes, collect):
    found = collect(path=str(shapes), licence="CC0-1.0", author="Alice")
    assert (found.n, found.concepts, found.licences, found.left_out) == (12, 12, {"CC0-1.0": 12}, {})
    first = items(workspace)[0]
    assert (first.key, first.name, first.concept) == ("blue-bar.png", "blue bar", "blue bar")
    assert (first.author, first.source, first.width, first.has_alpha) == ("Alice", "folder shapes", 24, True)
    assert workspace.store.get(first.sha256) == (shapes / "blue-bar.png").read_bytes()


def test_a_table_says_of_each_picture_what_holds_for_it_alone(workspace, shapes, collect):
    said = {"file_name": "red-disc.png", "text": "a red\u2028ball", "tags": ["round", " "], "style": "plain",
            "license": "MIT", "author": "Bob", "category": "toys", "url": "https://example.org", "concept": "Ball"}
    below = shapes / "below"
    below.mkdir()
    picture().save(below / "deep.png")
    odd = [
        {"file_name": "red-bar.png", "tags": 7, "text": 12},
        {"file_name": "below/deep.png", "text": "deep", "tags": "a, b"},
        ["no", "object"],
        {"text": "of no file"},
    ]
    (shapes / "metadata.jsonl").write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in [said, *odd]))
    collect(path=str(shapes))
    by_key = {item.key: item for item in items(workspace)}
    ball = by_key["red-disc.png"]
    assert (ball.name, ball.tags, ball.style, ball.licence) == ("a red ball", ["round"], "plain", "MIT")
    assert (ball.author, ball.category, ball.url, ball.concept) == ("Bob", "toys", "https://example.org", "Ball")
    assert (by_key["red-bar.png"].name, by_key["red-bar.png"].tags) == ("12", ["7"])
    assert (by_key["below/deep.png"].name, by_key["below/deep.png"].tags) == ("deep", ["a", "b"])
    assert by_key["gold-bar.png"].name == "gold bar"


def test_a_csv_does_as_well(workspace, shapes, collect):
    (shapes / "metadata.csv").write_text('\ufefffile_name,text,tags,licence\nred-disc.png,"a ball, red","x,y",MIT\n')
    found = collect(path=str(shapes))
    assert found.licences == {"MIT": 1, "NOASSERTION": 11}
    ball = next(item for item in items(workspace) if item.key == "red-disc.png")
    assert (ball.name, ball.tags) == ("a ball, red", ["x", "y"])


@pytest.mark.parametrize(("name", "text"), [("metadata.jsonl", '{"file_name": "x.png"}\n{broken'),
                                            ("metadata.jsonl", "[" * 100_000),
                                            ("metadata.csv", "file_name,text\nx.png," + "x" * 200_000)])  # fmt: skip
def test_a_table_that_is_none_is_told_by_its_place(workspace, shapes, collect, name, text):
    (shapes / name).write_text(text)
    with pytest.raises(InvalidInput, match=name):
        collect(path=str(shapes))
    assert items(workspace) == []


def test_collecting_again_changes_nothing(workspace, shapes, collect):
    collect(path=str(shapes))
    before = [(item.id, item.collected_at) for item in items(workspace)]
    assert collect(path=str(shapes)).n == 12
    assert [(item.id, item.collected_at) for item in items(workspace)] == before
    assert collect.result["say"].startswith("Nothing changed")


def test_a_changed_file_and_a_changed_caption_change_their_items_alone(workspace, shapes, collect):
    collect(path=str(shapes))
    old = {item.key: item.sha256 for item in items(workspace)}
    picture("black", "bar").save(shapes / "red-bar.png")
    (shapes / "gold-bar.txt").write_text("a golden bar")
    collect(path=str(shapes))
    assert collect.result["say"].startswith("0 new, 10 already there, 2 changed")
    new = {item.key: item for item in items(workspace)}
    assert [key for key, item in new.items() if item.sha256 != old[key]] == ["red-bar.png"]
    assert new["gold-bar.png"].name == "a golden bar"
    assert workspace.store.has(old["red-bar.png"]), "what was collected is kept"


def test_two_folders_of_one_name_are_not_taken_for_one(workspace, shapes, tmp_path, collect):
    collect(path=str(shapes))
    other = tmp_path / "elsewhere" / "shapes"
    other.mkdir(parents=True)
    picture("black").save(other / "red-bar.png")
    with pytest.raises(Conflict, match="another folder called 'shapes'"):
        ask(workspace, source="folder", into="mine", options={"path": str(other)})
    assert collect(path=str(other), label="others").n == 13
    assert collect(path=str(other), into="second").n == 1


def test_a_path_is_read_from_where_it_was_said(workspace, shapes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = ask(workspace, source="folder", into="mine", options={"path": "shapes"})
    monkeypatch.chdir("/")
    run_worker(workspace, only_job=job.id)
    assert show_dataset(workspace, name="mine").n == 12


def test_names_of_any_bytes_and_texts_too_long_for_the_record_end_no_collecting(either, tmp_path, collect):
    folder = tmp_path / "odd"
    folder.mkdir()
    data = encoded(picture())
    for name in (b"\xff\xfe.png", b"new\nline.png", "söß ☃.png".encode(), b"fine.png", b"long.png"):
        with open(os.path.join(os.fsencode(folder), name), "wb") as stream:
            stream.write(data)
    said = [{"file_name": "fine.png", "text": "nul \0 byte"}, {"file_name": "long.png", "style": "s" * 500}]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, said)))
    deep = folder / ("d" * 200) / ("e" * 200)
    deep.mkdir(parents=True)
    (deep / "good.png").write_bytes(data)
    (deep / "bad.png").write_bytes(b"")
    found = collect(path=str(folder), where=either)
    assert (found.n, found.left_out) == (4, {"empty": 1, "metadata too long": 2})
    assert collect(path=str(folder), where=either).left_out == found.left_out
    keys = {item.key: item.name for item in items(either)}
    assert keys == {"\\xff\\xfe.png": "", "new\nline.png": "", "söß ☃.png": "", "fine.png": "nul byte"}


def test_after_kill_9_collecting_goes_on_without_doubles_and_counts_right(workspace, styled, killed_halfway):
    folder = styled(75, styles=4)
    job = ask(workspace, source="folder", into="mine", options={"path": str(folder)})
    assert killed_halfway() == 100
    run_worker(workspace, only_job=job.id)
    done = get_job(workspace, job_id=job.id)
    assert (done.status, done.attempt) == ("done", 2)
    assert done.result["counts"] == {"new": 300}
    assert len({item.key for item in items(workspace)}) == len(items(workspace)) == 300


def test_a_folder_that_changed_during_a_break_is_read_from_its_start(workspace, shapes):
    from sfumato.data.jobs import _left
    from sfumato.data.sources import folder

    options = folder.Options(path=str(shapes))

    def keys(position):
        seen, counts, things = _left(lambda: folder.read(options, shapes), position)
        return seen, dict(counts), [found.key for found in things]

    whole = keys({})[2]
    place = {"seen": 3, "last": whole[2], "counts": {"new": 3}}
    assert keys(place) == (3, {"new": 3}, whole[3:])
    picture().save(shapes / "a first one.png")
    assert keys(place) == (0, {}, ["a first one.png", *whole])
    assert keys(place | {"seen": 100}) == (0, {}, ["a first one.png", *whole])


def test_what_cannot_be_asked_for_is_told_with_the_nearest(workspace, shapes):
    with pytest.raises(NotFound, match="Did you mean 'folder'"):
        ask(workspace, source="foldr", into="mine")
    with pytest.raises(NotFound, match="Did you mean 'licence'"):
        ask(workspace, source="folder", into="mine", options={"path": "x", "licenc": "MIT"})
    with pytest.raises(InvalidInput, match="'path' cannot be 7"):
        ask(workspace, source="folder", into="mine", options={"path": 7})
    for name in ("", "../up", "a b", "x" * 100):
        with pytest.raises(InvalidInput, match="dataset's name"):
            ask(workspace, source="sample", into=name)
    assert list_datasets(workspace) == []


@pytest.mark.postgres
def test_two_sources_may_be_collected_into_one_dataset_at_once(settings, postgresql_url, shapes, styled):
    with Workspace.open(settings=settings, database_url=postgresql_url) as team:
        jobs = [ask(team, source="folder", into="mine", options={"path": str(path)}) for path in (shapes, styled(2))]
        command = [sys.executable, "-m", "sfumato.jobs.worker", "--workspace", str(team.path), "--job"]
        working = [subprocess.Popen([*command, job.id], env=handed_on(team)) for job in jobs]
        assert [worker.wait(timeout=120) for worker in working] == [0, 0]
        assert [get_job(team, job_id=job.id).status for job in jobs] == ["done", "done"]
        [found] = list_datasets(team)
        assert found.n == 12 + 8


def test_a_quarantined_file_that_is_mended_leaves_the_quarantine(workspace, shapes, collect):
    (shapes / "red-bar.png").write_bytes(b"")
    assert collect(path=str(shapes)).left_out == {"empty": 1}
    picture().save(shapes / "red-bar.png")
    found = collect(path=str(shapes))
    assert (found.n, found.left_out) == (12, {})
    (shapes / "red-bar.png").write_bytes(b"")
    found = collect(path=str(shapes))
    assert (found.n, found.left_out) == (12, {"empty": 1}), "what was taken before stays"
    with workspace.read() as session:
        assert session.scalars(select(Quarantined.key)).all() == ["red-bar.png"]


def test_an_empty_folder_and_a_missing_one_are_told(workspace, tmp_path, collect):
    (tmp_path / "empty").mkdir()
    assert "It is empty" in collect(path=str(tmp_path / "empty")).advice
    with pytest.raises(InvalidInput, match="is not a folder"):
        collect(path=str(tmp_path / "gone"))


def test_pictures_have_the_order_in_which_their_source_has_them(workspace, styled, collect):
    collect(path=str(styled(60, styles=1)))
    names = [one.name for one in list_items(workspace, name="mine", limit=100)]
    assert names == sorted(names, key=lambda name: f"{name.removeprefix('thing ')}-0.png")
