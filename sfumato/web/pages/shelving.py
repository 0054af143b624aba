"""A dataset's name and its place on the shelf: renaming it, putting it away, and taking it out again."""

from starlette.responses import Response

from sfumato.actions.registry import allowed
from sfumato.data.collect import show_dataset
from sfumato.data.shelving import archive_dataset, rename_dataset, unarchive_dataset
from sfumato.errors import Conflict, InvalidInput, SfumatoError
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.pages.data import WHY
from sfumato.web.sent import Sent, said
from sfumato.web.visits import Here, Visit

router = Router()


@router.get("/data/{name}/shelf")
def show_shelf(visit: Here, name: str) -> Response:
    """The name of a dataset, those that it had, and whether it is put away."""
    return _shelf(visit, name)


def _shelf(visit: Visit, name: str, typed: str | None = None, wrong: SfumatoError | None = None) -> Response:
    one = show_dataset(visit.workspace, name=name)
    crumbs = (("Data", "/data"), (one.name, f"/data/{one.name}"), ("Name and shelf", ""))
    return visit.render(
        "data/shelf.html",
        status=wrong.status if wrong else 200,
        page=Page("Name and shelf", "data", crumbs=crumbs),
        one=one,
        typed=one.name if typed is None else typed,
        may=allowed(visit.workspace, "dataset.write"),
        why=WHY,
        **said(wrong),
    )


@router.post("/data/{name}/rename")
def rename(visit: Here, name: str, form: Sent) -> Response:
    """Give a dataset another name."""
    typed = form.get("to", "")
    try:
        one = rename_dataset(visit.workspace, name=name, to=typed)
    except (InvalidInput, Conflict) as wrong:
        return _shelf(visit, name, typed, wrong)
    return visit.go(f"/data/{one.name}")


@router.post("/data/{name}/archive")
def archive(visit: Here, name: str) -> Response:
    """Put a dataset away."""
    return visit.go(f"/data/{archive_dataset(visit.workspace, name=name).name}")


@router.post("/data/{name}/unarchive")
def unarchive(visit: Here, name: str) -> Response:
    """Take a dataset out again."""
    return visit.go(f"/data/{unarchive_dataset(visit.workspace, name=name).name}")
