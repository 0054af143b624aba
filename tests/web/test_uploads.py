"""Pictures that are sent are taken as a stream, put where we say, looked at before they are decoded, and collected."""

import io
import json
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from sfumato.compliance.work import list_work
from sfumato.data.items import list_items
from sfumato.jobs.queue import list_jobs
from sfumato.jobs.worker import run_worker
from sfumato.web import uploads
from tests.web.conftest import HERE

PATH = "/api/v1/datasets/mine/uploads"


def png(colour="red", size=(20, 10)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), "green").save(out, "JPEG")
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A small PNG that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


def send(browser, *files, **fields):
    named = [("files", (name, data)) for name, data in files]
    return browser.post(PATH, files=named, data=fields)


def left_over(workspace):
    return sorted(path.name for path in uploads.uploads(workspace).glob("*"))


def test_pictures_and_their_captions_become_items(browser, workspace):
    answer = send(browser, ("llama.png", png()), ("llama.txt", b"a brown llama"), ("b.PNG", png("blue")),
                  licence="CC0-1.0", author="Bea")  # fmt: skip
    assert answer.status_code == 202, answer.text
    assert answer.json()["taken"] == 2
    run_worker(workspace, only_job=answer.json()["job"]["id"])
    items = list_items(workspace, name="mine")
    assert sorted((one.name, one.licence, one.author) for one in items) == [
        ("", "CC0-1.0", "Bea"), ("a brown llama", "CC0-1.0", "Bea"),
    ]  # fmt: skip
    assert sorted(one.key.partition("/")[2] for one in items) == ["b.png", "llama.png"]


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name, data in files.items():
            bundle.writestr(name.replace("_", "."), data)
    return out.getvalue()


def test_zips_are_collected_each_as_a_source_of_its_own(browser, workspace):
    first, second = zipped(a_png=png(), a_txt=b"a red thing"), zipped(a_png=png("blue"), b_png=b"no picture")
    answer = send(browser, ("one.zip", first), ("two.zip", second), ("c.png", png("green")), licence="CC0-1.0")
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert (said["taken"], said["refused"]) == (3, [])
    for job in (said["job"], *said["more_jobs"]):
        run_worker(workspace, only_job=job["id"])
    items = list_items(workspace, name="mine")
    assert sorted(one.name for one in items) == ["", "", "a red thing"]
    assert {one.licence for one in items} == {"CC0-1.0"}
    assert len({one.source for one in items}) == 3
    again = send(browser, ("one.zip", first)).json()
    run_worker(workspace, only_job=again["job"]["id"])
    assert len(list_items(workspace, name="mine")) == 3


def test_a_zip_that_lists_too_much_is_refused_before_its_list_is_read(browser, workspace, monkeypatch):
    monkeypatch.setattr(uploads, "ZIP_LIST_BYTES", 60)
    answer = send(browser, ("many.zip", zipped(a_png=png(), b_png=png("blue"))))
    assert answer.status_code == 422
    assert "lists more files" in answer.json()["detail"]


def test_a_zip_whose_job_waits_stays(browser, workspace, monkeypatch):
    job = send(browser, ("one.zip", zipped(a_png=png()))).json()["job"]
    monkeypatch.setattr(uploads, "KEPT", -1.0)
    assert uploads.sweep(workspace) == 0
    run_worker(workspace, only_job=job["id"])
    assert len(list_items(workspace, name="mine")) == 1
    assert uploads.sweep(workspace) == 1


