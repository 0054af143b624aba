"""What licences ask, as data: SPDX names and the few properties that answers rest on."""

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
NAMES = {name.lower(): kind for name, kind in CLASSES.items()}


def class_of(spdx: str) -> Class:
    """The class of an SPDX name or a flat expression: the freest of an OR, the strictest of an AND.

    What is not in the table is unknown, and so are expressions with brackets or exceptions.
    """
    offers = [_strictest(offer) for offer in spdx.lower().split(" or ")]
    return min(offers, key=STRICTNESS.index)


def _strictest(spdx: str) -> Class:
    return max((NAMES.get(name.strip(), "unknown") for name in spdx.split(" and ")), key=STRICTNESS.index)


def troubles(licences: dict[str, int]) -> dict[Class, dict[str, int]]:
    """The licences among these (SPDX name to count) that ask more than a notice or a credit."""
    found: dict[Class, dict[str, int]] = {}
    for spdx, count in sorted(licences.items()):
        if class_of(spdx) in ASKS:
            found.setdefault(class_of(spdx), {})[spdx] = count
    return found
