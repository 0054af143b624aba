"""Pictures that may not be safe for work."""

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sfumato.data.looking import SAFETY, look_at
from sfumato.data.scan import Pictures, Proposal
from sfumato.features.detectors.safety import KINDS

TITLE = "not safe for work"
SAYS = (
    "A small network takes it for pornographic, photographed or drawn. On 320 drawings and cut-outs it alarmed falsely "
    "on none; how much it finds was never tested here, so what it passes may still be unsafe."
)
KIND = "neural"


class Options(BaseModel):
    """From which likelihood on a picture is proposed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    above: float = Field(0.5, ge=0, lt=1, description="likelihood of porn and hentai together")
    sexy: float = Field(0.9, ge=0, le=1, description="likelihood of what is merely suggestive")


def look(pictures: Pictures, options: Options) -> Iterator[Proposal | None]:
    """Propose what the network takes for unsafe; the score is its likelihood."""
    seen = yield from look_at(pictures, SAFETY)
    named = {kind: seen.values[:, place] for place, kind in enumerate(KINDS)}
    unsafe = named["porn"] + named["hentai"]
    for row in np.flatnonzero((unsafe > options.above) | (named["sexy"] > options.sexy)):
        told = {kind: round(float(values[row]), 3) for kind, values in named.items()}
        kind = max(("porn", "hentai", "sexy"), key=told.__getitem__)
        score = float(min(max(unsafe[row], named["sexy"][row]), 1))
        yield Proposal(seen.ids[row], score, f"The network takes it for {kind} with {told[kind]:.0%}.", details=told)
