"""Checks go over a dataset: they propose, remove nothing, find the same only once, and go on after a kill."""

import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select

from sfumato.actions.records import Event
from sfumato.data.findings import list_findings, list_groups
from sfumato.data.records import Appearance, Finding, Item
from sfumato.data.scan import check as ask
from sfumato.data.scan import list_scans
from sfumato.errors import InvalidInput, NotFound
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker
from tests.data.made_pictures import picture
from tests.data.seen_pictures import COPIES, FAULTS, jpeg, scene


@pytest.fixture
def check(workspace):
    """A function that checks "mine" and returns what the job said."""

    def run(**options):
        job = ask(workspace, name="mine", **options)
        run_worker(workspace, only_job=job.id)
        return ended_well(get_job(workspace, job_id=job.id)).result

    return run


def count(workspace, table):
    with workspace.read() as session:
        return session.scalar(select(func.count(table.id)))


@pytest.fixture
def planted(tmp_path):
    """Thirty pictures, each kind of copy of some of them, each fault in another, and what each file is."""
    folder = tmp_path / "planted"
    folder.mkdir()
    known = {}
    for number in range(30):
        (folder / f"plain-{number:02}.jpg").write_bytes(jpeg(scene(number)))
    for number, (kind, copy) in enumerate(COPIES.items()):
        (folder / f"copy-{kind}.jpg").write_bytes(copy(scene(number)))
        known[f"copy-{kind}.jpg"] = f"plain-{number:02}.jpg"
    (folder / "same.jpg").write_bytes(jpeg(scene(20)))
    (folder / "noted.jpg").write_bytes(jpeg(scene(21), comment=b"a note"))
    for number, (kind, spoil) in enumerate(FAULTS.items(), 100):
        (folder / f"fault-{kind}.jpg").write_bytes(spoil(scene(number)))
    (folder / "fault-low_information-2.jpg").write_bytes(FAULTS["low_information"](scene(1)) + b"x")
    return folder, known


def test_what_is_planted_is_found_and_nothing_else(workspace, planted, collect, check):
    folder, copies = planted
    collect(path=str(folder))
    said = check()
    found = list_findings(workspace, name="mine", limit=500)
    for kind in FAULTS:
        names = {one.item_name.removesuffix("-2.jpg") for one in found if one.check == kind}
        assert {name.removesuffix(".jpg") for name in names} == {f"fault-{kind}"}, kind
    groups = {frozenset(one.name for one in group.members) for group in list_groups(workspace, name="mine")}
    assert groups == {frozenset(pair) for pair in copies.items()}
    for group in list_groups(workspace, name="mine"):
        assert Counter(one.is_best for one in group.members) == {True: 1, False: 1}
        assert group.members[0].is_best
    exact = {frozenset(one.name for one in group.members)
             for group in list_groups(workspace, name="mine", check="exact_copies")}  # fmt: skip
    assert exact == {frozenset(("same.jpg", "plain-20.jpg")), frozenset(("noted.jpg", "plain-21.jpg")),
                     frozenset(("fault-low_information.jpg", "fault-low_information-2.jpg"))}  # fmt: skip
    assert said["found"] == dict(Counter(one.check for one in found))
    ways = {one.item_name: one.details["how"] for one in found if one.check == "near_copies" and one.beside_id}
    assert {"mirrored", "turned"} <= set(ways.values())
    before = {one.id for one in found}
    check()
    assert {one.id for one in list_findings(workspace, name="mine", limit=500)} == before


def test_the_log_names_a_few_checks_by_what_they_look_for(workspace, shapes, collect):
    collect(path=str(shapes))
    ask(workspace, name="mine")
    ask(workspace, name="mine", only=["dark", "exact_copies"])
    with workspace.read() as session:
        said = session.scalars(select(Event.summary).where(Event.action == "data.check").order_by(Event.position)).all()
    assert len(said) == 2
    assert re.fullmatch(r"asked to check mine: blocking, blur, [\w ]+ and \d+ more", said[0])
    assert said[1] == "asked to check mine: too dark, exact copies"


def test_lists_are_read_part_by_part(workspace, planted, collect, check):
    collect(path=str(planted[0]))
    check(only=["near_copies", "exact_copies"])
    whole = list_findings(workspace, name="mine", limit=500)
    parts, after = [], None
    while part := list_findings(workspace, name="mine", limit=4, after=after):
        parts, after = [*parts, *part], part[-1].place
    assert [one.id for one in parts] == [one.id for one in whole]
    groups, after = [], None
    while some := list_groups(workspace, name="mine", limit=2, after=after):
        groups, after = [*groups, *some], some[-1].place
    assert groups == list_groups(workspace, name="mine", limit=200)


