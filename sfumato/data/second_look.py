"""A second look at two pictures whose hashes are near: are they the same once one is laid upon the other?"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

SIDE, CELLS = 64, 8
PACKED = SIDE * SIDE + 2 * CELLS * CELLS  # bytes of a picture that is kept small
SCALES = (0.97, 0.95, 0.93, 0.9, 0.87, 0.85, 0.8, 0.75, 0.7)  # of the sides that a crop may have kept
SPOILT = 0.15  # of the pixels, which a watermark may have covered
WHOLE, CUT, PART = 0.95, 0.93, 0.97  # correlation from which on they are the same: uncut, cut, without what is spoilt
COARSE = 0.8  # correlation of halves, below which no part is sought any finer
COLOURS = 9.0  # by how much colours may differ on average, of 255
MIRRORED, CROPPED, TURNED = "mirrored", "cropped", "turned"


@dataclass(frozen=True)
class Alike:
    """How much two pictures are alike, 1 for the same, and what was done to one of them, "" for nothing."""

    score: float
    how: str


@dataclass(frozen=True)
class Small:
    """A picture as it is compared: its grey in a square, and its colours in eight by eight cells."""

    grey: np.ndarray
    colours: np.ndarray

    @classmethod
    def of(cls, miniature: np.ndarray) -> "Small":
        """From (height, width, 3) of YCbCr."""
        picture = Image.fromarray(miniature)
        grey = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)[..., 0]
        colours = np.asarray(picture.resize((CELLS, CELLS), Image.Resampling.BOX), np.float32)[..., 1:] - 128
        return cls(grey, colours)

    def packed(self) -> np.ndarray:
        """All of it in PACKED bytes."""
        return np.concatenate([self.grey.ravel(), self.colours.ravel() + 128]).astype(np.uint8)

    @classmethod
    def unpacked(cls, values: np.ndarray) -> "Small":
        """From what `packed` gave."""
        grey, colours = values[: SIDE * SIDE], values[SIDE * SIDE :]
        return cls(
            grey.astype(np.float32).reshape(SIDE, SIDE), colours.astype(np.float32).reshape(CELLS, CELLS, 2) - 128
        )  # fmt: skip

    def mirrored(self) -> "Small":
        """As in a mirror."""
        return Small(self.grey[:, ::-1], self.colours[:, ::-1])

    def turned(self, times: int) -> "Small":
        """Turned by so many quarters."""
        return Small(np.rot90(self.grey, times), np.rot90(self.colours, times))


def compare(one: Small, other: Small, how: tuple[str, ...]) -> Alike | None:
    """The best way in which two pictures are the same, of those that `how` allows; None if there is none."""
    left, right = level(one.grey), level(other.grey)
    found = None
    if left is not None and right is not None:
        found = _same(left, right) if same_colours(one.colours, other.colours) else None
        if found is None and MIRRORED in how:
            found = _laid(left[:, ::-1], right, one.mirrored(), other, "mirrored")
        if found is None and TURNED in how:
            turns = (_laid(np.rot90(left, times), right, one.turned(times), other, "turned") for times in (1, 2, 3))
            found = next((turn for turn in turns if turn is not None), None)
    if found is None and CROPPED in how and same_colours(_mean(one), _mean(other), loose=1.5):
        ways = [way for way in (_cut(one, other), _cut(other, one)) if way is not None]
        found = max(ways, key=lambda way: way.score, default=None)
    return found


def _mean(one: Small) -> np.ndarray:
    found: np.ndarray = one.colours.mean((0, 1))
    return found


def _laid(left: np.ndarray, right: np.ndarray, moved: Small, other: Small, how: str) -> Alike | None:
    """Whether levelled squares are the same as they lie, uncovered: turned and covered at once, much looks alike."""
    whole = float(np.vdot(left, right))
    return Alike(whole, how) if whole >= WHOLE and same_colours(moved.colours, other.colours) else None


def _same(laid: np.ndarray, upon: np.ndarray) -> Alike | None:
    """Whether two levelled squares are the same, but maybe for a part that something covers."""
    left, right = laid.ravel(), upon.ravel()
    whole = float(left @ right)
    if whole >= WHOLE:
        return Alike(whole, "")
    if whole < 0.5:
        return None
    fitted, part = left * whole, 0.0
    for _ in range(3):  # what covers a part spoils the first fit, so it is made again without it
        wrong = np.abs(fitted - right)
        kept = wrong <= np.partition(wrong, int(wrong.size * (1 - SPOILT)))[int(wrong.size * (1 - SPOILT))]
        some, rest = left[kept], right[kept]
        middle, other_middle = float(some.mean()), float(rest.mean())
        spread = float(((some - middle) ** 2).sum())
        slope = float((some - middle) @ (rest - other_middle)) / max(spread, 1e-12)
        part = slope * float(np.sqrt(spread / max(float(((rest - other_middle) ** 2).sum()), 1e-12)))
        fitted = (left - middle) * slope + other_middle
    return Alike(part * 0.97, "with a part covered") if part >= PART else None


def _cut(whole: Small, part: Small) -> Alike | None:
    """Whether the second is a part of the first, wherever it may lie; sought coarsely before it is sought finely."""
    if _sought(_halved(whole.grey), part.grey)[0] < COARSE:
        return None
    best, chosen = _sought(whole.grey, part.grey)
    return Alike(best * 0.98, f"cropped to {chosen**2:.0%}") if best >= CUT else None


def _halved(grey: np.ndarray) -> np.ndarray:
    """At half the size."""
    found: np.ndarray = grey.reshape(SIDE // 2, 2, SIDE // 2, 2).mean((1, 3))
    return found


def _sought(whole: np.ndarray, part: np.ndarray) -> tuple[float, float]:
    """How well the part fits best into the whole, and the share of the sides at which it does.

    The fit is the correlation at each place where the part lies wholly inside (Lewis 1995, "Fast normalized
    cross-correlation"): products by the Fourier transform, means and spreads by sums over rectangles.
    """
    size, picture = whole.shape[0], Image.fromarray(np.ascontiguousarray(part))
    wanted, lengths = np.zeros((len(SCALES), size, size), np.float32), np.zeros(len(SCALES))
    for number, side in enumerate(_sides(size)):
        small = np.asarray(picture.resize((side, side), Image.Resampling.BOX), np.float32)
        small = small - small.mean()
        lengths[number] = np.sqrt((small**2).sum())
        wanted[number, :side, :side] = small
    spectrum = np.fft.rfft2(whole - whole.mean()) * np.fft.rfft2(wanted).conj()
    fits, best, chosen = np.fft.irfft2(spectrum, (size, size)), 0.0, 1.0
    sums, squares = _sums(whole), _sums(np.square(whole))
    for number, side in enumerate(_sides(size)):
        if lengths[number] < 2 * side:  # two levels of grey: nothing that could be told apart
            continue
        spread = _windows(squares, side) - _windows(sums, side) ** 2 / side**2
        places = size - side + 1  # each way; farther on the part would come in again from the other side
        fitted = fits[number, :places, :places][told := spread >= 4 * side**2]  # what is flat there fits nothing
        fit = float((fitted / np.sqrt(spread[told])).max(initial=0.0)) / float(lengths[number])
        if fit > best:
            best, chosen = fit, SCALES[number]
    return best, chosen


@cache
def _sides(size: int) -> tuple[int, ...]:
    """The sides in pixels of a part at each of SCALES."""
    return tuple(round(size * scale) for scale in SCALES)


def _sums(values: np.ndarray) -> np.ndarray:
    """Sums of all that lies above and left of each corner."""
    return np.pad(values.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _windows(sums: np.ndarray, side: int) -> np.ndarray:
    """Sums over all squares of a side, from those of `_sums`."""
    found: np.ndarray = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return found


def same_colours(one: np.ndarray, other: np.ndarray, *, loose: float = 1.0) -> bool:
    """Whether colours are the same but for their strength; a picture in grey may be one of any colours."""
    left, right = one.ravel(), other.ravel()
    strength, other_strength = float(np.abs(left).mean()), float(np.abs(right).mean())
    if min(strength, other_strength) < 1.5:
        return True
    gain = float(np.clip(left @ right / max(float(left @ left), 1e-6), 0.6, 1.6))
    return float(np.abs(right - gain * left).mean()) <= COLOURS * loose


def level(grey: np.ndarray) -> np.ndarray | None:
    """A square without its plane and of length one; None where next to nothing is left.

    Mirrored or turned, it is what the mirrored or turned square would give.
    """
    values = grey.ravel()
    basis = _plane()
    rest = values - basis @ (basis.T @ values)
    length = float(np.sqrt(rest @ rest))
    return None if length < 2.0 * SIDE else (rest / length).reshape(SIDE, SIDE)


@cache
def _plane() -> np.ndarray:
    """A basis of all planes over the square, (SIDE * SIDE, 3)."""
    side = np.linspace(-1, 1, SIDE)
    planes = np.stack([np.ones(SIDE * SIDE), np.repeat(side, SIDE), np.tile(side, SIDE)], 1)
    return (planes / np.sqrt((planes**2).sum(0))).astype(np.float32)
