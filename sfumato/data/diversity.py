"""How diverse a dataset is: how many different pictures in effect, beside chance; its categories; its balance."""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from sfumato.actions import Act, Workspace, action, query, to_json
from sfumato.data.balance import Balances, show_balance
from sfumato.data.collect import find_dataset
from sfumato.data.features_of import EDITION, watch_features
from sfumato.data.groups import COLUMNS, declared, kept
from sfumato.data.items import read_where
from sfumato.data.narrowing import narrow
from sfumato.data.records import Item
from sfumato.errors import InvalidInput, unknown
from sfumato.jobs import JobContext, JobView, Progress, enqueue, job
from sfumato.statistics.vendi import Chance, by_columns, by_subsets, vendi

MOST = 5_000  # pictures that a score is taken of; more are drawn from, the same ones each time
MOST_OF_A_CATEGORY = 500
CATEGORIES = 24  # that are looked at one by one, the largest first
LEAST = 20  # pictures of a category, below which its score says nothing
SEED = 0


@dataclass(frozen=True)
class Score:
    """How many different pictures there are in effect, beside what chance gives for as many."""

    name: str
    n: int
    looked_at: int
    vendi: float
    chance: Chance
    below: bool


@dataclass(frozen=True)
class Coverage:
    """How evenly categories are filled: exp(entropy) is how many even ones they are worth."""

    by: str
    kinds: int
    effective: float
    thin: dict[str, int]
    without: int


@dataclass(frozen=True)
class Diversity:
    """What was found of a dataset's diversity, in figures and in sentences."""

    dataset: str
    n: int
    features: str
    whole: Score
    categories: list[Score]
    coverage: Coverage
    balance: Balances | None
    says: list[str]


@action("data.diversity", needs="dataset.write")
def ask_diversity(act: Act, *, name: str, by: str = "category", where: str = "") -> JobView:
    """Ask how diverse a dataset is, as a whole and per category, beside what chance would give; a job looks."""
    dataset = find_dataset(act.session, name)
    if by not in COLUMNS:
        raise unknown("column", by, COLUMNS)
    spec = {"name": name, "by": by, "where": read_where(where).model_dump_json()}
    key = "data.diversity:" + hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    act.says(f"asked how diverse {name} is", subject=dataset.ref)
    return enqueue(act, kind="data.diversity", spec=spec, key=key)


@query("data.diversity_rows", doors=())
def _rows(act: Act, *, name: str, by: str, where: str) -> tuple[list[tuple[str, str]], bool]:
    """The content and the category of each picture, and whether any declares an attribute."""
    dataset, said = find_dataset(act.session, name), kept(read_where(where))
    found = narrow(select(Item.sha256, getattr(Item, by)), dataset.id, said).order_by(Item.id)
    erased = act.store.all_erased()
    rows = [(sha256, kind) for sha256, kind in act.session.execute(found) if sha256 not in erased]
    return rows, bool(declared(act.session, dataset, said))