def test_a_copy_in_another_split_is_told_of(workspace, planted, collect, check):
    collect(path=str(planted[0]))
    with workspace.write() as session:
        for item in session.scalars(select(Item)):
            item.given_split = "test" if item.key.startswith(("copy-", "same", "noted")) else "train"
            item.family = "twins" if item.key in ("plain-25.jpg", "copy-encoded.jpg") else ""
    said = check(only=["leakage"])
    found = {one.item_name: one for one in list_findings(workspace, name="mine", check="leakage")}
    learnt = {*planted[1].values(), "plain-20.jpg", "plain-21.jpg", "plain-25.jpg"}
    assert set(found) == learnt
    assert said["found"] == {"leakage": len(learnt)}
    assert "'train'" in found["plain-20.jpg"].reason
    assert "exact copy" in found["plain-20.jpg"].reason
    assert "'twins'" in found["plain-25.jpg"].reason


def test_a_file_that_is_broken_by_now_is_told_of_and_an_erased_one_is_passed_over(workspace, shapes, collect, check):
    from sfumato.store.files import Erasure

    collect(path=str(shapes))
    with workspace.read() as session:
        broken, gone, erased = session.scalars(select(Item).limit(3)).all()
    workspace.store.path(broken.sha256).write_bytes(workspace.store.get(broken.sha256)[:70])
    workspace.store.path(gone.sha256).unlink()
    workspace.store.erase(Erasure(erased.sha256, "it had to go", "person/a", "2026-01-01"))
    assert check(only=["corrupt"])["found"] == {"corrupt": 2}
    reasons = {one.item_id: one.reason for one in list_findings(workspace, name="mine")}
    assert "70 bytes cannot be decoded" in reasons[broken.id]
    assert "not in the store" in reasons[gone.id]


def test_bytes_that_were_measured_under_another_name_are_not_decoded_again(workspace, planted, collect, check):
    folder, _ = planted
    (folder / "same-2.jpg").write_bytes((folder / "same.jpg").read_bytes())
    collect(path=str(folder))
    check(only=["corrupt"])
    with workspace.write() as session:
        there = session.scalars(select(Appearance).join(Item).where(Item.key.in_(["plain-01.jpg", "plain-02.jpg"])))
        for one in there:
            one.brightness = 2.0  # what no decoding would ever give
    with workspace.read() as session:
        gone = session.scalar(select(Item.sha256).where(Item.key == "plain-02.jpg"))
    collect(path=str(folder), into="other")
    workspace.store.path(gone).unlink()
    job = ask(workspace, name="other", only=["corrupt"])
    run_worker(workspace, only_job=job.id)
    seen: dict[str, list[Appearance]] = {}
    with workspace.read() as session:
        for name, one in session.execute(select(Item.key, Appearance).join(Appearance).order_by(Item.id)):
            seen.setdefault(name, []).append(one)
    columns = [column.name for column in Appearance.__table__.columns
               if column.name not in ("id", "made_at", "made_by", "dataset_id", "item_id")]  # fmt: skip
    for name, (first, second) in seen.items():
        if name != "plain-02.jpg":
            assert [getattr(first, one) for one in columns] == [getattr(second, one) for one in columns], name
    assert seen["plain-01.jpg"][1].brightness == 2.0
    assert seen["plain-02.jpg"][1].pixels_sha256 == ""
    same = [one.pixels_sha256 for name in ("same.jpg", "same-2.jpg", "plain-20.jpg") for one in seen[name]]
    assert same == same[:1] * 6


@pytest.mark.whole
def test_after_kill_9_a_scan_goes_on_without_doubles(workspace, planted, collect, check, killed_halfway):
    folder, _ = planted
    for number in range(200, 360):
        (folder / f"more-{number}.jpg").write_bytes(jpeg(scene(number, (48, 48))))
    collect(path=str(folder))
    only = ["blur", "exact_copies", "near_copies", "odd_aspect"]
    job = ask(workspace, name="mine", only=only)
    assert killed_halfway(Appearance) == 100
    run_worker(workspace, only_job=job.id)
    done = get_job(workspace, job_id=job.id)
    assert (done.status, done.attempt) == ("done", 2)
    assert count(workspace, Appearance) == count(workspace, Item)
    with workspace.read() as session:
        places = session.execute(select(Finding.check, Finding.item_id, Finding.beside_id)).all()
    assert len(places) == len(set(places)) == sum(done.result["found"].values())
    assert len(list_scans(workspace, name="mine")) == 1
    check(only=only)
    assert count(workspace, Finding) == len(places)


def test_what_is_odd_is_proposed_and_nothing_is_removed(workspace, shapes, collect, check):
    picture().resize((60, 10)).save(shapes / "long.png")
    collect(path=str(shapes))
    said = check(only=["odd_aspect"])
    assert (said["n"], said["found"]) == (13, {"odd_aspect": 1})
    [found] = list_findings(workspace, name="mine")
    assert (found.item_name, found.check, found.state) == ("long.png", "odd_aspect", "open")
    assert "60 × 10 pixels, 6.00 to 1" in found.reason
    with workspace.read() as session:
        assert set(session.scalars(select(Item.state))) == {"kept"}
    [scan] = list_scans(workspace, name="mine")
    assert (scan.n, scan.found, scan.settings) == (13, {"odd_aspect": 1}, {"odd_aspect": {"above": 2.5}})


