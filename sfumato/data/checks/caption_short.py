"""Captions that say next to nothing."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import ItemRow, Proposal

TITLE = "caption too short"
SAYS = "The caption has fewer words than a model needs to tell pictures apart, and no tags add to it."
KIND = "rows"


class Options(BaseModel):
    """How short is too short."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: int = Field(2, ge=1, le=100, description="words of caption and tags together, at least")
    letters: int = Field(3, ge=1, le=1000, description="letters of the caption, at least")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose what is shorter than allowed; the score falls with the number of words."""
    for row in rows:
        caption = row.name.strip()
        if not caption:
            continue  # there is a check for these
        words = set(caption.lower().split()).union(*(tag.lower().split() for tag in row.tags))
        if len(words) < options.words or len(caption) < options.letters:
            told = {"words": len(words), "letters": len(caption)}
            score = 1 - 0.5 * min(len(words) / options.words, 1)
            yield Proposal(row.id, score, f"'{caption}' is all that is said of it.", details=told)
