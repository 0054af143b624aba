"""A picture is traced to what it was made from; what nothing proves is told as such."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import delete, select

import sfumato
from sfumato.actions import Act, Workspace, to_json
from sfumato.checkpoints.header import Header, read_tensors, write_checkpoint
from sfumato.checkpoints.models import DEFAULT, find_model
from sfumato.checkpoints.records import Checkpoint
from sfumato.cli import entry
from sfumato.compliance.again import ten_more
from sfumato.compliance.chain import Step, walk_up
from sfumato.compliance.trace import Drawing, trace
from sfumato.db.kinds import kinds
from sfumato.errors import InvalidInput, NotFound
from sfumato.generation.records import Image, Published, Request
from sfumato.review.judge import approve, reject, withdraw
from sfumato.trust.keys import rotate
from tests.compliance.conftest import draw
from tests.crew import ALICE, BOB


def roles(step: Step) -> list[str]:
    """The roles along the trace's first branches that lead on."""
    onward = [one for one in step.steps if one.role != "from"]
    return [step.role, *(roles(onward[0]) if onward else [])]


def rows(workspace: Workspace, table: type) -> list:
    with workspace.read() as session:
        found = list(session.scalars(select(table).order_by(table.id)))
        session.expunge_all()
        return found


def test_a_picture_is_traced_to_its_sources(gallery):
    found = trace(gallery.workspace, gallery.path)
    assert found.standing == "on record"
    assert roles(found.chain) == [
        "on record as", "published from", "asked by", "drawn by", "trained by", "learnt from", "frozen from",
    ]  # fmt: skip
    said = " ".join(str(found).split())
    for words in ('asked by: "a red disc, plain style"', "seed 7", "dpmpp_2m", "2 steps", "guidance 4.0",
                  "16 pictures seen", "the shorter average", "run tiny · recipe flow", "48 pictures", "to learn from",
                  "from: folder shapes · MIT · Ann Ink · plain · 24 pictures", "dataset shapes"):  # fmt: skip
        assert words in said


def test_it_names_the_picture_it_leaned_on_and_the_nearest_with_licence_author_and_distance(gallery):
    found = trace(gallery.workspace, gallery.path)
    leaned = found.leaned_on
    assert (leaned.name, leaned.style, leaned.licence, leaned.author) == (
        "red disc", "bold", "Apache-2.0", "Bold Company",
    )  # fmt: skip
    assert leaned.distance > 0
    assert len(found.nearest) == 3
    assert [one.distance for one in found.nearest] == sorted(one.distance for one in found.nearest)
    assert all(one.licence in ("MIT", "Apache-2.0") and one.author and one.copy_below for one in found.nearest)
    assert "a copy would be below" in str(found)


def test_it_answers_whether_it_may_be_used_and_how_to_make_ten_more(gallery):
    found = trace(gallery.workspace, gallery.path)
    said = " ".join(str(found).split())
    assert "May I use it?" in said
    assert found.answer.verdict == "yes-nothing-against"
    assert "training pictures are Apache-2.0 or MIT" in said
    assert "signed here, unedited" in said
    assert "not yet looked at by a person" in said
    assert "This is no legal advice." in said
    assert found.again == "sfumato create 'red disc, bold style' -n 10 --seed 8 --model tiny"
    assert str(found).endswith(found.again)


def test_a_private_prompt_is_told_nowhere(gallery):
    found = trace(gallery.workspace, gallery.private)
    assert found.standing == "on record"
    told = json.dumps([to_json(found.chain), to_json(found.answer), found.again])
    assert "a private prompt" in told
    assert "blue bar" not in told.lower()


def test_records_are_named_by_id_or_its_end_or_kind_or_name(gallery):
    image, out = rows(gallery.workspace, Image)[0], rows(gallery.workspace, Published)[0]
    for said in (image.id, image.id[-8:], image.ref, out.ref):
        found = trace(gallery.workspace, said)
        assert found.answer.verdict == "yes-nothing-against"
        assert found.credentials == "signed here, unedited"
    assert roles(trace(gallery.workspace, "tiny").chain)[:3] == ["", "the name of", "trained by"]
    assert trace(gallery.workspace, "dataset/shapes").chain.title == "dataset shapes"
    assert trace(gallery.workspace, rows(gallery.workspace, Request)[0].ref).answer is None


def test_down_shows_what_was_made_from_it(gallery):
    below = trace(gallery.workspace, "run/tiny", down=True).below
    told = json.dumps(to_json(below))
    assert gallery.path.name in told
    assert gallery.private.name in told


