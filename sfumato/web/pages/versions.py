"""Two frozen versions of a dataset side by side: in words, in numbers, and picture by picture."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response

from sfumato.data.diff import COLUMNS, Counted, diff, list_differing
from sfumato.data.freeze import SPLITS, list_versions
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.visits import Here

router = Router()
SHOWN = 60
KINDS = {"added": "Came", "removed": "Went", "changed": "Changed"}
Word = Annotated[str, Query(max_length=200)]


@router.get("/data/{name}/compare")
def compare(visit: Here, name: str, a: Word = "", b: Word = "", kind: Word = "", start: int = 0) -> Response:
    """What became of one version on the way to another; without both, the last two."""
    workspace = visit.workspace
    versions = list_versions(workspace, name=name, limit=200)
    names = [one.name for one in versions]
    first, second = a or (names[-2] if len(names) > 1 else ""), b or (names[-1] if names else "")
    page = Page("Compare versions", "data", crumbs=(("Data", "/data"), (name, f"/data/{name}"), ("Compare", "")))
    context: dict[str, Any] = {"found": None, "tabs": [], "rows": [], "older": "", "counts": []}
    if first and second and first != second:
        labels = {"first": f"{name}@{first}", "second": f"{name}@{second}"}
        found = diff(workspace, **labels)
        sizes = {"added": found.added, "removed": found.removed, "changed": found.pictures_changed}
        shown = kind if kind in KINDS else next((one for one, n in sizes.items() if n), "added")
        rows = list_differing(workspace, **labels, kind=shown, start=start, count=SHOWN + 1)  # type: ignore[arg-type]
        path = f"/data/{name}/compare"

        def at(**more: Any) -> str:
            return f"{path}?{urlencode({'a': first, 'b': second, **more})}"

        context = {
            "found": found, "rows": rows[:SHOWN], "shown": KINDS[shown],
            "tabs": [(text, at(kind=one), sizes[one]) for one, text in KINDS.items()],
            "older": at(kind=shown, start=start + SHOWN) if len(rows) > SHOWN else "",
            "counts": [(title, both_of(counted)) for title, counted in (
                ("Styles", found.styles), ("Licences", found.licences), ("Splits", in_splits(found.splits)))],
        }  # fmt: skip
    return visit.render(
        "data/compare.html", page=page, name=name, names=names[::-1], a=first, b=second, start=start,
        titles=COLUMNS, splits=SPLITS, **context
    )


def in_splits(one: Counted) -> Counted:
    """Splits by what people call them."""
    before, after = ({SPLITS.get(name, name): n for name, n in side.items()} for side in (one.before, one.after))
    return Counted(before, after)


def both_of(one: Counted) -> list[tuple[str, int, int, bool]]:
    """Each value with how many pictures each version has of it, and whether that differs."""
    values = sorted({*one.before, *one.after}, key=lambda value: -one.after.get(value, 0))
    rows = [(value, one.before.get(value, 0), one.after.get(value, 0)) for value in values]
    return [(value or "none", before, after, before != after) for value, before, after in rows]
