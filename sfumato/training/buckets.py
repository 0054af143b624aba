"""Aspect buckets: how pictures of any shape become the few shapes that a network sees, and in which order they come.

A bucket is a shape of about as many pixels as the square of the model's side; a picture goes to the one whose aspect
is nearest, is scaled to cover it, and is cropped at the centre ("Aspect Ratio Bucketing" in "NovelAI Improvements on
Stable Diffusion", 2022; the same as multi-aspect training in Podell et al. 2023, arXiv 2307.01952, section 2.3).
Fitting whole is one square bucket into which nothing may be cropped, cropping square one that takes any loss.
Loads no torch.
"""

import hashlib
import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from sfumato.data.pictures import to_premultiplied

NEAR = 0.75  # share of the square's pixels that a bucket has at least
NOTHING = 1e-9  # a share that is lost by rounding alone
Shape = tuple[int, int]  # height and width in pixels


@dataclass(frozen=True)
class Place:
    """Where a picture comes to lie: the rectangle of it that is kept, and the shape that this is scaled to."""

    shape: Shape
    side: tuple[int, int]  # width and height as collected
    box: tuple[float, float, float, float]  # left, top, right and bottom of what is kept, in pixels as collected
    scale: float  # pixels of the shape for one as collected; above 1 it is made larger
    padded: bool  # whether it lies whole on ground, since too much of it would be lost

    @property
    def cropped(self) -> float:
        """Share of the picture that is lost, in [0, 1)."""
        left, top, right, bottom = self.box
        return 1 - (right - left) * (bottom - top) / (self.side[0] * self.side[1])

    @property
    def corner(self) -> tuple[int, int]:
        """Rows above and columns left of what is kept, in pixels of the scaled picture."""
        return round(self.box[1] * self.scale), round(self.box[0] * self.scale)


@dataclass(frozen=True)
class Fit:
    """The shapes that pictures become, and the largest share of one that may be cropped away for it."""

    name: str  # whole, crop or buckets
    shapes: tuple[Shape, ...]
    limit: float

    def place(self, width: int, height: int) -> Place:
        """Where a picture of these sides lies: in the shape of the nearest aspect, by the distance of logarithms.

        None is left out. One that would lose more than the limit lies whole on ground, as all of them do where
        nothing may be cropped; one that is too small is made larger. Which ones those are is told before a run.
        """
        aspect = math.log(width / height)
        shape = min(self.shapes, key=lambda one: abs(math.log(one[1] / one[0]) - aspect))
        across, down = shape[1] / width, shape[0] / height
        scale = max(across, down)
        kept = min(shape[1] / scale, width), min(shape[0] / scale, height)
        left, top = (width - kept[0]) / 2, (height - kept[1]) / 2
        lost = 1 - kept[0] * kept[1] / (width * height)
        whole = (0.0, 0.0, float(width), float(height))
        if lost > self.limit + NOTHING:
            return Place(shape, (width, height), whole, min(across, down), padded=True)
        box = whole if lost <= NOTHING else (left, top, left + kept[0], top + kept[1])
        return Place(shape, (width, height), box, scale, padded=False)

    @property
    def key(self) -> str:
        """What the name of a folder of latents says of it; nothing where pictures are fitted whole, as ever."""
        if self.name == "whole":
            return ""
        said = json.dumps([self.shapes, self.limit]).encode()
        return f"-{self.name}-{hashlib.sha256(said).hexdigest()[:12]}"


def fit_of(options: Any) -> Fit:
    """The fit that a run's options ask for; `options.base` says the grain of its model's sides."""
    square = (options.size, options.size)
    if options.fit == "whole":
        return Fit("whole", (square,), 0.0)
    if options.fit == "crop":
        return Fit("crop", (square,), 1.0)
    found = shapes(options.size, options.base["grain"], options.aspect_limit)
    return Fit("buckets", found, options.crop_limit)