@pytest.mark.parametrize("said", ["nothing-like-it", "image/0000", "0", "~nobody-here", "x" * 5_000, "a\0b", "%"])
def test_an_unknown_record_is_told_with_how_to_find_one(gallery, said):
    with pytest.raises(NotFound) as told:
        trace(gallery.workspace, said)
    assert "sfumato data list" in told.value.hint


def test_an_unknown_kind_names_those_there_are(gallery):
    with pytest.raises(NotFound, match="image, item, job"):
        trace(gallery.workspace, "picture/0190")


def test_what_fits_several_records_asks_for_more(studio):
    with studio.write() as session:
        for number in ("1", "2"):
            session.add(Published(id=f"{number}-abcdef", image_id="x", sha256="", file_name="", mime="", background=""))
    with pytest.raises(InvalidInput, match=r"published/1-abcdef, published/2-abcdef"):
        trace(studio, "abcdef")


def test_what_is_no_picture_is_refused_in_words(gallery, tmp_path):
    (tmp_path / "notes.png").write_text("not a picture")
    with pytest.raises(InvalidInput, match="not a picture"):
        trace(gallery.workspace, tmp_path / "notes.png")
    with pytest.raises(InvalidInput, match="is a folder"):
        trace(gallery.workspace, str(tmp_path))
    with pytest.raises(NotFound, match="There is no file"):
        trace(gallery.workspace, "gone.png")


def test_a_flipped_byte_leaves_an_answer_for_what_was_drawn_alone(gallery, tmp_path):
    data = bytearray(gallery.path.read_bytes())
    data[data.index(b"IDAT") + 40] ^= 1
    path = tmp_path / "flipped.png"
    path.write_bytes(data)
    found = trace(gallery.workspace, path)
    assert (found.standing, found.answer.verdict) == ("changed", "only if")
    assert "changed after signing, so the answer is for what was drawn" in found.answer.text
    assert roles(found.chain)[:3] == ["", "claims to be", "asked by"]


def test_a_copy_without_its_credentials_is_known_by_its_pixels(gallery, tmp_path):
    info = PngInfo()
    with Picture.open(gallery.path) as picture:
        info.add_itxt("sfumato", picture.info["sfumato"])
        picture.save(tmp_path / "again.png", pnginfo=info)
    found = trace(gallery.workspace, tmp_path / "again.png")
    assert (found.standing, found.answer.verdict) == ("same pixels", "yes-nothing-against")
    assert "unsigned, but its pixels are those that left" in found.answer.text


def forge(path, **claims) -> None:
    info = PngInfo()
    info.add_itxt("sfumato", json.dumps(claims))
    Picture.new("RGB", (64, 64), "#a3c").save(path, pnginfo=info)


def test_a_forged_chunk_is_shown_as_a_claim_and_not_believed(gallery, tmp_path):
    image = rows(gallery.workspace, Image)[0]
    forge(tmp_path / "forged.png", image_id=image.id, prompt="a red disc")
    found = trace(gallery.workspace, tmp_path / "forged.png")
    assert (found.standing, roles(found.chain)[1], found.answer.verdict) == ("claimed", "claims to be", "only if")
    assert "nothing in the file proves it" in found.answer.text

    model = find_model(gallery.workspace, "tiny")
    forge(tmp_path / "made-up.png", checkpoint_sha256=model.sha256, prompt="a red disc, plain style", seed=3)
    found = trace(gallery.workspace, tmp_path / "made-up.png")
    assert (found.standing, found.answer.verdict) == ("claimed", "only if")
    assert found.chain.steps[0].role == "says it was asked by"
    assert "unproven claims" in found.chain.steps[0].evidence


@pytest.mark.parametrize("said", ["[1, 2]", "{", "[" * 5_000, '{"seed": 1e999, "prompt": ["x"], "image_id": 7}'])
def test_claims_that_are_nonsense_are_no_claims(gallery, tmp_path, said):
    info = PngInfo()
    info.add_itxt("sfumato", said)
    Picture.new("RGB", (8, 8)).save(tmp_path / "odd.png", pnginfo=info)
    assert trace(gallery.workspace, tmp_path / "odd.png").standing == "unknown"


