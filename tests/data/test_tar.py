"""WebDataset shards: what lies beside a picture under its name is said of it."""

import io
import json
import tarfile

import pytest
from sqlalchemy import select

from sfumato.data.records import Item, Quarantined
from sfumato.errors import InvalidInput
from tests.data.made_pictures import encoded, picture


def shard(path, files):
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as bundle:
        for name, data in files:
            member = tarfile.TarInfo(name)
            if data is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                data = data if isinstance(data, bytes) else data.encode()
                member.size = len(data)
            bundle.addfile(member, io.BytesIO(data or b""))
    return path


def rows(workspace, table=Item):
    with workspace.read() as session:
        return {row.key: row for row in session.scalars(select(table).order_by(table.key))}


def test_shards_by_folder_and_by_pattern(workspace, tmp_path, collect):
    folder = tmp_path / "shards"
    folder.mkdir()
    told = {"caption": "of json", "license": "CC-BY-4.0", "url": "https://example.org/1", "author": "Ann"}
    shard(folder / "train-000000.tar", [
        ("000.jpg", encoded(picture(), "JPEG")), ("000.json", json.dumps(told)), ("000.cls", "3"),
        ("001.png", encoded(picture("blue"))), ("001.txt", "a blue disc\n"),
    ])  # fmt: skip
    shard(folder / "train-000001.tar.gz", [("a/000.PNG", encoded(picture("gold"))), ("a/000.json", "{broken")])
    assert collect("tar", path=str(folder)).n == 3
    items = rows(workspace)
    first = items["train-000000.tar/000.jpg"]
    assert (first.name, first.licence, first.author) == ("of json", "CC-BY-4.0", "Ann")
    assert (first.url, first.category) == ("https://example.org/1", "3")
    assert items["train-000000.tar/001.png"].name == "a blue disc"
    assert items["train-000001.tar.gz/a/000.png"].name == ""
    assert collect("tar", path=str(folder / "*0.tar"), into="other").n == 2


def test_links_and_broken_shards_are_set_aside_and_the_rest_is_taken(workspace, tmp_path, collect):
    folder = tmp_path / "shards"
    folder.mkdir()
    whole = shard(folder / "a.tar", [("1.png", encoded(picture())), ("2.png", encoded(picture("blue", side=600)))])
    whole.write_bytes(whole.read_bytes()[:3_000])
    shard(folder / "b.tar", [("link.png", None), ("../../up.png", encoded(picture("gold")))])
    (folder / "c.tar").write_bytes(b"no tar at all" * 100)
    found = collect("tar", path=str(folder))
    assert found.left_out == {"corrupt": 2, "unreadable": 1, "unsafe name": 1}
    assert sorted(rows(workspace)) == ["a.tar/1.png"]
    assert not list(tmp_path.rglob("up.png"))
    assert rows(workspace, Quarantined)["b.tar/link.png"].reason == "unreadable"


def test_nothing_at_a_path_is_told(collect, tmp_path):
    with pytest.raises(InvalidInput, match="nothing to read"):
        collect("tar", path=str(tmp_path / "*.tar"))
