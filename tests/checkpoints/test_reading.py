"""Only what says it is ours is opened; everything else is refused in words, and nothing is ever unpickled."""

import json
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from sfumato.checkpoints.header import FORMAT, Header, read_header, read_shapes, read_tensors, write_checkpoint
from sfumato.errors import Damaged, InvalidInput, NotFound, SfumatoError

HEADER = Header(architecture="patch_transformer", options={"size": 16}, recipe="flow", run="first", samples_seen=7)


@pytest.fixture
def weights():
    """Two tensors with numbers that bfloat16 cannot hold exactly."""
    random = np.random.default_rng(0)
    return {"a.weight": random.normal(size=(3, 5)).astype(np.float32), "b": np.array([1e-30, -3e38, 0.1], np.float32)}


@pytest.fixture
def written(tmp_path, weights):
    """A whole checkpoint."""
    path = tmp_path / "whole.safetensors"
    write_checkpoint(path, weights, HEADER)
    return path


class Trap:
    """Something that makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_what_is_written_is_read(written, weights):
    assert read_header(written) == HEADER
    assert read_shapes(written) == {"a.weight": (3, 5), "b": (3,)}
    found = read_tensors(written)
    assert all(np.array_equal(found[name], weights[name]) for name in weights)
    others = load_file(written)  # it is plain safetensors to everybody else
    assert all(np.array_equal(others[name], weights[name]) for name in weights)


def test_half_is_rounded_as_torch_rounds(tmp_path, weights):
    path = tmp_path / "half.safetensors"
    write_checkpoint(path, weights, HEADER, half=True)
    found = read_tensors(path)
    for name, values in weights.items():
        assert np.array_equal(found[name], torch.from_numpy(values).bfloat16().float().numpy())


def test_the_same_weights_are_the_same_bytes(tmp_path, written, weights):
    again = tmp_path / "again.safetensors"
    write_checkpoint(again, dict(reversed(weights.items())), HEADER)
    assert again.read_bytes() == written.read_bytes()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_poses_as_safetensors_is_refused_and_never_run(tmp_path, protocol):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps(Trap(tmp_path / "sprung"), protocol))
    for read in (read_header, read_tensors):
        with pytest.raises(InvalidInput, match="is a pickle" if protocol > 1 else "not a safetensors file"):
            read(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_is_refused(tmp_path, zipped):
    path = tmp_path / "weights.safetensors"
    torch.save({"a": torch.zeros(3)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InvalidInput, match="is a pickle") as refused:
        read_header(path)
    assert "safetensors" in refused.value.hint


@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.99])
def test_a_file_that_was_cut_short_is_refused(written, share):
    data = written.read_bytes()
    written.write_bytes(data[: int(len(data) * share)])
    for read in (read_header, read_tensors):
        with pytest.raises((InvalidInput, Damaged), match=r"cut short|not a safetensors file"):
            read(written)


def rewrite(path, change):
    """Change the JSON head of a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    change(head)
    text = json.dumps(head).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


def test_a_header_of_a_newer_format_says_what_to_install(written):
    newer = json.dumps({"format": FORMAT + 1, "network": "of a shape that is not known yet"})
    rewrite(written, lambda head: head["__metadata__"].update(sfumato=newer))
    with pytest.raises(Damaged, match=f"has format {FORMAT + 1}") as refused:
        read_header(written)
    assert "newer" in refused.value.hint


@pytest.mark.parametrize("said", ["{}", "[]", "no json", '{"format": "1"}', '{"format": 1, "options": 3}'])
def test_a_header_that_makes_no_sense_is_refused(written, said):
    rewrite(written, lambda head: head["__metadata__"].update(sfumato=said))
    with pytest.raises(Damaged, match="cannot be read"):
        read_header(written)


def test_somebody_elses_safetensors_are_refused(tmp_path, weights):
    path = tmp_path / "theirs.safetensors"
    save_file(weights, path)
    with pytest.raises(InvalidInput, match="not Sfumato's"):
        read_header(path)
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(InvalidInput, match="not Sfumato's"):
        read_header(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("dtype", "F8"), ("shape", [4, 5]), ("shape", [-3, 5]), ("data_offsets", [0]), ("data_offsets", "all")],
)
def test_tensors_that_are_not_what_they_say_are_refused(written, key, value):
    rewrite(written, lambda head: head["a.weight"].update({key: value}))
    with pytest.raises(SfumatoError):
        read_tensors(written)


def test_any_bytes_at_all_are_refused_in_words(tmp_path):
    random = np.random.default_rng(1)
    path = tmp_path / "noise.safetensors"
    for length in (0, 1, 8, 9, 100, 5000):
        path.write_bytes(random.bytes(length))
        with pytest.raises(InvalidInput, match="not a safetensors file"):
            read_header(path)
    path.write_bytes((9).to_bytes(8, "little") + b'{"a":[1]}')
    with pytest.raises(InvalidInput, match="not a safetensors file"):
        read_header(path)
    with pytest.raises(NotFound):
        read_header(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("length", [0x280, 0x380, 0x480, 0x580, 0x10280])
def test_a_header_whose_length_begins_as_a_pickle_does_is_read(tmp_path, length):
    text = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode().ljust(length)
    path = tmp_path / "sound.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + text + b"\0" * 4)
    assert read_shapes(path) == {"w": (1,)}
