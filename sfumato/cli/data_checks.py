"""`sfumato data check` and what it found: findings, groups of copies, and the scans so far."""

from typing import Annotated, Any

import typer

from sfumato.cli.following import follow
from sfumato.cli.speech import answer, counts, opened, table
from sfumato.errors import InvalidInput

Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]
Limit = Annotated[int, typer.Option(min=1, max=5_000, help="How many at most.")]


def check(
    context: typer.Context,
    name: Name,
    only: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="Only this check; may be repeated.")] = None,
    neural: Annotated[bool, typer.Option("--neural", help="Also those that look by a network and take long.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="CHECK.OPTION=VALUE", help="An option of a check.")
    ] = None,
) -> None:
    """Look for pictures that may be wrong: copies, blur, odd sizes and more. It proposes, and removes nothing.

    What a person decided about a finding stays decided; checking again measures only what is new.
    `sfumato data checks` says which checks there are, with their options.

    Example: `sfumato data check mine --only near_copies --only blur`
    """
    from sfumato.data.scan import check as ask

    with opened(context) as workspace:
        job = ask(workspace, name=name, only=only, neural=neural, options=said_options(set_ or []))
        result = follow(context, workspace, job).result or {}
    answer(context, result, lambda: told(result))


def said_options(said: list[str]) -> dict[str, dict[str, Any]]:
    """Options by check from words like blur.below=0.2; raises InvalidInput."""
    found: dict[str, dict[str, Any]] = {}
    for one in said:
        place, equals, value = one.partition("=")
        check_name, dot, option = place.partition(".")
        if not (equals and dot and option):
            raise InvalidInput(f"'{one}' does not set an option.", hint="Write it like blur.below=0.2.")
        found.setdefault(check_name, {})[option] = value
    return found


def told(result: dict[str, Any]) -> str:
    """Say what was found, that nothing was removed, and how to go on."""
    from sfumato.data.scan import titled

    found, name, n = result.get("found", {}), result.get("dataset", ""), result.get("n", 0)
    gone = sum(result.get("gone", {}).values())
    since = f" {gone:,} found before {'is' if gone == 1 else 'are'} not seen any more." if gone else ""
    if not found:
        return f"Looked at {n:,} pictures and found nothing to propose.{since}"
    return (
        f"Looked at {n:,} pictures and found {counts(titled(found))}.{since}\n"
        f"Nothing was removed. `sfumato data findings {name}` lists them, worst first; "
        f"`sfumato data groups {name}` shows copies side by side."
    )


def checks(context: typer.Context) -> None:
    """Say which checks there are, what each looks for, and its options with their defaults.

    Example: `sfumato data checks`
    """
    from sfumato.data.scan import list_checks

    with opened(context) as workspace:
        found = list_checks(workspace)
    rows = [(one.name, one.title, one.kind, one.says, defaults(one.options)) for one in found]
    headings = ["name", "check", "by", "looks for", "options"]
    answer(context, found, lambda: table(headings, rows, empty="There are no checks."))


def defaults(schema: dict[str, Any]) -> str:
    """Options of a schema with their defaults: "above=2.5"."""
    return ", ".join(f"{name}={one.get('default')}" for name, one in schema.get("properties", {}).items())


def findings(
    context: typer.Context,
    name: Name,
    check_name: Annotated[str, typer.Option("--check", metavar="CHECK", help="Only of this check.")] = "",
    limit: Limit = 50,
) -> None:
    """List what checks propose, the worst first.

    Example: `sfumato data findings mine --check blur`
    """
    from sfumato.data.findings import list_findings
    from sfumato.data.scan import title_of

    with opened(context) as workspace:
        found = list_findings(workspace, name=name, check=check_name, limit=limit)
    rows = [(one.item_id[-8:], one.item_name, title_of(one.check), f"{one.score:.2f}", one.reason) for one in found]
    headings = ["item", "picture", "check", ">score", "why"]
    answer(context, found, lambda: table(headings, rows, empty=f"Nothing is open. `sfumato data check {name}` looks."))


def groups(
    context: typer.Context,
    name: Name,
    check_name: Annotated[str, typer.Option("--check", metavar="CHECK", help="Such as exact_copies.")] = "near_copies",
    limit: Limit = 20,
    doubtful: Annotated[bool, typer.Option("--doubtful", help="Only where a picture may be no copy.")] = False,
) -> None:
    """Show groups of copies, the best picture of each first.

    Example: `sfumato data groups mine --doubtful`
    """
    from sfumato.data.findings import list_groups

    with opened(context) as workspace:
        found = list_groups(workspace, name=name, check=check_name, limit=limit, doubtful=doubtful)
    rows = [
        (one.group[:8] if place == 0 else "", member.item_id[-8:], member.name, f"{member.width} × {member.height}",
         f"{member.sharpness:.2f}", "to keep" if member.is_best else in_doubt(member.doubt) + member.reason)
        for one in found
        for place, member in enumerate(one.members)
    ]  # fmt: skip
    headings = ["group", "item", "picture", ">size", ">sharpness", ""]
    answer(context, found, lambda: table(headings, rows, empty="There are no copies that wait for a decision."))


def in_doubt(why: str) -> str:
    """What a group says before the reason where a picture may be no copy."""
    return f"Maybe no copy. {why}. " if why else ""


def scans(context: typer.Context, name: Name, limit: Limit = 20) -> None:
    """List when checks went over a dataset, and what they found.

    Example: `sfumato data scans mine`
    """
    from sfumato.data.scan import list_scans, titled

    with opened(context) as workspace:
        found = list_scans(workspace, name=name, limit=limit)
    rows = [
        (f"{one.made_at:%Y-%m-%d %H:%M}", one.n,
         counts(titled({key: n for key, n in one.found.items() if n})) or "nothing")
        for one in found
    ]  # fmt: skip
    empty = f"No check has gone over it yet. `sfumato data check {name}` does."
    answer(context, found, lambda: table(["when", ">pictures", "found"], rows, empty=empty))


def add_to(app: typer.Typer) -> None:
    """Add these commands to `sfumato data`."""
    for command in (check, checks, findings, groups, scans):
        app.command()(command)
