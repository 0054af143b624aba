"""Somebody else's weights are told from their header alone, and what is harmful is refused with a sentence."""

import json

import pytest

from sfumato.checkpoints.foreign import CROSS, UNET, recognise
from sfumato.errors import Damaged, InvalidInput

KINDS = {
    "Stable Diffusion 1": {CROSS: (4, 768)},
    "Stable Diffusion 2": {CROSS: (4, 1024)},
    "Stable Diffusion XL": {CROSS: (4, 2048)},
    "Stable Diffusion XL's refiner": {CROSS: (4, 1280)},
    "Flux": {"double_blocks.0.img_attn.qkv.weight": (3, 1)},
    "PixArt": {"adaln_single.linear.weight": (6, 1)},
    "Stable Diffusion 3": {f"{UNET}joint_blocks.0.x_block.attn.qkv.weight": (3, 1)},
    "an adapter": {"lora_unet_any.lora_down.weight": (1, 2)},
    "weights of a kind that is not known here": {"something.else": (2,)},
}


def written(path, shapes, **changes):
    """A safetensors file of float16 noughts."""
    described, place = {}, 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        described[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [place, place + size]} | changes
        place += size
    text = json.dumps(described).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(place))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_file_holds_is_said_by_its_names_and_shapes(tmp_path, kind):
    found = recognise(written(tmp_path / "one.safetensors", KINDS[kind]))
    assert found.kind == kind
    assert found.tensors == 1
    assert found.bytes == 2 * found.parameters
    assert found.float32_bytes == 4 * found.parameters
    assert found.words.startswith(kind)


@pytest.mark.parametrize("ending", [".ckpt", ".pt", ".bin"])
def test_a_pickle_is_not_opened_whatever_it_holds(tmp_path, ending):
    with pytest.raises(InvalidInput, match="could run anything"):
        recognise(written(tmp_path / f"one{ending}", {"a": (1,)}))
    with pytest.raises(InvalidInput, match="is a pickle"):
        recognise(tmp_path / "missing.ckpt")


@pytest.mark.parametrize(
    "changes",
    [{"shape": [10**9, 10**9]}, {"shape": [-1, -2]}, {"dtype": "F77"}, {"shape": "many"}, {"data_offsets": [-4, 0]}],
)
def test_shapes_that_do_not_fit_their_place_are_refused(tmp_path, changes):
    with pytest.raises((Damaged, InvalidInput), match="does not hold what it says"):
        recognise(written(tmp_path / "one.safetensors", {"a": (1, 2)}, **changes))


def test_a_header_of_ten_gigabytes_is_refused_without_being_read(tmp_path):
    path = tmp_path / "huge.safetensors"
    path.write_bytes((10**10).to_bytes(8, "little") + b"{}")
    with pytest.raises(InvalidInput, match="10,000,000,000 bytes"):
        recognise(path)
