"""The concepts that a run draws worst are found the same each time, and kept beside what they were learnt from."""

import io
from types import SimpleNamespace

import numpy as np
from PIL import Image

from sfumato.training import runs
from sfumato.training.worst import draw_concepts, list_worst, worst_drawing


class Copyist:
    """A recipe that draws each caption as its training picture mirrored, but for one concept as another's."""

    def __init__(self, confused, instead):
        self.confused, self.instead = confused, instead

    def preview(self, options, material, net):
        rows = material.preview_rows(16)
        names = [material.lines[row].concept for row in rows]
        drawn = material.pictures[
            [self.instead if name == self.confused else row for row, name in zip(rows, names, strict=True)]
        ]
        turned = material.flip_ok[rows]
        drawn[turned] = drawn[turned][:, :, ::-1]
        return drawn


def test_the_concept_that_is_confused_with_another_comes_first(material):
    disc, square = (
        [row for row in material.train if material.lines[row].name == name] for name in ("red disc", "blue square")
    )
    recipe = Copyist(material.lines[disc[0]].concept, square[0])
    found, again = (draw_concepts(recipe, SimpleNamespace(samples=100_000), material, None) for _ in range(2))
    assert found.count == len({material.lines[row].concept for row in material.train})
    first, *others = found.worst
    assert first.concept == material.lines[disc[0]].concept
    assert first.distance > 0.3
    assert set(first.beside) <= {material.lines[row].sha256 for row in disc}
    assert all(one.distance == 0 for one in others)
    assert found.median == 0
    assert [vars(one) | {"picture": 0} for one in found.worst] == [vars(one) | {"picture": 0} for one in again.worst]


def test_a_run_too_short_to_tell_draws_none(material):
    assert draw_concepts(Copyist("", 0), SimpleNamespace(samples=999), material, None) is None


def test_a_run_keeps_them_at_its_end(studio, tiny, work_off):
    options = tiny | {"samples": 1_000, "batch": 50, "checkpoint_every": 1_000, "preview_every": 1_000}
    assert not list_worst(studio, name=_trained(studio, work_off, "short", tiny | {"samples": 4})).concepts
    found = list_worst(studio, name=_trained(studio, work_off, "longer", options))
    assert (found.dataset, found.samples_seen, found.count) == ("drawn", 1_000, 2)
    distances = [one.distance for one in found.concepts]
    assert distances == sorted(distances, reverse=True)
    assert found.median == round(float(np.median(distances)), 4)
    for one in found.concepts:
        with Image.open(io.BytesIO(worst_drawing(studio, name="longer", place=one.place))) as picture:
            assert picture.size == (16, 16)
        assert all(item.name in one.caption for item in one.beside)
        assert one.beside


def _trained(studio, work_off, name, options):
    job = runs.train(studio, recipe_name="flow", data="drawn", name=name, options=options)
    assert work_off(studio, job).status == "done"
    return name
