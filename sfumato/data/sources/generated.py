"""A folder of generated pictures: the prompt that A1111, ComfyUI or InvokeAI wrote into each becomes its caption."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from sfumato.data.columns import words
from sfumato.data.drawn_by import KEPT, read_settings
from sfumato.data.found import Found, Handed, Later, Left
from sfumato.data.places import Place
from sfumato.data.sources import folder

MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


class Options(Place):
    """Where the folder is, and what holds for all of it."""

    KIND: ClassVar[str] = "generated"
    path: str = Field(description="the folder")
    style: str = Field("", max_length=60, description="what to call their style")


def read(options: Options, cache: Path) -> Iterator[Handed]:
    """Yield every picture in and below the folder, in order of name, with how it was made as evidence."""
    for one in folder.read(options, cache):
        yield replace(one, fetch=partial(_with_settings, one, options)) if isinstance(one, Later) else one


def count(options: Options, cache: Path) -> int:
    """How many pictures there are, by their names alone."""
    return folder.count(options, cache)


def _with_settings(later: Later, options: Options) -> Found | Left:
    """The picture with what its file says of how it was made; a caption that stands beside it counts first."""
    found = later.fetch()
    if isinstance(found, Left):
        return found
    drawn = read_settings(found.data)
    if drawn is None:
        return replace(found, style=found.style or options.style)
    place = f"{drawn.tool} {drawn.found}"
    evidence: dict[str, dict[str, Any]] = {
        "made by": {"value": drawn.tool, "found": place},
        "digital source type": {"value": MADE, "found": place},
        "prompt": {"value": drawn.prompt[:KEPT], "found": place},
        "negative prompt": {"value": drawn.negative[:KEPT], "found": place},
        "settings": {"value": {name[:60]: value[:300] for name, value in list(drawn.settings.items())[:60]},
                     "found": place},
    }  # fmt: skip
    name = found.name or words(drawn.prompt)[:KEPT]
    return replace(
        found, name=name, concept=found.concept or name.lower(), style=found.style or options.style,
        evidence=found.evidence | {key: said for key, said in evidence.items() if said["value"]},
    )  # fmt: skip
