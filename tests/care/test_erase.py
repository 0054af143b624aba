"""Erasure: bytes leave every place, hash and reason stay, what is frozen counts the gap, and nothing comes back."""

import numpy as np
import pytest
from sqlalchemy import select, text

from sfumato.care.doctor import examine
from sfumato.care.erasure import erase, list_erased
from sfumato.checkpoints.card import open_card, write_card
from sfumato.cli.entry import main
from sfumato.compliance.trace import trace
from sfumato.data.collect import collect, show_dataset
from sfumato.data.datasheet import datasheet
from sfumato.data.freeze import freeze
from sfumato.data.narrowing import Where
from sfumato.data.records import Item, Quarantined
from sfumato.data.tables import items
from sfumato.data.verdicts import keep, leave_out, undo
from sfumato.data.versions import open_version
from sfumato.errors import Forbidden, Gone, InvalidInput, NotFound
from sfumato.features.look import describe, learn_basis
from sfumato.generation.create import create
from sfumato.generation.records import Image, Published
from tests.care.made import VISITOR, finish, sha256_of, work_off

WHY = "the person withdrew their consent"


def item_of(workspace, colour):
    with workspace.db.read() as session:
        return session.scalar(select(Item.id).where(Item.key == f"{colour}.png"))


def test_bytes_leave_and_hash_and_reason_stay(filled_either, pictures):
    red = sha256_of(pictures, "red")
    told = erase(filled_either, item_of(filled_either, "red"), reason=WHY)
    assert (told.sha256s, told.datasets, told.models) == ([red], ["mine"], ["tiny"])
    assert told.bytes > 0
    assert not filled_either.store.has(red)
    with pytest.raises(Gone, match=f"because {WHY}") as gone:
        filled_either.store.get(red)
    assert (gone.value.status, gone.value.code) == (410, 13)
    assert [(one["sha256"], one["reason"]) for one in list_erased(filled_either)] == [(red, WHY)]
    with filled_either.db.read() as session:
        assert WHY in session.scalar(text("select summary from event where action = 'care.erase'"))
    assert finish(examine(filled_either, deep=True)).state == "sound"


def test_a_frozen_version_still_opens_and_counts_the_gap(filled, pictures):
    version = open_version(filled, "mine")
    version.decode(16)
    told = erase(filled, sha256_of(pictures, "red"), reason=WHY)
    assert told.versions == [version.label]
    again = open_version(filled, version.label)
    assert (len(again.lines), len(again.items), again.gap) == (6, 5, 1)
    assert again.decode(16)[0].shape[0] == 5
    assert "1 erased picture left out" in again.gap_in_words
    assert again.facts["erased"] == 1
    assert again.content_hash == version.content_hash


def test_an_erased_picture_counts_as_none_of_its_dataset(filled, pictures):
    n = show_dataset(filled, name="mine").n
    item = item_of(filled, "red")
    before = leave_out(filled, name="mine", where=Where(ids=[item]))
    erase(filled, item, reason=WHY)
    assert show_dataset(filled, name="mine").n == n - 1
    undo(filled, id=before.id)  # brings nothing back
    assert [row["state"] for row in items(filled, "mine") if row["id"] == item] == ["erased"]
    with pytest.raises(NotFound):
        keep(filled, name="mine", where=Where(ids=[item]))
    assert "1 erased" in datasheet(filled, name="mine").find("sample").measured


def test_a_version_frozen_afterwards_does_not_hold_it(filled, pictures):
    erase(filled, sha256_of(pictures, "red"), reason=WHY)
    newer = freeze(filled, name="mine")
    assert (newer.n, open_version(filled, newer.label).gap) == (5, 0)


def test_the_same_picture_is_not_taken_again_wherever_it_comes_from(filled_either, pictures):
    red = sha256_of(pictures, "red")
    erase(filled_either, red, reason=WHY)
    work_off(filled_either, collect(filled_either, source="folder", into="second", options={"path": str(pictures)}))
    shown = show_dataset(filled_either, name="second")
    assert (shown.n, shown.left_out) == (5, {"erased": 1})
    with filled_either.db.read() as session:
        assert WHY in session.scalar(select(Quarantined.detail).where(Quarantined.reason == "erased"))
    with pytest.raises(Gone):
        filled_either.store.put((pictures / "red.png").read_bytes())
    with pytest.raises(Gone):
        filled_either.store.put_file(pictures / "red.png")
    assert not filled_either.store.has(red)


