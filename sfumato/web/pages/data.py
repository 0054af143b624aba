"""Data: datasets as cards, one dataset in numbers, its versions, and taking pictures in."""

from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.compliance.work import list_work
from sfumato.data.advice import UNSTATED
from sfumato.data.collect import NAME, DatasetView, collect, list_datasets, show_dataset
from sfumato.data.datasheet import count_open
from sfumato.data.freeze import SPLITS, count_unfit, freeze, list_versions, version_by_id
from sfumato.data.places import SERVER_PATHS
from sfumato.data.shelf import Cover, count_archived, list_choices, show_cover
from sfumato.data.shelving import show_shelved
from sfumato.errors import Conflict, Forbidden, InvalidInput, NotFound, SfumatoError
from sfumato.trust.licences import ASKS, class_of
from sfumato.web.addresses import Router
from sfumato.web.charts import Chart, bar_chart
from sfumato.web.desks import Desk, Page
from sfumato.web.fields import fields, read_form
from sfumato.web.kept import kept
from sfumato.web.schemas import names, schema
from sfumato.web.sent import Sent, said
from sfumato.web.uploads import take_in
from sfumato.web.visits import Here, Visit, counted
from sfumato.web.working import shown

router = Router()
PATIENCE = 3.0  # seconds that the page of one dataset takes to be exact: versions are frozen by what it says
DESK = Desk(
    "data",
    "Data",
    "/data",
    "database",
    order=10,
    roles=("data scientist", "ML engineer"),
    says="Pictures with their captions, licences and makers.",
)
SOURCES = "sfumato.data.sources"
WHY = "You need the permission 'dataset.write'. An admin of the project can give it."
CARDS, SHOWN, VERSIONS = 24, 12, 50
TITLES = {
    "folder": "A folder of the server", "generated": "Generated pictures", "icons": "Icon sets",
    "imagefolder": "Hugging Face folder", "openclipart": "Open Clip Art", "parquet": "Parquet",
    "sample": "The sample that ships", "table": "A table of paths", "tar": "WebDataset", "zip": "A ZIP of the server",
}  # fmt: skip
Word = Annotated[str, Query(max_length=200)]


@router.get("/data")
def show_data(visit: Here, after: Word = "", archived: bool = False) -> Response:
    """Datasets as cards; those put away only where they are asked for."""
    workspace = visit.workspace
    found = kept(
        workspace,
        ("datasets", after, archived),
        lambda: list_datasets(workspace, after=after or None, limit=CARDS + 1, archived=archived),
    )
    covers: dict[str, Cover] = {one.name: show_cover(workspace, name=one.name) for one in found[:CARDS]}
    asked = {"archived": "1"} if archived else {}
    older = f"/data?{urlencode({**asked, 'after': found[CARDS - 1].name})}" if len(found) > CARDS else ""
    page = Page("Data", "data", keys=(("Enter", "open a dataset"),))
    return visit.render(
        "data/list.html",
        page=page,
        found=found[:CARDS],
        covers=covers,
        older=older,
        after=after,
        archived=archived,
        away=kept(workspace, ("away",), lambda: count_archived(workspace)),
        first=f"/data?{urlencode(asked)}".rstrip("?"),
        here=f"/data?{urlencode({**asked, **({'after': after} if after else {})})}".rstrip("?"),
        may=allowed(workspace, "dataset.write"),
        why=WHY,
    )


@router.get("/new-dataset")
def name_dataset(visit: Here, name: Word = "") -> Response:
    """Name a dataset; what is taken into it makes it."""
    wrong = "A name has letters, digits, dots and dashes, and begins with a letter or a digit." if name else ""
    there = False
    if NAME.fullmatch(name):
        with suppress(NotFound):
            there = bool(show_cover(visit.workspace, name=name))
        if not there:
            return visit.go(f"/data/{name}/add")
        wrong = f"There is a dataset {name} already."
    page = Page("New dataset", "data", crumbs=(("Data", "/data"), ("New dataset", "")))
    return visit.render("data/new.html", page=page, name=name, wrong=wrong, there=there, status=422 if wrong else 200)


@router.get("/data/{name}")
def show_one(visit: Here, name: str, same: Word = "") -> Response:
    """One dataset: what it holds in numbers, its versions, and the forms to grow and to freeze it."""
    try:
        return _dataset(visit, name, same=same)
    except NotFound:
        work = list_work(visit.workspace, about=f"dataset/{name}", limit=6)
        if not work:
            raise
    page = Page(name, "data", crumbs=(("Data", "/data"), (name, "")))
    return visit.render("data/coming.html", page=page, name=name, work=[shown(one, visit.me) for one in work])


def _dataset(visit: Visit, name: str, wrong: SfumatoError | None = None, *, same: str = "") -> Response:
    workspace = visit.workspace
    work = list_work(workspace, about=f"dataset/{name}", limit=6)  # before what it adds to is counted
    found = kept(workspace, ("dataset", name), lambda: show_dataset(workspace, name=name), slow=PATIENCE)
    if found.name != name:  # it was renamed
        return visit.go(f"/data/{found.name}")
    choices = kept(workspace, ("choices", name), lambda: list_choices(workspace, name=name))
    page = Page(name, "data", crumbs=(("Data", "/data"), (name, "")))
    return visit.render(
        "data/page.html",
        status=wrong.status if wrong else 200,
        page=page,
        one=found,
        name=name,
        charts=charts_of(found, choices),
        cover=show_cover(workspace, name=name),
        versions=(versions := list_versions(workspace, name=name, limit=VERSIONS)[::-1]),
        unchanged=same if any(one.name == same for one in versions) else "",
        unfit=count_unfit(workspace, name=name),
        work=[shown(one, visit.me) for one in work],
        asks=asks_of(found.licences),
        splits=SPLITS,
        open_questions=count_open(workspace, name=name),
        may=allowed(workspace, "dataset.write"),
        why=WHY,
        **said(wrong),
    )


