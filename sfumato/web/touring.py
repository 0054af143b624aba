"""The strip that goes along on the tour: which step, what to do on this page, and where the step is."""

from dataclasses import dataclass

from sfumato.actions import Workspace
from sfumato.generation.pictures import list_images
from sfumato.people.tour import STEPS, show_tour


@dataclass(frozen=True)
class Leg:
    """One step as people read it."""

    name: str
    title: str
    says: str
    href: str
    done: bool = False
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Strip:
    """Where somebody is, with all steps."""

    step: int
    here: Leg
    legs: tuple[Leg, ...]
    state: str


TOLD = {
    "data": (
        "See the data",
        "These pictures are what models learn from. Open one: it says where it is from and under which licence.",
    ),
    "create": ("Make a picture", "Write a few words, such as “a red apple”, and have it drawn. It takes seconds."),
    "trace": (
        "May I use it?",
        "Open your picture. Its first line says whether you may use it; each part of the answer opens its evidence.",
    ),
    "nearest": (
        "What it resembles",
        "Look at the training pictures that come nearest to yours. Is it new, or nearly a copy?",
    ),
    "decide": (
        "Decide",
        "Approve your picture or reject it with a reason. Or ask somebody for a better one. Your decision is kept.",
    ),
}


def strip_of(workspace: Workspace) -> Strip:
    """Where whoever looks is on the tour, and the address of each step in their project."""
    tour = show_tour(workspace)
    mine = list_images(workspace, limit=1, made_by=workspace.actor.id) or list_images(workspace, limit=1)
    picture = f"/records/image/{mine[0].id}" if mine else "/create"
    ask = f"/asks/new?about=image/{mine[0].id}" if mine else "/asks/new"
    places = {
        "data": "/data",
        "create": "/create",
        "trace": picture,
        "nearest": f"{picture}#nearest",
        "decide": picture,
    }
    legs = tuple(
        Leg(
            name,
            *TOLD[name],
            places[name],
            name in tour.done,
            (("Ask for a better one", ask),) if name == "decide" else (),
        )
        for name in STEPS
    )
    return Strip(tour.step, legs[tour.step - 1], legs, tour.state)
