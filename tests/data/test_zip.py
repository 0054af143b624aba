"""A ZIP is read in memory: pictures with their captions come in, what is hostile is set aside with its reason."""

import io
import json
import struct
import zipfile

import pytest
from sqlalchemy import select

from sfumato.data.collect import collect as ask
from sfumato.data.records import Item, Quarantined
from sfumato.errors import InvalidInput
from sfumato.jobs.queue import get_job
from sfumato.jobs.worker import run_worker
from tests.data.made_pictures import encoded, picture


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return path


def rows(workspace, table=Item):
    with workspace.read() as session:
        return {row.key: row for row in session.scalars(select(table).order_by(table.key))}


def test_pictures_come_with_captions_beside_them_and_in_tables(workspace, tmp_path, collect):
    said = {"file_name": "b.jpg", "text": "a blue bar", "license": "MIT", "attributes": {"skin tone": "dark"}}
    path = zipped(tmp_path / "mine.zip", {
        "in/a.png": encoded(picture()), "in/a.txt": "a red disc", "b.jpg": encoded(picture("blue", "bar"), "JPEG"),
        "metadata.jsonl": json.dumps(said), "__MACOSX/in/._a.png": b"x", "notes.md": "no picture",
    })  # fmt: skip
    found = collect("zip", path=str(path), licence="CC0-1.0", author="Ada")
    items = rows(workspace)
    assert found.n == 2
    disc = items["in/a.png"]
    assert (disc.name, disc.licence, disc.author) == ("a red disc", "CC0-1.0", "Ada")
    assert (items["b.jpg"].name, items["b.jpg"].licence) == ("a blue bar", "MIT")
    assert items["b.jpg"].attributes == {"skin tone": "dark"}
    assert items["b.jpg"].source == "zip mine.zip"
    assert workspace.store.get(items["in/a.png"].sha256) == encoded(picture())
    collect("zip", path=str(path), licence="CC0-1.0", author="Ada")
    assert collect.result["say"].startswith("Nothing changed")
    collect("zip", path=str(zipped(tmp_path / "words.zip", {"notes.md": "no picture"})))
    assert collect.result["say"].startswith("There was no picture in it")


def test_what_is_hostile_is_set_aside_and_leaves_nothing_elsewhere(workspace, tmp_path, collect):
    whole = encoded(picture())
    path = zipped(tmp_path / "bad.zip", {
        "../up.png": whole, "/abs.png": whole, "..\\win.png": whole, "good.png": whole, "secret.png": whole,
        "bomb.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 3_000_000, "link.png": b"/etc/passwd",
    })  # fmt: skip
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as bundle:
        places = {one.filename: one.header_offset for one in bundle.infolist()}
    at = data.rfind(b"secret.png") - 46
    data[at + 8] |= 1  # the list says that it is encrypted
    data[places["secret.png"] + 6] |= 1
    link = data.rfind(b"link.png") - 46
    data[link + 38 : link + 42] = struct.pack("<I", 0o120777 << 16)
    path.write_bytes(data)
    found = collect("zip", path=str(path))
    assert found.n == 1
    assert {key: row.reason for key, row in rows(workspace, Quarantined).items()} == {
        "../up.png": "unsafe name", "/abs.png": "unsafe name", "..\\win.png": "unsafe name", "secret.png": "encrypted",
        "bomb.png": "too large", "link.png": "unreadable",
    }  # fmt: skip
    assert not list(tmp_path.rglob("up.png"))


def test_a_zip_that_says_more_or_less_than_it_holds_is_told(workspace, tmp_path, collect):
    path = zipped(tmp_path / "big.zip", {"a.png": encoded(picture()), "b.txt": b"\0" * 2_000_000})
    with pytest.raises(InvalidInput, match="files of"):
        collect("zip", path=str(path), most_mb=1)
    (tmp_path / "none.zip").write_bytes(b"PK\x03\x04 this is no zip")
    with pytest.raises(InvalidInput, match="cannot be read as a ZIP"):
        collect("zip", path=str(tmp_path / "none.zip"))
    with pytest.raises(InvalidInput, match="is not a file"):
        collect("zip", path=str(tmp_path))
    two = {"a.png": encoded(picture(side=200)), "b.png": encoded(picture())}
    cut = bytearray(zipped(tmp_path / "cut.zip", two).read_bytes())
    cut[60:90] = b"\xff" * 30
    (tmp_path / "cut.zip").write_bytes(cut)
    found = collect("zip", path=str(tmp_path / "cut.zip"), into="cut")
    assert (found.n, found.left_out) == (1, {"corrupt": 1})


def test_after_kill_9_a_zip_goes_on_without_doubles(workspace, tmp_path, killed_halfway):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for number in range(260):
            bundle.writestr(f"{number:03d}.png", encoded(picture(side=24 + number % 100)))
    (tmp_path / "many.zip").write_bytes(buffer.getvalue())
    job = ask(workspace, source="zip", into="mine", options={"path": str(tmp_path / "many.zip")})
    assert killed_halfway() == 100
    run_worker(workspace, only_job=job.id)
    done = get_job(workspace, job_id=job.id)
    assert (done.attempt, done.result["counts"]) == (2, {"new": 260, "twins": 160}), "of 260 only 100 differ"
    assert len(rows(workspace)) == 260
