"""A second look at two pictures whose hashes are near: are they the same once one is laid upon the other?"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from PIL import Image

SIDE, CELLS = 64, 8
PACKED = SIDE * SIDE + 2 * CELLS * CELLS  # bytes of a picture that is kept small
SCALES = (0.97, 0.95, 0.93, 0.9, 0.87, 0.85, 0.8, 0.75, 0.7)  # of the sides that a crop may have kept
SPOILT = 0.15  # of the pixels, which a watermark may have covered
WHOLE, CUT = 0.95, 0.93  # correlation from which on they are the same: uncut, cut
DRAWN, DRAWN_CUT = 0.9, 0.85  # the same of what is drawn alone, without a plain ground
UNCOVERED, COVERED_TOO = 0.99, 0.6  # of what is drawn: without the part that is covered, and with it
UNTOUCHED = 0.9995  # without the part that is covered, where it was not cut as well
MARK, MOSTLY = 100.0, 0.65  # levels of grey by which a mark differs, and the share of all difference that it makes
PLACES = ((16, 16), (12, 36), (36, 12), (24, 24))  # pixels high and wide
COARSE = 0.8  # correlation of halves, below which no part is sought any finer
COLOURS = 9.0  # by how much colours may differ on average, of 255
PLAIN, TINT = 2.0, 6.0  # levels between neighbours, below which a place is plain; of a cell that has a colour
MIRRORED, CROPPED, TURNED = "mirrored", "cropped", "turned"
COVERED, DECOLOURED = "with a part covered", "without its colours"
DOUBTS = {COVERED: "A part of them differs", DECOLOURED: "One has colours, one has none"}  # where a person looks first


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

    @cached_property
    def halved(self) -> np.ndarray:
        """Its grey at half the size."""
        found: np.ndarray = self.grey.reshape(SIDE // 2, 2, SIDE // 2, 2).mean((1, 3))
        return found

    @cached_property
    def coarse(self) -> "Parts":
        """It as a part of what is of half the size."""
        return Parts.of(self.grey, SIDE // 2)

    def mirrored(self) -> "Small":
        """As in a mirror."""
        return Small(self.grey[:, ::-1], self.colours[:, ::-1])

    def turned(self, times: int) -> "Small":
        """Turned by so many quarters."""
        return Small(np.rot90(self.grey, times), np.rot90(self.colours, times))


def compare(one: Small, other: Small, how: tuple[str, ...]) -> Alike | None:
    """The best way in which two pictures are the same, of those that `how` allows; None if there is none."""
    left, right = level(one.grey), level(other.grey)
    if left is None or right is None:
        return _best_cut(one, other, how)
    found = _laid(left, right, one, other)
    if found is None and MIRRORED in how:
        found = _laid(left[:, ::-1], right, one.mirrored(), other, MIRRORED)
    if found is None and TURNED in how:
        turns = (_laid(np.rot90(left, times), right, one.turned(times), other, TURNED) for times in (1, 2, 3))
        found = next((turn for turn in turns if turn is not None), None)
    if found is not None and found.how != COVERED:
        return found
    covered, rest = _covered(left, right, one, other)
    if covered is not None and rest >= UNTOUCHED:
        return covered
    return _best_cut(one, other, how) or found or covered


def _best_cut(one: Small, other: Small, how: tuple[str, ...]) -> Alike | None:
    """How either is a part of the other, None where it is none or a part does not count."""
    if CROPPED not in how or not same_colours(_mean(one), _mean(other), loose=3.0):
        return None
    ways = [way for way in (_cut(one, other), _cut(other, one)) if way is not None]
    return max(ways, key=lambda way: way.score, default=None)


def _mean(one: Small) -> np.ndarray:
    found: np.ndarray = one.colours.mean((0, 1))
    return found


def _laid(left: np.ndarray, right: np.ndarray, one: Small, other: Small, how: str = "") -> Alike | None:
    """Whether levelled squares are the same as they lie, and what is drawn in them as well.

    A drawing upon a plain ground is like every other for most of its square.
    """
    whole = float(np.vdot(left, right))
    drawn = _drawn(one.grey, other.grey) if whole >= WHOLE else None
    if drawn is None or (alike := _correlation(one.grey[drawn], other.grey[drawn])) < DRAWN:
        return None
    if same_colours(one.colours, other.colours):
        marked = not how and _in_one_place(one.grey, other.grey, drawn)
        return Alike(min(whole, alike), COVERED if marked else how)
    return Alike(min(whole, alike), DECOLOURED) if not how and _is_grey(one) != _is_grey(other) else None


def _in_one_place(one: np.ndarray, other: np.ndarray, drawn: np.ndarray) -> bool:
    """Whether most of what differs lies in one rectangle, and strongly so, as a small mark or another word does.

    Of a picture that was encoded anew or resized a little differs along all of its edges.
    """
    left, right = one - one[drawn].mean(), other - other[drawn].mean()
    slope = float((left * right)[drawn].sum()) / max(float(np.square(left[drawn]).sum()), 1e-6)
    apart = np.where(drawn, np.square(right - slope * left), 0.0)
    if apart.max() < MARK**2:
        return False
    sums, most = _sums(apart), 0.0
    for high, wide in PLACES:
        most = max(most, float(_windows(sums, high, wide).max()))
    return most > MOSTLY * float(sums[-1, -1])


def _covered(left: np.ndarray, right: np.ndarray, one: Small, other: Small) -> tuple[Alike | None, float]:
    """Whether they are the same but for a part that something covers, and how well the rest agrees then."""
    if float(np.vdot(left, right)) < 0.5 or not same_colours(one.colours, other.colours, spoilt=2 * SPOILT):
        return None, 0.0
    if (drawn := _drawn(one.grey, other.grey)) is None:
        return None, 0.0
    mine, theirs = one.grey[drawn], other.grey[drawn]
    if (fit := _correlation(mine, theirs)) < COVERED_TOO or (rest := _uncovered(mine, theirs)) < UNCOVERED:
        return None, 0.0
    return Alike(fit, COVERED), rest


def _drawn(one: np.ndarray, other: np.ndarray) -> np.ndarray | None:
    """Where either of two squares is not plain, as a mask; None where that is next to nowhere."""
    found = (_steps(one) >= PLAIN) | (_steps(other) >= PLAIN)
    return found if found.mean() >= 0.02 else None


def _steps(grey: np.ndarray) -> np.ndarray:
    """The widest step of grey among the three by three places around each."""
    high, low = np.pad(grey, 1, mode="edge"), np.pad(grey, 1, mode="edge")
    for axis in (0, 1):
        inner, before, after = ((slice(None),) * axis + (part,) for part in (slice(1, -1), slice(-2), slice(2, None)))
        high = np.maximum(np.maximum(high[before], high[inner]), high[after])
        low = np.minimum(np.minimum(low[before], low[inner]), low[after])
    found: np.ndarray = high - low
    return found


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    left, right = one - one.mean(), other - other.mean()
    return float(left @ right) / max(float(np.sqrt((left @ left) * (right @ right))), 1e-6)


def _uncovered(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two rows of grey without those places in which they differ most, (n) each."""
    left, right = one - one.mean(), other - other.mean()
    left, right = left / max(float(np.linalg.norm(left)), 1e-6), right / max(float(np.linalg.norm(right)), 1e-6)
    fitted, part, last = left * float(left @ right), 0.0, int(left.size * (1 - SPOILT))
    for _ in range(3):  # what covers a part spoils the first fit, so it is made again without it
        wrong = np.abs(fitted - right)
        kept = wrong <= np.partition(wrong, last)[last]
        some, rest = left[kept], right[kept]
        middle, other_middle = float(some.mean()), float(rest.mean())
        spread = float(((some - middle) ** 2).sum())
        slope = float((some - middle) @ (rest - other_middle)) / max(spread, 1e-12)
        part = slope * float(np.sqrt(spread / max(float(((rest - other_middle) ** 2).sum()), 1e-12)))
        fitted = (left - middle) * slope + other_middle
    return part


