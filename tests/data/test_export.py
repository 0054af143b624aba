"""An export is read back by other readers, whole; a killed one goes on; what may not leave does not."""

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import deque

import pytest
from PIL import Image

from sfumato.care.doctor import examine
from sfumato.care.erasure import erase
from sfumato.data.exports import imagefolder, outgoing, work
from sfumato.data.exports.asking import export, export_to_fetch, finished_export
from sfumato.data.exports.tfrecord import crc32c, example
from sfumato.data.freeze import freeze
from sfumato.data.narrowing import Where
from sfumato.data.records import Item
from sfumato.data.tables import items
from sfumato.data.versions import open_version
from sfumato.errors import Conflict, InvalidInput, NotFound, Unsupported
from sfumato.jobs.queue import cancel_job, get_job, handed_on
from sfumato.jobs.worker import run_worker
from sfumato.store.files import Erasure
from tests.data.sent import CAPTIONS, SVG, opened


def told(folder):
    """Every line of an imagefolder's metadata, with the file that it names."""
    found = []
    for path in folder.glob("*/metadata.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            found.append((said, path.parent / said["file_name"]))
    return found


def test_an_imagefolder_has_each_picture_with_its_caption_and_origin(workspace, frozen, send):
    folder, result = send(frozen, "imagefolder")
    lines = open_version(workspace, frozen.label).items
    found = told(folder)
    assert (result["n"], len(found), result["left_out"]) == (36, 36, {})
    assert {said["text"] for said, _ in found} >= {"thing 7", *CAPTIONS}
    for said, path in found:
        data = path.read_bytes()
        assert path.resolve().is_relative_to(folder.resolve())
        assert opened(path).size == (said["width"], said["height"])
        assert hashlib.sha256(data).hexdigest() == said["sha256"]
        assert said["split"] == path.parents[1].name
        assert said["split_reason"]
        assert said["license"] in ("MIT", "CC-BY-4.0", "NOASSERTION")
    assert {line.sha256 for line in lines} == {said["sha256"] for said, _ in found}
    assert {json.loads(said["attributes"]).get("skin tone") for said, _ in found} == {"light", "dark", None}
    assert all(len(said["id"]) == 36 for said, _ in found)
    assert not list(folder.glob(".*"))


def test_a_drawing_leaves_as_the_picture_that_it_draws(workspace, collect, send, tmp_path):
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "square.svg").write_text(SVG)
    collect(path=str(tmp_path / "drawn"))
    folder, _ = send(freeze(workspace, name="mine"), "imagefolder")
    ((said, path),) = told(folder)
    assert (said["drawn_from"], said["width"], path.suffix) == ("svg", 512, ".png")
    assert opened(path).convert("RGB").getpixel((9, 9)) == (0, 170, 0)


def test_every_export_says_whose_the_pictures_are_and_what_they_are(frozen, send):
    folder, _ = send(frozen, "imagefolder")
    credits = (folder / "LICENCES.txt").read_text(encoding="utf-8")
    assert "CC-BY-4.0: 12 pictures\n  https://spdx.org/licenses/CC-BY-4.0.html" in credits
    assert "Zoë <zoe@example.org>, from folder things: 6" in credits
    assert "no licence is stated: 12 pictures" in credits
    sheet = (folder / "datasheet.md").read_text(encoding="utf-8")
    assert "36 pictures" in sheet
    assert json.loads((folder / "croissant.json").read_text())["@type"] == "sc:Dataset"
    assert (folder / "README.md").read_text().startswith("---\nconfigs:")


def test_a_webdataset_is_the_same_tar_each_time_with_three_files_to_a_sample(frozen, send):
    folder, _ = send(frozen, "webdataset")
    again, _ = send(frozen, "webdataset", "again")
    (train,) = folder.glob("*-train-000000.tar")
    assert train.read_bytes() == (again / train.name).read_bytes()
    with tarfile.open(train) as tar:
        names = tar.getnames()
        assert names == sorted(names)
        for picture, facts, caption in zip(names[::3], names[1::3], names[2::3], strict=True):
            picture, facts, caption = sorted((picture, facts, caption), key=lambda one: one[-3:] in ("son", "txt"))
            assert len({one.split(".")[0] for one in (picture, facts, caption)}) == 1
            said = json.loads(tar.extractfile(sorted((facts, caption))[0]).read())
            assert tar.extractfile(sorted((facts, caption))[1]).read().decode() == said["text"] == said["caption"]
            with Image.open(io.BytesIO(tar.extractfile(picture).read())) as drawn:
                assert drawn.size == (said["width"], said["height"])
    assert len(names) == 3 * sum(1 for name in names if name.endswith(".txt"))


def test_checksums_are_castagnolis_and_examples_are_protobuf():
    assert [crc32c(b"123456789"), crc32c(b"\0" * 32), crc32c(b"\xff" * 32)] == [0xE3069283, 0x8A9136AA, 0x62A8AB43]
    data = os.urandom(5_000)
    state = 0xFFFFFFFF
    for byte in data:  # one bit at a time
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    assert crc32c(data) == state ^ 0xFFFFFFFF
    assert crc32c(b"") == 0
    assert example({"n": -1}).endswith(b"\xff" * 9 + b"\x01")


