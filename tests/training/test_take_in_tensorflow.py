"""A generator of Keras or TensorFlow is taken in, with what it learnt from, and draws; what reaches out is refused.

SFUMATO_TENSORFLOW_PYTHON names the interpreter of an environment with TensorFlow and Keras 3.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sfumato
from sfumato.checkpoints.models import find_model
from sfumato.checkpoints.tensorflow import PROGRAM, files_of, look_into
from sfumato.errors import Damaged, InvalidInput, NotFound, SfumatoError, Unsupported
from sfumato.generation.create import CreateOptions, for_one_call
from sfumato.generation.engines.tensorflow_model import as_picture
from sfumato.generation.portable import export_model
from sfumato.training.adopting import adopt

PEER = Path(os.environ.get("SFUMATO_TENSORFLOW_PYTHON", "/nowhere"))  # read before a test forgets all settings
needs_tensorflow = pytest.mark.skipif(not PEER.exists(), reason="SFUMATO_TENSORFLOW_PYTHON names no TensorFlow")
DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 4}, "registered_name": None}


def keras_file(folder, *layers, more=()):
    """A file with the parts of one of Keras 3, and these layers in its configuration."""
    path = folder / "theirs.keras"
    with zipfile.ZipFile(path, "w") as archive:
        whole = {"module": "keras", "class_name": "Sequential", "config": {"layers": list(layers)}}
        archive.writestr("config.json", json.dumps(whole))
        for name in ("metadata.json", "model.weights.h5", *more):
            archive.writestr(name, "{}")
    return path


def program(folder, *operations, variables=True):
    """A folder with the parts of a SavedModel whose program names these operations."""
    there = folder / "saved"
    (there / "variables").mkdir(parents=True)
    (there / PROGRAM).write_bytes(b"\x08\x01" + b"\x12".join(operations))
    if variables:
        (there / "variables" / "variables.index").write_bytes(b"x")
        (there / "variables" / "variables.data-00000-of-00001").write_bytes(b"y")
    (there / "own.py").write_text("raise SystemExit")
    return there


@pytest.mark.parametrize(("layer", "says"), [
    ({"module": "keras.layers", "class_name": "Lambda", "config": {}}, "Lambda"),
    ({"module": "theirs", "class_name": "Fancy", "config": {}, "registered_name": "theirs>Fancy"}, "theirs>Fancy"),
    ({"module": "os", "class_name": "system", "config": {}}, "os.system"),
    ({**DENSE, "config": {"activation": {"class_name": "__lambda__", "config": {}}}}, "__lambda__"),
])  # fmt: skip
def test_a_file_that_names_code_is_refused_unopened(tmp_path, layer, says):
    with pytest.raises(InvalidInput, match="names code") as refused:
        files_of(keras_file(tmp_path, DENSE, layer))
    assert says in str(refused.value)


def test_only_the_parts_of_a_file_of_keras_are_taken(tmp_path):
    assert list(files_of(keras_file(tmp_path, DENSE))) == ["model.keras"]
    with pytest.raises(InvalidInput, match="holds"):
        files_of(keras_file(tmp_path, DENSE, more=("assets/own.py",)))
    (tmp_path / "cut.keras").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(Damaged, match="not a file of Keras 3"):
        files_of(tmp_path / "cut.keras")


def test_a_program_that_leaves_its_tensors_is_refused_and_code_beside_it_stays_behind(tmp_path):
    sound = program(tmp_path / "sound", b"MatMul", b"Tanh")
    assert sorted(files_of(sound)) == [PROGRAM, "variables/variables.data-00000-of-00001", "variables/variables.index"]
    with pytest.raises(InvalidInput, match="WriteFile"):
        files_of(program(tmp_path / "writes", b"MatMul", b"WriteFile"))
    with pytest.raises(NotFound, match=r"variables\.index"):
        files_of(program(tmp_path / "bare", b"MatMul", variables=False))


def test_without_tensorflow_it_says_what_to_install_and_nothing_is_kept(studio, tmp_path, monkeypatch):
    path = keras_file(tmp_path, DENSE)
    monkeypatch.delenv("SFUMATO_TENSORFLOW_PYTHON", raising=False)
    with pytest.raises(Unsupported, match="none is named"):
        adopt(studio, path=path, name="theirs", licence="MIT")
    monkeypatch.setenv("SFUMATO_TENSORFLOW_PYTHON", sys.executable)
    with pytest.raises(Unsupported, match="cannot draw with TensorFlow: ModuleNotFoundError"):
        adopt(studio, path=path, name="theirs", licence="MIT")
    with pytest.raises(InvalidInput, match="licence must be said"):
        adopt(studio, path=path, name="theirs")
    with pytest.raises(NotFound):
        find_model(studio, "theirs")


def test_it_draws_in_one_call_and_nothing_else_is_promised():
    plan = for_one_call(CreateOptions(), "theirs", elsewhere=True)
    assert (plan.steps, plan.guidance, plan.upscale) == (1, 0.0, 1)
    assert for_one_call(plan, "theirs", elsewhere=True) == plan
    with pytest.raises(InvalidInput, match="by TensorFlow"):
        for_one_call(CreateOptions(engine="torch_local"), "theirs", elsewhere=True)


def test_grey_colours_and_alpha_become_pictures():
    grey = as_picture(np.array([[[-1.0], [1.0]]]), -1.0)
    assert grey.tolist() == [[[0, 0, 0, 255], [255, 255, 255, 255]]]
    assert as_picture(np.array([[[0.0, 0.5, 2.0]]]), 0.0).tolist() == [[[0, 128, 255, 255]]]
    assert as_picture(np.array([[[1.0, 1.0, 1.0, 0.0]]]), 0.0).tolist() == [[[255, 255, 255, 0]]]


MAKE = """
import sys, keras
from keras import layers
keras.utils.set_random_seed(3)
net = keras.Sequential([
    keras.Input((6,)), layers.Dense(4 * 4 * 8), layers.Reshape((4, 4, 8)), layers.BatchNormalization(),
    layers.Conv2DTranspose(8, 4, 2, "same"), layers.LeakyReLU(), layers.Conv2DTranspose(3, 4, 2, "same"),
    layers.Rescaling(9.0), layers.Activation("tanh")])
