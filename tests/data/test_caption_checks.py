"""What is wrong with captions and rights is proposed, each with its reason, and what is right is left alone."""

import importlib

import pytest

from sfumato.data.findings import list_findings
from sfumato.data.records import Item
from sfumato.data.scan import CHECKS, ItemRow
from sfumato.data.scan import check as ask
from sfumato.jobs.queue import ended_well, get_job
from sfumato.jobs.worker import run_worker
from sfumato.trust.licences import verdict

PLAIN = {
    "sha256": "", "key": "a.png", "name": "a red ball", "tags": [], "style": "", "category": "", "concept": "",
    "licence": "MIT", "author": "", "source": "folder", "url": "", "width": 8, "height": 8, "consent": "",
    "opt_out": "", "evidence": {},
}  # fmt: skip


def found(check, *rows, **options):
    """What a check proposes of rows that differ from a plain one, by their number."""
    module = importlib.import_module(f"sfumato.data.checks.{check}")
    made = [ItemRow(id=str(n), **{**PLAIN, "sha256": f"{n}", **said}) for n, said in enumerate(rows)]
    return {int(one.item_id): one for one in module.judge(made, module.Options(**options))}


def test_a_missing_caption_is_worse_where_not_even_tags_are_there():
    seen = found("caption_missing", {"name": " "}, {"name": "", "tags": ["cat"]}, {})
    assert {n: one.score for n, one in seen.items()} == {0: 1.0, 1: 0.6}


def test_a_short_caption_is_one_that_tags_do_not_make_up_for():
    seen = found("caption_short", {"name": "x"}, {"name": "cat"}, {"name": "cat", "tags": ["animal"]}, {}, {"name": ""})
    assert set(seen) == {0, 1}
    assert "'cat' is all" in seen[1].reason
    assert set(found("caption_short", {"name": "cat"}, {"name": "one two"}, words=3)) == {0, 1}


def test_a_shared_caption_is_proposed_within_one_style_alone():
    styles = [{"name": "cat", "style": f"style {n}"} for n in range(9)]
    same = [{"name": " Cat ", "style": "photo"} for _ in range(5)]
    copies = [{"name": "dog", "sha256": "one"} for _ in range(5)]
    seen = found("caption_duplicate", *styles, *same, *copies)
    assert set(seen) == set(range(9, 14))
    assert len({one.group for one in seen.values()}) == 1
    assert all(len(one.group) <= 36 for one in seen.values())


def test_words_of_a_template_are_named_and_the_trigger_is_meant():
    rows = [{"name": f"a photo of zwx thing{n}"} for n in range(30)] + [{"name": "something else"}]
    seen = found("caption_template", *rows, trigger="zwx")
    assert set(seen) == set(range(30))
    assert seen[0].details["words"] == ["photo"]
    assert found("caption_template", *rows[:5]) == {}


@pytest.mark.parametrize(
    ("caption", "why"),
    [("see https://example.org/a", "address"), ("IMG_2041", "file"), ("holiday.JPG", "file"), ("a <b>cat</b>", "HTML"),
     ("caf\ufffd", "broken"), ("the the cat", "twice"), ("red_ball", "underscores"), ("a  cat", "space"),
     ("a cat\u200b", "cannot be seen"), ("deadbeefdeadbeef01", "number")],
)  # fmt: skip
def test_untidy_captions_are_told_why(caption, why):
    [one] = found("caption_lint", {"name": caption}).values()
    assert why in one.reason


@pytest.mark.parametrize("caption", ["a red ball", "woman’s café, 1920", "👩\u200d🚀 astronaut", "bye-bye", ""])
def test_tidy_captions_are_left_alone(caption):
    assert found("caption_lint", {"name": caption}) == {}


def test_unknown_licences_are_told_from_unstated_ones():
    seen = found("licence_unknown", {"licence": "NOASSERTION"}, {"licence": "My-Own"}, {"licence": "MIT OR X"}, {})
    assert {n: one.score for n, one in seen.items()} == {0: 1.0, 1: 0.8}


@pytest.mark.parametrize(
    ("licence", "train", "publish", "sell"),
    [("CC0-1.0", "allowed", "allowed", "allowed"), ("CC-BY-4.0", "allowed", "allowed", "allowed"),
     ("CC-BY-SA-4.0", "allowed", "asks", "asks"), ("CC-BY-NC-4.0", "asks", "asks", "forbidden"),
     ("CC-BY-ND-4.0", "asks", "forbidden", "forbidden"), ("MIT OR CC-BY-NC-4.0", "allowed", "allowed", "allowed"),
     ("(MIT OR CC0-1.0) AND GPL-2.0+", "allowed", "asks", "asks"),
     ("GPL-2.0-only WITH Classpath-exception-2.0", "allowed", "asks", "asks"), ("(MIT", "asks", "asks", "asks")],
)  # fmt: skip
def test_what_a_licence_allows_depends_on_the_use(licence, train, publish, sell):
    assert [verdict(licence, use) for use in ("train", "publish", "sell")] == [train, publish, sell]
    conflicts = [bool(found("licence_conflict", {"licence": licence}, use=use)) for use in ("train", "publish", "sell")]
    known = licence != "(MIT"
    assert conflicts == [known and said != "allowed" for said in (train, publish, sell)]


def test_consent_and_opt_out_are_read_as_they_were_kept():
    seen = found("consent", {"consent": "withdrawn"}, {"consent": "given"}, {"consent": "refused"}, {})
    assert set(seen) == {0, 2}
    constrained = {"data mining": {"value": "http://ns.useplus.org/ldf/vocab/DMI-SEECONSTRAINT", "found": "XMP"}}
    allowed = {
        "data mining": {"value": "DMI-ALLOWED", "found": "XMP"}, "tdm-reservation": {"value": "0", "found": "XMP"},
        "training-mining": {"value": ["cawg.data_mining: allowed"], "found": "C2PA"},
    }  # fmt: skip
    seen = found("opt_out", {"opt_out": "tdm-reservation 1"}, {"evidence": constrained}, {"evidence": allowed}, {})
    assert {n: one.score for n, one in seen.items()} == {0: 1.0, 1: 0.7}
    assert "XMP says of data mining" in seen[1].reason


def test_they_go_over_a_real_dataset(workspace, shapes, collect):
    (shapes / "red-disc.txt").write_text("IMG_2041")
    collect(path=str(shapes))
    with workspace.write() as session:
        session.query(Item).filter(Item.key == "gold-bar.png").one().consent = "refused"
    names = [name for name in CHECKS.names() if CHECKS.get(name).KIND == "rows"]
    job = ask(workspace, name="mine", only=names)
    run_worker(workspace, only_job=job.id)
    told = ended_well(get_job(workspace, job_id=job.id)).result["found"]
    assert told == {"caption_lint": 1, "consent": 1, "licence_unknown": 12, "caption_short": 1}
    [one] = list_findings(workspace, name="mine", check="caption_lint")
    assert "'IMG_2041'" in one.reason
