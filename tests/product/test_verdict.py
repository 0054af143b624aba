"""A criterion holds, fails, or there is not enough data; how much is missing is what the interval says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfumato.product.verdict import APPROVAL, Wanted, decide
from sfumato.statistics.intervals import Interval, wilson


def wanted(threshold, comparator="at_least", bound=None, n_min=30, measure=APPROVAL):
    """A criterion on the end of the interval that speaks against the model."""
    end = bound or ("low" if comparator == "at_least" else "high")
    return Wanted(measure, comparator, threshold, end, n_min)


@pytest.mark.parametrize(
    ("approved", "judged", "threshold", "state"),
    [
        (31, 40, 0.6, "holds"),
        (31, 40, 0.65, "not enough data"),  # 62-88 %: the share is right, the interval too wide
        (20, 40, 0.6, "fails"),
        (24, 40, 0.6, "fails"),  # as it is it would never pass
        (18, 18, 0.6, "not enough data"),
        (0, 0, 0.6, "not enough data"),
        (0, 40, 0.0, "holds"),
    ],
)
def test_the_three_states(approved, judged, threshold, state):
    assert decide(wanted(threshold), wilson(approved / judged if judged else 0, judged)).state == state


def test_too_few_are_counted_up_to_the_least_number_and_to_where_the_interval_passes():
    assert decide(wanted(0.6), wilson(1.0, 18)).more == 12
    assert decide(wanted(0.6), None).more == 30
    assert decide(wanted(0.9), wilson(1.0, 18)).more == 35 - 18
    assert decide(wanted(0.6), wilson(0.5, 10)).more == 20
    assert decide(wanted(0.6), wilson(0.5, 10)).settled_at is None


def test_the_measured_value_can_be_taken_without_its_interval():
    assert decide(wanted(0.6, bound="value"), wilson(0.61, 40)).state == "holds"
    assert decide(wanted(0.6, bound="value"), wilson(0.59, 40)).state == "fails"


def test_at_most_looks_at_the_high_end():
    copies = Interval(0.01, 0.002, 0.036, 200)
    of = {"comparator": "at_most", "measure": "near copies"}
    assert decide(wanted(0.05, **of), copies).state == "holds"
    assert decide(wanted(0.005, **of), copies).state == "fails"
    found = decide(wanted(0.02, **of), copies)
    assert (found.state, found.settled_at) == ("not enough data", 1352)  # 200 times (0.026 / 0.01) squared


def test_a_share_that_touches_the_threshold_asks_for_no_endless_number():
    assert decide(wanted(1e-200, comparator="at_most", n_min=1), wilson(0.0, 1)).settled_at is None


@given(st.integers(1, 400), st.data(), st.floats(0, 1), st.sampled_from(["at_least", "at_most"]))
def test_what_it_says_is_missing_is_what_is_missing(n, data, threshold, comparator):
    share = data.draw(st.integers(0, n)) / n
    wants = wanted(threshold, comparator, n_min=1)
    found = decide(wants, wilson(share, n))
    if found.state == "not enough data" and found.settled_at < 10**7:
        assert decide(wants, wilson(share, found.settled_at)).state == "holds"
        assert found.settled_at == n + 1 or decide(wants, wilson(share, found.settled_at - 1)).state != "holds"
        assert found.more == found.settled_at - n
