"""What a table, a line of JSON or a form says of one picture, by the names that people give their columns."""

import json
from collections.abc import Mapping
from typing import Any

from sfumato.data.records import CONSENTS

NAMES = {  # the first that says something counts
    "name": ("text", "caption", "name", "prompt"),
    "licence": ("licence", "license", "spdx"),
    "author": ("author", "creator", "artist", "attribution"),
    "style": ("style",),
    "category": ("category", "class", "label"),
    "concept": ("concept",),
    "url": ("url", "source_url"),
    "family": ("family", "group"),
    "given_split": ("split",),
    "consent": ("consent",),
}
TAGS = ("tags", "keywords")
ATTRIBUTES = ("attributes", "attribute.")  # one column that holds them all, or one of each
KNOWN = (*(name for names in NAMES.values() for name in names), *TAGS, ATTRIBUTES[0])


def described(said: Mapping[str, Any], *, licence: str = "NOASSERTION", author: str = "") -> dict[str, Any]:
    """What a row says, as the fields of a `Found`; licence and author hold where it says nothing."""
    known = {field: _first(said, names) for field, names in NAMES.items()}
    known["licence"] = known["licence"] or licence
    known["author"] = known["author"] or author
    known["concept"] = known["concept"] or known["name"].lower()
    consent = known["consent"].lower()
    found: dict[str, Any] = {**known, "consent": consent if consent in CONSENTS else ""}
    tags: Any = next((said[name] for name in TAGS if said.get(name)), [])
    tags = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list | tuple) else [tags]
    found["tags"] = [tag for tag in map(words, tags) if tag]
    attributes = _attributes(said)
    if attributes:
        found["attributes"] = attributes
    if consent and not found["consent"]:
        found["evidence"] = {"consent": {"value": known["consent"], "found": "its row"}}
    return found


def words(said: Any) -> str:
    """Whatever was said as text on one line; a NUL, which no database takes, is a space as well."""
    return " ".join(str(said if said is not None else "").replace("\0", " ").split())


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for text in (words(said.get(name)) for name in names) if text), "")


def _attributes(said: Mapping[str, Any]) -> dict[str, str]:
    whole, each = ATTRIBUTES
    given = said.get(whole) or {}
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = {}
    found = dict(given) if isinstance(given, dict) else {}
    found |= {name.removeprefix(each): value for name, value in said.items() if str(name).startswith(each)}
    return {words(name)[:60]: words(value)[:200] for name, value in found.items() if words(value)}
