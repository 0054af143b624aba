"""Words that stand in nearly every caption."""

import re
from collections import Counter
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.scan import ItemRow, Proposal

TITLE = "words that nearly all captions have"
SAYS = "They say nothing of one picture, and take from a trigger word what it should mean."
KIND = "rows"
WORD = re.compile(r"[^\W_]{2,}")
SMALL_WORDS = set(re.findall(WORD, "an the of in on at to and or with is are for by from as it its this that"))


class Options(BaseModel):
    """From which share of captions on a word belongs to a template."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(0.8, gt=0, lt=1, description="share of the captions that have the word")
    captions: int = Field(20, ge=2, description="of fewer captions nothing is said")
    trigger: str = Field("", description="words that every caption is meant to have, apart by spaces")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose the captions that have such words; the score is the share of the most common one."""
    meant = {*SMALL_WORDS, *options.trigger.lower().split()}
    words = {row.id: set(WORD.findall(row.name.lower())) - meant for row in rows if row.name.strip()}
    if len(words) < options.captions:
        return
    counts = Counter(word for said in words.values() for word in said)
    common = {word: n / len(words) for word, n in counts.items() if n > options.above * len(words)}
    for item_id, said in words.items():
        mine = sorted(said & set(common), key=lambda word: (-common[word], word))
        if mine:
            shown = ", ".join(f"'{word}' ({common[word]:.0%} of captions)" for word in mine[:5])
            yield Proposal(item_id, common[mine[0]], f"It has {shown}.", details={"words": mine[:20]})
