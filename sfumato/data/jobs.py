"""What a worker does for the data room."""

from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

from sfumato.data.collect import SOURCES, Left, Taken, look_at, make_dataset, show_dataset, write_down
from sfumato.jobs import JobContext, Progress, job

BATCH = 200


@job("data.collect", needs="dataset.write")
def collect(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Read the source, keep bytes by their hash, then write rows, 200 at a time; going on skips what is done."""
    workspace = ctx.workspace
    source = SOURCES.get(spec["source"])
    options = source.Options.model_validate(spec["options"])
    if "packages_dir" in source.Options.model_fields and not options.packages_dir and workspace.settings.packages_dir:
        options = options.model_copy(update={"packages_dir": str(workspace.settings.packages_dir)})
    with ctx.write() as session:
        dataset_id = make_dataset(workspace, session, spec["into"])
    counts: Counter[str] = Counter((ctx.position or {}).get("counts", {}))
    skip = int((ctx.position or {}).get("seen", 0))
    batch: list[Taken | Left] = []
    seen = 0
    yield Progress(0, 0, "pictures", f"reading {spec['source']}")
    for found in source.read(options, Path(workspace.path) / "cache"):
        seen += 1
        if seen <= skip:
            continue
        batch.append(found if isinstance(found, Left) else look_at(found, workspace.settings.max_pixels))
        if len(batch) >= BATCH:
            counts += _keep(ctx, dataset_id, batch, seen, counts)
            batch = []
        yield Progress(seen, 0, "pictures", f"collecting into {spec['into']}")
    counts += _keep(ctx, dataset_id, batch, seen, counts)
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


def _keep(ctx: JobContext, dataset_id: str, batch: list[Taken | Left], seen: int, before: Counter[str]) -> Counter[str]:
    for thing in batch:
        if isinstance(thing, Taken):
            ctx.workspace.store.put(thing.data)
    with ctx.write() as session:
        counts = write_down(session, ctx.actor.id, dataset_id, batch)
        ctx.save(session, {"seen": seen, "counts": dict(before + counts)})
    return counts