def test_sending_the_same_again_adds_nothing(browser, workspace):
    for _ in range(2):
        job = send(browser, ("a.png", png())).json()["job"]
        run_worker(workspace, only_job=job["id"])
    assert len(list_items(workspace, name="mine")) == 1


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.png", b"MZ this is a program", "no picture"), ("a.png", b"", "no picture"),
        ("a.html", b"<html><script>alert(1)</script>", "no picture"), ("a.zip", b"PK\x03\x04", "no picture"),
        ("a.png", b"\x89PNG\r\n\x1a\n broken", "decoded"), ("bomb.png", bomb(30_000), "pixels"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused_by_name_and_not_kept(browser, workspace, name, data, why):
    answer = send(browser, (name, data))
    assert answer.status_code == 422
    assert name in answer.json()["detail"]
    assert why in answer.json()["detail"]
    mixed = send(browser, (name, data), ("good.png", png()))
    assert mixed.status_code == 202
    assert [one["name"] for one in mixed.json()["refused"]] == [name]


@pytest.mark.parametrize(
    "name", ["../../../evil.png", "/etc/evil.png", "..\\..\\evil.png", "a\x00b.png", "con.png/../x.png"]
)
def test_no_name_leads_out_of_the_folder(browser, workspace, tmp_path, name):
    answer = send(browser, (name, png()))
    assert answer.status_code in (202, 422)
    place = uploads.uploads(workspace)
    assert not [path for path in tmp_path.rglob("*evil*") if not path.is_relative_to(place)]
    for path in place.rglob("*"):
        assert path.is_dir() or path.name == "metadata.jsonl" or len(path.relative_to(place).parts) == 3


def test_names_are_kept_and_the_same_bytes_under_another_name_are_another_picture(browser, workspace):
    sent = ("IMG 1021.JPG", jpeg()), ("copy.jpg", jpeg()), ("wrong.gif", png()), ("Föhn!:.png", png("blue"))
    answer = send(browser, *sent)
    assert answer.json()["taken"] == 4
    run_worker(workspace, only_job=answer.json()["job"]["id"])
    keys = [one.key.partition("/")[2] for one in list_items(workspace, name="mine")]
    assert sorted(keys) == ["Föhn!_.png", "IMG 1021.jpg", "copy.jpg", "wrong.png"]
    again = send(browser, ("copy.jpg", jpeg()))
    run_worker(workspace, only_job=again.json()["job"]["id"])
    assert len(list_items(workspace, name="mine")) == 4


def test_an_upload_that_breaks_off_leaves_nothing(browser, workspace):
    def broken():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + png()
        raise ConnectionError

    answer = browser.post(PATH, content=broken(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 500
    assert not left_over(workspace)
    assert not list_jobs(workspace)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/plain; boundary=x"])
def test_files_come_as_a_form(browser, kind):
    assert browser.post(PATH, content=b"abc", headers={"Content-Type": kind}).status_code == 422


def test_a_form_without_our_token_is_refused_before_its_files_are_taken(browser, workspace):
    forged = browser.client.post(PATH, files=[("files", ("a.png", png()))], headers={"Origin": HERE})
    assert forged.status_code == 403
    late = browser.client.post(
        PATH, files=[("files", ("a.png", png())), ("csrf", (None, browser.csrf))], headers={"Origin": HERE}
    )
    assert late.status_code == 403
    early = browser.client.post(
        PATH, files=[("csrf", (None, browser.csrf)), ("files", ("a.png", png()))], headers={"Origin": HERE}
    )
    assert early.status_code == 202
    assert len(left_over(workspace)) == 1


def test_a_dataset_has_a_name_that_is_one(browser):
    assert browser.post("/api/v1/datasets/..%2f/uploads", files=[("files", ("a.png", png()))]).status_code in (404, 422)
    assert browser.post("/api/v1/datasets/.x/uploads", files=[("files", ("a.png", png()))]).status_code == 422


def test_what_was_collected_long_ago_is_removed(browser, workspace, monkeypatch):
    job = send(browser, ("a.png", png())).json()["job"]
    monkeypatch.setattr(uploads, "KEPT", -1.0)
    assert uploads.sweep(workspace) == 0
    run_worker(workspace, only_job=job["id"])
    assert uploads.sweep(workspace) == 1
    assert not left_over(workspace)


def test_an_svg_that_could_act_is_not_collected_and_one_that_cannot_is_shown_as_pixels(browser, workspace):
    bad = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    good = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 4'><rect width='4' height='4' fill='red'/></svg>"
    job = send(browser, ("bad.svg", bad), ("good.svg", good)).json()["job"]
    run_worker(workspace, only_job=job["id"])
    items = list_items(workspace, name="mine")
    assert len(items) == 1
    for part, kind in (("thumb", "image/webp"), ("file", "image/png")):
        answer = browser.get(f"/api/v1/items/{items[0].id}/{part}")
        assert answer.headers["content-type"] == kind
        assert "sandbox" in answer.headers["content-security-policy"]
        assert b"<svg" not in answer.content


def test_a_file_is_kept_by_the_browser_and_sent_once(browser, workspace):
    job = send(browser, ("a.png", png())).json()["job"]
    run_worker(workspace, only_job=job["id"])
    item = browser.get("/api/v1/datasets/mine/items").json()["items"][0]
    for part in ("file", "thumb"):
        path = f"/api/v1/items/{item['id']}/{part}"
        first = browser.get(path)
        assert first.status_code == 200
        assert "no-cache" in first.headers["cache-control"], "it may be cropped by then"
        assert "private" in first.headers["cache-control"]
        again = browser.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    whole = browser.get(f"/api/v1/items/{item['id']}/file")
    assert whole.content == png()
    kept = browser.get(f"/api/v1/items/{item['id']}/file?download=true")
    assert kept.headers["content-disposition"].startswith("attachment")


def test_knowing_a_hash_opens_nothing(browser, workspace):
    sha256 = workspace.store.put(png("green"))
    for path in (f"/api/v1/items/{sha256}/file", f"/api/v1/images/{sha256}/file", f"/store/{sha256[:2]}/{sha256}"):
        assert browser.get(path).status_code == 404


def test_the_metadata_that_we_write_is_ours(browser, workspace):
    send(browser, ("a.png", png()), ("a.txt", b'"}\n{"file_name": "/etc/passwd"'))
    line = next(uploads.uploads(workspace).rglob("metadata.jsonl")).read_text().split("\n")
    assert len(line) == 1
    assert json.loads(line[0])["text"].startswith('"}')


def test_parts_of_one_upload_are_told_apart(browser, workspace):
    for part, colour in (("1 of 2", "red"), ("2 of 2", "blue")):
        assert send(browser, ("a.png", png(colour)), label="holiday", part=part).status_code == 202
    assert send(browser, ("b.png", png("green")), label="holiday").status_code == 202
    titles = [one.title for one in list_work(workspace)]
    assert titles == ["Collect folder into mine", "Take part 2 of 2 of “holiday” into mine",
                      "Take part 1 of 2 of “holiday” into mine"]  # fmt: skip
