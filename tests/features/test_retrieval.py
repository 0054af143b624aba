"""What a drawing may lean on: the same thing in another style, else something of a near name."""

import numpy as np
import pytest

from sfumato.features.retrieval import NEIGHBOURS, Shelf

NAMES = ["apple", "pear", "boat", "ship", "held-out fruit"]
ROWS = [("apple", "flat", True), ("apple", "noto", True), ("apple", "3d", False), ("pear", "flat", True),
        ("boat", "flat", True), ("boat", "noto", True), ("ship", "flat", True),
        ("held-out fruit", "flat", False)]  # fmt: skip


@pytest.fixture
def shelf():
    """Fruit points one way, vessels the other."""
    directions = np.array([[1, 0.1], [1, 0.2], [0.1, 1], [0.2, 1], [1, 0.15]], np.float32)
    return Shelf.build(ROWS, NAMES, directions / np.linalg.norm(directions, axis=1, keepdims=True))


def test_another_style_of_the_same_thing_is_never_its_own_style(shelf):
    for pick in np.linspace(0, 0.999, 20):
        assert shelf.other_style("apple", "flat", pick) == 1
        assert shelf.other_style("apple", "3d", pick) in (0, 1)
    assert {shelf.other_style("apple", "3d", pick) for pick in (0.0, 0.99)} == {0, 1}
    assert shelf.other_style("pear", "flat", 0.5) == -1
    assert shelf.other_style("unknown", "flat", 0.5) == -1


def test_what_is_held_out_is_never_offered(shelf):
    offered = {row for rows in shelf.by_concept.values() for row, _ in rows}
    assert offered == {row for row, (_, _, usable) in enumerate(ROWS) if usable}
    assert "held-out fruit" not in shelf.by_concept


def test_neighbours_are_ordered_by_meaning_and_exclude_the_thing_itself(shelf):
    assert shelf.near["boat"][0] == "ship"
    assert shelf.near["held-out fruit"][:2] in (["apple", "pear"], ["pear", "apple"])
    assert all(name not in near for name, near in shelf.near.items())
    assert all(len(near) <= NEIGHBOURS for near in shelf.near.values())
    for pick in (0.0, 0.5, 0.999):
        assert shelf.neighbour("ship", 0.0, pick) in (4, 5)
    assert shelf.neighbour("unknown", 0.0, 0.0) == -1


def test_a_drawing_prefers_another_style_then_the_nearest_name(shelf):
    assert shelf.best("apple", "flat", 0.3) == 1
    assert shelf.best("ship", "flat", 0.0) == 4
    assert shelf.best("held-out fruit", "flat", 0.0) in (0, 1, 3)


def test_a_shelf_of_one_thing_offers_no_neighbour():
    lone = Shelf.build([("apple", "flat", True)], ["apple"], np.ones((1, 2), np.float32))
    assert lone.best("apple", "flat", 0.5) == -1