def test_a_slice_leaves_out_the_rest_and_says_how_much(frozen, send):
    folder, result = send(frozen, "imagefolder", where=Where(style="soft"))
    assert (result["n"], result["left_out"]) == (12, {"not in the slice": 24})
    assert {said["style"] for said, _ in told(folder)} == {"soft"}
    assert "24 not in the slice" in (folder / "README.md").read_text()


def test_what_was_erased_or_is_refused_does_not_leave(workspace, frozen, send):
    lines = open_version(workspace, frozen.label).items
    workspace.store.erase(Erasure(lines[0].sha256, "withdrawn", "person/x", "2026-11-27"))
    workspace.store.remove(lines[1].sha256)
    with workspace.write() as session:
        session.query(Item).filter(Item.sha256 == lines[2].sha256).update({"consent": "withdrawn"})
    folder, result = send(frozen, "imagefolder")
    assert result["left_out"] == {"erased": 1, "consent withdrawn": 1, "its bytes are missing": 1}
    assert result["n"] == 33
    assert not {line.sha256 for line in lines[:3]} & {said["sha256"] for said, _ in told(folder)}


def test_what_is_erased_while_the_export_is_written_does_not_leave(workspace, frozen, send, monkeypatch):
    lines = open_version(workspace, frozen.label).items
    victim = next(line for line in lines if line.split == "train")
    save = work.JobContext.save

    def erase_then_save(ctx, session, position):
        if position["parts"] == 3:
            workspace.store.erase(Erasure(victim.sha256, "withdrawn", "person/x", "2026-11-27"))
        save(ctx, session, position)

    monkeypatch.setattr(imagefolder, "PICTURES", 9)
    monkeypatch.setattr(work.JobContext, "save", erase_then_save)
    folder, result = send(frozen, "imagefolder")
    assert result["left_out"] == {"erased": 1}
    sent = {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*/*/*")}
    assert victim.sha256 not in sent
    assert len(sent) == 35


@pytest.mark.parametrize("form", ["imagefolder", pytest.param("tfrecord", marks=pytest.mark.slow)])
def test_after_kill_9_it_goes_on_and_gives_what_an_unbroken_one_gives(workspace, frozen, send, tmp_path, form):
    whole, _ = send(frozen, form, "whole")
    folder = tmp_path / "killed"
    job = export(workspace, data=frozen.label, form=form, folder=folder)
    code = (
        "import sys, time\n"
        f"from sfumato.data.exports import {form} as form, outgoing, work\n"
        "form.PICTURES = 7\n"
        "before = outgoing.samples_of\n"
        "def slow(*of):\n    for one in before(*of):\n        time.sleep(.03)\n        yield one\n"
        "work.samples_of = slow\n"
        "from sfumato.jobs.worker import main\n"
        "sys.argv = sys.argv[:1] + sys.argv[1:]\nmain()"
    )
    options = ["--workspace", str(workspace.path), "--job", job.id, "--lease", "0.5"]
    process = subprocess.Popen([sys.executable, "-c", code, *options], env=handed_on(workspace))
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob(f".killed.draft-*/{work.PARTS}/*.json"))) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not folder.exists()
    time.sleep(0.6)  # its lease ends
    run_worker(workspace, only_job=job.id)
    ended = get_job(workspace, job_id=job.id)
    assert (ended.status, ended.attempt) == ("done", 2), ended.error
    assert ended.result["n"] == 36
    if form == "imagefolder":
        for path in whole.rglob("*"):
            if path.is_file() and path.name not in ("export.json",):
                assert (folder / path.relative_to(whole)).read_bytes() == path.read_bytes(), path
    else:
        joined = [b"".join(path.read_bytes() for path in sorted(one.glob("*.tfrecord-*"))) for one in (whole, folder)]
        assert joined[0] == joined[1]
    assert not list(tmp_path.glob(".*draft*"))


def test_what_a_killed_export_left_goes_with_the_next_one_or_with_the_doctor(workspace, frozen, send, tmp_path):
    code = (
        "import os, signal\n"
        "from sfumato.data.exports import work\n"
        "work._close = lambda *of: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from sfumato.jobs.worker import main\n"
        "main()"
    )

    def killed(name):
        job = export(workspace, data=frozen.label, form="imagefolder", folder=tmp_path / name)
        options = ["--workspace", str(workspace.path), "--job", job.id, "--lease", "0.5"]
        ended = subprocess.run([sys.executable, "-c", code, *options], env=handed_on(workspace), capture_output=True)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        return job

    first, second = killed("first"), killed("second")
    assert len(list(tmp_path.glob(".*.draft-*"))) == 2
    cancel_job(workspace, job_id=first.id)
    time.sleep(0.6)  # the leases end
    run_worker(workspace, only_job=first.id)
    assert get_job(workspace, job_id=first.id).status == "cancelled"
    send(frozen, "imagefolder", "whole")
    assert [one.name.split(".draft")[0] for one in tmp_path.glob(".*.draft-*")] == [".second"]  # it still goes on
    cancel_job(workspace, job_id=second.id)
    run_worker(workspace, only_job=second.id)
    deque(examine(workspace, mend=True), maxlen=0)
    assert not list(tmp_path.glob(".*.draft-*"))


def test_one_that_was_done_before_its_worker_could_say_so_is_not_done_again(workspace, frozen, send):
    folder, result = send(frozen, "imagefolder")
    assert work.finished(folder, result["job"]) == json.loads((folder / "export.json").read_text())
    assert work.finished(folder, "another") is None


def test_shards_are_cut_by_number_and_by_size(workspace, frozen):
    lines, _ = outgoing.lines_of(open_version(workspace, frozen.label), Where())
    by_number = outgoing.share_out(workspace.store.path, lines, pictures=10)
    assert [len(one.lines) for one in by_number if one.split == "train"][:-1] == [10] * (len(
        [one for one in by_number if one.split == "train"]) - 1)
    by_size = outgoing.share_out(workspace.store.path, lines, most=500)
    assert sum(len(one.lines) for one in by_size) == 36
    assert len(by_size) > 10
    assert {outgoing.plain(name) for name in ("../up", "", "tr ain", "ü")} == {"up", "none", "tr-ain"}


def test_a_place_that_cannot_be_is_refused_before_anything_is_asked(workspace, frozen, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    for folder, kind in ((tmp_path / "full", Conflict), (workspace.path / "x", InvalidInput),
                         (tmp_path / "x.zip", InvalidInput)):  # fmt: skip
        with pytest.raises(kind):
            export(workspace, data=frozen.label, form="imagefolder", folder=folder)
    with pytest.raises(NotFound, match="imagefolder"):
        export(workspace, data=frozen.label, form="imagefoldr", folder=tmp_path / "new")
    empty = export(workspace, data=frozen.label, form="imagefolder", folder=tmp_path / "n", where=Where(style="none"))
    run_worker(workspace, only_job=empty.id)
    assert "Nothing of" in get_job(workspace, job_id=empty.id).error["message"]


def test_one_that_is_stopped_or_fails_leaves_nothing_behind(workspace, frozen, tmp_path, monkeypatch):
    before = work.samples_of

    def stop(*of):
        for one in before(*of):
            if action == "fail":
                (tmp_path / "out").mkdir(exist_ok=True)
                (tmp_path / "out" / "somebody's").write_text("")
            else:
                cancel_job(workspace, job_id=job.id)
                time.sleep(0.03)
            yield one

    monkeypatch.setattr(work, "samples_of", stop)
    monkeypatch.setattr(work, "EVERY", 1)
    for action, status in (("stop", "cancelled"), ("fail", "failed")):  # noqa: B007
        job = export(workspace, data=frozen.label, form="imagefolder", folder=tmp_path / "out")
        run_worker(workspace, only_job=job.id)
        assert get_job(workspace, job_id=job.id).status == status
        assert not list(tmp_path.glob(".*draft*"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["somebody's"]


def test_an_export_can_be_fetched_as_one_file(workspace, frozen):
    job = export_to_fetch(workspace, data=frozen.label, form="imagefolder")
    with pytest.raises(NotFound):
        finished_export(workspace, job=job.id)
    run_worker(workspace, only_job=job.id)
    with zipfile.ZipFile(finished_export(workspace, job=job.id)) as packed:
        assert packed.testzip() is None
        assert sum(name.endswith(("png", "jpg", "webp")) for name in packed.namelist()) == 36
        assert json.loads(packed.read("export.json"))["n"] == 36
    assert str(workspace.path) not in json.dumps(get_job(workspace, job_id=job.id).result)
    erase(workspace, open_version(workspace, frozen.label).items[0].sha256, reason="withdrawn")
    with pytest.raises(NotFound):
        finished_export(workspace, job=job.id)


def test_a_table_of_pictures_is_read_back_from_csv(workspace, frozen, tmp_path):
    table = items(workspace, "mine")
    path = table.write(tmp_path / "items.csv")
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [row["id"] for row in table]
    assert {row["name"] for row in rows} >= set(CAPTIONS)
    assert json.loads(rows[1]["attributes"]) == table.rows[1]["attributes"]
    assert len(items(workspace, frozen.label, where=Where(style="line"))) == 12
    with pytest.raises(InvalidInput, match=r"\.csv"):
        table.write(tmp_path / "items.xls")


def test_without_pyarrow_or_pandas_it_says_what_to_install(workspace, frozen, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = items(workspace, "mine")
    for use in (table.to_arrow, table.to_pandas):
        with pytest.raises(Unsupported, match="not installed") as said:
            use()
        assert "sfumato[data]" in said.value.hint
    with pytest.raises(Unsupported):
        export(workspace, data=frozen.label, form="parquet", folder=tmp_path / "p")
