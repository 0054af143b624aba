"""Licences as people write them, "CC BY 4.0" or "public domain", under their SPDX names."""

import re
from functools import cache, lru_cache

from sfumato.trust.licences import CLASSES, NAMES

CALLED = {  # what is left of other names when they are made plain
    "public-domain": "LicenseRef-public-domain", "pd": "LicenseRef-public-domain", "publicdomain": "CC-PDM-1.0",
    "public-domain-mark-1.0": "CC-PDM-1.0", "cc-public-domain-mark-1.0": "CC-PDM-1.0", "cc-0": "CC0-1.0",
    "cc-0-1.0": "CC0-1.0", "cc-0-1.0-universal": "CC0-1.0", "expat": "MIT", "apache": "Apache-2.0",
    "asl-2.0": "Apache-2.0", "new-bsd": "BSD-3-Clause", "simplified-bsd": "BSD-2-Clause", "ofl": "OFL-1.1",
    "sil-ofl-1.1": "OFL-1.1", "sil-open-font-1.1": "OFL-1.1", "sil-open-font": "OFL-1.1", "open-font-1.1": "OFL-1.1",
    "gnu-gpl-2.0": "GPL-2.0", "gnu-gpl-3.0": "GPL-3.0", "gnu-general-public-2.0": "GPL-2.0",
    "gnu-general-public-3.0": "GPL-3.0",
}  # fmt: skip
SILENT = {"the", "a", "license", "licence", "licensed", "under", "version", "v", "international", "unported", "generic"}
SAME = {
    "attribution": "by", "sharealike": "sa", "noncommercial": "nc", "noderivatives": "nd", "noderivs": "nd",
    "zero": "0",
}  # fmt: skip
JOINED = (("creative commons", "cc"), ("share alike", "sharealike"), ("non commercial", "noncommercial"))
PARTS = re.compile(r"[a-z]+|\d+(?:\.\d+)*")


@lru_cache(1_000)
def spdx_of(written: str) -> str:
    """The SPDX name of a licence as somebody wrote it; what is not recognised stays as it was written."""
    said = written.strip()
    plain = plainly(said)
    return known().get(said.lower()) or known().get(plain) or known().get(f"{plain}.0") or said


def plainly(said: str) -> str:
    """A name in small letters without words that tell nothing: "The MIT License" is mit, "CC BY 4.0" cc-by-4.0."""
    text = re.sub(r"[-_\s]+", " ", said.lower())
    for words, word in JOINED:
        text = text.replace(words, word)
    parts = PARTS.findall(re.sub(r"(?<=[a-z])v(?=\d)", " ", text))
    return "-".join(SAME.get(part, part) for part in parts if part not in SILENT)


@cache
def known() -> dict[str, str]:
    """SPDX names by what they are when made plain, and by other names."""
    found = {plainly(name): name for name in CLASSES} | CALLED
    return found | {name: next(one for one in CLASSES if one.lower() == name) for name in NAMES}
