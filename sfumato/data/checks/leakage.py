"""Copies of what is held out among what is learnt from, which make a model look better than it is."""

from collections.abc import Iterator

from sfumato.data.copies import Options, Pair, find_pairs
from sfumato.data.scan import Proposal, Table

__all__ = ["KIND", "SAYS", "TITLE", "Options", "judge"]

TITLE = "copy of what is held out"
SAYS = "A copy of it, or a picture of its family, is in another split: what is held out would be learnt from."
KIND = "pixels"
TRAIN = ("train", "training")


def judge(table: Table, options: Options) -> Iterator[Proposal | float | None]:
    """Propose the picture that is learnt from of each pair whose other one is held out."""
    pairs: list[Pair] = yield from find_pairs(table, options)
    said: set[int] = set()
    for one, other, why, score in [*_same_bytes(table), *_near(table, pairs), *_families(table)]:
        for learnt, held in ((one, other), (other, one)):
            parted = _parted(table, learnt, held, frozen=table.sha256[one] != table.sha256[other])
            if parted and learnt not in said:
                said.add(learnt)
                yield Proposal(
                    table.ids[learnt], score, f"It is in the split '{parted[0]}', and {why} in '{parted[1]}'.",
                    beside_id=table.ids[held], details={"splits": list(parted)},
                )  # fmt: skip


def _parted(table: Table, learnt: int, held: int, *, frozen: bool) -> tuple[str, str] | None:
    """The splits of both where the first is learnt from and the second is not; freezing keeps equal bytes together."""
    for splits in (table.given_split, table.split if frozen else []):
        if splits and splits[learnt].lower() in TRAIN and splits[held] and splits[held].lower() not in TRAIN:
            return splits[learnt], splits[held]
    return None


def _same_bytes(table: Table) -> Iterator[tuple[int, int, str, float]]:
    """Each picture beside those of its content that are given to another split."""
    splits = set(table.given_split)
    if len(splits) < 2:
        return
    first: dict[tuple[str, str], int] = {}
    for place, content in enumerate(zip(table.pixels, table.given_split, strict=True)):
        if content[0]:
            first.setdefault(content, place)
    for place, pixels in enumerate(table.pixels):
        for split in sorted(splits - {table.given_split[place]}):
            other = first.get((pixels, split))
            if other is not None:
                yield place, other, "an exact copy of it is", 1.0


def _near(table: Table, pairs: list[Pair]) -> Iterator[tuple[int, int, str, float]]:
    for pair in pairs:
        how = f" ({pair.alike.how})" if pair.alike.how else ""
        why = f"a picture that is {pair.alike.score:.0%} the same{how} is"
        yield pair.one, pair.other, why, min(pair.alike.score, 1.0) * 0.95


def _families(table: Table) -> Iterator[tuple[int, int, str, float]]:
    """Each picture beside one of its family that is given to another split."""
    first: dict[tuple[str, str], int] = {}
    members: dict[str, set[str]] = {}
    for place, (family, split) in enumerate(zip(table.family, table.given_split, strict=True)):
        if family:
            first.setdefault((family, split), place)
            members.setdefault(family, set()).add(split)
    for place, family in enumerate(table.family):
        for split in sorted(members.get(family, set()) - {table.given_split[place]}):
            yield place, first[family, split], f"'{family}', the family that it belongs to, is also", 0.8
