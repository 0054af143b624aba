"""Measuring one group: pictures become features, features become figures, and each picture is accounted for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sfumato.catalog import Catalog
from sfumato.checkpoints.card import Card
from sfumato.data.captions import style_words
from sfumato.evaluation import scorer
from sfumato.evaluation.evidence import Evidence, Figure
from sfumato.evaluation.metrics.recall import ranks_of_all
from sfumato.features.look import describe

METRICS = Catalog("sfumato.evaluation.metrics", ("FEATURES", "BETTER", "compute"))
GUESSES = 5


@dataclass(frozen=True, eq=False)
class Group:
    """Rows of a card's items that are drawn and judged together, and what was drawn for each."""

    rows: np.ndarray  # (N)
    drawn: np.ndarray  # (N, S, S, 4) uint8 premultiplied
    leaned: np.ndarray  # (N) row of the training picture each drawing leaned on


@dataclass(frozen=True, eq=False)
class Measured:
    """Figures of one group by metric, and a line for each of its pictures."""

    figures: dict[str, Figure]
    pictures: list[dict[str, Any]]


def caption_of(item: dict[str, Any]) -> str:
    """What a person would ask for to get this item: "red apple, noto style"."""
    return f"{item['name']}, {style_words(item['style'])} style" if item["style"] else str(item["name"])


def choose_rows(card: Card, split: str, count: int, seed: int) -> np.ndarray:
    """Up to `count` rows of a card's items of one split, by a shuffle that the seed decides.

    A held-out picture that a training picture equals byte for byte, under another name, was not held out.
    """
    learnt = {item["sha256"] for item in card.items if item["split"] == "train"} if split != "train" else set()
    rows = np.array(
        [
            row
            for row, item in enumerate(card.items)
            if item["split"] == split and item["name"] and item["sha256"] not in learnt
        ],
        np.int64,
    )
    return np.random.default_rng(seed).permutation(rows)[:count]


def measure(card: Card, group: Group) -> Measured:
    """Figures of every metric for one group, beside the real pictures of the same prompts."""
    real = np.stack([card.picture(row) for row in group.rows])
    evidence = {name: build(card, group, real) for name, build in FEATURES.items()}
    figures: dict[str, Figure] = {}
    for name in METRICS.names():
        metric = METRICS.get(name)
        figures |= metric.compute(evidence[metric.FEATURES])
    return Measured(figures, _accounts(card, group, evidence))


def all_names(card: Card) -> list[str]:
    """Every name in a card's data, also of what was held out."""
    return sorted({str(item["name"]) for item in card.items if item["name"]})


def by_meaning(card: Card, group: Group, real: np.ndarray) -> Evidence:
    """Evidence of the judge that knows names."""
    names = all_names(card)
    places = {name: place for place, name in enumerate(names)}
    targets = np.array([places[card.items[row]["name"]] for row in group.rows])
    return Evidence(scorer.see_pictures(group.drawn), scorer.see_pictures(real), scorer.read_names(names), targets)


def by_look(card: Card, group: Group, real: np.ndarray) -> Evidence:
    """Evidence of how the pictures look beside all training pictures."""
    train = np.array([row for row, item in enumerate(card.items) if item["split"] == "train"])
    looks = card.features[train]
    leaned = np.searchsorted(train, group.leaned)
    return Evidence(
        describe(group.drawn, card.basis), describe(real, card.basis), looks, leaned, threshold=card.copy_distance
    )


FEATURES: dict[str, Callable[[Card, Group, np.ndarray], Evidence]] = {"scorer": by_meaning, "look": by_look}


def _accounts(card: Card, group: Group, evidence: dict[str, Evidence]) -> list[dict[str, Any]]:
    """For each picture its caption, what it was taken for, and the training picture that it is nearest to."""
    meant, looked = evidence["scorer"], evidence["look"]
    names = all_names(card)
    places = ranks_of_all(meant.drawn, meant.table)
    accounts = []
    for place, row in enumerate(group.rows):
        near = card.nearest(looked.drawn[place], k=1)[0]
        accounts.append(
            {
                "caption": caption_of(card.items[row]),
                "place": int(places[place, meant.targets[place]]) + 1,
                "taken_for": [names[one] for one in np.argsort(places[place], kind="stable")[:GUESSES]],
                "nearest": caption_of(near.item),
                "distance": round(near.distance, 3),
                "near_copy": near.distance < card.copy_distance,
                "leaned_on": caption_of(card.items[group.leaned[place]]),
            }
        )
    return accounts


def premultiplied(pictures: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Pictures of straight alpha (N, S, S, 4) uint8 with their colours multiplied by it."""
    values = np.asarray(pictures, np.float32)
    values[..., :3] *= values[..., 3:] / 255
    return (values + 0.5).astype(np.uint8)
