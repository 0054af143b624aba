"""Checks of a dataset: which there are, asking for them, and what each of them is given to judge by."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from sfumato.actions import Act, Workspace, action, query
from sfumato.catalog import Catalog
from sfumato.data.collect import find_dataset, read_options
from sfumato.data.records import Scan
from sfumato.errors import InvalidInput, unknown
from sfumato.jobs import JobView, enqueue

if TYPE_CHECKING:
    from sfumato.data.packed import Hexes
    from sfumato.data.second_look import Small

CHECKS = Catalog("sfumato.data.checks", ("TITLE", "SAYS", "KIND", "Options"))
FEW = 3  # checks that a sentence names
WORK = {"pixels": "judge", "rows": "judge", "neural": "look"}  # the function of a check, by its kind


@dataclass(frozen=True)
class Proposal:
    """What a check says of one picture; the higher the score, from 0 to 1, the worse."""

    item_id: str
    score: float
    reason: str
    group: str = ""
    beside_id: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ItemRow:
    """What the record says of one picture: what a check of kind "rows" judges."""

    id: str
    sha256: str
    key: str
    name: str
    tags: list[str]
    style: str
    category: str
    concept: str
    licence: str
    author: str
    source: str
    url: str
    width: int
    height: int
    consent: str
    opt_out: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Table:
    """What was measured of all kept pictures, one array for each column: what a check of kind "pixels" judges.

    `column` has by name those of `Appearance` (n), `width`, `height` and `has_alpha` (n), and the words `source`,
    `given_split`, `family` and `split`, as the dataset would be frozen now. `small` opens a picture small, for a
    second look at a few.
    """

    ids: "Hexes | list[str]"
    sha256: "Hexes"
    pixels: "Hexes"  # hashes of the pixels, "" where they cannot be decoded
    column: Mapping[str, Any]
    small: "Callable[[str], Small]"
    memory: dict[str, Any] = field(default_factory=dict)  # what one check has found and another needs again

    def __len__(self) -> int:
        return len(self.ids)

    def __getattr__(self, name: str) -> Any:
        """A column by its name."""
        try:
            return self.__dict__["column"][name]
        except KeyError as missing:
            raise AttributeError(name) from missing

    @property
    def readable(self) -> np.ndarray:
        """Which pictures could be decoded: (n) bool."""
        return self.pixels.known()


@dataclass(frozen=True)
class Pictured:
    """One picture that a check of kind "neural" looks at; `read` gives its bytes."""

    item_id: str
    sha256: str
    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Pictures:
    """All kept pictures in the order of their ids, and the folder where checks keep what they have seen: NAME-EDITION.

    A check of kind "neural" yields None beside its proposals at least every few pictures, so that it can be stopped.
    """

    workspace: Workspace
    folder: Path
    n: int
    each: Callable[[], Iterator[Pictured]]

    def __iter__(self) -> Iterator[Pictured]:
        return self.each()


@dataclass(frozen=True)
class CheckView:
    """A check in words, with its options as a JSON schema."""

    name: str
    title: str
    says: str
    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class ScanView:
    """What checks found in a dataset when they went over it."""

    id: str
    dataset: str
    checks: list[str]
    settings: dict[str, Any]
    n: int
    found: dict[str, int]
    rates: dict[str, float]
    made_at: datetime
    made_by: str


@action("data.check", needs="dataset.write")
def check(
    act: Act,
    *,
    name: str,
    only: list[str] | None = None,
    neural: bool = False,
    options: dict[str, dict[str, Any]] | None = None,
) -> JobView:
    """Ask for checks to go over a dataset. They propose findings and change nothing.

    Without `only` all of them do that need no network; with `neural` those too. `options` are by check.
    """
    dataset = find_dataset(act.session, name)
    names = list(dict.fromkeys(only)) if only else [one for one in CHECKS.names() if neural or not _looks(one)]
    settings = {one: read_options(CHECKS.get(one).Options, (options or {}).get(one, {})) for one in names}
    stray = sorted(set(options or {}) - set(names))
    if stray:
        raise unknown("check", stray[0], names)
    plain = {one: chosen.model_dump(mode="json") for one, chosen in settings.items()}
    spec = {"dataset": name, "dataset_id": dataset.id, "settings": plain}
    key = "data.check:" + hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    act.says(f"asked to check {name}: {_listed(names)}", subject=dataset.ref)
    return enqueue(act, kind="data.check", spec=spec, key=key)


def _listed(names: list[str]) -> str:
    """Checks by what they look for, the first few of them."""
    titles = [title_of(one) for one in names[:FEW]]
    return ", ".join(titles) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")


def title_of(name: str) -> str:
    """What a check is called wherever people read it; one that is there no more goes by its name in words."""
    return str(CHECKS.get(name).TITLE) if name in CHECKS.names() else name.replace("_", " ")


def titled(names: Mapping[str, int]) -> dict[str, int]:
    """Counts by check, each by its title."""
    return {title_of(name): n for name, n in names.items()}


def _looks(name: str) -> bool:
    return bool(CHECKS.get(name).KIND == "neural")


def work_of(name: str) -> Callable[..., Iterator[Proposal | float | None]]:
    """The function of a check that does its work; raises InvalidInput if the check lacks it.

    Beside its proposals it may yield how far it is, from 0.0 to 1.0, or None to say no more than that it goes on.
    """
    module = CHECKS.get(name)
    if module.KIND not in WORK or not hasattr(module, WORK[module.KIND]):
        raise InvalidInput(f"The check '{name}' is of kind {module.KIND!r} and does not define what that needs.")
    found: Callable[..., Iterator[Proposal | float | None]] = getattr(module, WORK[module.KIND])
    return found


@query("data.checks")
def list_checks(act: Act) -> list[CheckView]:
    """All checks in words, with their options."""
    return list(_views())


@cache
def _views() -> tuple[CheckView, ...]:
    found = [(name, CHECKS.get(name)) for name in CHECKS.names()]
    return tuple(CheckView(name, one.TITLE, one.SAYS, one.KIND, one.Options.model_json_schema()) for name, one in found)


@query("data.scans", doors=("api", "cli"))
def list_scans(act: Act, *, name: str, after: str | None = None, limit: int = 20) -> list[ScanView]:
    """When checks went over a dataset and what they found, newest first; `after` is the id of the last one seen."""
    dataset = find_dataset(act.session, name)
    found = select(Scan).where(Scan.dataset_id == dataset.id).order_by(Scan.id.desc()).limit(limit)
    if after:
        found = found.where(Scan.id < after)
    return [
        ScanView(row.id, name, row.checks, row.settings, row.n, row.found, row.rates, row.made_at, row.made_by)
        for row in act.session.scalars(found)
    ]
