"""A rate and a time left are said only when they are known, and no more exactly than they are."""

from sfumato.cli.pace import Pace, duration


def test_nothing_is_promised_in_the_first_seconds():
    pace = Pace()
    pace.add(0, 0)
    pace.add(1, 50)
    assert pace.rate() is None
    assert duration(pace.left(1000)) == "time left not known yet"


def test_the_rate_follows_the_last_minute_not_the_start():
    pace = Pace()
    for second in range(200):
        pace.add(second, second * 100 if second < 100 else 10_000 + (second - 100) * 10)
    assert pace.rate() == 10
    assert duration(pace.left(11_990)) == "about 2 min left"


def test_a_new_attempt_that_starts_further_back_starts_afresh():
    pace = Pace()
    pace.add(0, 500)
    pace.add(10, 600)
    pace.add(12, 400)
    assert pace.rate() is None


def test_durations_are_said_roughly():
    assert [duration(s) for s in (4, 44, 200, 9000)] == [
        "a few seconds left", "about 40 s left", "about 3 min left", "about 2.5 h left",
    ]
