"""Pictures whose file says that machines may not learn from it."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from sfumato.data.scan import ItemRow, Proposal

TITLE = "opted out of training"
SAYS = "The file carries a signal against data mining or training; the evidence is kept as it was found."
KIND = "rows"
ALLOWING = ("allowed", "unspecified")
PLACES = ("data mining", "tdm-reservation", "training-mining")  # as they are kept in the evidence


class Options(BaseModel):
    """Nothing can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def judge(rows: list[ItemRow], options: Options) -> Iterator[Proposal]:
    """Propose what has a signal: 1 for one that was read as such, 0.7 for one that is only in the evidence."""
    for row in rows:
        if row.opt_out:
            yield Proposal(row.id, 1.0, f"The file says {row.opt_out}.", details={"signal": row.opt_out})
            continue
        for place in PLACES:
            told = row.evidence.get(place) or {}
            value, where = told.get("value", ""), told.get("found", "its file")
            left = [one for one in (value if isinstance(value, list) else [str(value)]) if limits(one)]
            if left:
                said = f"{where} says of {place}: {left[0][:200]}. It may be an opt-out."
                yield Proposal(row.id, 0.7, said, details={"place": place, "value": left[0][:200]})
                break


def limits(said: str) -> bool:
    """Whether a statement does more than allow."""
    plain = said.strip().lower()
    return plain not in ("", "0") and not plain.endswith(ALLOWING)
