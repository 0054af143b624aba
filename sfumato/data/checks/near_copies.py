"""Pictures that are the same but for size, quality, light, a crop, a mirror, a turn or a watermark."""

from collections.abc import Iterator

from sfumato.data.copies import Options, Pair, best_of, find_pairs, group_pairs
from sfumato.data.findings import group_name
from sfumato.data.scan import Proposal, Table
from sfumato.data.second_look import DOUBTS

__all__ = ["KIND", "SAYS", "TITLE", "Options", "judge"]

TITLE = "near copies"
SAYS = "The same picture again: encoded anew, resized, lighter, a bit cropped, mirrored, turned, or with a watermark."
KIND = "pixels"


def judge(table: Table, options: Options) -> Iterator[Proposal | float | None]:
    """Propose every group of near copies; its best picture has the score 0 and is the one to keep."""
    pairs: list[Pair] = yield from find_pairs(table, options)
    groups, loose = group_pairs(pairs)
    by_pair = {(pair.one, pair.other): pair for pair in pairs}
    grouped: set[int] = set()
    for group in groups:
        best, name = best_of(table, group), group_name("near_copies", table.ids[group[0]])
        grouped |= set(group)
        yield Proposal(
            table.ids[best], 0.0, f"The largest of {len(group)} near copies: {_facts(table, best)}.", name,
            details={"best": True, "n": len(group)},
        )  # fmt: skip
        for place in group:
            if place != best:
                pair = by_pair.get((min(place, best), max(place, best))) or by_pair[group[0], place]
                yield _proposal(table, pair, place, best, name)
    for pair in loose:
        if not {pair.one, pair.other} <= grouped:
            best = best_of(table, [pair.one, pair.other])
            yield _proposal(table, pair, pair.one + pair.other - best, best, "")


def _facts(table: Table, place: int) -> str:
    return f"{table.width[place]} × {table.height[place]} pixels, sharpness {table.sharpness[place]:.2f}"


def _proposal(table: Table, pair: Pair, place: int, best: int, group: str) -> Proposal:
    how, doubt = f", {pair.alike.how}" if pair.alike.how else "", DOUBTS.get(pair.alike.how, "")
    return Proposal(
        table.ids[place], min(pair.alike.score, 1.0),
        f"{pair.alike.score:.0%} the same as another picture{how}.",
        group, table.ids[best],
        {"how": pair.alike.how, "alike": round(pair.alike.score, 4)} | ({"doubt": doubt} if doubt else {}),
    )  # fmt: skip
