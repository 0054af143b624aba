"""Pictures with text in them, and text that sits or looks like a watermark."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.looking import TEXT, TEXTS, box, look_at
from sfumato.data.scan import Pictures, Proposal

TITLE = "text or watermark in the picture"
SAYS = (
    "A network sees text in it and says where, not what it says. Small text at an edge and faint text are called like "
    "a watermark. Of 333 drawings of things it alarmed on 13."
)
KIND = "neural"
EDGE = 0.14  # how near to an edge, as a share of the side, signatures are
SMALL = 0.06  # share of the picture that a signature covers at most
THICK = 0.2  # of a side; a line of text is thinner
LINE = 1.8  # times longer than thick
LONG = 0.6  # of the width; a line of a page is longer
FAINT = 0.25  # contrast below which text is faint


class Options(BaseModel):
    """How sure and how large text has to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(0.7, ge=0.6, lt=1, description="likelihood of text")
    area: float = Field(0.0, ge=0, lt=1, description="share of the picture that text covers at least")
    only_watermarks: bool = Field(False, description="only what is like a watermark")


def look(pictures: Pictures, options: Options) -> Iterator[Proposal | None]:
    """Propose pictures with text; the score is the likelihood of the surest place."""
    seen = yield from look_at(pictures, TEXT)
    boxes = seen.values[:, 2:].reshape(len(seen.ids), TEXTS, 6)
    sure = (boxes[..., 4] > options.above) & like_lines(boxes)
    covered = np.minimum((boxes[..., 2] * boxes[..., 3] * sure).sum(1), 1)
    for row in np.flatnonzero(sure.any(1) & (covered >= options.area)):
        found = boxes[row][sure[row]]
        like = [why for why in map(watermark, found) if why]
        if options.only_watermarks and not like:
            continue
        n = int(seen.values[row, 0]) if sure[row].all() else len(found)
        share = f"{covered[row]:.0%}" if covered[row] >= 0.005 else "less than 1%"
        said = f" {like[0]}, as watermarks are." if like else ""
        yield Proposal(
            seen.ids[row], float(min(found[:, 4].max(), 1)),
            f"Text in {n} {'place' if n == 1 else 'places'}, {share} of it.{said}",
            details={"places": n, "boxes": [box(one) for one in found], "watermark": bool(like)},
        )  # fmt: skip


def like_lines(boxes: np.ndarray) -> np.ndarray:
    """Which boxes (..., 6) have the shape of a line; a thing that stands alone is taken for a letter by the network."""
    long, short = boxes[..., 2:4].max(-1), boxes[..., 2:4].min(-1)
    return (short <= THICK) & (long >= LINE * short)


def watermark(found: np.ndarray) -> str:
    """What makes a box of text like a watermark, "" if nothing does."""
    left, top, wide, tall, _, contrast = (float(one) for one in found)
    if contrast < FAINT:
        return "Some of it is faint"
    middle = left + wide / 2, top + tall / 2
    at_edge = any(place < EDGE or place > 1 - EDGE for place in middle)
    return "Some of it is small and at an edge" if at_edge and wide < LONG and wide * tall < SMALL else ""
