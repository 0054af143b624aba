"""Narrowing a dataset: one description of which pictures are meant, for lists, decisions, exports and saved slices."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Float, Select, String, cast, exists, func, select

from sfumato.data.records import Appearance, Decided, Finding, Item
from sfumato.errors import unknown

EQUAL = ("style", "licence", "category", "concept", "source", "author", "state", "consent", "family")
ITEM_RANGES = {"width": Item.width, "height": Item.height, "weight": Item.weight}
SEEN_RANGES = {
    name: getattr(Appearance, name)
    for name in (
        "brightness", "contrast", "sharpness", "noise", "blocking", "information", "colourfulness", "hue", "file_bytes",
    )
}  # fmt: skip
RANGES = (*ITEM_RANGES, *SEEN_RANGES, "aspect", "caption_letters")
TITLES = {
    "caption_letters": "Letters of caption", "file_bytes": "Bytes of file", "aspect": "Width by height",
    "no_caption": "Caption", "state": "State", "check": "Finding", "concept": "Thing", "opt_out": "Opt-out",
}  # fmt: skip
Word = Annotated[str, Field(max_length=400)]
Bound = Annotated[float, Field(allow_inf_nan=False)]


class Where(BaseModel):
    """Which pictures of a dataset are meant; an empty one means all of them. Every part narrows further."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: Word = Field("", description="words that caption or tags hold, each of them")
    style: Word | None = None
    licence: Word | None = None
    category: Word | None = None
    concept: Word | None = None
    source: Word | None = None
    author: Word | None = None
    state: Word | None = Field(None, description="'kept' or 'left out'")
    consent: Word | None = None
    family: Word | None = None
    check: Word | None = Field(None, description="a check that has an open finding; '*' for any")
    group: Word | None = Field(None, description="a group of copies")
    decision: Word | None = Field(None, description="a decision that touched them, by its id")
    attributes: dict[str, str] = Field(default_factory=dict, description="attributes as declared; '' for not declared")
    ranges: dict[str, tuple[Bound | None, Bound | None]] = Field(
        default_factory=dict, description="lowest and highest value of a measured column, both of them allowed"
    )
    ids: list[str] | None = Field(None, max_length=5_000, description="these pictures alone")
    no_caption: bool | None = Field(None, description="whether the caption is missing")
    suggested: bool | None = Field(None, description="whether a suggestion waits for an answer")


def heading(column: str) -> str:
    """What a column or a declared attribute is called wherever people read it."""
    return TITLES.get(column) or column.removeprefix("attribute ").replace("_", " ").capitalize()


def narrow(statement: Select[Any], dataset_id: str, where: Where) -> Select[Any]:
    """The statement over `Item`, kept to these pictures; raises NotFound for a column without a range."""
    return statement.where(Item.dataset_id == dataset_id, *conditions(where))


def conditions(where: Where) -> list[ColumnElement[bool]]:
    """What has to hold of an `Item` for it to be meant."""
    found: list[ColumnElement[bool]] = []
    for name in EQUAL:
        said = getattr(where, name)
        if said is not None:
            found.append(getattr(Item, name) == (said.lower() if name == "concept" else said))
    for word in where.words.split()[:8]:
        tags = cast(Item.tags, String)
        found.append(Item.name.icontains(word, autoescape=True) | tags.icontains(word, autoescape=True))
    if where.ids is not None:
        found.append(Item.id.in_(where.ids))
    if where.no_caption is not None:
        found.append((Item.name == "") if where.no_caption else (Item.name != ""))
    if where.suggested is not None:
        none = cast(Item.suggested, String).in_(("{}", "null"))
        found.append(~none if where.suggested else none)
    for name, said in where.attributes.items():
        value = Item.attributes[name].as_string()
        found.append((value == said) if said else value.is_(None))
    return found + _by_finding(where) + _by_range(where)


def _by_finding(where: Where) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.check:
        of_check = [] if where.check == "*" else [Finding.check == where.check]
        found.append(exists(select(Finding.id).where(Finding.item_id == Item.id, Finding.state == "open", *of_check)))
    if where.group:
        found.append(exists(select(Finding.id).where(Finding.item_id == Item.id, Finding.group == where.group)))
    if where.decision:
        touched = select(Decided.id).where(Decided.item_id == Item.id, Decided.decision_id == where.decision)
        found.append(exists(touched))
    return found


def _by_range(where: Where) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    seen: list[ColumnElement[bool]] = []
    for name, (lowest, highest) in where.ranges.items():
        column: Any
        if name in SEEN_RANGES:
            column, kept = SEEN_RANGES[name], seen
        elif name == "aspect":
            column, kept = cast(Item.width, Float) / Item.height, found
        elif name == "caption_letters":
            column, kept = func.length(Item.name), found
        elif name in ITEM_RANGES:
            column, kept = ITEM_RANGES[name], found
        else:
            raise unknown("measured column", name, RANGES)
        kept += [] if lowest is None else [column >= lowest]
        kept += [] if highest is None else [column <= highest]
    if seen:
        found.append(exists(select(Appearance.id).where(Appearance.item_id == Item.id, *seen)))
    return found
