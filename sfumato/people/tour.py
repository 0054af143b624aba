"""The tour of the studio: where each person is on it, kept as events that only they see and no project shows."""

from dataclasses import dataclass

from sqlalchemy import select

from sfumato.actions import Act, action, query
from sfumato.actions.records import Event
from sfumato.db import ACROSS
from sfumato.errors import InvalidInput

STEPS = ("data", "create", "trace", "nearest", "decide")
STEP, LEAVE = "tour.step", "tour.leave"
BY_DOING = {  # steps that are done when something was really done, by the actions that count
    "create": ("image.create",),
    "decide": ("review.approve", "review.reject", "ask.make"),
}


@dataclass(frozen=True)
class Tour:
    """Where somebody is: `state` is new, on, left or done; `done` are the steps that are behind them."""

    state: str
    step: int
    done: list[str]

    @property
    def name(self) -> str:
        """The present step's name."""
        return STEPS[self.step - 1]


@query("tour.show", needs="account.enter", doors=("web",))
def show_tour(act: Act) -> Tour:
    """Where I am on the tour, and which of its steps are done: by going on, or by having done the thing itself."""
    row = _newest(act)
    if row is None:
        return Tour("new", 1, [])
    said = row.details
    seen = set(said["seen"])
    for step, names in BY_DOING.items():
        did = select(Event.position).where(
            Event.action.in_(names), Event.made_by == act.actor.id, Event.position > said["since"]
        )
        if step not in seen and act.session.scalar(did.limit(1)) is not None:
            seen.add(step)
    done = [step for step in STEPS if step in seen]
    state = "on" if row.action == STEP else "done" if len(done) == len(STEPS) else "left"
    return Tour(state, int(said["step"]), done)


@action(STEP, needs="account.enter", doors=("web",), archived=True)
def go_to_step(act: Act, *, step: int, seen: str = "", anew: bool = False) -> int:
    """Go to a step of the tour (1 to 5), having `seen` another; `anew` begins it once more."""
    if not 1 <= step <= len(STEPS) or seen not in ("", *STEPS):
        raise InvalidInput(f"The tour has the steps 1 to {len(STEPS)}.", hint="Open Help to see them.")
    _write(act, f"went to step {step} of the tour", step, seen, anew)
    return step


@action(LEAVE, needs="account.enter", doors=("web",), archived=True)
def leave_tour(act: Act, *, seen: str = "") -> None:
    """Leave the tour, at its end or before; it stays under Help."""
    row = _newest(act)
    _write(act, "left the tour", int(row.details["step"]) if row is not None else 1, seen, False)


def _write(act: Act, said: str, step: int, seen: str, anew: bool) -> None:
    row = None if anew else _newest(act)
    before = list(row.details["seen"]) if row is not None else []
    newest = select(Event.position).order_by(Event.position.desc()).limit(1)
    since = row.details["since"] if row is not None else act.session.scalar(newest, execution_options=ACROSS) or 0
    done = [one for one in STEPS if one in (*before, seen)]
    act.says(said, private=True, outside=True, step=step, seen=done, since=since)


def _newest(act: Act) -> Event | None:
    mine = select(Event).where(Event.action.in_((STEP, LEAVE)), Event.made_by == act.actor.id)
    return act.session.scalar(mine.order_by(Event.position.desc()).limit(1), execution_options=ACROSS)