def test_a_picture_can_be_refused_before_it_ever_comes(workspace, pictures):
    told = erase(workspace, sha256_of(pictures, "red"), reason="known to be illegal")
    assert told.bytes == 0
    assert "refused from now on" in told.says[0]
    work_off(workspace, collect(workspace, source="folder", into="mine", options={"path": str(pictures)}))
    assert show_dataset(workspace, name="mine").left_out == {"erased": 1}


def test_thumbnails_caches_sheets_and_cards_lose_it_too(filled, pictures):
    red = sha256_of(pictures, "red")
    version = open_version(filled, "mine")
    small, lines = version.decode(16)
    features = describe(small, learn_basis(small))
    card = filled.path / "cards" / "card.zip"
    names = [line.name for line in lines]
    write_card(card, summary={"size": 16, "copy_distance": 0.1}, items=[line.model_dump() for line in lines],
               pictures=small, names=names, name_embeddings=np.eye(6, 384, dtype=np.float32), features=features,
               basis=learn_basis(small))  # fmt: skip
    before = open_card(card)
    thumbnail, sheet = filled.path / "cache/thumbs" / f"{red}-64.webp", filled.path / "evaluations/x/sheet.png"
    for path in (thumbnail, sheet):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"small")
    told = erase(filled, red, reason=WHY)
    assert not thumbnail.exists()
    assert not sheet.exists()
    assert not list((filled.path / "cache").glob("pictures-*"))
    after = open_card(card)
    assert told.cards == ["card.zip"]
    assert len(after.items) == 5
    assert after.summary["erased"] == 1
    assert red not in {item["sha256"] for item in after.items}
    kept = [row for row, item in enumerate(before.items) if item["sha256"] != red]
    for row, old in enumerate(kept):
        assert (after.picture(row) == before.picture(old)).all()
        assert after.items[row] == before.items[old]
    assert finish(examine(filled)).state == "sound"


def test_the_trace_says_that_it_was_erased(filled, pictures):
    item = item_of(filled, "red")
    erase(filled, item, reason=WHY)
    said = str(trace(filled, f"item/{item}", down=True))
    assert f"because {WHY}" in " ".join(said.split())
    assert "erased erased" not in said


def test_an_erasure_that_was_cut_short_is_ended_by_the_doctor_or_by_doing_it_again(filled, pictures, monkeypatch):
    red = sha256_of(pictures, "red")

    def dies(*_):
        raise OSError("the machine stopped")

    with monkeypatch.context() as patched:
        patched.setattr(type(filled.store), "erase", dies)
        with pytest.raises(OSError, match="stopped"):
            erase(filled, red, reason=WHY)
    assert filled.store.has(red)
    assert finish(examine(filled)).state == "damage"
    assert finish(examine(filled, mend=True)).state == "sound"
    assert not filled.store.has(red)
    assert erase(filled, red, reason="another reason").reason == WHY
    filled.store.note(red).unlink()
    assert finish(examine(filled, mend=True)).state == "sound"
    assert filled.store.erased(red).reason == WHY
    with filled.db.write() as session:
        session.execute(text("delete from link where role = 'erases'"))
        session.execute(text("delete from erased"))
    assert finish(examine(filled, mend=True)).findings[0].mended
    assert [one["reason"] for one in list_erased(filled)] == [WHY]


@pytest.fixture
def drawn(pictured, tmp_path):
    """A workspace that drew and published one picture."""
    asked = create(pictured, prompt="a red disc", out=tmp_path / "out", options={"n": 1, "steps": 1, "seed": 3})
    work_off(pictured, asked.job)
    return pictured


