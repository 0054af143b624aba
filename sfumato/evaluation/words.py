"""Figures in words that need no training to read."""

from typing import Any

from sfumato.evaluation.evaluate import GROUPS

WHAT = {
    "train": "things it has seen, in a style it has seen them in",
    "heldout_pair": "things it knows, in a style it has not seen them in",
    "heldout_concept": "things it has never seen",
}
NONE_HELD = {
    "train": "No seen pairs: the data has no captioned picture to learn from.",
    "heldout_pair": "No held-out pairs: the data has too few things in four or more styles to hold any out.",
    "heldout_concept": "No held-out concepts: the data has too few things to hold any out.",
}
SEEN = (
    "For a pair it has seen the right answer is close to the original, so the threshold binds only on what was held "
    "out; `sfumato trace` offers the original with its licence."
)
BLIND = (
    "The judge does not recognise real pictures of these either, so this says nothing of the model: look at what it "
    "draws, or let people judge it."
)


def is_blind(details: dict[str, Any]) -> bool:
    """Whether real pictures are recognised no better than by chance, so that nothing can be told of drawings."""
    ceiling, floor = details.get("ceiling"), details.get("floor")
    return bool(ceiling and floor and ceiling["value"] <= floor["high"])


def percent(share: float) -> str:
    """A share as a person writes it: "61 %", and small ones with as many decimals as they need."""
    if 0 < share < 0.0095:
        return f"{100 * share:.1f} %" if share >= 0.0005 else f"{100 * share:.2f} %"
    return f"{100 * share:.0f} %"


def interval(figure: dict[str, Any]) -> str:
    """A share with its interval: "61 % (54–67 %)"."""
    low, high = percent(figure["low"]).removesuffix(" %"), percent(figure["high"])
    return f"{percent(figure['value'])} ({low}–{high})"


def sentences(found: dict[str, Any]) -> list[str]:
    """What an evaluation's result says, a line for each group and one on how it was judged."""
    lines = []
    for split in GROUPS:
        if split not in found["groups"]:
            lines.append(NONE_HELD[split])
            continue
        group = found["groups"][split]
        lines += [_recognised(split, group, found), _copies(split, group, found)]
    judge = found["judge"]
    lines.append(
        f"Recognised by a judge that learnt names from {' and '.join(judge['styles'])}, none of the model's styles, "
        f"from pictures of {judge['side']} pixels. Real pictures show how far the judge can be trusted."
    )
    return lines


def _recognised(split: str, group: dict[str, Any], found: dict[str, Any]) -> str:
    first, five = (group["figures"][f"recall@{count}"] for count in (1, 5))
    begin = f"Of {group['n']:,} drawing{'s' if group['n'] > 1 else ''} of {WHAT[split]}"
    if group["n"] < found["per_group"]:
        begin += " (all there are)"
    blind = f" {BLIND}" if is_blind(five) else ""
    return (
        f"{begin}, {interval(five['measured'])} are recognised among the first five of {found['names']:,} names "
        f"and {interval(first['measured'])} as the very first; real pictures: {percent(five['ceiling']['value'])} "
        f"and {percent(first['ceiling']['value'])}; chance: {percent(five['floor']['value'])}.{blind}"
    )


def _copies(split: str, group: dict[str, Any], found: dict[str, Any]) -> str:
    figure = group["figures"]["near copies"]
    said = f"{interval(figure['measured'])} of them are near copies of a training picture."
    if split == "train":
        return f"{said} {SEEN}"
    if not found["calibrated_on"]:
        return f"{said} The threshold could not be calibrated: too little was held out."
    return f"{said} Of the real pictures that were held out, {percent(figure['ceiling']['value'])} would be called so."
