"""The answer to "May I use it?": a pure function from what is on record to a verdict, each clause with its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sfumato.compliance.neighbours import Neighbour
from sfumato.data.captions import style_words
from sfumato.trust.licences import ASKS, class_of, troubles

Verdict = Literal["yes-nothing-against", "only if", "no"]
# What is known of the file or record in question:
#   on record    its bytes, or its record, are in this workspace
#   signed here  this workspace signed it, and nothing was changed since
#   same pixels  its pixels are those of a picture on record; what is written around them is not
#   elsewhere    signed by somebody whom this workspace does not know, and unchanged since
#   changed      changed after it was signed
#   claimed      it says where it comes from, and nothing in it proves that
#   unknown      nothing is on record, and it says nothing
Standing = Literal["on record", "signed here", "same pixels", "elsewhere", "changed", "claimed", "unknown"]
UNCHECKED = "Not checked: trademarks, likenesses of persons, and likeness to pictures that it did not learn from."
NO_ADVICE = "This is no legal advice."
UNSTATED = ("NOASSERTION", "NONE", "")
WORDS = {"LicenseRef-public-domain": "in the public domain"}
READ = "you read what a licence that is not known here allows"
AUTHORS = 4  # named in a credit line
PEOPLE = 4  # told besides whose verdict decides


@dataclass(frozen=True)
class Clause:
    """One part of an answer, and the name of the record, file or measure that it rests on."""

    topic: str
    says: str
    evidence: str


@dataclass(frozen=True)
class Training:
    """The pictures that a model learnt from: how many under each licence, and whose."""

    licences: dict[str, int]
    makers: dict[tuple[str, str], int]  # (author or source, licence) -> pictures
    evidence: str
    called: str = "training pictures"

    @property
    def n(self) -> int:
        """How many there are."""
        return sum(self.licences.values())


@dataclass(frozen=True)
class Said:
    """What a person holds of the picture: a verdict or a rating, why, and since when."""

    by: str
    verdict: str | None
    rating: int | None
    reason: str
    at: datetime
    evidence: str

    def __str__(self) -> str:
        said = self.verdict or f"rated {self.rating} of 5"
        why = f" because “{self.reason}”" if self.reason else ""
        return f"{said} by {self.by} on {self.at.day} {self.at:%B %Y}{why}"


@dataclass(frozen=True)
class Facts:
    """All that the answer may rest on."""

    standing: Standing
    subject: str  # the file's name or the record's
    credentials: str = ""  # in words, "" where no file is in question
    signer: str = ""
    model: str = ""
    training: Sequence[Training] = ()
    missing: Sequence[str] = ()  # what the training data is not known of
    nearest: Sequence[Neighbour] = ()
    compared: str = ""  # what was compared, or why nothing could be
    originals: Sequence[Neighbour] = ()  # training pictures of the very name and style that were asked for
    judged: Sequence[Said] = ()  # what stands of each person, newest first

    @property
    def decided(self) -> Said | None:
        """The verdict that decides: of several people's the newest."""
        return next((one for one in self.judged if one.verdict), None)

    @property
    def rejected(self) -> Said | None:
        """The rejection that decides, None where nobody rejected it or somebody approved it since."""
        return self.decided if self.decided and self.decided.verdict == "rejected" else None


@dataclass(frozen=True)
class Answer:
    """A verdict with what it rests on; `text` says it in one paragraph."""

    verdict: Verdict
    conditions: list[Clause]
    clauses: list[Clause]
    credit: str
    text: str = field(default="")

    def __str__(self) -> str:
        return self.text


def answer(facts: Facts) -> Answer:
    """Say whether a picture may be used, from what is on record and from nothing else."""
    conditions = [*_standing_conditions(facts), *_licence_conditions(facts), *_comparison_conditions(facts)]
    copied = next((one for one in facts.nearest if one.is_copied), None)
    verdict: Verdict = "no" if copied or facts.rejected else "only if" if conditions else "yes-nothing-against"
    clauses = [
        *_licences(facts, conditions), *_neighbours(facts, copied), *_originals(facts, copied), *_file(facts),
        *_credit(facts), *_people(facts),
    ]  # fmt: skip
    text = " ".join([_head(facts, conditions, copied, clauses), UNCHECKED, NO_ADVICE])
    return Answer(verdict, conditions, clauses, credit_line(facts), text)


