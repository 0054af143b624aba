"""Captions that a batch alone decides, encoded as they come: with parts in another order, or with a ground's name."""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sfumato.data.captions import PARTS, compose
from sfumato.data.freeze import ItemLine
from sfumato.features.encoders import minilm
from sfumato.training.grounds import on_ground

KEPT = 4096  # captions; 16 KB each


def captions_anew(
    random: np.random.Generator, lines: list[ItemLine], picks: np.ndarray, named: dict[int, str], *, shuffled: bool
) -> dict[int, str]:
    """By place in the batch, the captions that differ from those encoded beforehand.

    `picks` (B) says which of `variants` a picture's caption is, `named` the ground that it lies on. A caption that
    names a ground has no tags, so that the ground stays within the words that are read.
    """
    found = {}
    for place, line in enumerate(lines):
        parts = PARTS[picks[place]]
        order = [parts[one] for one in random.permutation(len(parts))] if shuffled else list(parts)
        if place in named:
            line, order = on_ground(line, named[place]), [part for part in order if part != "tags"]
        if place in named or order != list(parts):
            found[place] = compose(line, tuple(order))
    return found


def retell(words: Tensor, words_on: Tensor, captions: dict[int, str]) -> tuple[Tensor, Tensor]:
    """Words (B, T, D) and which are there (B, T), with these captions in their places; T grows for longer ones."""
    if not captions:
        return words, words_on
    said = {place: _encoded(text) for place, text in captions.items()}
    longest = max(words.shape[1], *(len(one) for one in said.values()))
    words = F.pad(words, (0, 0, 0, longest - words.shape[1]))
    words_on = F.pad(words_on, (0, longest - words_on.shape[1]))
    for place, states in said.items():
        words[place, : len(states)] = torch.from_numpy(states.astype(np.float32))
        words_on[place] = (torch.arange(longest) < len(states)).float()
    return words, words_on


@lru_cache(KEPT)
def _encoded(text: str) -> np.ndarray:
    """Token states (T, D) of one caption, as they are kept for all others."""
    states, there = minilm.encode_tokens([text])
    return states[0][there[0]].astype(np.float16)
