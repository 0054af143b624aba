"""What a worker does for the data room."""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import sfumato.data.exports.work  # noqa: F401  # the job data.export
from sfumato.data import diversity  # noqa: F401  # the job of this name, as below
from sfumato.data.ahead import Drawers, Intake, taken_in_order
from sfumato.data.collect import SOURCES, make_dataset, show_dataset
from sfumato.data.found import Handed, Left
from sfumato.data.intake import Taken, write_down
from sfumato.data.scanning import scan
from sfumato.jobs import JobContext, Progress, job

BATCH = 500  # pictures whose rows are written in one transaction


@job("data.collect", needs="dataset.write")
def collect(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Read the source, keep bytes by their hash, then write rows, a batch at a time; going on skips what is done."""
    workspace = ctx.workspace
    source = SOURCES.get(spec["source"])
    options = source.Options.model_validate(spec["options"])
    if "packages_dir" in source.Options.model_fields and not options.packages_dir and workspace.settings.packages_dir:
        options = options.model_copy(update={"packages_dir": str(workspace.settings.packages_dir)})
    yield Progress(0, 0, "pictures", f"reading {spec['source']}")
    cache = Path(workspace.path) / "cache"
    total = source.count(options, cache) if hasattr(source, "count") else 0
    before, counts, things = _left(lambda: source.read(options, cache), ctx.position or {})
    batch: list[Taken | Left] = []
    seen, last = before, ""
    with (
        Drawers() as drawers, Intake(workspace, drawers) as intake,
        closing(taken_in_order(things, intake)) as taken,
    ):  # fmt: skip
        for seen, (last, thing) in enumerate(taken, before + 1):
            batch.append(thing)
            if len(batch) >= BATCH:
                intake.settle()
                counts += _keep(ctx, spec["into"], batch, counts, {"seen": seen, "last": last})
                batch = []
            yield Progress(seen, max(seen, total) if total else 0, "pictures", _so_far(spec["into"], counts))
        intake.settle()
    counts += _keep(ctx, spec["into"], batch, counts, {"seen": seen, "last": last})
    yield Progress(seen, seen, "pictures", "done")
    shown = show_dataset(workspace, name=spec["into"])
    new, changed = counts["new"], counts["changed"]
    said = f"{new:,} new, {counts['known'] - changed:,} already there" + (f", {changed:,} changed" if changed else "")
    if not new and not changed and not counts["quarantined"]:
        said = "Nothing changed: all of it is here already" if seen else "There was no picture in it"
    return {
        "dataset": shown.name, "n": shown.n, "counts": dict(counts), "left_out": shown.left_out,
        "say": f"{said}. {_twins(counts)}{shown.advice}",
    }  # fmt: skip


def _twins(counts: Counter[str]) -> str:
    """What is said of pictures whose very bytes were there already."""
    n, gone = counts["twins"], counts["left out again"]
    if not n:
        return ""
    what = "1 is byte for byte a picture that is" if n == 1 else f"{n:,} are byte for byte pictures that are"
    out = f", and {'was' if gone == 1 else 'were'} left out again, as before" if gone == n else ""
    some = f", {gone:,} of them left out again, as before" if 0 < gone < n else ""
    return f"{what} here already{out or some}. "


def _so_far(into: str, counts: Counter[str]) -> str:
    """What is said while it goes on: also that some could not be taken."""
    aside = f", {counts['quarantined']:,} cannot be taken" if counts["quarantined"] else ""
    return f"collecting into {into}{aside}"


def _left(read: Callable[[], Iterator[Handed]], position: dict[str, Any]) -> tuple[int, Counter[str], Iterator[Handed]]:
    """How many an earlier attempt has done, its counts, and what is left; all of it if the source has changed since."""
    seen = position.get("seen", 0)
    if not seen:
        return 0, Counter(), read()
    things = read()
    done = deque(islice(things, seen), maxlen=1)
    if not done or done[0].key != position["last"]:
        return 0, Counter(), read()
    return seen, Counter(position["counts"]), things


def _keep(
    ctx: JobContext, into: str, batch: list[Taken | Left], before: Counter[str], reached: dict[str, Any]
) -> Counter[str]:
    """Write rows, whose bytes are kept already, and the position in one transaction, and the dataset if need be."""
    with ctx.write() as session:
        dataset_id = make_dataset(ctx.workspace, session, into)
        counts = write_down(session, ctx.actor.id, dataset_id, batch, ctx.job_id)
        if batch:
            ctx.save(session, {**reached, "counts": dict(before + counts)})
    return counts


@job("data.pick_diverse", needs="dataset.write")
def pick_diverse(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Pick the pictures that are most different from each other, and leave the others out as one decision."""
    from sfumato.data.coreset import pick

    return (yield from pick(ctx, spec))


@job("data.check", needs="dataset.write")
def check(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Measure what is new, then let one check after the other judge; going on skips the checks that are done."""
    return (yield from scan(ctx, spec))


@job("data.map", needs="dataset.write")
def draw_map(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Look at what is new, then lay the pictures out; features that are there already are not made again."""
    from sfumato.data.map import work

    return (yield from work(ctx, spec))


@job("data.suggest", needs="dataset.write")
def suggest(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Suggest captions beside the pictures; none is changed."""
    from sfumato.data.suggesting import work

    return (yield from work(ctx, spec))
