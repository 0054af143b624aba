"""Captions with something in them that no caption should have."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from pydantic import BaseModel, ConfigDict

from sfumato.data.scan import ItemRow, Proposal

TITLE = "untidy caption"
SAYS = (
    "Addresses, file names, HTML, broken letters, doubled words, spaces at its ends: what a model should not learn "
    "to say."
)
KIND = "rows"
Test = Callable[[str], object]
ADDRESS = re.compile(r"https?://|www\.|\S+@\S+\.\w{2,}", re.IGNORECASE)
FILE = re.compile(r"\.(png|jpe?g|webp|gif|bmp|tiff?|svg|psd)\b|^(img|dsc|dscn|pxl|image|screenshot|untitled)[\W_]*\d*$",
                  re.IGNORECASE)  # fmt: skip
MARKUP = re.compile(r"</?[a-z][^>]*>|&(amp|lt|gt|quot|nbsp|#\d+);", re.IGNORECASE)
DOUBLED = re.compile(r"\b(\w{2,})\s+\1\b", re.IGNORECASE)
BROKEN = re.compile("\N{REPLACEMENT CHARACTER}|Ã[\x80-\xbf©¨¤¶¼]|â€")
LONG_NUMBER = re.compile(r"\b[0-9a-f]{16,}\b|\b\d{8,}\b", re.IGNORECASE)
TESTS: dict[str, tuple[float, Test]] = {
    "it has broken letters": (0.9, BROKEN.search),
    "it has an address of the web or of a mailbox": (0.8, ADDRESS.search),
    "it looks like a file's name": (0.8, FILE.search),
    "it has HTML in it": (0.8, MARKUP.search),
    "it has a long number": (0.6, LONG_NUMBER.search),
    "it has letters that cannot be seen": (0.6, lambda said: any(map(unseen, said))),
    "a word stands in it twice": (0.4, DOUBLED.search),
    "it joins words by underscores": (0.4, lambda said: "_" in said),
    "it begins or ends with a space, or has two together": (0.2, lambda said: said != " ".join(said.split())),
}


class Options(BaseModel):
    """Nothing can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose captions that fail a test; the score is that of the worst one."""
    for row in rows:
        failed = [(score, why) for why, (score, test) in TESTS.items() if row.name.strip() and test(row.name)]
        if failed:
            reasons = [why for _, why in failed]
            said = f"{'; '.join(reasons)}: '{row.name.strip()[:120]}'."
            yield Proposal(row.id, max(failed)[0], said[0].upper() + said[1:], details={"why": reasons})


def unseen(letter: str) -> bool:
    """Whether a letter is a control or an invisible sign, other than what joins or chooses an emoji."""
    return unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cn") and letter not in "\u200d\ufe0f\n\t"
