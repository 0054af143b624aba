"""What every metric keeps: the real pictures are as good as it gets, order does not matter, and worse scores worse."""

import numpy as np
import pytest

from sfumato.evaluation.evidence import Evidence
from sfumato.evaluation.measure import FEATURES, METRICS

NAMES, SHOWN, DIM = 60, 30, 24


def unit(values):
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def evidence(kind, spoilt=0.0, order=None):
    """Features of pictures that are spoilt by some share; for copies, spoilt means near to what was learnt from."""
    random = np.random.default_rng(0)
    table = unit(random.normal(size=(NAMES, DIM)))
    targets = random.permutation(NAMES)[:SHOWN]
    if kind == "scorer":
        real = table[targets]
        drawn = unit(np.where(np.arange(SHOWN)[:, None] < spoilt * SHOWN, random.normal(size=(SHOWN, DIM)), real))
    else:
        real = 3 + random.normal(size=(SHOWN, DIM))
        drawn = np.where(np.arange(SHOWN)[:, None] < spoilt * SHOWN, table[targets] + 1e-3, real)
    order = np.arange(SHOWN) if order is None else order
    return Evidence(drawn[order], real[order], table, targets[order], threshold=0.1)


@pytest.fixture(params=METRICS.names())
def metric(request):
    return METRICS.get(request.param)


def test_it_says_what_it_needs_and_which_way_is_better(metric):
    assert metric.FEATURES in FEATURES
    assert metric.BETTER in ("higher", "lower")


def test_real_pictures_reach_the_ceiling_and_it_is_within_its_interval(metric):
    for figure in metric.compute(evidence(metric.FEATURES)).values():
        assert figure.measured == figure.ceiling
        assert figure.measured.low <= figure.measured.value <= figure.measured.high
        assert figure.measured.n == SHOWN


def test_the_order_of_the_pictures_does_not_matter(metric):
    order = np.random.default_rng(1).permutation(SHOWN)
    one, other = (metric.compute(evidence(metric.FEATURES, 0.4, order=order)) for order in (None, order))
    for name in one:
        assert one[name].measured.value == pytest.approx(other[name].measured.value)


def test_the_worse_the_drawings_the_worse_the_figure(metric):
    found = [metric.compute(evidence(metric.FEATURES, spoilt)) for spoilt in (0.0, 0.4, 0.9)]
    for name in found[0]:
        values = [figures[name].measured.value for figures in found]
        assert values == sorted(values, reverse=metric.BETTER == "higher")
        assert values[0] != values[-1]
