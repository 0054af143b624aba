"""Averages of another length, made after a run of what its checkpoints kept."""

import numpy as np
import pytest

from sfumato.checkpoints.header import read_header, read_tensors
from sfumato.checkpoints.models import find_model
from sfumato.compliance.work import show_work
from sfumato.errors import Conflict, InvalidInput, NotFound
from sfumato.models.averages import exponent as exponent_of_training
from sfumato.training.averaging import Kept, ask_for_average, exponent, products, shares
from tests.web.conftest import enter, open_studio

LONG_RUN = {"samples": 256, "checkpoint_every": 16, "preview_every": 256, "lr": 1e-2}


@pytest.fixture(scope="module")
def runs(studio, tiny, work_off):
    """Two runs that differ in the length of an average alone, so that their weights went the same way."""
    from sfumato.training import runs

    for name, short in (("averaged", 0.05), ("averaged-twin", 0.08)):
        options = tiny | LONG_RUN | {"ema_short": short}
        work_off(studio, runs.train(studio, recipe_name="flow", data="drawn", name=name, options=options))
    return studio


def weights(studio, name):
    return np.concatenate([one.ravel() for _, one in sorted(read_tensors(find_model(studio, name).path).items())])


def test_products_are_those_of_the_profiles_themselves():
    moments = np.linspace(0, 1, 200_001)[1:]

    def profile(until, power):
        values = np.where(moments <= until, (power + 1) * moments**power / until ** (power + 1), 0)
        return values

    for one, other in (((1.0, 6.94), (0.5, 16.97)), ((0.25, 3.0), (1.0, 9.0)), ((0.7, 5.0), (0.7, 8.0))):
        found = products(*(np.array([value]) for value in (*one, *other)))[0, 0]
        assert found == pytest.approx(float((profile(*one) * profile(*other)).mean()), rel=1e-3)


@pytest.mark.parametrize("length", [0.05, 0.1, 0.2])
def test_the_exponent_is_that_of_training(length):
    assert exponent(length) == pytest.approx(exponent_of_training(length))


def test_a_length_that_was_kept_is_that_average_alone():
    kept = [Kept(seen, length, f"{seen}-{length}") for seen in range(10, 110, 10) for length in (0.05, 0.1)]
    found, apart = shares(kept, 0.1, 100)
    assert apart < 0.01
    heaviest = max(found, key=lambda one: one.weight)
    assert heaviest.kept == Kept(100, 0.1, "100-0.1")
    assert sum(one.weight for one in found) == pytest.approx(1)


def test_what_is_kept_more_often_comes_nearer():
    def apart(every):
        seen = range(every, 101, every)
        return shares([Kept(one, length, "") for one in seen for length in (0.05, 0.1)], 0.15, 100)[1]

    assert apart(5) < apart(20) < apart(100)


def test_it_is_what_a_run_with_that_length_has_made(runs, work_off):
    ended = work_off(runs, ask_for_average(runs, name="averaged", length=0.08))
    assert ended.result["model"] == "averaged-0.08"
    assert ended.result["off"] < 0.05
    made, true, other = (weights(runs, name) for name in ("averaged-0.08", "averaged-twin", "averaged"))
    assert np.linalg.norm(made - true) < 0.25 * np.linalg.norm(other - true)
    header = read_header(find_model(runs, "averaged-0.08").path)
    assert (header.ema, header.samples_seen, header.run) == ("0.08", 256, "averaged")


def test_its_job_says_what_it_makes(runs, work_off):
    asked = ask_for_average(runs, name="averaged", length=0.06)
    assert show_work(runs, job_id=asked.id).title == "Average weights into averaged-0.06"
    assert work_off(runs, asked).status == "done"


def test_making_it_again_changes_nothing(runs, work_off):
    first = work_off(runs, ask_for_average(runs, name="averaged", length=0.07, model="averaged-again"))
    second = work_off(runs, ask_for_average(runs, name="averaged", length=0.07, model="averaged-again"))
    assert first.result["sha256"] == second.result["sha256"]
    assert not list((runs.path / "tmp").glob("average-*"))


def test_an_earlier_end_is_of_what_was_kept_until_then(runs, work_off):
    ended = work_off(runs, ask_for_average(runs, name="averaged", length=0.1, at=128, model="half-way"))
    assert ended.result["checkpoints"] == 16
    assert read_header(find_model(runs, "half-way").path).samples_seen == 128


@pytest.mark.parametrize("length", [0.0, -1.0, 0.3])
def test_lengths_that_no_average_has_are_refused(runs, length):
    with pytest.raises(InvalidInput, match="cannot be had"):
        ask_for_average(runs, name="averaged", length=length)


def test_what_cannot_be_made_of_what_was_kept_is_refused(runs):
    with pytest.raises(InvalidInput, match="off"):
        ask_for_average(runs, name="averaged", length=0.25, at=64)


def test_names_that_are_taken_and_runs_that_are_not_there_are_refused(runs):
    with pytest.raises(Conflict, match="makes a model of the name 'averaged-twin'"):
        ask_for_average(runs, name="averaged", length=0.08, model="averaged-twin")
    with pytest.raises(Conflict, match="makes a model"):
        ask_for_average(runs, name="averaged", length=0.08, model="averaged-long")
    with pytest.raises(NotFound, match="averaged"):
        ask_for_average(runs, name="averagd", length=0.08)
    with pytest.raises(Conflict, match="kept no averages"):
        ask_for_average(runs, name="averaged", length=0.08, at=10)


def test_the_page_of_a_finished_run_leads_to_drawing_with_it_and_shows_all_that_it_kept(runs):
    with open_studio(runs) as client:
        page = enter(client).page("/train/averaged").text
    assert "/create?model=averaged" in page
    assert "None yet" not in page
