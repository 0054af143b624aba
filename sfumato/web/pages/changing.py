"""Changing one picture: its caption, tags, attributes, licence with its proof, and consent; and its pixels."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from sfumato.actions import Workspace
from sfumato.data.editing import attributes_of, caption_of, recaption, relicense, set_attributes, set_consent, tags_of
from sfumato.data.items import ItemView, show_item
from sfumato.data.mending import mend_pixels
from sfumato.data.narrowing import Where
from sfumato.data.records import CONSENTS
from sfumato.errors import Conflict, InvalidInput, SfumatoError
from sfumato.web.addresses import Router
from sfumato.web.pages.items import known_of, show_picture
from sfumato.web.sent import Sent
from sfumato.web.visits import Here, Visit

router = Router()
SIDES = ("left", "top", "right", "bottom")


@router.post("/data/{name}/items/{id}/change")
def change(visit: Here, name: str, id: str, form: Sent) -> Response:
    """Write down what differs from what is known; whoever saw an older state is told who changed it since."""
    item = show_item(visit.workspace, id=id)
    typed = {**known_of(item), "proof": "", "reason": "", **form}
    try:
        change_one(visit.workspace, item, typed)
    except (InvalidInput, Conflict) as wrong:
        return _again(visit, name, id, wrong, typed)
    return visit.go(f"/data/{name}/items/{item.id}")


@router.post("/data/{name}/items/{id}/mend")
def mend(visit: Here, name: str, id: str, form: Sent) -> Response:
    """Cut off so many percent from each side, and turn what stays."""
    item = show_item(visit.workspace, id=id)
    typed = {**known_of(item), "turn": "0", **form}
    try:
        cut = {side: _share(typed.get(side, "")) for side in SIDES}
        for one, other in (("left", "right"), ("top", "bottom")):
            if cut[one] + cut[other] >= 1:
                raise InvalidInput(f"Nothing would stay between the {one} and the {other}.", hint="Cut less off.")
        box = (cut["left"], cut["top"], 1 - cut["right"], 1 - cut["bottom"])
        turn: Any = int(typed["turn"]) if typed["turn"].isdecimal() else -1
        mend_pixels(
            visit.workspace, name=item.dataset, where=Where(ids=[item.id]), crop=box if any(cut.values()) else None,
            turn=turn, reason=typed.get("reason", ""), expected={item.id: _revision(item, typed)},
        )  # fmt: skip
    except (InvalidInput, Conflict) as wrong:
        return _again(visit, name, id, wrong, typed)
    return visit.go(f"/data/{name}/items/{item.id}")


def _again(visit: Visit, name: str, id: str, wrong: SfumatoError, typed: dict[str, str]) -> Response:
    """The page with what was typed; whoever was told of another's change may save again, knowing it."""
    now = show_item(visit.workspace, id=id)
    return show_picture(visit, name, id, wrong, {**typed, "revision": str(now.revision)})


def _share(percent: str) -> float:
    """A share of a side, as percent somebody wrote; raises InvalidInput."""
    try:
        said = float(percent.replace(",", ".") or 0)
    except ValueError:
        said = -1.0
    if not 0 <= said < 100:
        raise InvalidInput(f"'{percent[:20]}' is no part of a side.", hint="Write a number from 0 to 99, in percent.")
    return said / 100


def _revision(item: ItemView, typed: dict[str, str]) -> int:
    """The revision that whoever typed has seen; 0, which is none, where it is nonsense."""
    said = str(typed.get("revision") or item.revision)
    return int(said) if said.isdecimal() else 0


def change_one(workspace: Workspace, item: ItemView, typed: dict[str, str]) -> int:
    """Make a decision of each kind of change in what was typed; returns how many."""
    known = known_of(item)
    plain = {key: "\n".join(typed[key].split("\r\n")).strip() for key in known}
    differs = {key for key, value in plain.items() if value != known[key].strip()}
    revision = _revision(item, typed)
    reason, where = typed.get("reason", ""), Where(ids=[item.id])
    caption_of(plain["caption"])  # each part is looked at before any is written
    tags_of(plain["tags"].splitlines())
    attributes = _attributes(item, plain["attributes"])
    if "attributes" in differs:
        attributes_of(attributes)
    if plain["consent"] not in ("", *CONSENTS):
        raise InvalidInput(f"'{plain['consent'][:40]}' is no consent.", hint=f"Say {', '.join(CONSENTS)}, or nothing.")
    steps: list[tuple[Callable[..., Any], dict[str, Any]]] = []
    if "licence" in differs:
        steps.append((relicense, {"where": where, "licence": plain["licence"], "proof": typed.get("proof", "")}))
    if differs & {"caption", "tags"}:
        words = {"captions": {item.id: plain["caption"]}} if "caption" in differs else {}
        tags = {"tags": {item.id: plain["tags"].splitlines()}} if "tags" in differs else {}
        steps.append((recaption, {**words, **tags}))
    if "attributes" in differs:
        steps.append((set_attributes, {"where": where, "attributes": attributes}))
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
