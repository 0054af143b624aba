"""Who made what leaves, and under which licence: the file that goes along with every export."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from sfumato.trust.licences import ASKS, class_of

SPDX = "https://spdx.org/licenses"


def licence_url(spdx: str) -> str:
    """Where the text of a licence can be read; "" for what has no place in SPDX's list."""
    plain = spdx and " " not in spdx and spdx != "NOASSERTION" and not spdx.startswith("LicenseRef")
    return f"{SPDX}/{spdx}.html" if plain else ""


def credit_lines(lines: Iterable[dict[str, Any]], title: str) -> str:
    """The licences, strictest first in what they ask, and below each its authors with their sources and counts."""
    by_licence: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    urls: dict[tuple[str, str], str] = {}
    for line in lines:
        made = one_line(line["author"]) or "an author who is not named"
        source = one_line(f"{line['source']} {line['source_version']}")
        by_licence[line["license"]][made, source] += 1
        urls.setdefault((made, source), one_line(line["url"]))
    said = [f"Licences and authors of the pictures of {title}", ""]
    for licence, makers in sorted(by_licence.items()):
        asks = ASKS.get(class_of(licence), "")
        told = "no licence is stated" if licence in ("", "NOASSERTION") else licence
        said.append(f"{told}: {sum(makers.values()):,} pictures")
        said += [f"  {url}"] if (url := licence_url(licence)) else []
        said += [f"  It may be used as long as {asks}."] if asks else []
        for (made, source), n in sorted(makers.items()):
            example = f", for example {urls[made, source]}" if urls[made, source] else ""
            said.append(f"  - {made}, from {source}: {n:,}{example}")
        said.append("")
    return "\n".join(said)


def one_line(text: str) -> str:
    """The text on one line, without what a terminal or a page could take for a command."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:400]
