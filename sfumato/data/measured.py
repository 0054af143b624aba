"""What measurements answer in a datasheet, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sfumato.data.composition import Composition, counts_in_words, shares_in_words, sizes_in_words
from sfumato.data.freeze import SPLITS
from sfumato.data.scan import title_of, titled
from sfumato.trust.licences import ASKS, troubles

DECISIONS = 30  # that are told one by one


@dataclass(frozen=True)
class Known:
    """What a project knows of a dataset beside its pictures."""

    left_out: dict[str, int]
    collected: tuple[date | None, date | None]
    mended: int
    decisions: list[tuple[str, int, str, datetime]]
    versions: list[str]
    checks: list[str]
    findings: dict[str, int]
    cleaned: str = ""  # what the decisions came to, as a sentence


def measure(made: Composition, known: Known) -> dict[str, str]:
    """The sentences that measurements give, by the short name of the question."""
    if not made.n:
        return {}
    return {**_composition(made, known), **_handling(made, known)}


def _composition(made: Composition, known: Known) -> dict[str, str]:
    by = made.by
    things, styles = len(set(by["concept"]) - {""}), {name: n for name, n in by["style"].items() if name}
    told = {
        "instances": _pictures(made.n)
        + (f" of {things:,} thing{'s' * (things != 1)}, told apart by name" if things else ", none of which has a name")
        + (f", in {len(styles):,} styles: {counts_in_words(styles)}." if styles else "."),
        "count": f"{_pictures(made.n)}. " + _categories(by["category"]),
        "data": f"A picture with caption, tags, licence, author and origin. {sizes_in_words(made.sizes)}",
        "labels": f"{made.captions:,} of {made.n:,} have a caption, {made.tagged:,} have tags. {_words(made)}".strip(),
        "missing": _missing(made),
        "relations": _relations(made),
        "errors": _errors(made, known),
        "self_contained": "Yes: the bytes of each picture are kept with it, named by their SHA-256. "
        "The sources are named as they were.",
        "groups": _groups(made),
        "sample": f"Not taken from the sources, or left out since: {counts_in_words(known.left_out)}."
        if known.left_out else "Nothing of its sources was left out.",
    }  # fmt: skip
    splits = {SPLITS.get(name, name): n for name, n in by["split"].items()}
    if len(splits) == 1 and "" in splits:
        told["splits"] = "That is decided when a version is frozen: some of the things are held out for testing then."
    else:
        told["splits"] = (
            f"Yes, frozen with the version: {counts_in_words(splits)}. A thing that is held out is held out with "
            "all that has the same bytes, and stays so as the dataset grows."
        )
    for key, check in (("offensive", "nsfw"), ("persons", "faces")):
        if check in known.checks:
            told[key] = _by_check(check, known)
    return told


def _pictures(n: int) -> str:
    return f"{n:,} picture{'s' * (n != 1)}"


def _categories(counts: Mapping[str, int]) -> str:
    if not any(counts):
        return "Their sources name no categories."
    return f"By category: {counts_in_words(counts, 'without one')}."


def _words(made: Composition) -> str:
    lengths = sorted(n for n in made.caption_words if n)
    if not lengths:
        return ""
    middle = lengths[len(lengths) // 2]
    return f"The middle caption has {middle:,} word{'s' * (middle > 1)}."


def _missing(made: Composition) -> str:
    lacks = {
        "the caption": made.n - made.captions, "the author": made.by["author"][""],
        "the licence": made.by["licence"]["NOASSERTION"], "consent": made.by["consent"][""],
    }  # fmt: skip
    said = [f"{what} of {n:,}" for what, n in lacks.items() if n]
    whole = "No: each has a caption, an author, a licence and a word on consent."
    return f"Not told: {'; '.join(said)}." if said else whole


def _relations(made: Composition) -> str:
    named = {name: n for name, n in made.families.items() if name}
    if not named:
        return "Pictures of the same thing share its name; no further families are declared."
    return f"{sum(named.values()):,} pictures belong to {len(named):,} families, none of which a split may part."


def _errors(made: Composition, known: Known) -> str:
    copies = f"{_pictures(made.copies)} {'has' if made.copies == 1 else 'have'} the very bytes of another one."
    if not known.checks:
        return f"{copies} No check has gone over it."
    found = counts_in_words(titled(known.findings)) if known.findings else "nothing that is not settled"
    return f"{copies} Checked for {', '.join(title_of(one) for one in known.checks)}; open findings: {found}."


def _by_check(name: str, known: Known) -> str:
    n = known.findings.get(name, 0)
    return f"The check “{title_of(name)}” went over it; {n:,} of its findings {'is' if n == 1 else 'are'} open."


def _groups(made: Composition) -> str:
    said = []
    for name in sorted(made.attributes):
        counts = made.attributes[name]
        said.append(f"{name}, declared by {counts.total():,}: {shares_in_words(made.intervals(name))}.")
    return " ".join(said)


def _handling(made: Composition, known: Known) -> dict[str, str]:
    ranked = sorted(made.sources.items(), key=lambda one: (-one[1], one[0]))
    sources = "; ".join(
        f"{n:,} from {source}{f' {version}' if version else ''}, {licence}{f', by {author}' if author else ''}"
        for (source, version, licence, author), n in ranked[:DECISIONS]
    )
    more = f"; and {len(ranked) - DECISIONS:,} more sources" if len(ranked) > DECISIONS else ""
    consents = {name: n for name, n in made.by["consent"].items() if name}
    signals = {name: n for name, n in made.by["opt_out"].items() if name}
    first, last = known.collected
    asked = [
        f"{counts_in_words(found)}: as long as {ASKS[kind]}" for kind, found in troubles(made.by["licence"]).items()
    ]
    told = {
        "acquired": f"{sources}{more}.",
        "consent": f"{counts_in_words(consents)}; nothing is told of {made.by['consent']['']:,}." if consents else "",
        "opt_out": f"Found in the files: {counts_in_words(signals)}." if signals
        else "None were found in what the files say of themselves.",
        "done": _decisions(known),
        "raw": "Yes: each picture is kept as it was collected, by its SHA-256."
        + (f" {known.mended:,} were mended since; both states are kept." if known.mended else ""),
        "software": "Yes: Sfumato, under Apache-2.0. Each decision is on record and can be undone.",
        "licence": f"{counts_in_words(made.by['licence'])}. "
        + (f"{'; '.join(asked)}." if asked else "None of them asks more than a notice or a credit."),
        "versions": f"Yes: {', '.join(known.versions)}; a frozen version never changes, but for what had to be erased."
        if known.versions else "None is frozen yet.",
    }  # fmt: skip
    if first and last:
        told["when"] = f"They came here {f'on {first}' if first == last else f'from {first} to {last}'}."
    return told


def _decisions(known: Known) -> str:
    """First what they came to, then each on a line of its own."""
    if not known.decisions:
        return "Nothing was decided since it was collected."
    said = [
        f"- {name} ({_counted(name, n)}{moment.date()}{f', because {reason}' if reason else ''})"
        for name, n, reason, moment in known.decisions[-DECISIONS:]
    ]
    earlier = len(known.decisions) - len(said)
    n = len(known.decisions)
    stand = f"{n:,} decision{'s stand' if n > 1 else ' stands'}:"
    said += [f"- and {earlier:,} earlier ones"] if earlier > 0 else []
    return "\n".join([f"{known.cleaned} {stand}".strip(), *said])


def _counted(name: str, n: int) -> str:
    """How many pictures, unless the name says so already."""
    return "" if _pictures(n) in name else f"{_pictures(n)}, "
