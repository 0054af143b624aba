"""Which pictures a list is narrowed to, as its address says it, for the gallery, the history and one picture."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Query

from sfumato.generation.gallery import VERDICTS


@dataclass(frozen=True)
class Sift:
    """A model, whose pictures, how they were judged, which words, and of which request; "" is all of them."""

    model: str = ""
    by: str = ""
    verdict: str = ""
    words: str = ""
    request_id: str = ""

    def options(self, me: str) -> dict[str, Any]:
        """The options of a query; "me" stands for whoever asks."""
        by = me if self.by == "me" else self.by
        return {"model": self.model, "made_by": by, "verdict": self.verdict, "words": self.words,
                "request_id": self.request_id}  # fmt: skip

    def address(self, path: str, **more: str) -> str:
        """An address with this narrowing and something more."""
        said = {"model": self.model, "by": self.by, "verdict": self.verdict, "words": self.words,
                "request_id": self.request_id, **more}  # fmt: skip
        said = {name: value for name, value in said.items() if value}
        return f"{path}?{urlencode(said)}" if said else path

    @property
    def query(self) -> str:
        """The narrowing as the end of an address, "" where there is none."""
        return self.address("")

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.model or self.by or self.verdict or self.words or self.request_id)


MOST = 200  # letters of one part
Word = Annotated[str, Query(max_length=MOST)]


async def sift(model: Word = "", by: Word = "", verdict: Word = "", words: Word = "", request_id: Word = "") -> Sift:
    """Read the narrowing from an address, on the loop, since it only reads; an unknown verdict counts as none."""
    return Sift(model, by, verdict if verdict in VERDICTS else "", words.strip(), request_id)


def said_by(query: str) -> tuple[Sift, str]:
    """The narrowing that a query string says, and after which picture; without the cost of declaring each part."""
    said = {name: value[:MOST] for name, value in parse_qsl(query)}
    verdict = said.get("verdict", "")
    sifted = Sift(
        said.get("model", ""), said.get("by", ""), verdict if verdict in VERDICTS else "",
        said.get("words", "").strip(), said.get("request_id", ""),
    )  # fmt: skip
    return sifted, said.get("after", "")


Sifted = Annotated[Sift, Depends(sift)]