def _head(facts: Facts, conditions: list[Clause], copied: Neighbour | None, clauses: list[Clause]) -> str:
    rest = "; ".join(one.says for one in clauses)
    asked = "; and if ".join(one.says for one in conditions)
    said = rest[:1].upper() + rest[1:]
    if copied is not None:
        besides = f" Without that likeness: only if {asked}." if asked else ""
        return f"No, use the original: {name_of(copied)}. {said}.{besides}"
    if facts.rejected is not None:
        besides = f" Without that rejection: only if {asked}." if asked else ""
        return f"No: {facts.rejected}. {said}.{besides}"
    if asked:
        return f"Only if {asked}. {said}."
    return f"Nothing on record speaks against commercial use: {rest}."


def _standing_conditions(facts: Facts) -> list[Clause]:
    says = {
        "elsewhere": f"you trust {facts.signer or 'its signer'}, who is not known here, that it is what it says",
        "changed": "you take the picture as it was drawn: this file was changed after signing, "
        "so the answer is for what was drawn, not for this file",
        "claimed": "it really is what it claims to be: it is unsigned, and nothing in the file proves it",
        "unknown": "you know from elsewhere who made it and on what terms: nothing is on record here",
    }.get(facts.standing)
    return [Clause("origin", says, f"credentials of {facts.subject}")] if says else []


def _licence_conditions(facts: Facts) -> list[Clause]:
    found = []
    for training in facts.training:
        for kind, licences in troubles(training.licences).items():
            stated = {spdx: n for spdx, n in licences.items() if kind == "unknown" and spdx not in UNSTATED}
            for asks, some in ((ASKS[kind], {spdx: n for spdx, n in licences.items() if spdx not in stated}),
                               (READ, stated)):  # fmt: skip
                if some:
                    found.append(Clause("licences", f"{asks} ({_of(some, training)})", training.evidence))
    if facts.standing == "unknown":
        return found
    for what in facts.missing:
        found.append(Clause("licences", f"you find out what {what} learnt from, which is not on record here", what))
    if not facts.training and not facts.missing:
        found.append(Clause("licences", "you find out what it was made from, which is not on record here", "no record"))
    return found


def _of(licences: dict[str, int], training: Training) -> str:
    named = {spdx: _said_of(spdx) for spdx in licences}
    first, *rest = [f"{count:,} {named[spdx]}" for spdx, count in licences.items()]
    return " and ".join([first.replace(" ", f" of {training.n:,} {training.called} ", 1), *rest])


def _said_of(spdx: str) -> str:
    if spdx in UNSTATED:
        return "have no stated licence"
    return f"say “{spdx}”" if class_of(spdx) == "unknown" else f"are {WORDS.get(spdx, spdx)}"


def _comparison_conditions(facts: Facts) -> list[Clause]:
    if facts.nearest or facts.standing == "unknown":
        return []
    says = f"it is no copy of a training picture, which could not be looked at: {facts.compared}"
    return [Clause("nearest", says, "no training card")]


def _licences(facts: Facts, conditions: list[Clause]) -> list[Clause]:
    said = []
    for training in facts.training:
        troubled = {spdx for kinds in troubles(training.licences).values() for spdx in kinds}
        good = sorted(spdx for spdx in training.licences if spdx not in troubled)
        named = [WORDS.get(spdx, spdx) for spdx in good]
        if good and not troubled:
            one = training.called.replace("pictures", "picture").replace("models", "model")
            all_of_them = f"all {training.n:,} {training.called} are" if training.n > 1 else f"the only {one} is"
            says = f"{all_of_them} {_joined(named, 'or')}"
            said.append(Clause("licences", says, training.evidence))
        elif good:
            count = sum(training.licences[spdx] for spdx in good)
            says = f"the other {count:,} of {training.n:,} {training.called} are {_joined(named, 'or')}"
            said.append(Clause("licences", says, training.evidence))
    return said


