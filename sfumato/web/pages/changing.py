"""Changing what is known of one picture: caption, tags, attributes, licence with its proof, and consent."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.data.editing import recaption, relicense, set_attributes, set_consent
from sfumato.data.items import ItemView, show_item
from sfumato.data.narrowing import Where
from sfumato.errors import Conflict, InvalidInput
from sfumato.web.addresses import Router
from sfumato.web.pages.items import known_of, show_picture
from sfumato.web.sent import Sent
from sfumato.web.visits import Here

router = Router()


@router.post("/data/{name}/items/{id}/change")
def change(visit: Here, name: str, id: str, form: Sent) -> Response:
    """Write down what differs from what is known; whoever saw an older state is told who changed it since."""
    item = show_item(visit.workspace, id=id)
    typed = {**known_of(item), "proof": "", "reason": "", **form}
    try:
        change_one(visit.workspace, item, typed)
    except (InvalidInput, Conflict) as wrong:
        now = show_item(visit.workspace, id=id)
        # Who was told of another's change may save again, knowing it.
        return show_picture(visit, name, id, wrong, {**typed, "revision": str(now.revision)})
    return visit.go(f"/data/{name}/items/{item.id}")


def change_one(workspace: Workspace, item: ItemView, typed: dict[str, str]) -> int:
    """Make a decision of each kind of change in what was typed; returns how many."""
    known = known_of(item)
    plain = {key: "\n".join(typed[key].split("\r\n")).strip() for key in known}
    differs = {key for key, value in plain.items() if value != known[key].strip()}
    revision = int(typed.get("revision") or item.revision) if str(typed.get("revision") or "0").isdecimal() else 0
    reason, where = typed.get("reason", ""), Where(ids=[item.id])
    steps: list[tuple[Callable[..., Any], dict[str, Any]]] = []
    if differs & {"caption", "tags"}:
        words = {"captions": {item.id: plain["caption"]}} if "caption" in differs else {}
        tags = {"tags": {item.id: plain["tags"].splitlines()}} if "tags" in differs else {}
        steps.append((recaption, {**words, **tags}))
    if "attributes" in differs:
        steps.append((set_attributes, {"where": where, "attributes": _attributes(item, plain["attributes"])}))
    if "licence" in differs:
        steps.append((relicense, {"where": where, "licence": plain["licence"], "proof": typed.get("proof", "")}))
    if "consent" in differs:
        steps.append((set_consent, {"where": where, "consent": plain["consent"]}))
    for done, (verb, options) in enumerate(steps):
        verb(workspace, name=item.dataset, reason=reason, expected={item.id: revision + done}, **options)
    return len(steps)


def _attributes(item: ItemView, text: str) -> dict[str, str]:
    """What was written, one "name: value" on a line; those that are gone are taken away."""
    said: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, colon, value = line.partition(":")
        if not colon or not key.strip() or not value.strip():
            raise InvalidInput(f"'{line[:80]}' is no attribute.", hint="Write a name and a value: skin: dark")
        said[key.strip()] = value.strip()
    return {**dict.fromkeys(item.attributes, ""), **said}
