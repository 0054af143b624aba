"""What takes the room: every byte of the workspace belongs to a kind, and the biggest things have names."""

import json

import pytest

from sfumato.care.storage import take_stock
from sfumato.cli.entry import main
from sfumato.errors import Forbidden
from tests.care.made import VISITOR, tree


def test_every_byte_belongs_to_a_kind(filled_either):
    (filled_either.path / "cache" / "thumbs").mkdir()
    (filled_either.path / "cache" / "thumbs" / "a.webp").write_bytes(b"small")
    filled_either.store.put(b"nobody's")
    found = take_stock(filled_either)
    kinds = {one.kind: one for one in found.kinds}
    assert kinds["dataset pictures"].files == 6
    assert kinds["checkpoints"].files == 4
    assert kinds["checkpoints"].bytes > 4 * 64 * 64 * 4
    assert kinds["lists of frozen versions"].files == 1
    assert (kinds["thumbnails"].bytes, kinds["files of no record"].bytes) == (5, 8)
    assert kinds["run folders"].files == 2
    files = [path for path in filled_either.path.rglob("*") if path.is_file()]
    assert sum(one.files for one in found.kinds) == len(files)
    assert found.bytes == sum(path.stat().st_size for path in files) > 0


def test_the_biggest_have_names_that_people_know(filled):
    found = take_stock(filled, biggest=5)
    assert len(found.biggest) == 5
    assert [one.bytes for one in found.biggest] == sorted((one.bytes for one in found.biggest), reverse=True)
    assert any(one.what.endswith("of tiny at 40 pictures") for one in take_stock(filled, biggest=8).biggest)


def test_looking_changes_nothing_and_needs_the_permission(filled):
    before = tree(filled.path)
    take_stock(filled)
    assert tree(filled.path) == before
    with pytest.raises(Forbidden):
        take_stock(filled.as_actor(VISITOR))


def test_the_command_says_it_in_a_table_and_as_json(filled, capsys):
    assert main(["storage", "--workspace", str(filled.path)]) == 0
    assert "dataset pictures" in capsys.readouterr().out
    assert main(["storage", "--workspace", str(filled.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] > 0
