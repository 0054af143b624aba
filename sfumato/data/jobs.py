"""What a worker does for the data room."""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sfumato.data import diversity  # noqa: F401  # the job of this name, as below
from sfumato.data.collect import SOURCES, Taken, look_at, make_dataset, show_dataset, write_down
from sfumato.data.drawing import Drawer
from sfumato.data.exports import work  # noqa: F401  # the job data.export
from sfumato.data.found import Found, Left
from sfumato.data.scanning import scan
from sfumato.jobs import JobContext, Progress, job
from sfumato.store import Store

BATCH = 200  # pictures, and
BATCH_BYTES = 64_000_000  # bytes, that are kept in memory until they are written down


@job("data.collect", needs="dataset.write")
def collect(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Read the source, keep bytes by their hash, then write rows, a batch at a time; going on skips what is done."""
    workspace = ctx.workspace
    source = SOURCES.get(spec["source"])
    options = source.Options.model_validate(spec["options"])
    if "packages_dir" in source.Options.model_fields and not options.packages_dir and workspace.settings.packages_dir:
        options = options.model_copy(update={"packages_dir": str(workspace.settings.packages_dir)})
    with ctx.write() as session:
        dataset_id = make_dataset(workspace, session, spec["into"])
    yield Progress(0, 0, "pictures", f"reading {spec['source']}")
    cache = Path(workspace.path) / "cache"
    before, counts, things = _left(lambda: source.read(options, cache), ctx.position or {})
    batch: list[Taken | Left] = []
    seen, last, held = before, "", 0
    with Drawer() as drawer:
        for seen, found in enumerate(things, before + 1):
            last = found.key
            if isinstance(found, Found):
                held += len(found.data)
                seen_picture = look_at(found, workspace.settings.max_pixels, draw=drawer.draw)
                batch.append(_unless_erased(workspace.store, seen_picture))
            else:
                batch.append(found)
            if len(batch) >= BATCH or held >= BATCH_BYTES:
                counts += _keep(ctx, dataset_id, batch, counts, {"seen": seen, "last": last})
                batch, held = [], 0
            yield Progress(seen, 0, "pictures", f"collecting into {spec['into']}")
    counts += _keep(ctx, dataset_id, batch, counts, {"seen": seen, "last": last})
    yield Progress(seen, seen, "pictures", "done")
    shown = show_dataset(workspace, name=spec["into"])
    new, changed = counts["new"], counts["changed"]
    said = f"{new:,} new, {counts['known'] - changed:,} already there" + (f", {changed:,} changed" if changed else "")
    if not new and not changed and not counts["quarantined"]:
        said = "Nothing changed: all of it is here already"
    return {
        "dataset": shown.name, "n": shown.n, "counts": dict(counts), "left_out": shown.left_out,
        "say": f"{said}. {shown.advice}",
    }  # fmt: skip


def _unless_erased(store: Store, thing: Taken | Left) -> Taken | Left:
    """The picture as it is, or why it may not be taken again: the same bytes were erased."""
    erasure = store.erased(thing.row["sha256"]) if isinstance(thing, Taken) else None
    if erasure is None or not isinstance(thing, Taken):
        return thing
    return Left(thing.row["key"], "erased", f"the same picture was {erasure}", thing.row["source"])


def _left(
    read: Callable[[], Iterator[Found | Left]], position: dict[str, Any]
) -> tuple[int, Counter[str], Iterator[Found | Left]]:
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
    ctx: JobContext, dataset_id: str, batch: list[Taken | Left], before: Counter[str], reached: dict[str, Any]
) -> Counter[str]:
    """Keep bytes, then write rows and the position in one transaction."""
    for thing in batch:
        if isinstance(thing, Taken):
            ctx.workspace.store.put(thing.data)
    with ctx.write() as session:
        counts = write_down(session, ctx.actor.id, dataset_id, batch)
        if batch:
            ctx.save(session, {**reached, "counts": dict(before + counts)})
    return counts


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
