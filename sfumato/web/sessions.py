"""Who comes to the door: by the session's cookie in a browser, by a token in a program."""

import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from sfumato.actions import Actor, Workspace
from sfumato.actions.events import last_position
from sfumato.people.identify import is_team, local_actor, person_of_token, session_of
from sfumato.people.records import Membership, Project
from sfumato.store.files import write_whole
from sfumato.web.serving import Serving, new_secret

DAYS = 30
FRESH = 30.0  # seconds that somebody is known without being looked up, if nothing happens meanwhile
REMEMBERED = 5_000
MOST = 50  # browsers of one person at one machine that are remembered


@dataclass(frozen=True)
class Known:
    """Somebody who may come in: who it is, what they showed, and the project they are in."""

    actor: Actor
    by: Literal["launch", "session", "token"]
    project: str
    sign_in: str = ""


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@lru_cache(maxsize=1_024)
def csrf_of(secret: str) -> str:
    """The token that forms carry: only who holds the session's cookie can make it."""
    return hmac.new(secret.encode(), b"sfumato csrf", hashlib.sha256).hexdigest()[:40]


class Browsers:
    """Browsers that have shown the launch token; what is kept of them are hashes, so that a restart lets them in."""

    def __init__(self, path: Path, launch: str, *, days: float = DAYS) -> None:
        self.path = path
        self.days = days
        self._launch = hash_of(launch) if launch else ""
        self._lock = threading.Lock()
        self._until = self._read()

    def admit(self, launch: str) -> str | None:
        """Take the launch token, which counts once, for a fresh secret; None where it does not count."""
        with self._lock:
            if not self._launch or not hmac.compare_digest(self._launch, hash_of(launch)):
                return None
            self._launch = ""
            secret = new_secret()
            moment = time.time()
            kept = sorted((until, name) for name, until in self._until.items() if until > moment)[-(MOST - 1) :]
            self._until = {name: until for until, name in kept} | {hash_of(secret): moment + self.days * 86_400}
            write_whole(self.path, json.dumps({"format": 1, "until": self._until}).encode(), mode=0o600)
        return secret

    def knows(self, secret: str) -> bool:
        """Whether a secret was given to a browser, and still counts."""
        return self._until.get(hash_of(secret), 0.0) > time.time()

    def forget(self, secret: str) -> None:
        """Let a secret count no more."""
        with self._lock:
            if self._until.pop(hash_of(secret), None) is not None:
                write_whole(self.path, json.dumps({"format": 1, "until": self._until}).encode(), mode=0o600)

    def _read(self) -> dict[str, float]:
        try:
            said = json.loads(self.path.read_bytes())["until"]
            return {str(name): float(until) for name, until in said.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # nobody is remembered then; the launch token lets in again


class Doorkeeper:
    """Tells who comes, from what they show. What it has found counts until anything at all has happened."""

    def __init__(self, workspace: Workspace, serving: Serving) -> None:
        self.workspace = workspace
        self.browsers = Browsers(workspace.path / "keys" / "browsers.json", serving.launch)
        self._found: dict[tuple[str, str, str], tuple[int, float, Known | None]] = {}
        self._lock = threading.Lock()

    def who(self, cookie: str, bearer: str, project: str, position: int | None = None) -> Known | None:
        """The person behind a token or a cookie, in a project; a token that does not count is nobody."""
        if not cookie and not bearer:
            return None
        position = last_position(self.workspace) if position is None else position
        moment = time.monotonic()
        remembered, known = self.recall(cookie, bearer, project, position)
        if remembered:
            return known
        known = self._look(cookie, bearer, project)
        with self._lock:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[hash_of(cookie), hash_of(bearer), project] = (position, moment + FRESH, known)
        return known

    def recall(self, cookie: str, bearer: str, project: str, position: int) -> tuple[bool, Known | None]:
        """Whether it was found out a moment ago who comes, and nothing has happened since; and who it is."""
        asked = (hash_of(cookie), hash_of(bearer), project)
        seen, until, known = self._found.get(asked, (-1, 0.0, None))
        if known is not None and known.by == "launch" and not self.browsers.knows(cookie):
            return True, None
        return seen == position and time.monotonic() < until, known

    def _look(self, cookie: str, bearer: str, project: str) -> Known | None:
        workspace = self.workspace.in_project(project) if self._is_there(project) else self.workspace
        if bearer:
            actor = person_of_token(workspace, bearer)
            return None if actor is None else Known(actor, "token", actor.project or workspace.project)
        if is_team(workspace):
            entered = session_of(workspace, cookie)
            if entered is not None and not entered.actor.roles:  # no member here, but perhaps elsewhere
                workspace = workspace.in_project(self._first_of(entered.actor) or workspace.project)
                entered = session_of(workspace, cookie)
            return None if entered is None else Known(entered.actor, "session", workspace.project, entered.sign_in)
        return Known(local_actor(workspace), "launch", workspace.project) if self.browsers.knows(cookie) else None

    def _first_of(self, actor: Actor) -> str | None:
        """The first project that a person became a member of."""
        theirs = select(Membership.project).where(Membership.person == actor.id.removeprefix("person/"))
        with self.workspace.db.read() as session:
            return session.scalar(theirs.order_by(Membership.id).limit(1))

    def _is_there(self, project: str) -> bool:
        if not project:
            return False
        with self.workspace.db.read() as session:
            return session.get(Project, project) is not None
