"""A training card comes back as it was written, a damaged one is refused, and it finds what is near."""

import json
import zipfile

import numpy as np
import pytest

from sfumato.checkpoints.card import decode_small, encode_small, open_card, write_card
from sfumato.errors import Damaged, InvalidInput, NotFound
from sfumato.features.look import describe, learn_basis


@pytest.fixture
def told():
    """What goes into a card of thirty pictures."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (30, 8, 8, 4), dtype=np.uint8)
    coarse[..., :3] = coarse[..., :3] * (coarse[..., 3:] / 255)
    pictures = coarse.repeat(4, 1).repeat(4, 2)
    basis = learn_basis(pictures)
    items = [{"sha256": f"{row:064x}", "name": f"thing {row // 3} \u2028 é", "tags": ["x"], "style": "ab"[row % 2],
              "licence": "MIT", "author": "Ann", "split": "heldout_pair" if row % 10 == 9 else "train"}
             for row in range(30)]  # fmt: skip
    embeddings = random.normal(size=(10, 384))
    return {
        "summary": {"dataset": "drawn@1", "copy_distance": 0.2},
        "items": items,
        "pictures": pictures,
        "names": [f"thing {number}" for number in range(10)],
        "name_embeddings": (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32),
        "features": describe(pictures, basis),
        "basis": basis,
    }


@pytest.fixture
def path(tmp_path, told):
    """A written card."""
    path = tmp_path / "card.zip"
    write_card(path, **told)
    return path


def test_it_comes_back_as_it_was_written(path, told):
    card = open_card(path)
    assert (card.summary, card.items, card.names) == (told["summary"], told["items"], told["names"])
    assert card.copy_distance == 0.2
    assert all(np.array_equal(card.picture(row), told["pictures"][row]) for row in range(30))
    np.testing.assert_allclose(card.features, told["features"], atol=2e-3)
    np.testing.assert_allclose(card.basis["components"], told["basis"]["components"])
    assert (card.name_embeddings * told["name_embeddings"]).sum(1).min() > 0.9999
    assert card.sha256 == write_card(path, **told)


def test_the_same_content_is_the_same_file(tmp_path, path, told):
    write_card(tmp_path / "again.zip", **told)
    assert (tmp_path / "again.zip").read_bytes() == path.read_bytes()


def test_a_training_picture_finds_itself_and_nothing_held_out_is_found(path, told):
    card = open_card(path)
    looks = describe(told["pictures"], card.basis)
    for row, item in enumerate(told["items"]):
        near = card.nearest(looks[row], k=3)
        assert [one.distance for one in near] == sorted(one.distance for one in near)
        assert all(one.item["split"] == "train" for one in near)
        if item["split"] == "train":
            assert near[0].row == row
            assert near[0].distance == pytest.approx(0, abs=0.01)
            assert near[1].distance > 0.1
        else:
            assert near[0].distance > 0.1


def test_items_are_found_by_name_and_style(path):
    card = open_card(path)
    assert {item["style"] for item in card.of_name("THING 2 \u2028 é")} == {"a", "b"}
    assert [item["style"] for item in card.of_name("thing 2 \u2028 é", "a")] == ["a", "a"]
    assert card.of_name("nothing") == []


def test_a_changed_byte_anywhere_is_found(path):
    data = path.read_bytes()
    with zipfile.ZipFile(path) as bundle:
        entries = {entry.filename: entry for entry in bundle.infolist()}
    for name, entry in entries.items():
        place = entry.header_offset + 30 + len(name) + entry.compress_size // 2
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with pytest.raises(Damaged):
            open_card(path).picture(0)


@pytest.mark.parametrize("name", ["pictures.bin", "features.npy", "items.jsonl"])
def test_a_part_that_was_swapped_is_found_by_its_hash(path, name):
    with zipfile.ZipFile(path) as bundle:
        parts = {entry: bundle.read(entry) for entry in bundle.namelist()}
    parts[name] = parts[name][:-1] + b"\n"
    with zipfile.ZipFile(path, "w") as bundle:
        for entry, data in parts.items():
            bundle.writestr(entry, data)
    with pytest.raises(Damaged, match=f"The part {name} of card.zip was changed"):
        open_card(path).picture(0)


def test_what_is_no_card_or_of_a_newer_format_is_refused(tmp_path):
    path = tmp_path / "other.zip"
    with pytest.raises(NotFound):
        open_card(path)
    path.write_bytes(b"not a bundle")
    with pytest.raises(Damaged, match="cannot be read as a training card"):
        open_card(path)
    for manifest, said in (({"kind": "lunch"}, "not a training card"), ([], "not a training card"),
                           ({"kind": "training card", "format": 99, "parts": {}}, "has format 99")):  # fmt: skip
        with zipfile.ZipFile(path, "w") as bundle:
            bundle.writestr("manifest.json", json.dumps(manifest))
        with pytest.raises((InvalidInput, Damaged), match=said):
            open_card(path)


def test_a_card_that_was_made_again_is_opened_anew(path, told):
    before = open_card(path)
    assert open_card(path) is before
    write_card(path, **told | {"summary": {"copy_distance": 0.7, "dataset": "other"}})
    assert open_card(path).copy_distance == 0.7


def test_a_small_picture_keeps_every_pixel_also_where_it_is_transparent():
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 4), dtype=np.uint8)
    picture[:8, :, 3] = 0
    assert np.array_equal(decode_small(encode_small(picture)), picture)
