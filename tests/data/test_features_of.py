"""Features of contents: once each, whatever was killed, and nothing that the neighbours can change."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from sfumato.data.features_of import FEATURES, features_of, unit
from sfumato.data.scoring import Scorer, kept_rows, scores_of
from sfumato.jobs.queue import handed_on
from sfumato.store.rows import Rows, forget
from tests.data.made_pictures import COLOURS, SHAPES, encoded, picture


@pytest.fixture
def kept(workspace):
    """Hashes of twelve pictures in the store."""
    return [workspace.store.put(encoded(picture(one, shape))) for one in COLOURS for shape in SHAPES]


def test_each_content_is_looked_at_once_and_answers_in_the_order_asked(workspace, kept):
    steps = []
    first = features_of(workspace, kept, steps.append)
    assert first.shape == (12, 1280)
    assert first.dtype == np.float32
    assert (np.linalg.norm(first, axis=1) > 1).all()
    assert (steps[-1].done, steps[-1].total) == (12, 12)
    assert steps[-1].extra["images_per_second"] > 0
    steps.clear()
    again = features_of(workspace, [kept[3], kept[0], kept[3]], steps.append)
    assert len(steps) == 1, "nothing was read again"
    assert np.array_equal(again, first[[3, 0, 3]])


def test_a_drawing_and_its_jpeg_are_near_and_others_are_not(workspace):
    png, jpeg, other = (
        workspace.store.put(data)
        for data in (encoded(_on_white("red")), encoded(_on_white("red"), "JPEG"), encoded(_on_white("blue", "bar")))
    )
    near = unit(features_of(workspace, [png, jpeg, other])) @ unit(features_of(workspace, [png]))[0]
    assert near[0] > 0.99 > near[1] > near[2] + 0.1


def _on_white(colour, shape="disc"):
    drawn = picture(colour, shape, 64)
    white = Image.new("RGBA", drawn.size, "white")
    white.alpha_composite(drawn)
    return white


def test_transparent_ground_is_white_and_what_cannot_be_seen_is_zeros(workspace):
    clear, white = workspace.store.put(encoded(picture(side=64))), workspace.store.put(encoded(_on_white("red")))
    broken, gone = workspace.store.put(b"\x89PNG\r\n\x1a\nno more"), "0" * 63 + "1"
    found = features_of(workspace, [clear, white, broken, gone])
    assert np.allclose(found[0], found[1], atol=2e-2)
    assert not found[2:].any()
    known, _ = kept_rows(workspace, FEATURES).find([clear, broken, gone])
    assert known.tolist() == [True, True, False], "what is not there is tried again"


def test_rows_survive_a_torn_tail_and_a_changed_byte(tmp_path):
    names = [f"{number:064x}" for number in range(1, 6)]
    values = np.arange(15, dtype=np.float32).reshape(5, 3)
    rows = Rows(tmp_path, 3)
    rows.append(names, values)
    [path] = tmp_path.glob("*.rows")
    size = path.stat().st_size // 5
    os.truncate(path, 4 * size + size // 2)
    with path.open("r+b") as stream:
        stream.seek(size + 33)
        stream.write(b"\x77")
    known, found = Rows(tmp_path, 3).find(names)
    assert known.tolist() == [True, False, True, True, False]
    assert np.array_equal(found[[0, 2, 3]], values[[0, 2, 3]])
    more = Rows(tmp_path, 3)
    more.append([names[1], names[4]], values[[1, 4]])
    found_all = Rows(tmp_path, 3).find(names[2:])
    assert found_all[0].all()
    assert np.array_equal(found_all[1], values[2:])


def test_two_writers_write_side_by_side_and_many_files_become_one(tmp_path):
    names = [f"{number:064x}" for number in range(1, 31)]
    writers = [Rows(tmp_path, 2) for _ in names]
    for writer, name in zip(writers, names, strict=True):
        writer.append([name], np.full((1, 2), int(name, 16), np.float32))
    assert len(list(tmp_path.glob("*.rows"))) < 30
    known, found = Rows(tmp_path, 2).find(names)
    assert known.all()
    assert found[:, 0].tolist() == list(range(1, 31))


def test_rows_of_an_erased_picture_are_blanked(tmp_path):
    names = [f"{number:064x}" for number in range(1, 4)]
    rows = Rows(tmp_path / "a" / "b", 2)
    rows.append(names, np.ones((3, 2)))
    assert forget(tmp_path, [names[1]]) == 1
    [path] = tmp_path.rglob("*.rows")
    assert bytes.fromhex(names[1]) not in path.read_bytes()
    assert Rows(tmp_path / "a" / "b", 2).find(names)[0].tolist() == [True, False, True]


SLOW = """
import sys, time
from sfumato.actions import Workspace
from tests.data.test_features_of import slow_scorer
from sfumato.data.scoring import scores_of
with Workspace.open(sys.argv[1]) as workspace:
    scores_of(workspace, slow_scorer(), sys.argv[2:])
"""


def slow_scorer():
    def run(seen):
        time.sleep(0.05)
        return np.array([[one] for one in seen], np.float32)

    return Scorer("slow-1", 1, 8, lambda picture: picture.width, run)


def test_after_kill_9_it_goes_on_with_what_was_kept(workspace, monkeypatch):
    names = [workspace.store.put(encoded(Image.new("RGB", (1 + number, 2)))) for number in range(260)]
    command = [sys.executable, "-c", SLOW, str(workspace.path), *names]
    with subprocess.Popen(command, env=handed_on(workspace)) as process:
        deadline = time.monotonic() + 60
        while not list(workspace.path.rglob("*.rows")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    before = int(kept_rows(workspace, slow_scorer()).find(names)[0].sum())
    steps = []
    found = scores_of(workspace, slow_scorer(), names, steps.append)
    assert 0 < before <= 260
    assert steps[0].done == before
    assert found[:, 0].tolist() == list(range(1, 261))
