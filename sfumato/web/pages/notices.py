"""Notices: what happened to my things, and what was asked of me, since I last looked."""

from typing import Annotated

from fastapi import Form, Query
from starlette.responses import Response

from sfumato.people.asks import asks_waiting
from sfumato.people.notices import read_to, unread
from sfumato.web.addresses import Router
from sfumato.web.desks import Page
from sfumato.web.sentences import sentences
from sfumato.web.visits import Here

router = Router()
PART = 30


@router.get("/notices")
def list_notices(visit: Here, before: Annotated[int | None, Query(ge=1)] = None) -> Response:
    """What I have not read yet, newest first."""
    found = unread(visit.workspace, before=before, limit=PART)
    older = f"/notices?before={found.notices[-1].position}" if len(found.notices) == PART else ""
    return visit.render(
        "notices/page.html", page=Page("Notices", "asks", (("Asks", "/asks"), ("Notices", ""))), unread=found,
        older=older,
        told=sentences(visit.workspace, found.notices, me=visit.me.id),
        tabs=[("For me to do", "/asks", len(asks_waiting(visit.workspace))), ("I asked", "/asks/mine", None),
              ("Notices", "/notices", found.count)],
    )  # fmt: skip


@router.post("/notices/read")
def mark_read(visit: Here, position: Annotated[int, Form(ge=0)]) -> Response:
    """Take note of everything up to a position."""
    read_to(visit.workspace, position=position)
    return visit.go("/notices")
