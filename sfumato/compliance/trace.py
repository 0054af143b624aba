"""Tracing: from a picture or a record to all that it was made from, with the answer to "May I use it?"."""

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture
from sqlalchemy import select

from sfumato.actions import Act, Workspace, query
from sfumato.checkpoints.card import Card, open_card
from sfumato.checkpoints.models import DEFAULT, find_model, find_weights
from sfumato.checkpoints.records import adopted_of
from sfumato.compliance.again import styles_of, ten_more
from sfumato.compliance.answer import Answer, Facts, Said, Standing, Training, answer
from sfumato.compliance.chain import Step, Weights, lineage, of_model, walk_down, walk_up, weights_of_record
from sfumato.compliance.files import PictureFile, pixels, read_file
from sfumato.compliance.neighbours import Neighbour, distance_to, find_nearest, neighbour
from sfumato.data.pictures import SUFFIXES
from sfumato.db.kinds import find_record
from sfumato.errors import NotFound
from sfumato.generation.knowledge import split_style
from sfumato.generation.records import Image, Published, Request
from sfumato.people.wording import shortened
from sfumato.review.standing import opinions
from sfumato.trust.keys import anchors, keys_folder

REASON = 300  # characters of a reason that an answer repeats; the judgement holds all of it
UNDECODED = "its pixels cannot be decoded"


@dataclass(frozen=True)
class Drawing:
    """How a picture was drawn, as its records tell it, or as its file claims."""

    prompt: str = ""
    subject: str = ""
    style: str = ""
    seed: int | None = None
    n: int = 1
    background: str = "white"
    sha256: str = ""  # of the picture as drawn, where it is on record
    reference: dict[str, Any] | None = None


@dataclass(frozen=True)
class Known:
    """What the records say of a subject."""

    subject: str
    standing: Standing | None  # None where the subject is no picture
    chain: Step
    drawing: Drawing = Drawing()
    weights: list[Weights] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    judged: list[Said] = field(default_factory=list)
    below: Step | None = None


@dataclass(frozen=True)
class Trace:
    """A subject with all that it was made from; printed, it says so in words."""

    subject: str
    standing: Standing | None
    credentials: str
    chain: Step
    leaned_on: Neighbour | None
    nearest: list[Neighbour]
    compared: str
    answer: Answer | None
    again: str
    below: Step | None = None

    def __str__(self) -> str:
        from sfumato.compliance.words import in_words

        return in_words(self)


def trace(workspace: Workspace, what: str | Path, *, down: bool = False, files: bool = True) -> Trace:
    """Trace a picture file, or a record by its id, the end of it, or kind/id, up to the sources.

    With `down` also what was made from it; without `files` a record alone can be meant. Raises NotFound, or
    InvalidInput for what is no picture.
    """
    file = _file(workspace, what) if files else None
    if file is None:
        known = known_of(workspace, what=_said(workspace, str(what)), file=None, down=down)
        left = known.published[0] if known.published else ""
        if left and workspace.store.has(left):  # what left of it can be checked as a file can
            file = read_file(workspace.store.path(left), anchors(keys_folder(workspace)))
    else:
        known = known_of(workspace, what=file.path.name, file=file, down=down)
        known = _by_pixels(workspace, known, file)
    credentials = _credentials(known, file)
    if known.standing is None:
        return Trace(known.subject, None, "", known.chain, None, [], "", None, "", known.below)
    weights = known.weights
    if known.standing == "unknown":
        weights = _default(workspace)
    nearest, compared, leaned_on = _compare(workspace, known, weights, file)
    training = [_training(one) for one in known.weights]
    unsaid = [_unsaid(one) for one, found in zip(known.weights, training, strict=True) if not found.n or _hidden(one)]
    facts = Facts(
        standing=known.standing, subject=known.subject, credentials=credentials,
        signer=file.credentials.signer if file else "", model=known.weights[0].name if known.weights else "",
        training=[one for one in training if one.n] + taken_in(known.weights), missing=[*known.missing, *unsaid],
        nearest=nearest, compared=compared, originals=_originals(known), judged=known.judged,
    )  # fmt: skip
    again = ten_more(known.drawing, known.weights[0] if known.weights else None)
    return Trace(
        known.subject, known.standing, credentials, known.chain, leaned_on, nearest, compared, answer(facts), again,
        known.below,
    )  # fmt: skip