def _cut(whole: Small, part: Small) -> Alike | None:
    """Whether the second is a part of the first, wherever it may lie; sought coarsely before it is sought finely."""
    if _sought(whole.halved, part.coarse)[0] < COARSE:
        return None
    best, chosen, place = _sought(whole.grey, Parts.of(part.grey, SIDE))
    if best < CUT or not _same_drawing(_window(whole, chosen, place), part):
        return None
    return Alike(best * 0.98, f"{CROPPED} to {chosen**2:.0%}")


def _window(whole: Small, share: float, place: tuple[int, int]) -> Small:
    """The part of a picture that has this share of its sides and begins at this place, as large as the whole."""
    side = round(SIDE * share)
    top, left = place
    grey = Image.fromarray(np.ascontiguousarray(whole.grey[top : top + side, left : left + side]))
    cell = SIDE / CELLS
    edges = (left / cell, top / cell, (left + side) / cell, (top + side) / cell)
    colours = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(whole.colours[..., one])).resize(
                (CELLS, CELLS), Image.Resampling.BILINEAR, box=edges
            )
        )
        for one in (0, 1)
    ]  # fmt: skip
    return Small(np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR)), np.stack(colours, -1))


def _same_drawing(one: Small, other: Small) -> bool:
    """Whether what is drawn in both is the same, though the one may lie a pixel beside the other."""
    drawn = _drawn(one.grey, other.grey)
    if drawn is None or drawn.mean() < 0.2 or _correlation(one.grey[drawn], other.grey[drawn]) < DRAWN_CUT:
        return False  # a few edges upon plain ground fit into much
    return same_colours(one.colours, other.colours, loose=2.0)


