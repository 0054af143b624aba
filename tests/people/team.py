"""A small team for tests: Olga owns the workspace; others come by invitation, each with a session."""

from dataclasses import dataclass

from sfumato.actions import Workspace
from sfumato.people.identify import person_of_session
from sfumato.people.invitations import accept_invitation, invite
from sfumato.people.owner import claim, make_owner_code
from sfumato.people.signins import SignedIn

PASSWORD = "heron lantern thimble"


@dataclass(frozen=True)
class Seat:
    """Somebody who has signed in: the workspace as they see it, and their session."""

    workspace: Workspace
    entered: SignedIn

    @property
    def id(self) -> str:
        """Their id without the kind."""
        return self.entered.person.removeprefix("person/")


def seat(workspace: Workspace, entered: SignedIn) -> Seat:
    """The workspace as whoever holds this session sees it."""
    actor = person_of_session(workspace, entered.secret)
    assert actor is not None
    return Seat(workspace.as_actor(actor), entered)


def own(workspace: Workspace, login: str = "olga", name: str = "Olga") -> Seat:
    """An owner, by a code from the machine."""
    code = make_owner_code(workspace).code
    return seat(workspace, claim(workspace, code=code, login=login, name=name, password=PASSWORD))


def come(workspace: Workspace, inviting: Seat, name: str, *roles: str) -> Seat:
    """Somebody who comes by an invitation to the workspace's project, with these roles."""
    code = invite(inviting.workspace.in_project(workspace.project), roles=list(roles)).code
    entered = accept_invitation(workspace, code=code, login=name.lower(), name=name, password=PASSWORD)
    return seat(workspace, entered)
