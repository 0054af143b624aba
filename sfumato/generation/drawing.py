"""Drawing: from a sentence and seeds to pixels, the same for every engine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from sfumato.catalog import Catalog
from sfumato.checkpoints.card import Card
from sfumato.errors import Cancelled
from sfumato.generation.knowledge import Understood
from sfumato.models.guidance import guided
from sfumato.models.noise import rising_times, starting_noise

SAMPLERS = Catalog("sfumato.models.samplers", ("ORDER", "sample"))
INTERVAL = (0.0, 0.5)
SHIFT = 2.0
LARGEST_BATCH = 16
Watch = Callable[[int, np.ndarray], None]
INVISIBLE, OPAQUE = 0.04, 0.96  # alpha beyond these is noise, not softness


ONE_CALL = "one call"  # instead of a sampler's name, for networks that need none


class Network(Protocol):
    """A loaded network: numpy in, numpy out, all float32.

    One that draws in a single call says so by `one_call`, and starts from noise of `noise_shape`. One that wants
    times of its own has `times(steps)`, or an `interval` of times at which it is guided. One that does not look at the
    training picture that it is shown says so: `leans` is False.
    """

    size: int

    def __call__(
        self, z: np.ndarray, t: float, words: np.ndarray, words_on: np.ndarray, reference: np.ndarray, on: np.ndarray
    ) -> np.ndarray: ...


@dataclass(frozen=True)
class Plan:
    """Everything that decides what is drawn."""

    understood: Understood
    seeds: Sequence[int]
    sampler: str = "dpmpp_2m"
    steps: int = 12
    guidance: float = 4.0


@dataclass(frozen=True)
class Told:
    """What the network is told of a batch: words (B, T, D), which are there (B, T), reference (B, 4, S, S), on (B)."""

    words: np.ndarray
    words_on: np.ndarray
    reference: np.ndarray
    on: np.ndarray

    def silent(self) -> "Told":
        """The same with nothing said."""
        return replace(self, words_on=self.words_on * 0, on=self.on * 0)

    def beside(self, other: "Told") -> "Told":
        """Both in one batch, this one first."""
        return Told(*(np.concatenate(pair) for pair in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class Drawn:
    """One picture, (S, S, 4) uint8 with straight alpha, and the training picture that it leaned on, if on any."""

    place: int
    seed: int
    picture: np.ndarray
    reference: int | None


def references(card: Card, understood: Understood, seeds: Sequence[int]) -> list[int]:
    """The training picture each drawing leans on: of the nearest name, in another style than the one asked for.

    What is there in that style alone leans on the thing of the next name, as in training: never on its original.
    """
    rows = _rows_of(card, understood.nearest_name)
    others = [row for row in rows if card.items[row]["style"] != understood.style]
    if not others and understood.nearest_name in card.names:
        likeness = card.name_embeddings @ card.name_embeddings[card.names.index(understood.nearest_name)]
        nearer = (card.names[place] for place in np.argsort(-likeness, kind="stable"))
        others = next((_rows_of(card, name) for name in nearer if name != understood.nearest_name), [])
    rows = others or rows
    return [rows[seed % len(rows)] for seed in seeds]


def _rows_of(card: Card, name: str) -> list[int]:
    """Rows of the training pictures of that name."""
    return [row for row, item in enumerate(card.items) if item["split"] == "train" and item["name"] == name]


def draw(
    network: Network,
    card: Card | None,
    plan: Plan,
    stop: Callable[[], bool] = lambda: False,
    watch: Watch = lambda *_: None,
) -> Iterator[Drawn | float]:
    """Yield the share done after every step, and each picture when its batch is; raises Cancelled within a step.

    A network that draws by itself, in its own library, is asked for all of it, and needs no card.
    `watch` is shown after every step which picture is the first of the batch, and what all of it looks like so far.
    """
    from sfumato.features.encoders import minilm

    if card is None:
        yield from network.draw(plan, stop, watch)  # type: ignore[attr-defined]
        return
    leans = getattr(network, "leans", True)
    leaned = references(card, plan.understood, plan.seeds)
    words, words_on = minilm.encode_tokens([plan.understood.caption])
    there = words_on[0]  # words that are not there would cost time and change nothing
    words, words_on = words[:, there], words_on[:, there].astype(np.float32)
    starts = range(0, len(plan.seeds), LARGEST_BATCH)
    for start in starts:
        seeds, rows = (list(of)[start : start + LARGEST_BATCH] for of in (plan.seeds, leaned))
        beside = np.stack([card.picture(row) for row in rows]).transpose(0, 3, 1, 2)  # (B, 4, S, S)
        told = Told(
            np.repeat(words, len(seeds), 0),
            np.repeat(words_on, len(seeds), 0),
            np.ascontiguousarray(beside, np.float32) / 127.5 - 1,
            np.ones(len(seeds), np.float32),
        )
        z = np.empty(0)
        look = partial(watch, start)
        for step, state in enumerate(walk(network, replace(plan, seeds=seeds), told, look), 1):
            if stop():
                raise Cancelled("The drawing was stopped.", hint="Pictures that were finished are kept.")
            z = state
            yield min(len(plan.seeds), start + len(seeds) * step / plan.steps) / len(plan.seeds)
        for place, picture in enumerate(to_straight(z)):
            yield Drawn(start + place, seeds[place], picture, rows[place] if leans else None)


def walk(
    network: Network, plan: Plan, told: Told, look: Callable[[np.ndarray], None] = lambda _: None
) -> Iterator[np.ndarray]:
    """The sampler's states (B, 4, S, S) for one batch, one for each step; the last one is the picture.

    Guidance 1 takes the words as they are, more leans on them harder; at 0 nothing is said to the network.
    `look` is shown what the network expects the pictures to become, each time that it is asked.
    """
    count, scale = len(plan.seeds), plan.guidance
    if scale == 0:
        told, scale = told.silent(), 1.0
    twice = told.beside(told.silent())

    def ask(z: np.ndarray, t: float, told: Told) -> np.ndarray:
        return network(z, t, told.words, told.words_on, told.reference, told.on)

    def both(z: np.ndarray, t: float) -> tuple[Any, Any]:
        drawn = ask(np.concatenate([z, z]), t, twice)
        return drawn[:count], drawn[count:]

    shape = getattr(network, "noise_shape", (4, network.size, network.size))
    noise = starting_noise(list(plan.seeds), shape)
    if getattr(network, "one_call", False):
        return in_one_call(lambda: ask(noise, 0.0, told), look)
    own = getattr(network, "times", None)
    times = own(plan.steps) if own else rising_times(plan.steps, SHIFT)
    interval = getattr(network, "interval", None) or INTERVAL
    ahead = guided(both, lambda z, t: ask(z, t, told), scale, interval)

    def denoise(z: np.ndarray, t: float) -> np.ndarray:
        expected: np.ndarray = ahead(z, t)
        look(expected)
        return expected

    states: Iterator[np.ndarray] = SAMPLERS.get(plan.sampler).sample(denoise, noise * (1 - times[0]), times)
    return states


def in_one_call(ask: Callable[[], np.ndarray], look: Callable[[np.ndarray], None]) -> Iterator[np.ndarray]:
    """The one state of a network that needs no steps: its picture."""
    drawn = ask()
    look(drawn)
    yield drawn


def to_straight(z: np.ndarray) -> np.ndarray:
    """Premultiplied (B, 4, S, S) in [-1, 1] as straight RGBA (B, S, S, 4) uint8; all but invisible is cleared."""
    values = ((z.transpose(0, 2, 3, 1) + 1) / 2).clip(0, 1)
    alpha = values[..., 3:]
    alpha = np.where(alpha < INVISIBLE, 0, np.where(alpha > OPAQUE, 1, alpha))
    colour = np.where(alpha > 0, (values[..., :3] / alpha.clip(1e-3)).clip(0, 1), 0)
    return (np.concatenate([colour, alpha], -1) * 255 + 0.5).astype(np.uint8)