@job("data.diversity", needs="dataset.write")
def diversity(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Look at the pictures once, then score them; what was looked at before is not looked at again."""
    found = yield from examine(ctx.workspace, spec["name"], by=spec["by"], where=spec["where"])
    told: dict[str, Any] = to_json(found)
    return told


def examine(
    workspace: Workspace, name: str, *, by: str = "category", where: str = ""
) -> Generator[Progress, None, Diversity]:
    """How diverse a dataset is; raises InvalidInput where there is too little to tell."""
    rows, declares = _rows(workspace, name=name, by=by, where=where)
    of = _drawn(rows)
    looked = sorted({rows[place][0] for places in of.values() for place in places})
    features = yield from watch_features(workspace, looked)
    place_of = {sha256: place for place, sha256 in enumerate(looked)}
    seen: np.ndarray = np.any(features != 0, axis=1)

    def features_at(places: list[int]) -> np.ndarray:
        at = np.array([place_of[rows[place][0]] for place in places], np.int64)
        return features[at[seen[at]]]

    everything = features_at(of.pop(""))
    if len(everything) < 2:
        raise InvalidInput(f"'{name}' has too few pictures to be diverse.", hint="Collect more, or narrow it less.")
    yield Progress(0, len(of) + 1, "scores", "scoring all of them")
    whole = _score(name, len(rows), everything, by_columns(everything, seed=SEED))
    scores = []
    for number, (kind, places) in enumerate(of.items(), 1):
        yield Progress(number, len(of) + 1, "scores", f"scoring {kind}")
        own = features_at(places)
        if LEAST <= len(own) <= len(everything):
            n = sum(one == kind for _, one in rows)
            scores.append(_score(kind, n, own, by_subsets(everything, len(own), seed=SEED)))
    coverage = _coverage(by, Counter(kind for _, kind in rows))
    balance = show_balance(workspace, name=name, where=where) if declares else None
    return Diversity(
        name, len(rows), EDITION, whole, scores, coverage, balance, _says(whole, scores, coverage, balance)
    )


def _drawn(rows: list[tuple[str, str]]) -> dict[str, list[int]]:
    """Places of the pictures that are looked at: "" for all of them, and each large category by its name."""
    of: dict[str, list[int]] = {"": _lot(list(range(len(rows))), MOST)}
    by_kind: dict[str, list[int]] = defaultdict(list)
    for place, (_, kind) in enumerate(rows):
        if kind:
            by_kind[kind].append(place)
    largest = sorted(by_kind, key=lambda kind: (-len(by_kind[kind]), kind))[:CATEGORIES]
    if len(by_kind) > 1:
        of |= {kind: _lot(by_kind[kind], MOST_OF_A_CATEGORY) for kind in largest if len(by_kind[kind]) >= LEAST}
    return of


def _lot(places: list[int], most: int) -> list[int]:
    if len(places) <= most:
        return places
    return sorted(int(one) for one in np.random.default_rng(SEED).choice(places, most, replace=False))


def _score(name: str, n: int, features: np.ndarray, chance: Chance) -> Score:
    value = vendi(features)
    return Score(name, n, len(features), value, chance, value < chance.low)


def _coverage(by: str, counts: Counter[str]) -> Coverage:
    without = counts.pop("", 0)
    total = counts.total()
    entropy = -sum(n / total * math.log(n / total) for n in counts.values()) if total else 0.0
    thin = {kind: n for kind, n in sorted(counts.items(), key=lambda one: (one[1], one[0])) if n < LEAST}
    return Coverage(by, len(counts), math.exp(entropy) if total else 0.0, dict(list(thin.items())[:20]), without)


def _says(whole: Score, scores: list[Score], coverage: Coverage, balance: Balances | None) -> list[str]:
    looked = "" if whole.looked_at == whole.n else f" (of {whole.looked_at:,} that were drawn)"
    said = [
        f"{whole.n:,} pictures{looked} count as {whole.vendi:,.1f} different ones; if their features had nothing to do "
        f"with each other it would be {whole.chance.value:,.1f} ({whole.chance.low:,.1f} to {whole.chance.high:,.1f})."
    ]
    uniform = sorted((one for one in scores if one.below), key=lambda one: one.vendi / one.chance.value)
    for one in uniform[:3]:
        said.append(
            f"{one.name} is more uniform than the rest: {one.looked_at:,} of its pictures count as {one.vendi:,.1f}, "
            f"as many drawn from all as {one.chance.value:,.1f} ({one.chance.low:,.1f} to {one.chance.high:,.1f})."
        )
    if coverage.kinds > 1:
        few = f"; {len(coverage.thin):,} have fewer than {LEAST} pictures" if coverage.thin else ""
        said.append(
            f"Its {coverage.kinds:,} kinds of {coverage.by} are filled as {coverage.effective:,.1f} even ones{few}."
        )
    return said + [line for each in (balance.balances if balance else []) for line in each.says]
