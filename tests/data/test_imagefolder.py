"""Hugging Face's layout: splits are kept, classes become categories unless metadata tells more."""

import json

from sqlalchemy import select

from sfumato.data.records import Item
from tests.data.made_pictures import picture


def items(workspace):
    with workspace.read() as session:
        return {row.key: row for row in session.scalars(select(Item).order_by(Item.key))}


def test_classes_and_splits(workspace, tmp_path, collect):
    for split, thing, colour in (("train", "red_panda", "red"), ("train", "cat", "gold"), ("val", "cat", "blue")):
        folder = tmp_path / "hf" / split / thing
        folder.mkdir(parents=True, exist_ok=True)
        picture(colour).save(folder / "1.png")
    picture("green").save(folder / "2.png")
    (folder / "2.txt").write_text("a green cat")
    assert collect("imagefolder", path=str(tmp_path / "hf")).n == 4
    found = items(workspace)
    panda = found["train/red_panda/1.png"]
    assert (panda.category, panda.name, panda.concept, panda.given_split) == ("red panda",) * 3 + ("train",)
    assert found["val/cat/1.png"].given_split == "validation"
    assert (found["val/cat/2.png"].name, found["val/cat/2.png"].category) == ("a green cat", "cat")


def test_metadata_takes_the_place_of_classes_in_its_split_alone(workspace, tmp_path, collect):
    for split in ("train", "test"):
        (tmp_path / split / "cat").mkdir(parents=True)
        picture("gold" if split == "train" else "blue").save(tmp_path / split / "cat" / "1.png")
    said = {"file_name": "cat/1.png", "text": "a golden cat", "license": "MIT", "split_reason": "by hand"}
    (tmp_path / "train" / "metadata.jsonl").write_text(json.dumps(said))
    collect("imagefolder", path=str(tmp_path))
    found = items(workspace)
    assert (found["train/cat/1.png"].name, found["train/cat/1.png"].category) == ("a golden cat", "")
    assert (found["test/cat/1.png"].name, found["test/cat/1.png"].category) == ("cat", "cat")


def test_without_splits_none_is_said(workspace, tmp_path, collect):
    (tmp_path / "dogs").mkdir()
    picture().save(tmp_path / "dogs" / "1.png")
    collect("imagefolder", path=str(tmp_path))
    assert [(one.given_split, one.category) for one in items(workspace).values()] == [("", "dogs")]
