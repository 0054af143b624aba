"""Drawing: from a sentence and seeds to pixels, the same for every engine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sfumato.catalog import Catalog
from sfumato.checkpoints.card import Card
from sfumato.errors import Cancelled
from sfumato.features.encoders import minilm
from sfumato.generation.knowledge import Understood
from sfumato.models.guidance import guided
from sfumato.models.noise import rising_times, starting_noise

SAMPLERS = Catalog("sfumato.models.samplers", ("ORDER", "sample"))
INTERVAL = (0.1, 0.8)
SHIFT = 1.0
LARGEST_BATCH = 16


class Network(Protocol):
    """A loaded network: numpy in, numpy out, all float32."""

    size: int

    def __call__(
        self, z: np.ndarray, t: float, words: np.ndarray, words_on: np.ndarray, reference: np.ndarray, on: np.ndarray
    ) -> np.ndarray: ...


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is drawn."""

    understood: Understood
    seeds: list[int]
    sampler: str = "dpmpp_2m"
    steps: int = 12
    guidance: float = 2.0


@dataclass(frozen=True)
class Drawn:
    """One picture, (S, S, 4) uint8 with straight alpha, and the training picture that it leaned on."""

    place: int
    seed: int
    picture: np.ndarray
    reference: int


def references(card: Card, understood: Understood, seeds: list[int]) -> list[int]:
    """The training picture each drawing leans on: of the nearest name, in another style than the one asked for."""
    rows = [
        row
        for row, item in enumerate(card.items)
        if item["split"] == "train" and item["name"] == understood.nearest_name
    ]
    rows = [row for row in rows if card.items[row]["style"] != understood.style] or rows
    return [rows[seed % len(rows)] for seed in seeds]


def draw(
    network: Network, card: Card, plan: Plan, stop: Callable[[], bool] = lambda: False
) -> Iterator[Drawn | float]:
    """Yield the share done after every step, and each picture when its batch is; raises Cancelled within a step."""
    leaned = references(card, plan.understood, plan.seeds)
    words, words_on = minilm.encode_tokens([plan.understood.caption])
    batches = [
        list(range(start, min(start + LARGEST_BATCH, len(plan.seeds))))
        for start in range(0, len(plan.seeds), LARGEST_BATCH)
    ]
    for number, places in enumerate(batches):
        beside = np.stack([card.picture(leaned[place]) for place in places])
        beside = np.ascontiguousarray(beside.transpose(0, 3, 1, 2), np.float32) / 127.5 - 1
        steps = _walk(network, plan, [plan.seeds[place] for place in places], (words, words_on, beside))
        z = None
        for step, z in enumerate(steps, 1):
            if stop():
                raise Cancelled("The drawing was stopped.")
            yield (number + step / plan.steps) / len(batches)
        for place, picture in zip(places, to_straight(z), strict=True):
            yield Drawn(place, plan.seeds[place], picture, leaned[place])


def _walk(
    network: Network, plan: Plan, seeds: list[int], told: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> Iterator[np.ndarray]:
    """The sampler's states for one batch."""
    count = len(seeds)
    words, words_on = (np.repeat(one, count, 0).astype(np.float32) for one in told[:2])
    beside, on = told[2], np.ones(count, np.float32)

    def alone(z: np.ndarray, t: float) -> np.ndarray:
        return network(z, t, words, words_on, beside, on)

    def both(z: np.ndarray, t: float) -> tuple[Any, Any]:
        twice = [np.concatenate([one, other]) for one, other in
                 ((z, z), (words, words), (words_on, words_on * 0), (beside, beside), (on, on * 0))]  # fmt: skip
        drawn = network(twice[0], t, *twice[1:])
        return drawn[:count], drawn[count:]

    noise = starting_noise(seeds, (4, network.size, network.size))
    denoise = guided(both, alone, plan.guidance, INTERVAL)
    return SAMPLERS.get(plan.sampler).sample(denoise, noise, rising_times(plan.steps, SHIFT))


def to_straight(z: np.ndarray) -> np.ndarray:
    """Premultiplied (B, 4, S, S) in [-1, 1] as straight RGBA (B, S, S, 4) uint8; all but invisible is cleared."""
    values = ((z.transpose(0, 2, 3, 1) + 1) / 2).clip(0, 1)
    alpha = values[..., 3:]
    alpha = np.where(alpha < 0.04, 0, np.where(alpha > 0.96, 1, alpha))
    colour = np.where(alpha > 0, (values[..., :3] / alpha.clip(1e-3)).clip(0, 1), 0)
    return (np.concatenate([colour, alpha], -1) * 255 + 0.5).astype(np.uint8)
