"""Pictures are mirrored only where the caption stays true."""

import numpy as np
import pytest
import torch

from sfumato.training.material import as_tensor
from sfumato.training.recipes import flow
from tests.drawn import ONE_SIDED


def seen(material, options):
    """Yield (row, whether the picture was mirrored) for a few rounds of the data."""
    for position in range(0, 400, options.batch):
        rows = material.order(options.seed, position, options.batch)
        given = flow.batch(options, material, position)
        for row, x in zip(rows, given["x"], strict=True):
            straight = as_tensor(material.pictures[row : row + 1])[0]
            mirrored = straight.flip(-1)
            assert not torch.equal(straight, mirrored)
            assert torch.equal(x, straight) or torch.equal(x, mirrored)
            yield row, torch.equal(x, mirrored)


def test_a_picture_that_may_not_be_mirrored_never_is(material, tiny):
    found = list(seen(material, flow.Options(**tiny)))
    free = [mirrored for row, mirrored in found if material.flip_ok[row]]
    bound = [mirrored for row, mirrored in found if not material.flip_ok[row]]
    assert {material.lines[row].name for row, _ in found if not material.flip_ok[row]} == {ONE_SIDED}
    assert len(bound) > 10
    assert not any(bound)
    assert 0.35 < np.mean(free) < 0.65


def test_nothing_is_mirrored_when_told_so(material, tiny):
    assert not any(mirrored for _, mirrored in seen(material, flow.Options(**tiny | {"flip": False})))


@pytest.mark.parametrize(("parts", "least"), [("varied", 2), ("whole", 1)])
def test_captions_come_in_parts_or_whole(material, tiny, parts, least):
    options = flow.Options(**tiny | {"caption_parts": parts, "drop_words": 0.0, "batch": 32})
    lengths: dict[int, set[int]] = {}
    for position in range(0, 320, 32):
        given = flow.batch(options, material, position)
        for row, on in zip(material.order(0, position, 32), given["words_on"], strict=True):
            lengths.setdefault(int(row), set()).add(int(on.sum()))
    assert max(map(len, lengths.values())) >= least
    if parts == "whole":
        assert max(map(len, lengths.values())) == 1