@router.post("/data/{name}/versions")
def freeze_version(visit: Here, name: str) -> Response:
    """Freeze what a dataset holds now."""
    try:
        version = freeze(visit.workspace, name=name)
    except InvalidInput as wrong:
        return _dataset(visit, name, wrong)
    same = "" if version.is_new else f"?same={version.name}"
    return visit.go(f"/data/{name}{same}#version-{version.id}")


@router.get("/data/{name}/add")
def show_add(visit: Here, name: str, source: Word = "") -> Response:
    """Ways to take pictures into a dataset: from one's own machine, or from a source."""
    with suppress(NotFound):  # where there is none, the pictures make it
        there = show_shelved(visit.workspace, name=name)
        if there.name != name:
            return visit.go(f"/data/{there.name}/add")
        if there.archived_at is not None:  # its page says so
            return visit.go(f"/data/{name}")
    return _add(visit, name, source)


def _add(
    visit: Visit, name: str, source: str, values: dict[str, Any] | None = None, wrong: SfumatoError | None = None
) -> Response:
    _check_name(name)
    if source and source not in names(SOURCES):
        raise NotFound(f"There is no source '{source}'.", hint=f"There is: {', '.join(names(SOURCES))}.")
    told = _asked(visit, source) if source else {}
    listed = [("From your machine", f"/data/{name}/add", None)]
    listed += [(TITLES.get(one, one.capitalize()), f"/data/{name}/add?source={one}", None) for one in _open_to(visit)]
    page = Page("Add pictures", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Add pictures", "")))
    return visit.render(
        "data/add.html",
        status=wrong.status if wrong else 200,
        page=page,
        name=name,
        source=source,
        tabs=listed,
        now=TITLES.get(source, source.capitalize()) if source else "From your machine",
        says=told.get("description", ""),
        form=fields(told, values) if source else [],
        may=allowed(visit.workspace, "dataset.write"),
        why=WHY,
        **said(wrong),
    )


def _open_to(visit: Visit) -> list[str]:
    """The sources that whoever looks may use: those that need a place on the server are for admins."""
    needed = {one: set(schema(SOURCES, one).get("required", ())) & set(SERVER_PATHS) for one in names(SOURCES)}
    return [one for one, places in needed.items() if not places or "admin" in visit.me.roles]


def _asked(visit: Visit, source: str) -> dict[str, Any]:
    """What the form of a source asks for: places on the server are asked of admins alone."""
    told = schema(SOURCES, source)
    if "admin" in visit.me.roles:
        return told
    return {**told, "properties": {one: said for one, said in told["properties"].items() if one not in SERVER_PATHS}}


@router.post("/data/{name}/collections")
@counted("upload")
def collect_some(visit: Here, name: str, form: Sent) -> Response:
    """Ask for pictures from a source."""
    source = form.get("source", "")
    values = read_form(schema(SOURCES, source), form)
    if any(values.get(one) for one in SERVER_PATHS) and "admin" not in visit.me.roles:
        raise Forbidden("To read a folder of the server is for admins.", hint="Upload the pictures instead.")
    try:
        collect(visit.workspace, source=source, into=name, options=values)
    except (InvalidInput, Conflict) as wrong:
        return _add(visit, name, source, values, wrong)
    return visit.go(f"/data/{name}")


@router.post("/data/{name}/uploads")
@counted("upload")
async def upload(visit: Here, name: str, request: Request) -> Response:
    """Take pictures from a form, for browsers without script; what was not taken is told."""
    taken = await take_in(visit, name, request)
    if not taken.refused:
        return visit.go(f"/data/{name}")
    page = Page("Add pictures", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Add pictures", "")))
    return await run_in_threadpool(visit.render, "data/taken.html", page=page, name=name, taken=taken)


@router.get("/data/versions/{id}")
def find_version(visit: Here, id: str) -> Response:
    """A frozen version, at its place among those of its dataset."""
    try:
        found = version_by_id(visit.workspace, version_id=id)
    except Exception as missing:
        raise NotFound("There is no such version.", hint="Data shows what there is.") from missing
    return visit.go(f"/data/{found.dataset}#version-{id}")


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise NotFound(f"There is no dataset '{name}'.", hint="Data shows what there is.")


def asks_of(licences: dict[str, int]) -> list[tuple[str, int, str]]:
    """Each licence with its count and what it asks, the most common first."""
    free = {"free": "nothing is asked", "notice": "you keep its notice", "attribution": "you name the author"}
    asks: dict[str, str] = free | {str(kind): text for kind, text in ASKS.items()}
    return [(name, n, asks[class_of(name)]) for name, n in sorted(licences.items(), key=lambda one: -one[1])]


def charts_of(one: DatasetView, choices: dict[str, dict[str, int]]) -> list[Chart]:
    """Licences, styles and categories as bars, the longest first."""
    found = []
    for title, counts in (
        ("Styles", choices["style"]),
        ("Categories", choices["category"]),
        ("Licences", {"not stated" if name == UNSTATED else name: n for name, n in one.licences.items()}),
    ):
        top = sorted(counts.items(), key=lambda pair: -pair[1])
        rest = sum(n for _, n in top[SHOWN:])
        bars = [(name, float(n), None, None) for name, n in top[:SHOWN]]
        bars += [(f"{len(top) - SHOWN} more", float(rest), None, None)] if rest else []
        if bars:
            found.append(bar_chart(title, bars, "pictures", most=max(value for _, value, _, _ in bars)))
    return found
