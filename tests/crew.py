"""Three people of a team, and pictures that are on record without having been drawn."""

from sfumato.actions import Actor, Workspace
from sfumato.db import link, new_id
from sfumato.generation.records import Image, Request

ALICE = Actor("person/alice", "alice", ("product manager", "data scientist"))
BOB = Actor("person/bob", "bob", ("data scientist", "responsible-AI advisor"))
CHARLIE = Actor("person/charlie", "charlie", ("viewer",))
HOSTILE = "<script>alert('x')</script>\n[bold]'; drop table ask; -- \x1b[31m {{7*7}} \u202e ünï 🦙"


def add_pictures(
    workspace: Workspace, n: int, *, weights: str = "checkpoint/none", private: bool = False, by: Actor = ALICE
) -> list[str]:
    """Write the records of a request for n pictures and of the pictures, as drawing does; returns their references."""
    with workspace.as_actor(by).write() as session:
        request = Request(
            id=new_id(), made_by=by.id, prompt="a red llama", private=private, private_to=by.id if private else "", n=n,
            seed=0, sampler="euler", steps=1, guidance=1.0, background="white", engine="auto", model="some",
            checkpoint_sha256=weights.partition("/")[2],
        )  # fmt: skip
        session.add(request)
        session.flush()
        link(session, request.ref, weights, "drawn by")
        found = []
        for place in range(n):
            row = Image(
                id=new_id(), made_by=by.id, request_id=request.id, place=place, seed=place, sha256=f"{place:064x}",
                width=32, height=32, private_to=by.id if private else "",
            )  # fmt: skip
            session.add(row)
            link(session, row.ref, request.ref, "asked by")
            found.append(row.ref)
    return found