def _file(workspace: Workspace, what: str | Path) -> PictureFile | None:
    """The file that is meant, or None when a record is."""
    path = Path(os.path.expanduser(what))
    if isinstance(what, Path) or os.path.exists(path) or path.suffix.lower() in SUFFIXES:
        return read_file(path, anchors(keys_folder(workspace)))
    return None


def _said(workspace: Workspace, what: str) -> str:
    """What was said, or the reference of the weights that ship with Sfumato when their name was said."""
    shipped = _default(workspace) if what.removeprefix("model/") == DEFAULT else []
    return shipped[0].ref if shipped and shipped[0].embedded else what


@query("compliance.trace")
def known_of(act: Act, *, what: str, file: PictureFile | None, down: bool) -> Known:
    """Trace a picture or a record to all that it was made from, and say whether it may be used."""
    if file is not None:
        return _of_file(act, file, down=down)
    shipped = find_weights(act, what.removeprefix("checkpoint/"))
    if shipped and shipped.embedded:
        below = walk_down(act, shipped.ref) if down else None
        return Known(shipped.ref, None, walk_up(act, shipped.ref), weights=[of_model(shipped)], below=below)
    row = find_record(act.session, what)
    below = walk_down(act, row.ref) if down else None
    if isinstance(row, Published | Image):
        image = row if isinstance(row, Image) else act.session.get(Image, row.image_id)
        known = _of_image(act, image, "on record", walk_up(act, row.ref), row.ref, below)
        return replace(known, published=[row.sha256]) if isinstance(row, Published) else known
    weights, missing = lineage(act, weights_of_record(act, row))
    return Known(row.ref, None, walk_up(act, row.ref), weights=weights, missing=missing, below=below)


def _of_file(act: Act, file: PictureFile, *, down: bool) -> Known:
    """What is on record of a file: by its bytes, else by what it says and who signed that."""
    name, state = file.path.name, file.credentials.state
    row = act.session.scalar(select(Published).where(Published.sha256 == file.sha256).order_by(Published.id))
    claimed = str(file.claims.get("image_id", ""))
    if row is not None:
        below = walk_down(act, row.ref) if down else None
        image = act.session.get(Image, row.image_id)
        return _of_image(act, image, "on record", walk_up(act, row.ref, "on record as"), name, below)
    standing: Standing = {
        "signed here": "signed here",
        "signer unknown here": "elsewhere",
        "invalid": "changed",
        "unsigned": "claimed",
    }[state]  # type: ignore[assignment]
    if state in ("invalid", "unsigned") and not file.claims:
        standing = "unknown" if state == "unsigned" else "changed"
    image = act.session.get(Image, claimed) if claimed and standing != "elsewhere" else None
    if image is not None:
        role = "signed as" if standing == "signed here" else "claims to be"
        chain = Step("", name, {}, evidence=name, steps=(walk_up(act, image.ref, role),))
        return _of_image(act, image, standing, chain, name, None)
    return _of_claims(act, file, standing)