def test_a_claim_steers_neither_a_terminal_nor_a_shell(gallery, tmp_path):
    model = find_model(gallery.workspace, "tiny")
    forge(tmp_path / "evil.png", checkpoint_sha256=model.sha256, prompt="\x1b[2Jred'; rm -rf ~; echo '")
    said = str(trace(gallery.workspace, tmp_path / "evil.png"))
    assert "\x1b" not in said
    words = shlex.split(said.splitlines()[-1])
    assert words[:2] == ["sfumato", "create"]
    assert words[3] == "-n"
    assert ten_more(Drawing(prompt="x"), None) == ""


def test_a_picture_from_elsewhere_has_nothing_on_record(gallery, tmp_path):
    Picture.new("RGB", (40, 30), "#a3c").save(tmp_path / "foreign.jpg")
    found = trace(gallery.workspace, tmp_path / "foreign.jpg")
    assert (found.standing, found.answer.verdict, found.again) == ("unknown", "only if", "")
    assert "nothing is on record here" in found.answer.text


def test_a_picture_from_elsewhere_is_compared_with_the_shipped_models_pictures(gallery, shipped, tmp_path):
    training = gallery.workspace.path.parent / "shapes" / "plain-red-disc.png"
    with Picture.open(training) as picture:
        white = Picture.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        white.convert("RGB").resize((128, 128), Picture.Resampling.NEAREST).save(tmp_path / "mine.png")
    for path in (training, tmp_path / "mine.png"):
        found = trace(gallery.workspace, path)
        assert found.standing == "unknown"
        assert (found.nearest[0].name, found.nearest[0].style) == ("red disc", "plain")
        assert found.answer.verdict == "no"
        assert "No, use the original: “red disc” in plain style by Ann Ink (MIT" in found.answer.text


def test_a_workspace_that_never_saw_it_tells_the_chain_from_the_signed_file(gallery, shipped, tmp_path):
    with Workspace.open(tmp_path / "colleague") as colleague:
        (path,) = draw(colleague, "a green ring, bold style", tmp_path / "out", model=DEFAULT)
        here = trace(colleague, path)
        assert here.standing == "on record"
        assert roles(here.chain)[2:] == ["asked by", "drawn by", "trained by", "learnt from"]
        assert here.answer.verdict == "yes-nothing-against"
        assert here.again.endswith("-n 10 --seed 8")
        assert trace(colleague, DEFAULT).chain.title.endswith(f"of the model {DEFAULT}")
        rotate(colleague.path / "keys")
        with colleague.write() as session:
            for row in (*session.scalars(select(Published)), *session.scalars(select(Image))):
                session.delete(row)
        assert trace(colleague, path).standing == "signed here"
    found = trace(gallery.workspace, path)
    assert (found.standing, found.answer.verdict) == ("elsewhere", "only if")
    assert "you trust Sfumato workspace" in found.answer.text
    said = " ".join(str(found).split())
    for words in ('says it was asked by: "a green ring, bold style"', "run tiny · recipe flow",
                  "folder shapes · Apache-2.0 · Bold Company", "Nearest training pictures to the file's pixels",
                  "44 training pictures are Apache-2.0 or MIT"):  # fmt: skip
        assert words in said


def test_without_a_card_it_says_what_could_not_be_looked_at(studio, gallery):
    shutil.rmtree(studio.path / "cards")
    found = trace(studio, gallery.path)
    assert (found.answer.verdict, found.nearest) == ("only if", [])
    assert "the model tiny has no training card" in found.answer.text
    assert "All 48 pictures of its dataset are Apache-2.0 or MIT" in found.answer.text
    assert found.again == "sfumato create 'red disc, bold style' -n 10 --seed 8 --model tiny"


def test_who_judged_a_picture_is_told_by_its_trace(studio, gallery):
    image = rows(studio, Image)[0]
    alice, bob = studio.as_actor(ALICE), studio.as_actor(BOB)
    approve(alice, subjects=[image.ref], reason="a fine disc")
    told = trace(studio, gallery.path).answer
    assert "approved by alice on " in told.text
    assert "because “a fine disc”" in told.text
    assert told.clauses[-1].evidence.startswith("judgement/")
    out = rows(studio, Published)[0]
    assert out.image_id == image.id
    reject(bob, subjects=[out.ref], reason="it is\nno disc \x1b[31m")
    for what in (gallery.path, image.ref, out.ref):
        told = trace(studio, what).answer
        assert told.verdict == "no"
        assert told.text.startswith("No: rejected by bob on ")
        assert "because “it is no disc [31m”" in told.text
        assert {"approved by alice", "rejected by bob"} == {
            clause.says.partition(" on ")[0] for clause in told.clauses if clause.topic == "person"
        }
    withdraw(bob, subjects=[image.ref])
    told = trace(studio, gallery.path).answer
    assert "bob" not in told.text
    withdraw(alice, subjects=[image.ref])
    assert "not yet looked at by a person" in trace(studio, gallery.path).answer.text


