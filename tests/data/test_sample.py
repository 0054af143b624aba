"""The sample that ships is a small emoji-styles: five styles, things held out, every picture with its origin."""

import json
import zipfile

import pytest
from sqlalchemy import select

from sfumato.data.freeze import freeze
from sfumato.data.records import Item
from sfumato.data.sample import make
from sfumato.data.sources.sample import SHIPPED
from sfumato.data.versions import open_version


@pytest.fixture
def sample(workspace, collect):
    collect("sample", into="emoji-styles")
    return open_version(workspace, freeze(workspace, name="emoji-styles").label)


def test_it_is_a_dataset_of_five_styles_with_things_and_pairs_held_out(workspace, sample, collect):
    assert 300 <= len(sample.items) <= 400
    assert {line.style for line in sample.items} == {"fluent-flat", "fluent-3d", "noto", "noto-v1", "fxemoji"}
    assert sample.view.summary["splits"]["heldout_pair"] >= 20
    assert len({line.concept for line in sample.items if line.split == "heldout_concept"}) >= 5
    assert collect("sample", into="emoji-styles").n == len(sample.items)
    assert collect.result["say"].startswith("Nothing changed")


def test_every_picture_names_its_source_version_author_and_licence_and_the_notice_does(workspace, sample):
    with workspace.read() as session:
        items = session.scalars(select(Item)).all()
    assert {item.licence for item in items} == {"MIT", "Apache-2.0"}
    assert all(item.author and item.source.startswith("npm @") and item.source_version for item in items)
    notice = (SHIPPED.parents[3] / "NOTICE").read_text()
    texts = (SHIPPED.parent / "LICENCES.txt").read_text()
    for source in {(item.source, item.source_version, item.licence) for item in items}:
        assert all(word in texts for word in source), source
    assert all(name in notice for name in ("Microsoft", "Google", "Mozilla", "emojibase"))
    assert "Permission is hereby granted" in texts


def test_it_is_small_and_can_be_made_again_byte_for_byte(sample, tmp_path):
    assert SHIPPED.stat().st_size <= make.LARGEST
    assert make.write_sample(sample, tmp_path / "again.zip") == len(sample.items)
    with zipfile.ZipFile(SHIPPED) as shipped, zipfile.ZipFile(tmp_path / "again.zip") as again:
        assert shipped.namelist() == again.namelist()
        lines = shipped.read("metadata.jsonl").decode().split("\n")
        assert {json.loads(line)["key"] for line in lines} | {"metadata.jsonl"} == set(shipped.namelist())
    assert (tmp_path / "again.zip").read_bytes() == SHIPPED.read_bytes()
