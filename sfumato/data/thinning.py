"""Thinning copies: of each group that a check found one picture is kept, and the others are left out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from sfumato.actions import Act, action
from sfumato.data.collect import find_dataset
from sfumato.data.decide import apply
from sfumato.data.findings import GroupView, Member, groups_of
from sfumato.data.history import DecisionView
from sfumato.data.records import KEPT, LEFT_OUT, Dataset
from sfumato.data.verdicts import says
from sfumato.errors import NotFound

Rule = Literal["best", "sharpest", "largest"]
PART = 200  # groups that are read at once
RULES: dict[str, Callable[[Member], tuple[Any, ...]]] = {
    "best": lambda one: (one.is_best, one.sharpness),
    "sharpest": lambda one: (one.sharpness, one.is_best),
    "largest": lambda one: (one.width * one.height, one.is_best),
}


@action("data.thin", needs="dataset.write", doors=("api", "cli"))
def thin(
    act: Act, *, name: str, check: str = "near_copies", keep: Rule = "best", group: str = "", reason: str = ""
) -> DecisionView:
    """Of each group of copies, or of one `group`, keep the best, sharpest or largest and leave the others out.

    It is one decision, which answers the findings of that check for those that are kept too.
    """
    dataset = find_dataset(act.session, name)
    edits: dict[str, Mapping[str, Any]] = {}
    n = 0
    for one in _groups(act, dataset, check):
        kept = [member for member in one.members if member.state == KEPT]
        if len(kept) < 2 or (group and one.group != group):
            continue
        best = max(kept, key=RULES[keep])
        edits |= {member.item_id: {} if member is best else {"state": LEFT_OUT} for member in kept}
        n += 1
    others = sum(bool(edit) for edit in edits.values())
    if not others:
        raise NotFound("There are no copies to leave out.", hint="Run the checks again, if pictures came since.")
    copies = "1 copy" if others == 1 else f"{others:,} copies"
    groups = "1 group" if n == 1 else f"{n:,} groups"
    decision = apply(
        act, dataset, edits, verb="leave out", name=f"left out {copies}, kept the {keep} of {groups}", reason=reason,
        settles=(check,), details={"check": check, "keep": keep, "groups": n},
    )  # fmt: skip
    return says(act, dataset, decision)


def _groups(act: Act, dataset: Dataset, check: str) -> Iterator[GroupView]:
    after: str | None = None
    while found := groups_of(act.session, dataset, check, after=after, limit=PART):
        yield from found
        after = found[-1].place