def test_a_picture_that_was_drawn_goes_as_drawn_and_as_it_left(drawn, tmp_path):
    with drawn.db.read() as session:
        image, out = session.scalars(select(Image)).one(), session.scalars(select(Published)).one()
    told = erase(drawn, image.id[-8:], reason="it shows a mark", among=("image", "published"))
    assert sorted(told.sha256s) == sorted([image.sha256, out.sha256])
    assert not drawn.store.has(image.sha256)
    assert not drawn.store.has(out.sha256)
    (left,) = (tmp_path / "out").glob("*.png")
    assert told.files == [left.name]
    assert any("cannot be taken back" in one and left.name in one for one in told.says)
    said = " ".join(str(trace(drawn, f"image/{image.id}")).split())
    assert "because it shows a mark" in said
    assert "because it shows a mark" in " ".join(str(trace(drawn, f"published/{out.id}")).split())
    assert finish(examine(drawn, deep=True)).state == "sound"


def test_what_is_meant_has_to_be_one_picture_and_needs_a_reason(filled, pictures):
    for wrong, kind in (("nothing-there", NotFound), ("", NotFound), ("item/none", NotFound)):
        with pytest.raises(kind):
            erase(filled, wrong, reason=WHY)
    with pytest.raises(InvalidInput, match="reason"):
        erase(filled, sha256_of(pictures, "red"), reason="  ")
    with filled.db.read() as session:
        weights = session.scalar(text("select content_hash from checkpoint limit 1"))
    with pytest.raises(InvalidInput, match="no picture"):
        erase(filled, weights, reason=WHY)
    with pytest.raises(Forbidden):
        erase(filled.as_actor(VISITOR), sha256_of(pictures, "red"), reason=WHY)
    assert filled.store.has(sha256_of(pictures, "red"))
    assert list_erased(filled) == []


def test_the_same_bytes_in_another_dataset_go_as_well(filled, pictures, tmp_path):
    from tests.care.made import collect_into

    collect_into(filled, pictures, "second")
    assert erase(filled, item_of(filled, "red"), reason=WHY).datasets == ["mine", "second"]


def test_the_commands_erase_an_item_and_a_picture(filled, pictures, capsys):
    command = ["data", "erase", item_of(filled, "red")[-8:], "--reason", WHY, "--workspace", str(filled.path)]
    assert main(command) == 0
    assert "made before still hold it" in capsys.readouterr().out
    assert not filled.store.has(sha256_of(pictures, "red"))
    assert main(["images", "erase", "none-such", "--reason", WHY, "--workspace", str(filled.path)]) == 3


def test_a_picture_that_cannot_be_decoded_is_erased_all_the_same(workspace, tmp_path):
    sha256 = workspace.store.put(b"whatever these bytes are")
    assert erase(workspace, sha256, reason=WHY).bytes == 24


def test_a_picture_that_was_mended_goes_as_it_was_and_as_it_became_and_what_its_file_said(filled, pictures):
    from sfumato.data.editing import relicense
    from sfumato.data.history import list_decided, list_decisions
    from sfumato.data.items import show_item
    from sfumato.data.mending import mend_pixels
    from sfumato.data.narrowing import Where
    from sfumato.data.verdicts import undo
    from sfumato.errors import InvalidInput

    item = show_item(filled, id=item_of(filled, "red"))
    where, seen = Where(ids=[item.id]), [item.sha256]
    for crop in ((0, 0, 1, 0.9), (0, 0, 0.8, 1)):
        mend_pixels(filled, name="mine", where=where, crop=crop)
        seen.append(show_item(filled, id=item.id).sha256)
    relicense(filled, name="mine", where=where, licence="CC0-1.0", proof="a letter by Ada Person")
    told = erase(filled, seen[1], reason="the person withdrew consent")
    assert set(told.sha256s) == set(seen)
    assert not any(filled.store.has(one) for one in seen)
    decisions = list_decisions(filled, name="mine")
    changed = [one for decision in decisions for one in list_decided(filled, id=decision.id)]
    assert len(changed) == 3
    assert not any(one.after.get("evidence") or one.before.get("evidence") for one in changed)
    with filled.read() as session:
        assert session.get(Item, item.id).evidence == {}
    undo(filled, id=decisions[0].id)
    with pytest.raises(InvalidInput, match="were erased on"):
        undo(filled, id=decisions[1].id)
