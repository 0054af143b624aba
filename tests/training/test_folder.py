"""What a run shows of its loss: a mean that says something from the first step on, and goes on when the run does."""

import math

from sfumato.training.folder import Smoothed, last_loss, log_step


def test_the_first_losses_are_averaged_and_later_ones_fade():
    shown = Smoothed()
    for loss in (4.0, 2.0, 0.0):
        shown.see(loss)
    assert (shown.shown, shown.count) == (2.0, 3)
    for _ in range(400):
        shown.see(1.0)
    assert shown.shown == 1.0
    shown.see(math.nan)
    assert (shown.shown, shown.count) == (1.0, 403)


def test_it_goes_on_from_what_was_shown_last(tmp_path):
    assert last_loss(tmp_path) == (0.0, 0)
    log_step(tmp_path, 8, into="curve.jsonl", loss=0.5, of=2)
    (tmp_path / "curve.jsonl").open("a").write('{"samples": 9, "lo')  # as where it was killed
    again = Smoothed(*last_loss(tmp_path))
    again.see(2.0)
    assert again.shown == 1.0