def test_checking_again_finds_the_same_once_and_what_is_mended_is_gone(workspace, shapes, collect, check):
    picture().resize((60, 10)).save(shapes / "long.png")
    collect(path=str(shapes))
    check(only=["odd_aspect"])
    with workspace.read() as session:
        before = session.scalar(select(Finding.id))
    assert check(only=["odd_aspect"])["found"] == {"odd_aspect": 1}
    with workspace.read() as session:
        assert session.scalars(select(Finding.id)).all() == [before]
    assert (count(workspace, Appearance), len(list_scans(workspace, name="mine"))) == (13, 2)
    picture().save(shapes / "long.png")
    collect(path=str(shapes))
    assert check(only=["odd_aspect"])["gone"] == {"odd_aspect": 1}
    assert list_findings(workspace, name="mine") == []
    assert [one.id for one in list_findings(workspace, name="mine", state="gone")] == [before]
    picture().resize((60, 10)).save(shapes / "long.png")
    collect(path=str(shapes))
    check(only=["odd_aspect"])
    assert [one.id for one in list_findings(workspace, name="mine")] == [before], "it is the same one, open again"


def test_what_a_decision_settled_does_not_come_back(workspace, shapes, collect, check):
    picture().resize((60, 10)).save(shapes / "long.png")
    collect(path=str(shapes))
    check(only=["odd_aspect"])
    with workspace.write() as session:
        session.scalars(select(Finding)).one().state = "settled"
    check(only=["odd_aspect"])
    assert list_findings(workspace, name="mine") == []
    assert len(list_findings(workspace, name="mine", state="settled")) == count(workspace, Finding) == 1


def test_what_cannot_be_asked_for_is_told_with_the_nearest(workspace, shapes, collect):
    collect(path=str(shapes))
    with pytest.raises(NotFound, match="Did you mean 'mine'"):
        ask(workspace, name="mime")
    with pytest.raises(NotFound, match="Did you mean 'odd_aspect'"):
        ask(workspace, name="mine", only=["odd_aspct"])
    with pytest.raises(NotFound, match="Did you mean 'above'"):
        ask(workspace, name="mine", only=["odd_aspect"], options={"odd_aspect": {"abov": 3}})
    with pytest.raises(InvalidInput, match=r"'above' cannot be 0\.5"):
        ask(workspace, name="mine", only=["odd_aspect"], options={"odd_aspect": {"above": 0.5}})
    with pytest.raises(NotFound, match="no check 'blurr'"):
        ask(workspace, name="mine", only=["odd_aspect"], options={"blurr": {}})
    with pytest.raises(InvalidInput, match="no place in this list"):
        list_findings(workspace, name="mine", after="x")
    for listed in (list_findings, list_groups):
        assert listed(workspace, name="mine", check="near_copies") == []
        with pytest.raises(NotFound, match="near_copy") as unheard:
            listed(workspace, name="mine", check="near_copy")
        assert "near_copies" in unheard.value.hint


SVG = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 64 64'>{}{}</svg>"
SHAPES = (
    "<rect x='4' y='6' width='30' height='50' fill='{0}'/><circle cx='44' cy='20' r='14' fill='navy'/>"
    "<path d='M8 60 L60 34 L52 62 Z' fill='olive'/>"
)


def test_what_was_drawn_once_is_not_drawn_again_to_be_compared(workspace, tmp_path, collect, check, monkeypatch):
    folder = tmp_path / "drawn"
    folder.mkdir()
    for name, ink, note in (("one", "crimson", ""), ("other", "crimson", "<!-- again -->"), ("near", "firebrick", "")):
        (folder / f"{name}.svg").write_text(SVG.format(SHAPES.format(ink), note))
    collect(path=str(folder))
    check(only=["corrupt"])
    monkeypatch.setattr("sfumato.data.reading.miniature", None)  # what decodes or draws for a second look
    assert check(only=["near_copies"])["found"] == {"near_copies": 2}
    found = list_findings(workspace, name="mine", limit=9)
    assert {one.check for one in found} == {"near_copies"}


def test_a_drawing_on_a_grid_that_lets_light_through_shows_no_blocks_of_a_jpeg(workspace, tmp_path, collect, check):
    folder = tmp_path / "grids"
    folder.mkdir()
    squares = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    whole = Image.fromarray(squares)
    whole.save(folder / "whole.png")
    whole.putalpha(Image.new("L", whole.size, 255))
    whole.putpixel((0, 0), (0, 0, 0, 0))
    whole.save(folder / "cut-out.png")
    collect(path=str(folder))
    check(only=["blocking"])
    assert [one.item_name for one in list_findings(workspace, name="mine", limit=9)] == ["whole.png"]
