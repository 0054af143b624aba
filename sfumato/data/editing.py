"""Editing what is known of pictures: licence with its proof, consent, attributes, weights, families and captions."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from sfumato.actions import Act, action
from sfumato.data.captions import may_flip
from sfumato.data.collect import find_dataset
from sfumato.data.decide import Edits, apply, in_words, meant, rows_of
from sfumato.data.history import DecisionView
from sfumato.data.narrowing import EQUAL, RANGES, Where
from sfumato.data.records import Dataset
from sfumato.data.verdicts import says, told
from sfumato.db import now
from sfumato.errors import InvalidInput
from sfumato.people.wording import check_words, shortened
from sfumato.trust.licence_names import spdx_of
from sfumato.trust.licences import USES, class_of, verdict

Consent = Literal["", "not needed", "given", "refused", "withdrawn"]
Weight = Annotated[float, Field(ge=0, le=1_000)]
Word = Annotated[str, Field(max_length=200)]
Expected = dict[str, int] | None
SPDX = re.compile(r"\(*[A-Za-z0-9][\w.+-]*\)*( (AND|OR|WITH) \(*[A-Za-z0-9][\w.+-]*\)*)*")  # an expression
RESERVED = ("caption", "name", "tags", *EQUAL, *RANGES)
LICENCES = ("licence_unknown", "licence_conflict")
LONGEST = 2_000  # letters of a caption
TAGS, TAG = 100, 200  # how many, and letters of each
CAPTIONS = ("caption_missing", "caption_short", "caption_duplicate", "caption_lint", "caption_template")  # checks


@action("data.recaption", needs="dataset.write")
def recaption(
    act: Act,
    *,
    name: str,
    captions: dict[str, str] | None = None,
    tags: dict[str, list[str]] | None = None,
    reason: str = "",
    title: str = "",
    expected: Expected = None,
) -> DecisionView:
    """Give pictures captions and tags, each by the picture's id.

    A suggestion for a caption is answered by that, and so is what checks of captions found.
    """
    dataset = find_dataset(act.session, name)
    wanted = {one: {"name": caption_of(text)} for one, text in (captions or {}).items()}
    edits: dict[str, dict[str, Any]] = {**wanted}
    for one, words in (tags or {}).items():
        edits[one] = {**edits.get(one, {}), "tags": tags_of(words)}
    return write_captions(
        act, dataset, edits, verb="recaption", reason=reason, title=title, expected=expected,
        answers=CAPTIONS if captions else (),
    )  # fmt: skip


def write_captions(
    act: Act, dataset: Dataset, edits: Edits, *, verb: str, reason: str, title: str, expected: Expected,
    details: Mapping[str, Any] | None = None, touch: bool = False, answers: Sequence[str] = (),
) -> DecisionView:  # fmt: skip
    """Set names and tags, and with them what follows: whether mirroring stays true, and which suggestion is answered.

    A thing's concept stays, since what is held out is told by it. Findings of the checks `answers` are answered too.
    """
    if not edits:
        raise InvalidInput("Say which captions are to change.", hint="Give them by the pictures' ids.")
    whole: dict[str, dict[str, Any]] = {}
    for row in rows_of(act.session, sorted(edits), ("name", "tags", "flip_ok", "suggested")):
        values = dict(edits[row.id])
        if row.flip_ok == may_flip(row.name, *row.tags):  # else its source has said it
            values["flip_ok"] = may_flip(values.get("name", row.name), *values.get("tags", row.tags))
        left = {column: said for column, said in (row.suggested or {}).items() if column not in values}
        if left != (row.suggested or {}):
            values["suggested"] = left
        whole[row.id] = {column: value for column, value in values.items() if column in edits[row.id]
                         or value != getattr(row, column)}  # fmt: skip
    missing = {one: edits[one] for one in edits if one not in whole}  # `apply` tells of them
    decision = apply(
        act, dataset, {**whole, **missing}, verb=verb, name=title or f"changed the captions of {in_words(len(edits))}",
        reason=reason, expected=expected, details=details, touch=touch, settles=answers,
    )  # fmt: skip
    return says(act, dataset, decision)


@action("data.relicense", needs="dataset.write")
def relicense(
    act: Act,
    *,
    name: str,
    where: Where,
    licence: Annotated[str, Field(min_length=1, max_length=60)],
    proof: str,
    url: str = "",
    reason: str = "",
    title: str = "",
    expected: Expected = None,
) -> DecisionView:
    """Say under which licence pictures are (SPDX), with the proof: what was read where, or an address that shows it.

    What checks of licences found is answered by that, as far as they would find nothing in the new one.
    """
    if not licence.strip():
        raise InvalidInput("No licence was said.", hint="Write its SPDX name, such as CC0-1.0.")
    check_words(proof, "The proof of a licence", may_be_empty=bool(url))
    if url and not url.startswith(("https://", "http://")):
        raise InvalidInput(f"'{url}' is no address.", hint="It begins with https://")
    dataset, spdx = find_dataset(act.session, name), spdx_of(" ".join(licence.split()))
    if not SPDX.fullmatch(spdx) or spdx == "NOASSERTION":
        raise InvalidInput(
            f"'{shortened(spdx)}' names no licence.", hint="Write its SPDX name, such as CC0-1.0, or LicenseRef-OURS."
        )
    ids = meant(act.session, dataset, where)
    shown = {"proof": proof, **({"url": url} if url else {}), "by": act.actor.id, "on": f"{now():%Y-%m-%d}"}
    edits = {
        row.id: {
            "licence": spdx,
            "evidence": {**row.evidence, "licence by decision": {"value": spdx, "was": row.licence, **shown}},
        }
        for row in rows_of(act.session, ids, ("licence", "evidence"))
    }
    said = title or f"changed the licence of {in_words(len(ids))} to {spdx}"
    decision = apply(
        act, dataset, edits, verb="relicense", name=said, reason=reason or shortened(proof or url, 200),
        expected=expected, details={"where": told(where), "licence": spdx, "proof": proof, "url": url},
        settles=_answered_by(spdx),
    )  # fmt: skip
    return says(act, dataset, decision)


def _answered_by(spdx: str) -> tuple[str, ...]:
    """The checks of licences that find nothing in this one, whatever the pictures are for."""
    if class_of(spdx) == "unknown":
        return ()
    return LICENCES if all(verdict(spdx, use) == "allowed" for use in USES) else LICENCES[:1]


@action("data.set_consent", needs="dataset.write")
def set_consent(
    act: Act, *, name: str, where: Where, consent: Consent, reason: str = "", title: str = "", expected: Expected = None
) -> DecisionView:
    """Say whether whoever is shown agreed; what was refused or withdrawn is in no version that is frozen later."""
    said = f"'{consent or 'not told'}'"
    return _same(act, name, where, {"consent": consent}, said, title=title, reason=reason, expected=expected)


@action("data.set_family", needs="dataset.write")
def set_family(
    act: Act, *, name: str, where: Where, family: Word, reason: str = "", title: str = "", expected: Expected = None
) -> DecisionView:
    """Say that pictures belong together, so that no split of a version parts them; "" says that they do not."""
    plain = " ".join(family.split())
    said = f"'{plain}'" if plain else "none"
    return _same(act, name, where, {"family": plain}, said, title=title, reason=reason, expected=expected)


@action("data.set_attributes", needs="dataset.write")
def set_attributes(
    act: Act,
    *,
    name: str,
    where: Where,
    attributes: dict[str, Word],
    reason: str = "",
    title: str = "",
    expected: Expected = None,
) -> DecisionView:
    """Declare attributes of pictures by name, beside those that they have; "" takes one away."""
    dataset = find_dataset(act.session, name)
    ids = meant(act.session, dataset, where)
    given = attributes_of(attributes)
    listed = ", ".join(f"{key} {value or 'taken away'}" for key, value in given.items())
    decision = apply(
        act, dataset, attribute_edits(act, ids, given), verb="set attributes", reason=reason, expected=expected,
        name=title or f"declared {shortened(listed, 80)} for {in_words(len(ids))}",
        details={"where": told(where), "attributes": given},
    )  # fmt: skip
    return says(act, dataset, decision)


def attributes_of(said: Mapping[str, str]) -> dict[str, str]:
    """Attributes without needless space; raises InvalidInput for none, or one that cannot be."""
    given = {key: " ".join(value.split()) for key, value in said.items()}
    if not given or any(not key.strip() or len(key) > 60 for key in given):
        raise InvalidInput("An attribute has a name of 1 to 60 letters.", hint='For example {"skin": "medium"}.')
    taken = next((key for key in given if key in RESERVED), "")
    if taken:
        raise InvalidInput(f"'{taken}' is a column that every picture has.", hint="Give the attribute another name.")
    if any(len(value) > TAG for value in given.values()):
        raise InvalidInput(f"A value of an attribute has at most {TAG} letters.")
    return given


def attribute_edits(act: Act, ids: list[str], given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The edits that give items these attributes; a suggestion for one of them is answered by that."""
    edits: dict[str, dict[str, Any]] = {}
    for row in rows_of(act.session, ids, ("attributes", "suggested")):
        merged = {**row.attributes, **given}
        edits[row.id] = {"attributes": {key: value for key, value in merged.items() if value}}
        left = {key: value for key, value in (row.suggested or {}).items() if key not in given}
        if left != (row.suggested or {}):
            edits[row.id]["suggested"] = left
    return edits


