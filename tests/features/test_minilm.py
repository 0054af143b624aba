"""Sentences of one meaning are near each other, and tokens are cut and marked."""

import numpy as np

from sfumato.features.encoders import minilm


def test_meaning_counts_more_than_letters():
    apple, fruit, car = minilm.encode(["a red apple", "a piece of fruit", "a red automobile"])
    assert apple @ fruit > 0.35
    near, far = minilm.encode(["sailing boat", "sad face"])
    boat = minilm.encode(["ship with sails"])[0]
    assert boat @ near > boat @ far + 0.3
    assert np.allclose(np.linalg.norm([apple, fruit, car], axis=1), 1, atol=1e-5)


def test_capitals_do_not_count():
    assert np.array_equal(minilm.encode(["Red APPLE"]), minilm.encode(["red apple"]))


def test_tokens_are_cut_to_the_length_and_what_is_there_is_marked():
    tokens, there = minilm.encode_tokens(["apple", "word " * 100], 12)
    assert tokens.shape == (2, 12, minilm.DIM)
    assert there.sum(1).tolist() == [3, 12]  # begin, apple, end
    assert not tokens[0, 3:].any()
    assert np.abs(tokens[0, :3]).max() > 0.1
    whole, _ = minilm.encode_tokens(["word " * 100])
    assert np.array_equal(whole[0, :12], tokens[1])