def shapes(size: int, grain: int, aspect: float) -> tuple[Shape, ...]:
    """The buckets beside a square of `size` pixels a side, itself the first: each is (height, width).

    For each shorter side, in steps of the grain, the longest other side with which there are no more pixels than in
    the square, and with which the sides are at most `aspect` apart. Their pixels are at least three quarters of the
    square's, so that a step takes about as long with all of them.
    """
    found = [(size, size)]
    for short in range(size - grain, 0, -grain):
        longest = min(size * size / short, aspect * short)
        long = int(longest // grain) * grain
        if long > short and long * short >= NEAR * size * size:
            found += [(short, long), (long, short)]
        if aspect * short <= size * size / short:
            break  # from here on buckets of the same aspect have fewer pixels
    return tuple(found)


def draw(picture: Image.Image, place: Place) -> np.ndarray:
    """The picture as it lies in its shape, (H, W, 4) uint8, colours multiplied by alpha; ground lets all through."""
    height, width = place.shape
    if height == width and place.cropped <= NOTHING:
        return to_premultiplied(picture, height)
    values = np.asarray(picture.convert("RGBA"), np.float32)
    values = values * np.concatenate(
        [np.repeat(values[..., 3:] / 255, 3, axis=2), np.ones_like(values[..., 3:])], axis=2
    )
    inner = (width, height)
    if place.padded:
        inner = max(1, round(place.side[0] * place.scale)), max(1, round(place.side[1] * place.scale))
    planes = [
        np.asarray(Image.fromarray(values[..., one]).resize(inner, Image.Resampling.LANCZOS, box=place.box))
        for one in range(4)
    ]
    found = np.zeros((height, width, 4), np.float32)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    found[top : top + inner[1], left : left + inner[0]] = np.stack(planes, axis=-1)
    found[..., 3] = found[..., 3].clip(0, 255)
    found[..., :3] = np.minimum(found[..., :3].clip(0), found[..., 3:])
    return (found + 0.5).astype(np.uint8)


@dataclass
class Batches:
    """Which rows come in which step, where a batch holds pictures of one bucket only.

    Each bucket has an endless order of its own, shuffled anew each time around, so that none of its pictures comes
    again before all others have; what fills no batch goes into the next time around, and nothing is left out. In as
    many steps as there are pictures each bucket has as many batches as it has pictures, spread evenly and by chance.
    With weights a bucket has batches by the sum of its pictures', and rows are drawn by theirs.
    """

    train: np.ndarray  # rows that are learnt from
    weights: np.ndarray  # of those, in their order
    buckets: np.ndarray  # of every row: the number of its bucket
    _cycle: tuple[tuple[int, int], np.ndarray] | None = field(default=None, repr=False)

    @cached_property
    def groups(self) -> list[np.ndarray]:
        """Places in `train` of each bucket that has any, in the order of their numbers."""
        own = self.buckets[self.train]
        return [np.flatnonzero(own == one) for one in np.unique(own)]

    @property
    def weighted(self) -> bool:
        """Whether some pictures are drawn more often than others."""
        return bool(np.ptp(self.weights))

    def rows(self, seed: int, position: int, count: int) -> np.ndarray:
        """Rows (B) of the batch of `count` pictures that starts at sample `position`, a multiple of `count`."""
        step = position // count
        turn, place = divmod(step, len(self.train))
        order = self._order(seed, turn)
        bucket = int(order[place])
        group = self.groups[bucket]
        if self.weighted:
            share = self.weights[group] / self.weights[group].sum()
            return self.train[np.random.default_rng((seed, 2, step)).choice(group, count, p=share)]
        before = turn * len(group) + int((order[:place] == bucket).sum())  # batches of this bucket until here
        places = np.arange(before * count, (before + 1) * count)
        rounds = {
            one: np.random.default_rng((seed, 3, bucket, int(one))).permutation(group)
            for one in np.unique(places // len(group))
        }
        return self.train[[rounds[place // len(group)][place % len(group)] for place in places]]

    def _order(self, seed: int, turn: int) -> np.ndarray:
        """The bucket of each of as many steps as there are pictures."""
        if self._cycle is None or self._cycle[0] != (seed, turn):
            random = np.random.default_rng((seed, 4, turn))
            counts = self._counts(random)
            number = np.repeat(np.arange(len(counts)), counts)
            within = np.concatenate([np.arange(one) for one in counts])
            times = (within + random.random(len(number))) / counts[number]
            self._cycle = (seed, turn), number[np.argsort(times, kind="stable")]
        return self._cycle[1]

    def _counts(self, random: np.random.Generator) -> np.ndarray:
        """Batches of each bucket in a cycle; by weights they are rounded by chance, right on average."""
        if not self.weighted:
            return np.array([len(one) for one in self.groups])
        sums = np.array([self.weights[one].sum() for one in self.groups])
        marks = (np.arange(len(self.train)) + random.random()) / len(self.train)
        ends = np.cumsum(sums) / sums.sum()
        return np.bincount(np.searchsorted(ends[:-1], marks, side="right"), minlength=len(sums))


def batches_of(material: Any, places: list[Place]) -> Batches:
    """The order in which rows of a material come, whose pictures lie in these places."""
    known = {shape: number for number, shape in enumerate(sorted({one.shape for one in places}))}
    return Batches(material.train, material.weights, np.array([known[one.shape] for one in places]))


def fitted(name: str, places: list[Place], train: np.ndarray) -> dict[str, Any]:
    """What a run's record says of its fit: pictures that are learnt from by shape, and what became of them."""
    laid = [places[row] for row in train]
    counts: dict[str, int] = {}
    for height, width in sorted(one.shape for one in laid):
        counts[f"{width}x{height}"] = counts.get(f"{width}x{height}", 0) + 1
    lost = [one.cropped for one in laid if one.cropped > NOTHING]
    return {
        "fit": name, "buckets": counts, "cropped": len(lost), "lost": round(sum(lost) / max(len(lost), 1), 4),
        "padded": sum(one.padded for one in laid),
    }  # fmt: skip
