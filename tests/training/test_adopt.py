"""A finished file of weights is taken in as a model with its own record; what is not sound is refused in words."""

import json
import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

import sfumato
from sfumato.checkpoints.header import read_tensors
from sfumato.checkpoints.models import find_model, show_model
from sfumato.compliance.answer import Facts, answer
from sfumato.compliance.chain import Weights
from sfumato.compliance.trace import taken_in, trace
from sfumato.errors import Conflict, Damaged, InvalidInput, NotFound
from sfumato.models.architectures import patch_transformer
from sfumato.training.adopting import adopt

SHAPE = {"size": 16, "patch": 4, "width": 64, "depth": 1}


@pytest.fixture
def weights(tmp_path):
    """Weights of a tiny network of ours, written by somebody else: without a word of what they are."""
    net = patch_transformer.build(patch_transformer.Options(**SHAPE))
    path = tmp_path / "theirs.safetensors"
    save_file({name: one.detach().numpy() for name, one in net.named_parameters()}, path)
    return path


def test_weights_that_fit_a_known_network_become_a_model(studio, weights):
    found = adopt(studio, path=weights, name="theirs", architecture="patch_transformer", options=SHAPE,
                  data="drawn", licence="MIT", maker="Ann")  # fmt: skip
    assert "draw here" in found.can[1]
    model = find_model(studio, "theirs")
    assert model.header.options["size"] == 16
    assert {name: one.shape for name, one in read_tensors(model.path).items()} == {
        name: one.shape for name, one in read_tensors(weights).items()
    }
    facts = trace(studio, f"checkpoint/{found.sha256}", files=False).chain
    assert (facts.facts["licence"], facts.facts["maker"]) == ("MIT", "Ann")
    assert facts.steps[0].role == "learnt from"
    again = adopt(studio, path=model.path.rename(weights.with_name("ours.safetensors")), name="taken-back")
    assert find_model(studio, "taken-back").header.architecture == "patch_transformer"
    assert again.sha256 != found.sha256
    with pytest.raises(Conflict, match="a model 'theirs' already"):
        adopt(studio, path=weights, name="theirs")


@pytest.mark.parametrize(("licence", "says"), [
    ("CC-BY-NC-4.0", "the use is not commercial (1 of 1 adopted models are CC-BY-NC-4.0)"),
    ("", "you find out under which licence they are (1 of 1 adopted models have no stated licence)"),
])  # fmt: skip
def test_the_licence_of_the_weights_is_part_of_the_answer(studio, weights, licence, says):
    name = f"of-{licence.lower() or 'nobody'}"
    found = adopt(studio, path=weights, name=name, architecture="patch_transformer", options=SHAPE, data="drawn",
                  licence=licence)  # fmt: skip
    header = find_model(studio, name).header.model_dump()
    known = Weights(found.sha256, f"checkpoint/{found.sha256}", name, header, None)
    said = answer(Facts(standing="valid", subject="a.png", model=name, training=taken_in([known]))).conditions
    assert says in [one.says for one in said]


def test_weights_of_an_unknown_network_are_kept_and_never_drawn_with(studio, tmp_path):
    save_file({"w": np.ones((2, 2), np.float32)}, tmp_path / "own.safetensors")
    found = sfumato.adopt(studio, path=tmp_path / "own.safetensors", name="unknown")
    assert any("does not know its network" in one for one in found.cannot)
    assert show_model(studio, name="unknown").parameters == 4
    with pytest.raises(InvalidInput, match="does not know"):
        sfumato.create(studio, "a red disc", model="unknown")


def test_other_shapes_are_refused_by_the_first_name_that_differs(studio, weights):
    with pytest.raises(InvalidInput, match="do not fit the network patch_transformer"):
        adopt(studio, path=weights, name="wrong", architecture="patch_transformer", options=SHAPE | {"width": 128})


def test_a_pickle_is_refused_and_nothing_of_it_is_run(studio, tmp_path):
    sprung = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return open, (str(sprung), "w")

    (tmp_path / "model.pt").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InvalidInput, match="is a pickle"):
        adopt(studio, path=tmp_path / "model.pt", name="trap")
    assert not sprung.exists()


def test_a_header_of_ten_gigabytes_is_refused_before_it_is_read(studio, tmp_path):
    (tmp_path / "huge.safetensors").write_bytes((10 << 30).to_bytes(8, "little") + b"{}")
    with pytest.raises(InvalidInput, match="not a safetensors file"):
        adopt(studio, path=tmp_path / "huge.safetensors", name="huge")


@pytest.mark.parametrize("entry", [
    {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]},
    {"dtype": "F32", "shape": [1], "data_offsets": [0, 400]},
    {"dtype": "nothing", "shape": [1], "data_offsets": [0, 4]},
])  # fmt: skip
def test_a_file_that_does_not_hold_what_it_says_is_refused(studio, tmp_path, entry):
    text = json.dumps({"w": entry}).encode()
    (tmp_path / "bad.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * 4)
    with pytest.raises(Damaged):
        adopt(studio, path=tmp_path / "bad.safetensors", name="bad")


def test_what_is_not_there_is_said(studio, tmp_path):
    with pytest.raises(NotFound):
        adopt(studio, path=tmp_path / "none.safetensors", name="none")
