"""Checks of a dataset: running them, what they found by check, and groups of copies side by side."""

from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.actions.registry import allowed
from sfumato.compliance.work import list_work
from sfumato.data.choosing import keep_best, keep_best_would
from sfumato.data.collect import show_dataset
from sfumato.data.editing import CAPTIONS
from sfumato.data.explore import show_histograms
from sfumato.data.findings import FindingView, GroupView, captions_changed, list_by_licence, list_findings, list_groups
from sfumato.data.history import DecisionView, list_decided
from sfumato.data.records import file_name
from sfumato.data.scan import CheckView, check, list_checks, list_scans
from sfumato.errors import InvalidInput, NotFound, SfumatoError
from sfumato.people.wording import shortened
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.pages.deciding import answer
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit, counted
from sfumato.web.words import plural, size
from sfumato.web.working import shown

router = Router()
FINDINGS, GROUPS, ALIKE = 60, 20, 12  # of a page; pictures of one group that are shown
LICENCES = ("licence_conflict", "licence_unknown")  # one question for each licence, not for each picture
COUNTED = 5_000  # findings, up to which it is counted beforehand what keeping the best would do
LONGEST = 200  # letters of a caption beside its copies
RULES = {"best": "the best", "sharpest": "the sharpest", "largest": "the largest", "first": "the first that came"}
COPIES = ("exact_copies", "near_copies", "looks_alike", "leakage")  # what is gone by them needs no other decision
MEANT = ("grey",)  # the last of what is measured: it is often meant so
KEYS = (("← →", "move"), ("Enter", "open"), ("x", "leave out"), ("k", "keep, it is no fault"), ("u", "undo"))
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True)
class Row:
    """A check as the list shows it: how many pictures it proposes something about, and under how many licences."""

    view: CheckView
    n: int
    ran: bool
    licences: int = 0  # of a check of licences, which are decided one by one


def begun(text: str) -> str:
    """A text as a heading begins."""
    return text[:1].upper() + text[1:]


@router.get("/data/{name}/checks")
def show_checks(visit: Here, name: str) -> Response:
    """What checks found, by check, and the form that runs them."""
    return _checks(visit, name)


def _counts(workspace: Workspace, name: str) -> dict[str, int]:
    """How many pictures each check has an open finding of."""
    columns = show_histograms(workspace, name=name).values
    return {value: n for column in columns if column.column == "check" for value, n, _ in column.values}


def _rows(workspace: Workspace, name: str, ran: set[str]) -> list[Row]:
    """All checks with what they found, in the order in which they are decided."""
    counts = _counts(workspace, name)
    views = [replace(view, title=begun(view.title)) for view in list_checks(workspace)]
    rows = [Row(view, counts.get(view.name, 0), view.name in ran) for view in views]
    return sorted(rows, key=_turn)


def _turn(row: Row) -> tuple[int, int, str]:
    """When a check's turn comes, whatever it found: copies, faults of pictures, captions, then rights."""
    name, kind = row.view.name, row.view.kind
    if name in COPIES:
        return 0, COPIES.index(name), ""
    if kind != "rows":
        return 1, 2 if kind == "neural" else int(name in MEANT), row.view.title
    return (2 if name in CAPTIONS else 3), 0, row.view.title


def _next(rows: list[Row], name: str) -> CheckView | None:
    """The check after this one that has anything open, round to the first."""
    place = next(place for place, row in enumerate(rows) if row.view.name == name)
    return next((row.view for row in [*rows[place + 1 :], *rows[:place]] if row.n), None)


def _with_licences(workspace: Workspace, name: str, row: Row) -> Row:
    if row.view.name not in LICENCES:
        return row
    return replace(row, licences=len(list_by_licence(workspace, name=name, check=row.view.name, sample=0)))