@dataclass(frozen=True)
class Parts:
    """A picture as what may be a part of another: at each of SCALES, the conjugate of its spectrum and its length."""

    size: int
    spectra: np.ndarray
    lengths: list[float]

    @classmethod
    def of(cls, grey: np.ndarray, size: int) -> "Parts":
        """Of a square of grey, for a whole of so many pixels a side."""
        picture = Image.fromarray(np.ascontiguousarray(grey))
        wanted, lengths = np.zeros((len(SCALES), size, size), np.float32), []
        for number, side in enumerate(_sides(size)):
            small = np.asarray(picture.resize((side, side), Image.Resampling.BOX), np.float32)
            small = small - small.mean()
            lengths.append(float(np.sqrt((small**2).sum())))
            wanted[number, :side, :side] = small
        return cls(size, np.fft.rfft2(wanted).conj(), lengths)


def _sought(whole: np.ndarray, parts: Parts) -> tuple[float, float, tuple[int, int]]:
    """How well a part fits best into the whole, the share of the sides at which it does, and where: row and column.

    The fit is the correlation at each place where the part lies wholly inside (Lewis 1995, "Fast normalized
    cross-correlation"): products by the Fourier transform, means and spreads by sums over rectangles.
    """
    size, best, chosen, place = parts.size, 0.0, 1.0, (0, 0)
    fits = np.fft.irfft2(np.fft.rfft2(whole - whole.mean()) * parts.spectra, (size, size))
    sums, squares = _sums(whole), _sums(np.square(whole))
    for number, (side, length) in enumerate(zip(_sides(size), parts.lengths, strict=True)):
        if length < 2 * side:  # two levels of grey: nothing that could be told apart
            continue
        spread = _windows(squares, side, side) - _windows(sums, side, side) ** 2 / side**2
        places = size - side + 1  # each way; farther on the part would come in again from the other side
        told = spread >= 4 * side**2  # what is flat there fits nothing
        fitted = np.where(told, fits[number, :places, :places], 0.0) / np.sqrt(np.where(told, spread, 1.0))
        at = int(fitted.argmax())
        if (fit := float(fitted.flat[at]) / length) > best:
            best, chosen, place = fit, SCALES[number], divmod(at, places)
    return best, chosen, place


@cache
def _sides(size: int) -> tuple[int, ...]:
    """The sides in pixels of a part at each of SCALES."""
    return tuple(round(size * scale) for scale in SCALES)


def _sums(values: np.ndarray) -> np.ndarray:
    """Sums of all that lies above and left of each corner."""
    return np.pad(values.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _windows(sums: np.ndarray, high: int, wide: int) -> np.ndarray:
    """Sums over all rectangles of this size, from those of `_sums`."""
    found: np.ndarray = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    return found


def same_colours(one: np.ndarray, other: np.ndarray, *, loose: float = 1.0, spoilt: float = 0.0) -> bool:
    """Whether colours are the same but for their strength, in the cells that have any, (..., 2) each.

    Without the share `spoilt` of these cells in which they differ most.
    """
    left, right = one.reshape(-1, 2), other.reshape(-1, 2)
    tinted = np.maximum(np.abs(left).max(1), np.abs(right).max(1)) >= TINT
    if not tinted.any():
        return True
    left, right = left[tinted], right[tinted]
    gain = float(np.clip((left * right).sum() / max(float((left * left).sum()), 1e-6), 0.6, 1.6))
    apart = np.sort(np.abs(right - gain * left).max(1))
    return float(apart[: max(1, round(len(apart) * (1 - spoilt)))].mean()) <= COLOURS * loose


def _is_grey(one: Small) -> bool:
    return bool(np.abs(one.colours).max() < TINT / 2)


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