def _of_image(
    act: Act, image: Image | None, standing: Standing, chain: Step, subject: str, below: Step | None
) -> Known:
    """What is on record of a picture that was drawn here."""
    request = act.session.get(Request, image.request_id) if image else None
    if image is None or request is None:
        return Known(subject, standing, chain, below=below, missing=["the model that drew it"])
    understood = request.understood or {}
    drawing = Drawing(
        seed=image.seed, n=request.n, background=request.background, sha256=image.sha256, reference=image.reference,
    )  # fmt: skip
    if not request.private:  # what was asked for in private is told nowhere, not even by its subject
        subject_said, style = understood.get("subject", ""), understood.get("style", "")
        drawing = replace(drawing, prompt=request.prompt, subject=subject_said, style=style)
    out = act.session.scalars(select(Published).where(Published.image_id == image.id).order_by(Published.id)).all()
    weights, missing = lineage(act, request.checkpoint_sha256)
    held = opinions(act.session, [image.ref, *(one.ref for one in out)])
    judged = [
        Said(one.by_name, one.verdict, one.rating, shortened(one.reason, REASON), one.made_at, one.ref) for one in held
    ]
    return Known(
        subject, standing, chain, drawing, weights, [f"weights {one[:12]}" for one in missing],
        [one.sha256 for one in out], judged, below,
    )  # fmt: skip


def _of_claims(act: Act, file: PictureFile, standing: Standing) -> Known:
    """What a file says of itself, and what is known here of the weights that it names."""
    said, name = file.claims, file.path.name
    evidence = f"signed claims of {name}" if file.proven else f"unproven claims of {name}"
    sha256 = str(said.get("checkpoint_sha256", ""))
    weights, missing = lineage(act, sha256)
    above = (walk_up(act, weights[0].ref if weights else f"checkpoint/{sha256}", "drawn by"),) if sha256 else ()
    asked = ("seed", "sampler", "steps", "guidance", "background", "model")
    facts: dict[str, Any] = {key: said[key] for key in asked if key in said}
    prompt = f'"{said["prompt"]}"' if said.get("prompt") else "a prompt that the file does not tell"
    steps = (Step("says it was asked by", prompt, facts, evidence=evidence, steps=above),) if said else ()
    subject, style = _parted(str(said.get("prompt", "")), weights)
    drawing = Drawing(
        prompt=str(said.get("prompt", "")), subject=subject, style=style, seed=said.get("seed"),
        background=str(said.get("background", "white")),
    )  # fmt: skip
    chain = Step("", name, {}, evidence=name, steps=steps)
    return Known(name, standing, chain, drawing, weights, [f"weights {one[:12]}" for one in missing])


def _parted(prompt: str, weights: list[Weights]) -> tuple[str, str]:
    """Subject and style of a prompt, by the styles that the model knows."""
    style, subject, _ = split_style(prompt, styles_of(weights[0]) if weights else [])
    return subject, style


def _by_pixels(workspace: Workspace, known: Known, file: PictureFile) -> Known:
    """Whether an unproven file still shows the very pixels that left: then they are on record after all."""
    if known.standing not in ("claimed", "changed") or not known.published:
        return known
    limit = workspace.settings.max_pixels
    given = pixels(file.data, limit)
    for sha256 in filter(workspace.store.has, known.published):
        left = pixels(workspace.store.get(sha256), limit)
        if given and left and given.size == left.size and np.array_equal(np.asarray(given), np.asarray(left)):
            return replace(known, standing="same pixels")
    return known


def _credentials(known: Known, file: PictureFile | None) -> str:
    """The state of the credentials in words; "" where no file is in question."""
    if file is None:
        return ""
    if known.standing == "same pixels":
        gone = "unsigned" if file.credentials.state == "unsigned" else "changed after signing"
        return f"{gone}, but its pixels are those that left"
    return {
        "signed here": "signed here, unedited",
        "signer unknown here": f"signed by {file.credentials.signer or 'somebody'}, who is not known here, "
        "and unedited since",
        "invalid": "changed after signing",
        "unsigned": "unsigned",
    }[file.credentials.state]


def _default(workspace: Workspace) -> list[Weights]:
    try:
        return [of_model(find_model(workspace, DEFAULT))]
    except NotFound:
        return []


