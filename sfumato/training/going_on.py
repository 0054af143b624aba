"""Going on with a run where its last state left it: to its end, or further than it was planned. Loads no torch."""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from sfumato.actions import Act, action
from sfumato.errors import Conflict, InvalidInput
from sfumato.jobs import JobView
from sfumato.jobs.records import Job
from sfumato.training.budget import FIXED, SHARE, seconds_of
from sfumato.training.records import OWN, Run
from sfumato.training.runs import find_run, go_on

ALIKE = 0.005  # difference of two shares that nobody has to be told of
STEPS = 400  # places at which what was done is compared with what a longer plan would have done


@dataclass(frozen=True)
class Further:
    """A run's new length, and what its schedule makes of that; `same` as a run planned so long from the start?"""

    samples: int
    says: str
    same: bool


@action("training.resume", needs="training.write")
def resume(act: Act, *, name: str, samples: int = 0, budget: str = "", lane: str = "long") -> JobView:
    """Go on with a run exactly where its last state left it, until its end or until `samples` pictures in all.

    A `budget` such as "30m" is so much more time, at the speed that was measured. Another length changes the
    schedule of the steps to come, never those that were taken; what that means is kept with the run, in words.
    Raises Conflict while the run is being trained, InvalidInput for a length that it has passed.
    """
    run = find_run(act.session, name)
    if run.recipe == OWN:
        raise Conflict(f"The run '{name}' is a loop of your own.", hint="Run its script again: it goes on by its name.")
    wanted = _length(act, run, samples, budget)
    planned = int(run.options["samples"])
    if wanted in (0, planned):
        act.says(f"asked to go on with {name}", subject=run.ref)
        return go_on(act, run, lane)
    job = act.session.get(Job, run.job_id) if run.job_id else None
    if job is not None and job.status in ("waiting", "running"):
        raise Conflict(f"The run '{name}' is being trained.", hint="Stop it first; what it has learnt is kept.")
    found = lengthened(run.options, run.samples_seen, wanted)
    kept = dict(run.details or {})
    kept["went_on"] = [
        *kept.get("went_on", []),
        {"at": run.samples_seen, "planned": planned, "samples": wanted, "says": found.says, "same": found.same},
    ]
    changed = {"options": {**run.options, "samples": wanted}, "details": kept}
    act.session.execute(update(Run).where(Run.id == run.id).values(**changed))
    act.says(f"asked to go on with {name} until {wanted:,} pictures", subject=run.ref)
    return go_on(act, run, lane)


def _length(act: Act, run: Run, samples: int, budget: str) -> int:
    """The pictures in all that a run is to see, 0 where nothing is said of it; raises InvalidInput."""
    if samples and budget.strip():
        raise InvalidInput("A number of pictures and a time were given.", hint="Give one of the two.")
    seen = run.samples_seen
    if budget.strip():
        job = act.session.get(Job, run.job_id) if run.job_id else None
        said = ((job.progress or {}).get("extra") or {}) if job else {}
        speed = float(said.get("images_per_second") or run.machine.get("images_per_second") or 0.0)
        if not speed:
            raise InvalidInput(f"How fast '{run.name}' is was not measured yet.", hint="Give a number of pictures.")
        return seen + pictures_in(seconds_of(budget), speed, int(run.options.get("batch", 1)))
    if samples and samples <= seen:
        raise InvalidInput(
            f"'{run.name}' has seen {seen:,} pictures and cannot go on until {samples:,}.",
            hint=f"Name more than {seen:,}: the number is of all pictures that it is to have seen.",
        )
    if samples < 0:
        raise InvalidInput(f"{samples:,} is no number of pictures.", hint=f"Name more than {seen:,}.")
    return samples


