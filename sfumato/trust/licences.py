"""What licences ask, as data: SPDX names and the few properties that answers rest on."""

import re
from collections.abc import Callable
from typing import Literal

Class = Literal[
    "free", "notice", "attribution", "share-alike", "copyleft", "non-commercial", "no-derivatives", "unknown"
]  # fmt: skip

CLASSES: dict[str, Class] = {
    "CC0-1.0": "free", "PDDL-1.0": "free", "Unlicense": "free", "LicenseRef-public-domain": "free",
    "CC-PDDC": "free", "CC-PDM-1.0": "free",
    "MIT": "notice", "Apache-2.0": "notice", "BSD-2-Clause": "notice", "BSD-3-Clause": "notice", "ISC": "notice",
    "OFL-1.1": "notice",
    "CC-BY-2.0": "attribution", "CC-BY-2.5": "attribution", "CC-BY-3.0": "attribution", "CC-BY-4.0": "attribution",
    "CC-BY-SA-2.0": "share-alike", "CC-BY-SA-2.5": "share-alike", "CC-BY-SA-3.0": "share-alike",
    "CC-BY-SA-4.0": "share-alike",
    "GPL-2.0": "copyleft", "GPL-2.0-only": "copyleft", "GPL-2.0-or-later": "copyleft", "GPL-3.0": "copyleft",
    "GPL-3.0-only": "copyleft", "GPL-3.0-or-later": "copyleft", "LGPL-3.0-or-later": "copyleft",
    "CC-BY-NC-4.0": "non-commercial", "CC-BY-NC-SA-4.0": "non-commercial", "CC-BY-NC-3.0": "non-commercial",
    "CC-BY-ND-4.0": "no-derivatives", "CC-BY-NC-ND-4.0": "no-derivatives",
}  # fmt: skip

ASKS: dict[Class, str] = {
    "share-alike": "you share what you make under the same licence, where the law sees an adaptation",
    "copyleft": "you keep to the licence's terms on source and sharing, where the law sees a derived work",
    "non-commercial": "the use is not commercial",
    "no-derivatives": "whoever holds the rights allows adaptations",
    "unknown": "you find out under which licence they are",
}


STRICTNESS: tuple[Class, ...] = (
    "free", "notice", "attribution", "share-alike", "copyleft", "no-derivatives", "non-commercial", "unknown",
)  # fmt: skip
LONGEST = 200  # words of an expression; what is longer is cut, and then hardly one
NAMES = {name.lower(): kind for name, kind in CLASSES.items()}


Use = Literal["train", "publish", "sell"]
Verdict = Literal["allowed", "asks", "forbidden"]
USES: dict[Use, str] = {
    "train": "train a model", "publish": "publish the model", "sell": "sell what it draws",
}  # fmt: skip
VERDICTS: tuple[Verdict, ...] = ("allowed", "asks", "forbidden")
ALLOWS: dict[Class, tuple[Verdict, Verdict, Verdict]] = {  # to train, to publish the model, to sell what it draws
    "free": ("allowed", "allowed", "allowed"),
    "notice": ("allowed", "allowed", "allowed"),
    "attribution": ("allowed", "allowed", "allowed"),
    "share-alike": ("allowed", "asks", "asks"),
    "copyleft": ("allowed", "asks", "asks"),
    "no-derivatives": ("asks", "forbidden", "forbidden"),
    "non-commercial": ("asks", "asks", "forbidden"),
    "unknown": ("asks", "asks", "asks"),
}
TOKEN = re.compile(r"[()]|[^\s()]+")


def class_of(spdx: str) -> Class:
    """The class of an SPDX expression: the freest of an OR, the strictest of an AND; an exception only frees.

    What is not in the table is unknown, and so is what is no expression.
    """
    return STRICTNESS[_strictness(spdx, lambda name: STRICTNESS.index(NAMES.get(name, "unknown")))]


def verdict(spdx: str, use: Use) -> Verdict:
    """Whether a licence allows a use, asks for something first, or forbids it."""
    place = list(USES).index(use)
    return VERDICTS[_strictness(spdx, lambda name: VERDICTS.index(ALLOWS[NAMES.get(name, "unknown")][place]))]


def _strictness(spdx: str, of: Callable[[str], int]) -> int:
    """How strict an expression is by a number for each name: the least of an OR, the most of an AND."""
    words = TOKEN.findall(spdx.lower())[:LONGEST]

    def either() -> int:
        found = both()
        while words[:1] == ["or"]:
            words.pop(0)
            found = min(found, both())
        return found

    def both() -> int:
        found = one()
        while words[:1] == ["and"]:
            words.pop(0)
            found = max(found, one())
        return found

    def one() -> int:
        if not words:
            return of("")
        name = words.pop(0)
        if name == "(":
            found = either()
            return found if words[:1] and words.pop(0) == ")" else of("")
        if words[:1] == ["with"]:
            del words[:2]
        return of(f"{name[:-1]}-or-later" if name.endswith("+") else name)

    found = either()
    return of("") if words else found


def troubles(licences: dict[str, int]) -> dict[Class, dict[str, int]]:
    """The licences among these (SPDX name to count) that ask more than a notice or a credit."""
    found: dict[Class, dict[str, int]] = {}
    for spdx, count in sorted(licences.items()):
        if class_of(spdx) in ASKS:
            found.setdefault(class_of(spdx), {})[spdx] = count
    return found
