"""Which pictures a list is narrowed to, as its address says it; the same for the gallery, the history and one picture."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

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
        said = asdict(self)
        by = said.pop("by")
        return said | {"made_by": me if by == "me" else by}

    def address(self, path: str, **more: str) -> str:
        """An address with this narrowing and something more."""
        said = {name: value for name, value in (asdict(self) | more).items() if value}
        return f"{path}?{urlencode(said)}" if said else path

    @property
    def query(self) -> str:
        """The narrowing as the end of an address, "" where there is none."""
        return self.address("")

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.query)


Word = Annotated[str, Query(max_length=200)]


def sift(model: Word = "", by: Word = "", verdict: Word = "", words: Word = "", request_id: Word = "") -> Sift:
    """Read the narrowing from an address; a verdict that there is not counts as none."""
    return Sift(model, by, verdict if verdict in VERDICTS else "", words.strip(), request_id)


Sifted = Annotated[Sift, Depends(sift)]