def pictures_in(seconds: float, speed: float, batch: int) -> int:
    """Pictures that a run sees in so many seconds at so many a second, whole batches, with time taken off for looks."""
    steps = max(seconds * SHARE - FIXED, seconds * 0.3)
    return max(batch, int(steps * speed) // batch * batch)


def lengthened(options: dict[str, Any], seen: int, samples: int) -> Further:
    """What becomes of a run of these options that has seen so many pictures when it goes on until `samples`."""
    planned, batch = int(options["samples"]), int(options.get("batch", 1))
    start = f"Planned for {planned:,} pictures, it goes on after {seen:,} until {samples:,}."
    if way(options, 0) is None:
        return Further(samples, f"{start} What its recipe makes of another length is not known here.", False)
    longer = {**options, "samples": samples}
    places = {*range(0, seen, max(batch, seen // STEPS // batch * batch)), max(0, seen - batch)}
    apart = [place for place in sorted(places) if way(options, place) != way(longer, place)] if seen else []
    now = _now(options, longer, seen)
    if not apart:
        return Further(samples, f"{start} {now} A run planned so long from the start would be the same.", True)
    if "warmup" in options and apart[-1] < max(planned, samples) * float(options["warmup"]):
        rose, would = (f"{round(length * float(options['warmup'])):,}" for length in (planned, samples))
        why = f"Its rate rose over its first {rose} pictures, that of a run planned so long would have over {would}."
        return Further(samples, f"{start} {now} {why} From there on they do the same steps.", False)
    if "decay" in options and samples > planned:
        why = "would have kept its rate up where this one let it fall"
    else:
        why = "would have moved at another pace until here"
    return Further(samples, f"{start} {now} A run planned so long from the start {why}: the two differ.", False)


def outlook(options: dict[str, Any], seen: int) -> str:
    """What going on with more pictures than were planned would mean, before anybody says how many."""
    done = way(options, seen)
    if done is None or not seen:
        return "The steps that were taken stay as they are; the rest follows the new length."
    if "decay" not in options:
        return (
            f"Rate, penalty and augmentation are {done:.0%} of their way. With more pictures they go back as far as "
            "the new length says, so it will not be the same as a run planned so long from the start."
        )
    if not options["decay"]:
        return "Its learning rate stays as it is, whatever the length."
    over = f"the last {float(options['decay']):.0%} of the new length"
    if seen < float(options["warmup"]) * int(options["samples"]):
        return f"Its learning rate still rises, at the pace of the new length, and falls to zero over {over}."
    if done > 1 - ALIKE:
        return f"Its learning rate is at its highest. It stays there longer, and falls to zero over {over}."
    return (
        f"Its learning rate has come to {done:.0%} of its highest. It goes up again at once, and falls to zero over "
        f"{over}, so it will not be the same as a run planned so long from the start."
    )


def way(options: dict[str, Any], seen: int) -> float | None:
    """Where a run's schedule is after so many pictures; None for a recipe that has neither of the two known ones.

    With `warmup` and `decay` it is the learning rate as a share of the highest (`training.phases.rate`); with `settle`
    the share of the way of the half cosine by which rate, penalty and augmentation move.
    """
    samples = int(options["samples"])
    if "warmup" in options and "decay" in options:
        rise = min(1.0, (seen + int(options.get("batch", 1))) / max(float(options["warmup"]) * samples, 1))
        fall = max(0.0, 1 - seen / samples) / float(options["decay"]) if options["decay"] else 1.0
        return rise * min(1.0, fall)
    if "settle" in options:
        return (1 - math.cos(math.pi * min(seen / (float(options["settle"]) * samples), 1.0))) / 2
    return None


def _now(options: dict[str, Any], longer: dict[str, Any], seen: int) -> str:
    """What the schedule does at the place where the run goes on."""
    before, after = way(options, seen) or 0.0, way(longer, seen) or 0.0
    if "decay" not in options:
        if abs(before - after) < ALIKE:
            return f"Rate, penalty and augmentation go on at {after:.0%} of their way."
        return f"Rate, penalty and augmentation were {before:.0%} of their way, and are now {after:.0%} of it."
    decay = float(options["decay"])
    fall = round(longer["samples"] * (1 - decay))
    rest = f"falls to zero from picture {fall:,} on" if fall > seen else "falls to zero until the end"
    rest = rest if decay else "stays there"
    if abs(before - after) < ALIKE:
        return f"Its learning rate goes on at {after:.0%} of the highest and {rest}."
    word = "had fallen to" if after > before else "was at"
    return f"Its learning rate {word} {before:.0%} of the highest. It is {after:.0%} at once, and {rest}."
