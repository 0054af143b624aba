"""Datasets, runs and people for tests of pages, written straight into a workspace."""

from typing import Any

from sfumato.actions import Workspace
from sfumato.data.collect import make_dataset
from sfumato.data.records import Item, Quarantined
from sfumato.db import new_id
from sfumato.people.invitations import accept_invitation, invite
from sfumato.people.owner import claim, make_owner_code
from sfumato.training.records import Run
from tests.web.conftest import HERE, Browser

HOSTILE = "<script>alert(1)</script>"
PASSWORD = "nine tall giraffes"


def stock(workspace: Workspace, name: str, n: int, *, said: str = "llama", **facts: Any) -> list[str]:
    """A dataset with `n` pictures, all of the same few bytes; returns their ids."""
    import io

    from tests.drawn import COLOURS, draw

    out = io.BytesIO()
    draw("disc", next(iter(COLOURS.values())), "plain").save(out, "PNG")
    sha256 = workspace.store.put(out.getvalue())
    with workspace.write() as session:
        dataset = make_dataset(workspace, session, name)
        rows = [
            Item(
                id=new_id(),
                made_by=workspace.actor.id,
                dataset_id=dataset,
                sha256=sha256,
                key=f"{place}.png",
                name=said,
                concept=said.lower(),
                style=("noto", "flat")[place % 2],
                category="animals",
                source="folder drawn",
                width=16,
                height=16,
                has_alpha=True,
                flip_ok=True,
                **{"licence": "MIT", "author": "Bea", "url": "https://example.org/llama", **facts},
            )
            for place in range(n)
        ]
        session.add_all(rows)
        ids = [row.id for row in rows]
    return ids


def quarantine(workspace: Workspace, name: str, key: str) -> None:
    """Something that a dataset's source had and that could not be taken."""
    with workspace.write() as session:
        dataset = make_dataset(workspace, session, name)
        row = Quarantined(
            id=new_id(), dataset_id=dataset, source="folder drawn", key=key, reason="not a picture", detail=key
        )
        session.add(row)


def a_run(workspace: Workspace, name: str, version_id: str, **facts: Any) -> str:
    """A run that nobody works on; returns its id."""
    with workspace.write() as session:
        row = Run(
            id=new_id(),
            made_by=workspace.actor.id,
            name=name,
            recipe="flow",
            options={"samples": 1000, "size": 16},
            version_id=version_id,
            seed=0,
            samples_seen=400,
            **facts,
        )
        session.add(row)
        return row.id


def with_viewer(workspace: Workspace, role: str = "viewer") -> None:
    """Make it a team: Owen owns the workspace, Vic looks at it, or has another role."""
    claim(workspace, code=make_owner_code(workspace).code, login="owen", name="Owen", password=PASSWORD)
    code = invite(workspace, roles=[role]).code
    accept_invitation(workspace, code=code, login="vic", name="Vic", password=PASSWORD)


def as_vic(client: Any) -> Browser:
    """Sign the viewer in."""
    data = {"login": "vic", "password": PASSWORD, "back": "/", "csrf": Browser(client).csrf}
    assert client.post("/sign-in", data=data, headers={"Origin": HERE}).status_code == 303
    return Browser(client)


def widened(workspace: Workspace) -> list[str]:
    """Six animals of two styles, each wider than the one before; returns their ids in that order."""
    ids = sorted(stock(workspace, "animals", 6))
    with workspace.write() as session:
        for place, one in enumerate(ids):
            item = session.get_one(Item, one)
            item.width, item.style = 10 + place, ("noto", "flat")[place % 2]
    return ids