net.save(sys.argv[1] + "/ours.keras")
net.export(sys.argv[1] + "/exported", verbose=False)
wide = keras.Sequential([keras.Input((6,)), layers.Dense(4 * 16 * 3), layers.Reshape((4, 16, 3))])
wide.save(sys.argv[1] + "/wide.keras")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A tiny random generator, as Keras and as TensorFlow write it."""
    where = tmp_path_factory.mktemp("made")
    done = subprocess.run([PEER, "-I", "-c", MAKE, where], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return where


@pytest.mark.slow
@needs_tensorflow
def test_both_forms_draw_the_same_and_a_seed_is_a_picture(studio, made, monkeypatch, tmp_path):
    monkeypatch.setenv("SFUMATO_TENSORFLOW_PYTHON", str(PEER))
    seen = {}
    for name in ("ours.keras", "exported"):
        model = f"from-{name.partition('.')[0]}"
        found = sfumato.adopt(studio, path=made / name, name=model, licence="MIT", maker="us")
        assert any("in TensorFlow: 16 pixels wide" in one for one in found.can)
        several = sfumato.create(studio, "anything", model=model, n=3, seed=5, out=tmp_path / model)
        one = sfumato.create(studio, "anything", model=model, n=1, seed=6, out=tmp_path / f"{model}-one")
        assert "from noise alone" in several.said
        drawn = [np.asarray(Image.open(each.path).convert("RGB")) for each in (*several.pictures, *one.pictures)]
        assert drawn[0].shape == (16, 16, 3)
        assert np.array_equal(drawn[1], drawn[3])
        assert not np.array_equal(drawn[0], drawn[1])
        seen[name] = drawn
        told = str(sfumato.trace(studio, several.pictures[0].path))
        assert "has not disclosed the training data" in told
    assert all(np.array_equal(a, b) for a, b in zip(*seen.values(), strict=True))
    with pytest.raises(InvalidInput, match="taken in as it is"):
        export_model(studio, name="from-ours", form="onnx", target=tmp_path / "x.onnx")
    with pytest.raises(SfumatoError):
        sfumato.create(studio, "anything", model="from-ours", guidance=7.0)


@pytest.mark.slow
@needs_tensorflow
def test_what_it_learnt_from_is_in_its_chain_and_strange_pictures_are_refused(studio, made, monkeypatch, tmp_path):
    monkeypatch.setenv("SFUMATO_TENSORFLOW_PYTHON", str(PEER))
    sfumato.adopt(studio, path=made / "ours.keras", name="with-data", licence="MIT", data="drawn@latest")
    drawn = sfumato.create(studio, "anything", model="with-data", n=1, seed=1, out=tmp_path)
    told = str(sfumato.trace(studio, drawn.pictures[0].path))
    assert "learnt from: version" in told
    assert "folder drawn" in told
    assert "has not disclosed" not in told
    with pytest.raises(InvalidInput, match="16 × 4 pixels"):
        look_into(made / "wide.keras")