def _joined(names: list[str], word: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def _neighbours(facts: Facts, copied: Neighbour | None) -> list[Clause]:
    if not facts.nearest:
        return []
    first = copied or facts.nearest[0]
    measure = f"training card of {first.model}, item {first.row}; {facts.compared}"
    if copied:
        kind = class_of(first.licence)
        asks = f"; use that one only if {ASKS[kind]}" if kind in ASKS else ""
        says = (
            f"this is a near copy of it, at a distance of {first.distance:.2f}, "
            f"where a copy is below {first.copy_below:.2f}{asks}"
        )
    else:
        says = (
            f"the nearest training picture is {name_of(first)}, at a distance of {first.distance:.2f}, "
            f"where a copy would be below {first.copy_below:.2f}"
        )
    return [Clause("nearest", says, measure)]


def _originals(facts: Facts, copied: Neighbour | None) -> list[Clause]:
    """What was asked for is in the training data: then the right drawing is like it, and the original is on offer."""
    if not facts.originals:
        return []
    first = facts.originals[0]
    evidence = f"training card of {first.model}, item {first.row}"
    if copied and (copied.model, copied.row) == (first.model, first.row):
        says = "you asked for something that it learnt from, so a good drawing is close to the original"
        return [Clause("original", says, evidence)]
    says = f"you asked for something that it learnt from: the original is {name_of(first)}"
    return [Clause("original", says, evidence)]


def _file(facts: Facts) -> list[Clause]:
    if not facts.credentials:
        return []
    return [Clause("credentials", facts.credentials, f"credentials of {facts.subject}")]


def _credit(facts: Facts) -> list[Clause]:
    line = credit_line(facts)
    return [Clause("credit", f"credit line: “{line}”", facts.training[0].evidence)] if line else []


def _people(facts: Facts) -> list[Clause]:
    """Who looked at it and what each holds of it; the verdict that decides is told last, where the paragraph ends."""
    if not facts.judged:
        return [Clause("person", "not yet looked at by a person", "event log")]
    last = facts.decided or facts.judged[0]
    others = [one for one in facts.judged if one is not last]
    told = [Clause("person", str(one), one.evidence) for one in [*reversed(others[:PEOPLE]), last]]
    if len(others) > PEOPLE:
        rest = others[PEOPLE:]
        told.insert(0, Clause("person", f"judged {len(rest):,} times more", ", ".join(one.evidence for one in rest)))
    return told


def credit_line(facts: Facts) -> str:
    """Who is thanked: the makers of the training pictures whose licences ask for a notice or a credit."""
    counts: dict[tuple[str, str], int] = {}
    for training in facts.training:
        for (maker, licence), count in training.makers.items():
            if class_of(licence) != "free":
                counts[maker, licence] = counts.get((maker, licence), 0) + count
    if not counts:
        return ""
    ordered = sorted(counts, key=lambda one: (-counts[one], one))
    named = [f"{maker} ({licence})" for maker, licence in ordered[:AUTHORS]]
    if len(ordered) > AUTHORS:
        named.append(f"{len(ordered) - AUTHORS:,} more")
    return f"Drawn by Sfumato ({facts.model}), which learnt from pictures by {_joined(named, 'and')}"


def name_of(one: Neighbour) -> str:
    """A training picture by name, style, author, licence, source and version."""
    name = f"“{one.name or 'a picture without a name'}”"
    style = f" in {style_words(one.style)} style" if one.style else ""
    author = f" by {one.author}" if one.author else ""
    origin = " ".join(filter(None, [one.source, one.version]))
    return f"{name}{style}{author} ({', '.join(filter(None, [one.licence, origin]))})"
