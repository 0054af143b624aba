"""A run's logs leave as files that TensorBoard and tables read: every point where it was, and the previews."""

import csv
import struct

import numpy as np
import pytest

import sfumato
from sfumato.errors import InvalidInput, NotFound
from sfumato.training.logbook import export_logs


@pytest.fixture(scope="module")
def logged(studio):
    """A loop that wrote down two losses, held-out losses, a speed, and one preview."""
    with sfumato.run("logged", data="drawn", workspace=studio) as run:
        run.log(step=10, loss=0.9, held_out={"a": 0.8}, images_per_second=5.0)
        run.preview(np.full((2, 8, 8, 3), 200, np.uint8), step=10)
        run.log(step=20, loss=0.5, held_out={"a": 0.6})
    return studio


def records(data):
    """The records of an event file: each behind its length (8 bytes) and that one's checksum, and before its own."""
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        yield data[12 : 12 + size]
        data = data[16 + size :]


def test_tensorboard_gets_every_point_and_the_previews(logged, tmp_path):
    from tensorboardX.proto.event_pb2 import Event

    said = export_logs(logged, name="logged", target=tmp_path / "tb")
    (path,) = (tmp_path / "tb").iterdir()
    assert path.name.startswith("events.out.tfevents.")
    events = [Event.FromString(record) for record in records(path.read_bytes())]
    found = {
        (value.tag, event.step): value.simple_value for event in events for value in event.summary.value
        if value.WhichOneof("value") == "simple_value"
    }  # fmt: skip
    assert found.pop(("steps_per_second", 20)) > 0  # of the loop itself
    assert found == {
        ("loss/training", 10): pytest.approx(0.9), ("loss/training", 20): pytest.approx(0.5),
        ("held-out_loss/a", 10): pytest.approx(0.8), ("held-out_loss/a", 20): pytest.approx(0.6),
        ("speed/pictures_a_second", 10): pytest.approx(5.0),
    }  # fmt: skip
    pictures = [value.image for event in events for value in event.summary.value if value.HasField("image")]
    assert len(pictures) == 1
    assert pictures[0].encoded_image_string.startswith(b"\x89PNG")
    assert (said.points, said.previews) == (6, 1)


def test_a_table_has_a_row_for_each_point(logged, tmp_path):
    export_logs(logged, name="logged", target=tmp_path / "table", to="csv")
    with (tmp_path / "table" / "curves.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {"curve": "loss/training", "samples": "20", "value": "0.5"} in rows
    assert len(rows) == 6


def test_a_folder_that_holds_something_is_left_alone_and_an_unknown_run_is_told(logged, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="already"):
        export_logs(logged, name="logged", target=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(NotFound, match="logged"):
        export_logs(logged, name="loged", target=tmp_path / "new")
    assert not (tmp_path / "new").exists()