def _checks(visit: Visit, name: str, wrong: SfumatoError | None = None) -> Response:
    workspace = visit.workspace
    one = show_dataset(workspace, name=name)
    # Before what was found is counted: nothing is called done over a list from before its end.
    work = [card for card in list_work(workspace, about=f"dataset/{name}", limit=6) if card.job.kind == "data.check"]
    scans = list_scans(workspace, name=name, limit=20)
    ran = {check for scan in scans for check in scan.checks}
    rows = _rows(workspace, name, ran)
    page = Page("Checks", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Checks", "")))
    return visit.render(
        "data/checks.html", status=wrong.status if wrong else 200, page=page, name=name, one=one,
        found=[_with_licences(workspace, name, row) for row in rows if row.n],
        clean=[row for row in rows if row.ran and not row.n],
        waiting=[row for row in rows if not row.ran and not row.n],
        unseen=[row for row in rows if not row.ran and not row.n and row.view.kind == "neural"],
        scan=scans[0] if scans else None,
        work=[shown(card, visit.me) for card in work],
        may=allowed(workspace, "dataset.write"), why=WHY, **said(wrong),
    )  # fmt: skip


@router.post("/data/{name}/scans")
@counted("upload")
def run_checks(visit: Here, name: str, form: Sent) -> Response:
    """Run checks: all that are quick, or those that are chosen."""
    only = [key.removeprefix("check-") for key in form if key.startswith("check-")]
    if "chosen" in form and not only:
        return _checks(visit, name, InvalidInput("No check was chosen.", hint="Tick at least one of them."))
    try:
        check(visit.workspace, name=name, only=only or None)
    except InvalidInput as wrong:
        return _checks(visit, name, wrong)
    return visit.go(f"/data/{name}/checks")


@router.get("/data/{name}/checks/{check_name}")
def show_found(
    visit: Here, name: str, check_name: str, *, after: Word = "", how: Word = "", keep: Word = "best", group: Word = ""
) -> Response:
    """What one check found: groups of copies side by side, or one of them, or pictures, the worst first."""
    if keep not in RULES:
        raise InvalidInput("Copies are thinned by a rule.", hint=f"Say keep={' or '.join(RULES)}.")
    workspace = visit.workspace
    view = next((one for one in list_checks(workspace) if one.name == check_name), None)
    if view is None:
        raise NotFound(f"There is no check '{check_name}'.", hint="Checks shows what there is.")
    title = begun(view.title)
    crumbs = (("Data", "/data"), (name, f"/data/{name}"), ("Checks", f"/data/{name}/checks"), (title, ""))
    page = Page(title, "data", keys=KEYS, crumbs=crumbs)
    groups: list[GroupView] = []
    if how != "list" and check_name not in CAPTIONS:  # pictures that share a caption are no copies
        chosen: dict[str, Any] = {"after": after or None, "limit": GROUPS + 1, "by": keep, "group": group}
        chosen["doubtful"] = how == "doubt"
        groups = list_groups(workspace, name=name, check=check_name, **chosen)
    found: list[FindingView] = []
    by_licence = how != "list" and check_name in LICENCES
    licences = list_by_licence(workspace, name=name, check=check_name) if by_licence else []
    if not groups and not group and not licences and how != "doubt":
        found = list_findings(workspace, name=name, check=check_name, after=after or None, limit=FINDINGS + 1)
    rows: list[Any] = list(groups or found)
    most = GROUPS if groups else FINDINGS
    path = f"/data/{name}/checks/{check_name}"
    order = _rows(workspace, name, set())
    n = next(row.n for row in order if row.view.name == check_name)
    would = None
    if groups and n <= COUNTED:
        would = keep_best_would(workspace, name=name, check=check_name, by=keep)  # type: ignore[arg-type]
    kept = {"keep": keep} if keep != "best" else {}
    more = {"after": rows[most - 1].place} | ({"how": how} if how else {}) | kept if len(rows) > most else {}
    here = {"after": after, "how": how, "group": group} | kept
    return visit.render(
        "data/found.html", page=page, name=name, check=view, path=path, how=how, after=after,
        here=urlencode({key: value for key, value in here.items() if value}),
        title=title, outdated=check_name in CAPTIONS and captions_changed(workspace, name=name, check=check_name),
        groups=[(one, compared(one)) for one in groups[:GROUPS]], found=found[:FINDINGS],
        older=f"{path}?{urlencode(more)}" if more else "", would=would,
        rules=RULES, keep=keep, alike=ALIKE, captions=CAPTIONS, licences=licences,
        following=_next(order, check_name), n=n, file_name=file_name,
        may=allowed(workspace, "dataset.write"), why=WHY,
    )  # fmt: skip


def compared(group: GroupView) -> list[tuple[str, list[tuple[str, bool]]]]:
    """What is known of each picture of a group, row by row; what differs from the best one is marked."""
    members = group.members[:ALIKE]
    best = next((place for place, one in enumerate(members) if one.is_best), 0)
    rows = [
        ("Called", [file_name(one.key) for one in members]),
        ("Size", [f"{one.width} × {one.height}" for one in members]),
        ("Sharpness", [f"{one.sharpness:.3g}" if one.sharpness else "" for one in members]),
        ("File", [size(one.file_bytes) if one.file_bytes else "" for one in members]),
        ("Caption", ["" if one.name == file_name(one.key) else one.name for one in members]),
    ]
    return [
        (title, [(shortened(text, LONGEST), text != texts[best]) for text in texts])
        for title, texts in rows
        if any(texts)
    ]


@router.post("/data/{name}/checks/{check_name}/thin")
def thin_out(visit: Here, name: str, check_name: str, form: Sent) -> Response:
    """Of each group of copies, or of one, keep one picture by a rule and leave the others out: one decision."""
    rule = form.get("rule", "best")
    if rule not in RULES:
        raise InvalidInput("Copies are thinned by a rule.", hint=f"Send rule={' or '.join(RULES)}.")
    groups = [form["group"]] if form.get("group") else None
    done = keep_best(visit.workspace, name=name, check=check_name, by=rule, groups=groups)  # type: ignore[arg-type]
    say = _thinned(visit.workspace, done) if groups else begun(done.name)
    return answer(visit, done, f"{say}.", form.get("back") or f"/data/{name}/checks/{check_name}")


def _thinned(workspace: Workspace, done: DecisionView) -> str:
    """What was done of one group, by the name of the picture that was kept."""
    rows = list_decided(workspace, id=done.id, limit=done.n)
    kept = next((one.item for one in rows if "state" not in one.after), "")
    return f"Kept “{shortened(kept.rstrip('.'), 60)}”, left out {plural(done.n - 1, 'copy', 'copies')} of it"
