"""Which pictures of a dataset a page is narrowed to, as its address says it, and each part in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError

from sfumato.data.items import read_where
from sfumato.data.narrowing import EQUAL, RANGES, Where, heading
from sfumato.errors import InvalidInput
from sfumato.web.words import number

PLAIN = (*EQUAL, "words", "check", "group", "decision")  # parts that are one word of the address each
NONE = {"style": "no style", "category": "no category", "author": "no author", "consent": "not told",
        "family": "of no family", "concept": "nothing named", "licence": "no licence"}  # fmt: skip
title = heading  # what a column is called on a page
Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Chip:
    """One part of a narrowing in words, and the address without it."""

    text: str
    href: str


def where_from(pairs: Pairs) -> Where:
    """A narrowing from the parts of an address; what is not one of its words is passed over."""
    said: dict[str, Any] = {"ranges": {}, "attributes": {}}
    for name, value in pairs:
        if name in PLAIN and (value or name in EQUAL):
            said[name] = value.strip()
        elif name in ("no_caption", "suggested") and value in ("yes", "no"):
            said[name] = value == "yes"
        elif name == "range":
            said["ranges"] |= _range(value)
        elif name == "attribute" and ":" in value:
            key, _, rest = value.partition(":")
            said["attributes"][key] = rest
        elif name == "where" and value:
            return read_where(value)
    try:
        return Where.model_validate(said)
    except ValidationError as problem:
        raise InvalidInput(
            "This address narrows the pictures to what cannot be.", hint="Show all, and narrow anew."
        ) from problem


def _range(value: str) -> dict[str, tuple[float | None, float | None]]:
    """One column's bounds: "brightness:0.1:0.5", either of which may be left out."""
    name, _, bounds = value.partition(":")
    low, _, high = bounds.partition(":")
    try:
        both = (float(low) if low else None, float(high) if high else None)
    except ValueError:
        return {}
    return {name: both} if name in RANGES and both != (None, None) else {}


def pairs_of(where: Where) -> list[tuple[str, str]]:
    """The parts of an address that say a narrowing."""
    found = [(name, getattr(where, name)) for name in PLAIN if getattr(where, name) not in (None, "")]
    found += [(name, "") for name in EQUAL if getattr(where, name) == ""]
    found += [(name, "yes" if getattr(where, name) else "no") for name in ("no_caption", "suggested")
              if getattr(where, name) is not None]  # fmt: skip
    found += [("range", f"{name}:{_short(low)}:{_short(high)}") for name, (low, high) in where.ranges.items()]
    found += [("attribute", f"{name}:{value}") for name, value in where.attributes.items()]
    return found


def _short(bound: float | None) -> str:
    return "" if bound is None else f"{bound:.6g}"


def address(path: str, where: Where, **more: str) -> str:
    """The address of a page with this narrowing and something more."""
    said = [*pairs_of(where), *((name, value) for name, value in more.items() if value)]
    return f"{path}?{urlencode(said)}" if said else path


def chips_of(path: str, where: Where, checks: Mapping[str, str]) -> list[Chip]:
    """Each part of a narrowing in words, with the address that takes it away; `checks` are their titles."""
    parts = pairs_of(where)
    rests = [parts[:place] + parts[place + 1 :] for place in range(len(parts))]
    return [
        Chip(_says(name, value, checks), f"{path}?{urlencode(rest)}" if rest else path)
        for (name, value), rest in zip(parts, rests, strict=True)
    ]


def _says(name: str, value: str, checks: Mapping[str, str]) -> str:
    if name == "range":
        column, low, high = value.split(":")
        ends = [_bound(float(one)) if one else "" for one in (low, high)]
        span = f"{ends[0]} to {ends[1]}" if all(ends) else f"at least {ends[0]}" if low else f"at most {ends[1]}"
        return f"{title(column)}: {span}"
    if name == "attribute":
        key, _, said = value.partition(":")
        return f"{title(key)}: {said or 'not declared'}"
    if name in ("no_caption", "suggested"):
        what = {"no_caption": "caption", "suggested": "suggestion"}[name]
        return f"{'With' if (value == 'no') == (name == 'no_caption') else 'Without'} a {what}"
    if name == "check" and value != "*":
        return f"Finding: {checks.get(value, value)}"
    if name in ("group", "decision"):
        return {"group": "One group of copies", "decision": "Touched by one decision"}[name]
    return f"{title(name)}: {'any' if value == '*' else value or NONE.get(name, 'none')}"


def _bound(value: float) -> str:
    return number(value) if value.is_integer() else f"{value:.4g}"
