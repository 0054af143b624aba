"""A datasheet is filled from what was measured; what only people know stays open until they answer it."""

import json

import pytest

from sfumato.actions import Actor
from sfumato.data.choosing import keep_best
from sfumato.data.croissant import croissant
from sfumato.data.datasheet import answer_question, datasheet
from sfumato.data.editing import recaption
from sfumato.data.narrowing import Where
from sfumato.data.questions import QUESTIONS
from sfumato.data.records import Finding, Item, Scan
from sfumato.data.sheets import written
from sfumato.data.verdicts import keep, leave_out, undo
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound

HOSTILE = '<script>alert("x")</script> [a](javascript:b) # *bold*\n\n| second line'


def test_what_is_measured_is_told_and_what_is_not_is_open(workspace, frozen):
    sheet = datasheet(workspace, name=frozen.label)
    assert (sheet.title, sheet.n, sheet.content_hash) == (frozen.label, 36, frozen.content_hash)
    assert sheet.find("instances").measured.startswith("36 pictures of 12 things, told apart by name, in 3 styles")
    assert "36 of 36 have a caption" in sheet.find("labels").measured
    assert "the author of 18" in sheet.find("missing").measured
    assert "the licence of 12" in sheet.find("missing").measured
    assert "12 MIT" in sheet.find("licence").measured
    assert "as long as you find out under which licence" in sheet.find("licence").measured
    assert "folder things" in sheet.find("acquired").measured
    groups = sheet.find("groups").measured
    assert groups.startswith("skin tone, declared by 27: light 67% (")
    assert "to learn from" in sheet.find("splits").measured
    now = datasheet(workspace, name="mine")
    assert now.open_questions == sheet.open_questions, "freezing neither asks nor answers one"
    assert "when a version is frozen" in now.find("splits").measured
    assert sheet.find("purpose").open
    assert not sheet.find("licence").open
    assert sheet.open_questions == sum(one.for_a_person for one in QUESTIONS)
    assert sorted(one.key for section in sheet.sections for one in section.questions) == sorted(
        one.key for one in QUESTIONS)  # fmt: skip


def test_it_tells_what_was_found_decided_and_left_out(workspace, frozen):
    with workspace.write() as session:
        ids = list(session.scalars(session.query(Item.id).order_by(Item.id).statement))
        dataset = session.query(Item).first().dataset_id
        session.add(Scan(dataset_id=dataset, checks=["blur", "nsfw"], n=36))
        session.add(Finding(dataset_id=dataset, item_id=ids[2], check="blur", score=0.9, reason="soft"))
        session.add(Finding(dataset_id=dataset, item_id=ids[1], check="blur", score=0.9, reason="", state="settled"))
        session.query(Item).filter(Item.id == ids[2]).update({"opt_out": "DMI-PROHIBITED", "consent": "given"})
    leave_out(workspace, name="mine", where=Where(ids=[ids[0]]), title="the soft ones", reason="soft")
    other = leave_out(workspace, name="mine", where=Where(ids=[ids[3]]), title="taken back")
    undo(workspace, id=other.id)
    sheet = datasheet(workspace, name="mine")
    assert (sheet.n, sheet.version) == (35, "")
    assert "open findings: 1 blur" in sheet.find("errors").measured
    assert "the soft ones (1 picture," in sheet.find("done").measured
    assert "taken back" not in sheet.find("done").measured
    frozen_before = datasheet(workspace, name=frozen.label).find("done").measured
    assert frozen_before == "Nothing was decided since it was collected."
    assert "1 left out by decision" in sheet.find("sample").measured
    assert "1 DMI-PROHIBITED" in sheet.find("opt_out").measured
    assert "1 given; nothing is told of 34" in sheet.find("consent").measured
    assert "“not safe for work” went over it; 0 of" in sheet.find("offensive").measured
    assert sheet.find("offensive").open, "a check does not answer for a person"