def test_every_kind_of_record_tells_of_itself_in_words(studio):
    told = {}
    with studio.read() as session:
        for name, kind in kinds().items():
            row = session.scalar(select(kind).limit(1))
            if row is not None:
                told[name] = row.describe()
                assert told[name].title
                assert json.dumps(told[name].facts)
    assert {"dataset", "dataset_version", "item", "run", "checkpoint", "model", "request", "image", "published",
            "job", "event"} <= set(told)  # fmt: skip
    assert studio.store.has(told["image"].picture)
    assert np.all([name == kind.KIND for name, kind in kinds().items()])


def test_the_command_line_says_the_same_and_ends_with_what_it_found(gallery, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SFUMATO_WORKSPACE", str(gallery.workspace.path))
    assert entry.main(["trace", str(gallery.path)]) == 0
    assert " ".join(capsys.readouterr().out.split()) == " ".join(str(trace(gallery.workspace, gallery.path)).split())
    assert entry.main(["trace", str(gallery.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == to_json(trace(gallery.workspace, gallery.path))
    data = bytearray(gallery.path.read_bytes())
    data[data.index(b"IDAT") + 40] ^= 1
    (tmp_path / "flipped.png").write_bytes(data)
    assert entry.main(["trace", str(tmp_path / "flipped.png")]) == 12
    assert sfumato.trace(gallery.workspace, gallery.path).answer.verdict == "yes-nothing-against"


def drawn_by(studio: Workspace, header: Header, folder: Path) -> str:
    """Keep weights with this header, and let them be what drew all pictures; returns their hash."""
    write_checkpoint(folder / "child", read_tensors(find_model(studio, "tiny").path), header)
    child = studio.store.put_file(folder / "child")
    with studio.write() as session:
        told = header.model_dump(mode="json")
        session.add(Checkpoint(content_hash=child, samples_seen=1, ema="short", header=told))
        for request in session.scalars(select(Request)):
            request.checkpoint_sha256 = child
    return child


def test_weights_tell_of_ancestors_that_are_not_here(studio, tmp_path):
    tiny = find_model(studio, "tiny")
    gone = {"sha256": "ab" * 32, "run": "before", "recipe": "flow", "parent": "",
            "data": {"name": "old@1", "content_hash": "cd" * 32, "licences": {"CC-BY-NC-4.0": 5}}}  # fmt: skip
    child = drawn_by(studio, tiny.header.model_copy(update={"parent": gone["sha256"], "lineage": [gone]}), tmp_path)
    found = trace(studio, rows(studio, Image)[0].ref)
    assert "the use is not commercial (5 of 5 pictures of its dataset are CC-BY-NC-4.0)" in found.answer.text
    said = str(trace(studio, child))
    assert "grown from: weights abababababab" in said
    assert "old@1" in said


def test_weights_that_grew_from_others_count_what_those_learnt_as_well(studio, tmp_path):
    tiny = find_model(studio, "tiny")
    data = {"name": "more@1234", "licences": {"CC-BY-SA-4.0": 9}, "splits": {"train": 9}, "sources": []}
    header = tiny.header.model_copy(update={"parent": tiny.sha256, "data": data, "run": "elsewhere"})
    child = drawn_by(studio, header, tmp_path)
    found = trace(studio, rows(studio, Image)[0].ref)
    assert "ll 44 training pictures are Apache-2.0 or MIT" in found.answer.text
    assert "9 of 9 pictures of its dataset are CC-BY-SA-4.0" in found.answer.text
    with studio.read() as session:
        row = session.scalar(select(Checkpoint).where(Checkpoint.content_hash == child))
        step = walk_up(Act(session, studio), row.ref)
    assert [one.role for one in step.steps] == ["trained by", "grown from"]
    assert roles(step.steps[1])[:3] == ["grown from", "trained by", "learnt from"]

    studio.store.path(tiny.sha256).unlink()
    with studio.write() as session:
        session.execute(delete(Checkpoint).where(Checkpoint.content_hash == tiny.sha256))
    found = trace(studio, rows(studio, Image)[0].ref)
    assert f"what weights {tiny.sha256[:12]} learnt from, which is not on record here" in found.answer.text