@action("data.set_weights", needs="dataset.write")
def set_weights(
    act: Act,
    *,
    name: str,
    where: Where | None = None,
    weight: Weight | None = None,
    weights: dict[str, Weight] | None = None,
    reason: str = "",
    title: str = "",
    expected: Expected = None,
) -> DecisionView:
    """Say how often pictures are drawn in training, 1 being usual: one weight for all that is meant, or one by each id.

    A weight of 0 keeps a picture in the version, and no run learns from it.
    """
    if (weights is None) == (weight is None) or (weight is not None and where is None):
        raise InvalidInput("Give one weight and say for which pictures, or weights by the pictures' ids.")
    if weight is not None and where is not None:
        values = {"weight": float(weight)}
        return _same(act, name, where, values, f"{weight:g}", title=title, reason=reason, expected=expected)
    dataset, each = find_dataset(act.session, name), weights or {}
    decision = apply(
        act, dataset, {one: {"weight": float(value)} for one, value in each.items()}, verb="set weight", reason=reason,
        name=title or f"set the weights of {in_words(len(each))}", expected=expected,
    )  # fmt: skip
    return says(act, dataset, decision)


def _same(
    act: Act, name: str, where: Where, values: Mapping[str, Any], said: str, *, title: str, reason: str,
    expected: Expected,
) -> DecisionView:  # fmt: skip
    """Set the same columns of all that is meant."""
    dataset = find_dataset(act.session, name)
    ids = meant(act.session, dataset, where)
    decision = apply(
        act, dataset, dict.fromkeys(ids, values), verb=f"set {next(iter(values))}", reason=reason, expected=expected,
        name=title or f"set the {next(iter(values))} of {in_words(len(ids))} to {said}",
        details={"where": told(where), **values},
    )  # fmt: skip
    return says(act, dataset, decision)


def caption_of(text: str) -> str:
    """A caption on one line; raises InvalidInput for one that is too long."""
    line = " ".join(text.replace("\0", " ").split())
    if len(line) > LONGEST:
        raise InvalidInput(f"A caption has {len(line):,} letters; at most {LONGEST:,} are taken.")
    return line


def tags_of(words: list[str]) -> list[str]:
    """Tags without needless space, none twice; raises InvalidInput for too many, or one that is too long."""
    lines = list(dict.fromkeys(line for line in (" ".join(word.replace("\0", " ").split()) for word in words) if line))
    if len(lines) > TAGS or any(len(line) > TAG for line in lines):
        raise InvalidInput(f"A picture has at most {TAGS} tags, of at most {TAG} letters each.")
    return lines