def _compare(
    workspace: Workspace, known: Known, weights: list[Weights], file: PictureFile | None
) -> tuple[list[Neighbour], str, Neighbour | None]:
    """The nearest training pictures, what was compared (or why nothing was), and the picture that was leaned on."""
    limit = workspace.settings.max_pixels
    drawn = None
    if known.drawing.sha256 and workspace.store.has(known.drawing.sha256):
        drawn = pixels(workspace.store.get(known.drawing.sha256), limit)
    picture = drawn or (pixels(file.data, limit) if file else None)
    compared = "the picture as drawn" if drawn else "the file's pixels at the model's size"
    leaned = _leaned_on(known, weights, drawn)
    if picture is None:
        return [], UNDECODED if file else "the picture as drawn is not in the store", leaned
    found = []
    for one in weights:
        if one.card is not None:
            ground = "transparent" if drawn else known.drawing.background
            cache = workspace.path / "cache"
            found += find_nearest(open_card(one.card), one.name, picture, background=ground, cache=cache)
    if not found:
        why = f"the model {weights[0].name} has no training card" if weights else "no training card is here"
        return [], why, leaned
    return sorted(found, key=lambda near: near.distance or 0.0)[:3], compared, leaned


def _leaned_on(known: Known, weights: list[Weights], drawn: Picture.Image | None) -> Neighbour | None:
    """The training picture that the drawing looked at, as its record names it."""
    item = known.drawing.reference
    if not item:
        return None
    card = open_card(weights[0].card) if weights and weights[0].card else None
    row = int(item.get("row", -1))
    same = card is not None and 0 <= row < len(card.items) and card.items[row].get("sha256") == item.get("sha256")
    distance = distance_to(card, row, drawn) if card and same and drawn else None
    below = card.copy_distance if card and distance is not None else None
    return neighbour(item, weights[0].name if weights else "", row, distance=distance, copy_below=below)


def _originals(known: Known) -> list[Neighbour]:
    """Training pictures of the very name, and style if one was named, that was asked for."""
    wanted = known.drawing
    for one in known.weights:
        if one.card is not None and wanted.subject:
            card: Card = open_card(one.card)
            rows = [
                row for row, item in enumerate(card.items)
                if item["split"] == "train" and item["name"].lower() == wanted.subject.lower()
                and wanted.style in ("", item["style"])
            ]  # fmt: skip
            if rows:
                return [neighbour(card.items[row], one.name, row) for row in rows]
    return []


def _training(weights: Weights) -> Training:
    """What weights learnt from, counted by licence: from their card, else from what their header says."""
    if _hidden(weights):
        return Training({str(weights.header["data"]["licence"]): 1}, {}, weights.evidence, "added models")
    if weights.card is not None:
        card = open_card(weights.card)
        items = [item for item in card.items if item["split"] == "train"]
        licences = Counter(str(item["licence"]) for item in items)
        makers = Counter((_maker(item), str(item["licence"])) for item in items)
        return Training(dict(licences), dict(makers), f"training card of {weights.name}")
    data = weights.header.get("data") or {}
    by_maker: Counter[tuple[str, str]] = Counter()
    for source in data.get("sources", []):
        by_maker[_maker(source), str(source.get("licence", ""))] += int(source.get("n", 0))
    return Training(dict(data.get("licences", {})), dict(by_maker), weights.evidence, "pictures of its dataset")


def taken_in(weights: list[Weights]) -> list[Training]:
    """The licences that the makers of finished weights gave them, beside those of what they learnt from."""
    found = []
    for one in weights:
        said = adopted_of(one.header)
        if said and not _hidden(one):  # whose licence is told already
            licence = str(said.get("licence") or "NOASSERTION")
            found.append(Training({licence: 1}, {}, one.evidence, "adopted models"))
    return found


def _hidden(weights: Weights) -> bool:
    """Whether weights were made elsewhere, from pictures that nobody here knows."""
    return bool((weights.header.get("data") or {}).get("undisclosed"))


def _unsaid(weights: Weights) -> str:
    """Weights of whose pictures nothing is known, in words."""
    return f"the model {weights.name}" + (
        ", whose maker has not disclosed the training data," if _hidden(weights) else ""
    )


def _maker(item: dict[str, Any]) -> str:
    """Whom to thank for a picture: its author, else where it came from."""
    return str(item.get("author") or item.get("source") or "somebody").split(";")[0].strip()
