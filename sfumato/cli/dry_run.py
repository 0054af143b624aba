"""What `sfumato train ... --dry-run` says of a run that is not started."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.cli.speech import pairs, table

if TYPE_CHECKING:
    from sfumato.training.ahead import Ahead


def ahead_of(
    workspace: Any, recipe_name: str, data: str, options: dict[str, Any], parent: str | None, *, sheet: Path | None
) -> dict[str, Any]:
    """Return what the network would see, but for its pictures, which go into the file `sheet`."""
    from sfumato.store.files import write_whole
    from sfumato.training.ahead import look_ahead

    found = look_ahead(workspace, recipe_name=recipe_name, data=data, options=options, parent=parent)
    if sheet is not None:
        write_whole(sheet, found.sheet())
    return without_pictures(found)


def without_pictures(found: "Ahead") -> dict[str, Any]:
    """Return what the network would see, but for what only a picture shows."""
    told = {key: value for key, value in asdict(found).items() if key not in ("fed", "data")}
    for one in told["cuts"]:
        del one["picture"]
    return told


def shown(plan: dict[str, Any], seen: dict[str, Any]) -> Any:
    """Return a plan and what the network would see, with its buckets as a table where there are several."""
    rows = pairs(flat(plan) + seen_in_words(seen))
    if len(seen["buckets"]) < 2:
        return rows
    from rich.console import Group

    told = [
        (f"{one['width']} × {one['height']}", one["pictures"], f"{one['share']:.1%}", one["held_out"],
         f"{one['lost']:.1%}", one["padded"])
        for one in seen["buckets"]
    ]  # fmt: skip
    headings = ["bucket", ">pictures", ">share", ">held out", ">lost on average", ">fitted whole"]
    return Group(rows, "", table(headings, told, empty=""))


def seen_in_words(seen: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what the network would see as pairs of a word and what it says."""
    from sfumato.store.disk import in_words

    epochs = f"{seen['epochs']:,.1f} times each of {seen['train']:,} pictures, in {seen['steps']:,} steps"
    rows = [("sees", epochs), ("memory", f"about {in_words(sum(seen['memory'].values()))}")]
    rows += [(f"  {what}", in_words(held)) for what, held in seen["memory"].items()]
    if seen["seconds"]:
        one, whole = lasting(seen["step_seconds"]), lasting(seen["seconds"])
        rows.append(("time", f"about {one} a step, {whole} for all of them; rough"))
    return rows + [(one["what"], f"{one['count']:,}: {one['why']}") for one in seen["facts"]]


def lasting(seconds: float) -> str:
    """Say how long something takes: "0.4 seconds", "12 minutes", "3.5 hours"."""
    if seconds < 120:
        return f"{seconds:.2g} seconds" if seconds < 1 else f"{seconds:,.1f} seconds"
    return f"{seconds / 60:,.0f} minutes" if seconds < 7_200 else f"{seconds / 3600:,.1f} hours"


def flat(plan: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what a plan says as pairs of a word and a value, options one by one."""
    plain = [(key, value) for key, value in plan.items() if key not in ("options", "chosen")]
    return plain + [(f"  {key}", str(value)) for key, value in plan.get("options", {}).items()]
