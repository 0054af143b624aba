"""A run goes on further than it was planned: exactly from its state, and what its schedule makes of that is said."""

import pytest
import torch
from sqlalchemy import update

import sfumato
from sfumato.errors import Conflict, InvalidInput
from sfumato.training import runs, saving
from sfumato.training.going_on import lengthened, outlook, pictures_in, resume, way
from sfumato.training.phases import rate
from sfumato.training.recipes import flow, r3gan
from sfumato.training.records import Run

FLOW = flow.Options(samples=20_000).model_dump()
R3GAN = r3gan.Options(samples=20_000).model_dump()


def state_of(workspace, name):
    return saving.newest_state(workspace.path / "runs" / runs.show_run(workspace, name=name).id)[0]


@pytest.mark.parametrize("seen", [0, 64, 190, 10_000, 13_500, 19_968])
@pytest.mark.parametrize("decay", [0.0, 0.35])
def test_the_schedule_that_is_told_is_the_one_that_is_followed(seen, decay):
    options = flow.Options(samples=20_000, decay=decay)
    assert way(options.model_dump(), seen) * options.lr == pytest.approx(rate(options, seen))
    there = r3gan.settings(r3gan.Options(samples=20_000), seen)["lr"]
    assert R3GAN["lr"] * (1 - 0.75 * way(R3GAN, seen)) == pytest.approx(there)


def test_what_a_longer_plan_would_have_done_alike_is_bit_for_bit_the_same(studio, tiny, trained, work_off):
    flat = {"warmup": 0.0, "decay": 0.0}
    trained("stretched", samples=16, **flat)
    machine = runs.show_run(studio, name="stretched").machine
    planned = runs.train(studio, recipe_name="flow", data="drawn", name="planned", options=tiny | flat)
    with studio.write() as session:
        session.execute(update(Run).where(Run.name == "planned").values(machine=machine))
    work_off(studio, planned)

    assert work_off(studio, resume(studio, name="stretched", samples=32)).status == "done"
    one = runs.show_run(studio, name="stretched")
    assert (one.samples_seen, one.options["samples"]) == (32, 32)
    (told,) = one.details["went_on"]
    assert (told["at"], told["planned"], told["samples"], told["same"]) == (16, 16, 32, True)
    assert "would be the same" in told["says"]
    with studio.read() as session:
        facts = session.get(Run, one.id).describe().facts
    assert facts["went_on"] == "planned for 16 pictures, gone on with after 16 until 32"
    first, second = (state_of(studio, name) for name in ("stretched", "planned"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_that_had_ended_learns_more_and_says_that_its_rate_rises_again(studio, trained, work_off):
    trained("ended", samples=16)
    before = state_of(studio, "ended")
    assert work_off(studio, resume(studio, name="ended", samples=24)).result["samples_seen"] == 24
    after = state_of(studio, "ended")
    assert any(not torch.equal(before[name], after[name]) for name in before if name.startswith("net."))
    (told,) = runs.show_run(studio, name="ended").details["went_on"]
    assert told["same"] is False
    assert "had fallen to 0% of the highest. It is 95% at once" in told["says"]
    again = resume(studio, name="ended")
    assert runs.show_run(studio, name="ended").details["went_on"] == [told], "nothing was asked to be different"
    work_off(studio, again)


def test_what_cannot_be_is_refused_and_changes_nothing(studio, trained, work_off):
    trained("whole", samples=8)
    with pytest.raises(InvalidInput, match="has seen 8 pictures"):
        resume(studio, name="whole", samples=8 - 4)
    with pytest.raises(InvalidInput, match="a time were given"):
        resume(studio, name="whole", samples=64, budget="30m")
    with pytest.raises(InvalidInput, match="is no time"):
        resume(studio, name="whole", budget="soon")
    waits = resume(studio, name="whole", samples=16)
    with pytest.raises(Conflict, match="is being trained"):
        resume(studio, name="whole", samples=24)
    assert runs.show_run(studio, name="whole").options["samples"] == 16
    work_off(studio, waits)
    with sfumato.run("by-hand", data="drawn", workspace=studio) as run:
        run.log(step=1, loss=0.5)
    with pytest.raises(Conflict, match="loop of your own"):
        resume(studio, name="by-hand", samples=10)


def test_a_time_becomes_pictures_at_the_speed_that_was_measured(studio, trained):
    trained("timed", samples=8)
    with studio.write() as session:
        machine = runs.show_run(studio, name="timed").machine
        session.execute(update(Run).where(Run.name == "timed").values(machine=machine, job_id=None))
        session.execute(update(Run).where(Run.name == "timed").values(machine=machine | {"images_per_second": 100.0}))
    resume(studio, name="timed", budget="60s")
    assert runs.show_run(studio, name="timed").options["samples"] == 8 + pictures_in(60.0, 100.0, 4) == 8 + 4000


@pytest.mark.parametrize(
    ("options", "seen", "samples", "same", "says"),
    [
        (FLOW, 10_016, 40_000, False, "goes on at 100% of the highest and falls to zero from picture 26,000 on. Its "
         "rate rose over its first 200 pictures, that of a run planned so long would have over 400."),
        (FLOW, 16_000, 40_000, False, "would have kept its rate up where this one let it fall"),
        (FLOW, 10_016, 12_000, False, "was at 100% of the highest. It is 47% at once, and falls to zero until the end"),
        (FLOW | {"warmup": 0.0}, 10_016, 40_000, True, "planned so long from the start would be the same"),
        (FLOW | {"warmup": 0.0}, 13_056, 40_000, False, "had fallen to 99% of the highest. It is 100% at once"),
        (FLOW | {"warmup": 0.0, "decay": 0.0}, 20_000, 40_000, True, "goes on at 100% of the highest and stays there"),
        (R3GAN, 20_000, 40_000, False, "Rate, penalty and augmentation go on at 100% of their way. A run"),
        (R3GAN, 4_000, 40_000, False, "were 50% of their way, and are now 15% of it."),
        ({"samples": 100}, 50, 200, False, "What its recipe makes of another length is not known here."),
    ],
)  # fmt: skip
def test_what_the_schedule_makes_of_another_length_is_said_in_words(options, seen, samples, same, says):
    found = lengthened(options, seen, samples)
    assert says in found.says
    assert found.same is same


def test_before_anybody_says_how_many_the_outlook_is_told():
    assert "stays there longer" in outlook(FLOW, 10_000)
    assert "has come to 0% of its highest. It goes up again at once" in outlook(FLOW, 20_000)
    assert "not be the same" in outlook(R3GAN, 20_000)