def test_what_was_cleaned_is_told_as_a_sum_before_the_decisions_and_without_names_of_machines(workspace, frozen):
    with workspace.write() as session:
        ids = list(session.scalars(session.query(Item.id).order_by(Item.id).statement))
        dataset = session.query(Item).first().dataset_id
        planted = {"near_copies": ("a", ids[:3]), "dark": ("", ids[3:6]), "looks_alike": ("b", ids[6:9])}
        session.add_all(
            Finding(dataset_id=dataset, item_id=one, check=check, score=0.9, reason="", group=group)
            for check, (group, some) in planted.items()
            for one in some
        )
    keep_best(workspace, name="mine", check="near_copies", doubtful=True)
    leave_out(workspace, name="mine", where=Where(check="dark"))
    leave_out(workspace, name="mine", where=Where(ids=ids[9:10]))
    again = leave_out(workspace, name="mine", where=Where(ids=ids[10:11]))
    undo(workspace, id=undo(workspace, id=again.id).id)
    undo(workspace, id=leave_out(workspace, name="mine", where=Where(ids=ids[11:12])).id)
    keep(workspace, name="mine", where=Where(check="looks_alike"))
    recaption(workspace, name="mine", captions={ids[12]: "a grey heron"})
    first, *rest = datasheet(workspace, name="mine").find("done").measured.splitlines()
    assert first == (
        "7 pictures left out: 3 too dark, 2 copies, 2 for other reasons; 1 caption written; "
        "3 pictures kept as no fault. 6 decisions stand:"
    )
    assert len(rest) == 6
    assert rest[1].startswith("- left out 3 pictures (too dark) (20")
    assert rest[4].startswith("- kept 3 pictures (pictures that look alike) (20")
    assert "_" not in "".join(rest)
    sheet = datasheet(workspace, name="mine")
    assert "\n- kept 3 pictures (pictures that look alike)" in written(sheet, ".md")
    assert "<li>left out 3 pictures (too dark)" in written(sheet, ".html")


def test_an_answer_is_kept_and_two_people_are_told_of_each_other(workspace, frozen):
    assert answer_question(workspace, name="mine", question="purpose", text=" To teach. ", revision=0) == 1
    told = datasheet(workspace, name=frozen.label).find("purpose")
    assert (told.answer, told.open, told.revision) == ("To teach.", False, 1)
    with pytest.raises(Conflict, match=workspace.actor.name):
        answer_question(workspace, name="mine", question="purpose", text="Another", revision=0)
    assert answer_question(workspace, name="mine", question="purpose", text="To teach.", revision=1) == 1
    assert answer_question(workspace, name="mine", question="purpose", text="", revision=1) == 2
    assert datasheet(workspace, name="mine").find("purpose").open
    with pytest.raises(NotFound, match="purpose"):
        answer_question(workspace, name="mine", question="purpos", text="x")
    with pytest.raises(InvalidInput, match="letters"):
        answer_question(workspace, name="mine", question="purpose", text="x" * 20_001)
    viewer = workspace.as_actor(Actor("person/vic", "vic", ("viewer",)))
    with pytest.raises(Forbidden):
        answer_question(viewer, name="mine", question="purpose", text="x")


def test_what_people_wrote_cannot_act_in_any_form(workspace, frozen):
    answer_question(workspace, name="mine", question="impact", text=HOSTILE)
    sheet = datasheet(workspace, name=frozen.label)
    page = written(sheet, ".html")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", ""), "it stands alone"
    text = written(sheet, ".md")
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "\n# " not in text[3:]
    assert r"\[a\](javascript:b)" in text
    assert json.loads(written(sheet, ".json"))["n"] == 36
    with pytest.raises(InvalidInput, match=r"\.md"):
        written(sheet, ".doc")


def test_the_description_for_machines_says_what_the_datasheet_says(workspace, frozen):
    answer_question(workspace, name="mine", question="creators", text="The studio")
    told = croissant(workspace, name="mine")
    assert told["conformsTo"][0].endswith("/1.1")
    assert set(told["license"]) == {
        "https://spdx.org/licenses/MIT.html", "https://spdx.org/licenses/CC-BY-4.0.html", "NOASSERTION"}  # fmt: skip
    assert told["creator"]["name"] == "The studio"
    assert told["version"] == "1.0.0"
    assert told["distribution"][0]["sha256"] == frozen.content_hash
    assert told["distribution"][0]["contentSize"] == f"{len(workspace.store.get(frozen.content_hash))} B"
    assert "skin tone" in told["rai:dataBiases"]
    assert "rai:dataUseCases" not in told, "nobody has answered it"
