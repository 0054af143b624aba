"""Columns that are kept packed read as what was put in."""

import numpy as np

from sfumato.data.packed import Growing, Hexes, Waiting, alike, packed_ids
from sfumato.db import new_id


def test_hashes_ids_and_words_come_back_as_they_were(tmp_path):
    hashes = [f"{number:064x}" for number in (7, 2**255, 1)] + [""]
    assert list(Hexes.of(hashes)) == hashes
    assert Hexes.of(hashes).known().tolist() == [True, True, True, False]
    ids = [new_id() for _ in range(5)]
    rows = np.frombuffer(packed_ids(ids), np.uint8).reshape(-1, 16)
    assert list(Hexes(rows, ids=True)) == ids
    words = Growing()
    words.add(["a", "", "a"])
    words.add(["b", "a"])
    assert list(words.whole()) == ["a", "", "a", "b", "a"]
    waiting = Waiting(tmp_path, "i8", 2)
    waiting.add([(-1, 2)])
    waiting.add([(3, 2**62)])
    assert waiting.whole().tolist() == [[-1, 2], [3, 2**62]]
    assert not list(tmp_path.iterdir())  # its file has no name: a kill leaves nothing


def test_rows_that_are_the_same_follow_each_other_the_first_of_them_first():
    values = np.random.default_rng(0).integers(0, 2, (200, 32), dtype=np.uint8)
    values[:, 2:] = 0
    order, starts = alike(values)
    runs = [run.tolist() for run in np.split(order, starts[1:])]
    assert sorted(place for run in runs for place in run) == list(range(200))
    assert all(run == sorted(run) for run in runs)
    assert len({values[run[0]].tobytes() for run in runs}) == len(runs) == 4
    assert all(values[place].tobytes() == values[run[0]].tobytes() for run in runs for place in run)
    assert [len(part) for part in alike(np.zeros((0, 32), np.uint8))] == [0, 0]
