"""Pictures whose file says that machines may not learn from it."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from sfumato.data.scan import ItemRow, Proposal

TITLE = "opted out of training"
SAYS = "The file carries a signal against data mining or training; the evidence is kept as it was found."
KIND = "rows"
ALLOWING = ("allowed", "unspecified")
PLACES = ("DataMining", "data_mining", "TDMReservation", "tdm-reservation", "training-mining", "ai_training")


class Options(BaseModel):
    """Nothing can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose what has a signal: 1 for one that was read as such, 0.7 for one that is only in the evidence."""
    for row in rows:
        if row.opt_out:
            allows = any(row.opt_out.lower().endswith(word) for word in ALLOWING)
            if not allows:
                yield Proposal(row.id, 1.0, f"The file says {row.opt_out}.", details={"signal": row.opt_out})
            continue
        for place, said in _signals(row.evidence):
            told = {"place": place, "value": said}
            yield Proposal(row.id, 0.7, f"The file's {place} says {said}, which may be an opt-out.", details=told)
            break


def _signals(evidence: dict[str, object]) -> Iterator[tuple[str, str]]:
    """What the evidence has under names that signals go by, unless it allows."""
    for name, value in evidence.items():
        if isinstance(value, dict):
            yield from _signals(value)
        elif any(name.endswith(place) for place in PLACES):
            said = str(value)
            if said.strip() not in ("", "0", "False") and not said.lower().endswith(ALLOWING):
                yield name, said[:200]
