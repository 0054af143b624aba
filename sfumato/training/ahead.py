"""What a run would see, told before it starts: nothing is trained, and no record is written."""

import base64
import io
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import select

from sfumato.actions import Act, query
from sfumato.data.captions import variants
from sfumato.data.records import Item
from sfumato.data.versions import FrozenVersion, ItemLine, open_version_by_id
from sfumato.training.feeding import options_of
from sfumato.training.hardware import memory_used
from sfumato.training.runs import Plan, plan, recipe

SHOWN = 24  # pictures of the first batches that are shown
TRIED = 2  # pictures of the step by which memory is measured
AT_ONCE = 500  # hashes in one question to the database
SEEN_AS = {"x": "picture", "large": "picture", "reference": "to lean on", "small": "small one"}  # tensors of a batch


@dataclass(frozen=True)
class Fact:
    """One thing that happens to pictures or captions on their way to the network, and to how many."""

    what: str
    count: int
    why: str = ""


@dataclass(frozen=True)
class Fed:
    """One picture as the loop would feed it: PNGs in base64 by what they are, and what goes with them."""

    name: str
    caption: str
    mirrored: bool
    pictures: dict[str, str]


@dataclass(frozen=True)
class Bucket:
    """One of the shapes that pictures become, and how many that are learnt from, or held out, become it."""

    width: int
    height: int
    pictures: int
    share: float  # of the pictures that are learnt from
    held_out: int
    lost: float  # share of a picture that is cropped away, on average
    padded: int  # pictures that lie whole on ground


@dataclass(frozen=True)
class Cut:
    """A picture of which something is cropped away, whole and small as PNG in base64, and what is kept of it."""

    name: str
    width: int
    height: int
    to_width: int
    to_height: int
    lost: float  # share of the picture
    kept: list[float]  # left, top, width and height, as shares of the picture's sides
    shown_width: int
    shown_height: int
    picture: str


@dataclass(frozen=True)
class Ahead:
    """What a run would see."""

    data: str
    size: int
    train: int
    steps: int
    epochs: float
    facts: list[Fact] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)  # bytes, by what holds them
    fed: list[Fed] = field(default_factory=list)
    step_seconds: float = 0.0  # about, where it is known; so are those of all steps
    seconds: float = 0.0
    fit: str = ""  # where pictures may be fitted in several ways: how; so are buckets, and what loses most
    buckets: list[Bucket] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)

    @property
    def in_all(self) -> int:
        """All memory that the run would take."""
        return sum(self.memory.values())

    def sheet(self) -> bytes:
        """The pictures as one PNG, each beside what goes with it."""
        rows = [[_opened(one) for one in fed.pictures.values()] for fed in self.fed]
        wide, side = max(len(row) for row in rows), max(max(one.size) for row in rows for one in row)
        columns = max(1, int(np.ceil((len(rows) / wide) ** 0.5)))
        grid = Image.new("RGB", (columns * (wide * side + 4), -(-len(rows) // columns) * (side + 4)), "white")
        for place, row in enumerate(rows):
            left, top = place % columns * (wide * side + 4), place // columns * (side + 4)
            for turn, picture in enumerate(row):
                grid.paste(picture, (left + turn * side, top))
        out = io.BytesIO()
        grid.resize((grid.width * 2, grid.height * 2), Image.Resampling.NEAREST).save(out, "PNG")
        return out.getvalue()


def _opened(png: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(png)))


@query("training.look_ahead", needs="training.write", doors=("cli", "api"))
def look_ahead(
    act: Act, *, recipe_name: str, data: str, options: dict[str, Any] | None = None, parent: str | None = None
) -> Ahead:
    """What a run of these options would see: what is done to pictures and captions, how often, and the first of them.

    The pictures shown are the tensors of the run's first batches themselves. Memory is measured by a step on two
    pictures, and what grows with the batch is multiplied. Raises what asking for the run would raise.
    """
    from sfumato.training.material import load_material

    made = plan(act.workspace, recipe_name=recipe_name, data=data, options=options or {}, parent=parent)
    module = recipe(made.recipe)
    if hasattr(module, "weigh"):
        return _ahead_of_folder(act, made, module)
    known = module.Options.model_validate(made.options)
    version = open_version_by_id(act.workspace, made.version.id)
    words = getattr(module, "WORDS", True)
    steps = load_material(version, known.size, act.workspace.path / "cache", with_words=words, with_states=False)
    material = _ended(steps)
    facts = [
        *fitting(_sides(act, version.items), known.size), *dropped(version, material),
        *(told(material, known) if words else []), *mirrored(material, known, words=words),
        *weighted(material.weights),
    ]  # fmt: skip
    return Ahead(
        version.label, known.size, len(material.train), -(-known.samples // known.batch),
        round(known.samples / len(material.train), 2), facts, memory_of(module, known, material),
        fed(module, known, material),
    )  # fmt: skip


def _ahead_of_folder(act: Act, made: Plan, module: Any) -> Ahead:
    """The same for a run on somebody else's model: memory and time are counted by shapes, since it is not loaded."""
    from sfumato.training import ahead_of_folders as others
    from sfumato.training.material import load_material

    assert made.parent is not None  # without one nothing is planned
    known = options_of(act.workspace, module, made.options, made.parent.sha256)
    version = open_version_by_id(act.workspace, made.version.id)
    cache = act.workspace.path / "cache"
    material = _ended(load_material(version, min(known.size, module.CARD), cache, with_words=False))
    takes = others.taken(module, known, version, material)
    laid = others.lay(version, material.lines, _sides(act, material.lines), others.fit_of(known))
    facts = [
        *others.facts_of(laid, material.train, known.batch), *dropped(version, material), *told(material, known),
        *mirrored(material, known, words=True),
        *(weighted(material.weights) if laid.one_shape else others.by_turns(material.weights)),
        *others.licence_of(made.parent.header),
    ]  # fmt: skip
    return Ahead(
        version.label, known.size, len(material.train), -(-known.samples // known.batch),
        round(known.samples / len(material.train), 2), facts, takes.memory, others.fed(module, known, material, laid),
        takes.step_seconds, takes.seconds, laid.fit.name, others.table_of(laid, material.train), others.cuts_of(laid),
    )  # fmt: skip


def _ended(steps: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            return finished.value


def _sides(act: Act, lines: list[ItemLine]) -> list[tuple[int, int]]:
    """Width and height of each line's picture as it was collected; (0, 0) where nobody knows."""
    hashes = sorted({line.sha256 for line in lines})
    sides: dict[str, tuple[int, int]] = {}
    for start in range(0, len(hashes), AT_ONCE):
        wanted = select(Item.sha256, Item.width, Item.height).where(Item.sha256.in_(hashes[start : start + AT_ONCE]))
        sides |= {sha256: (width or 0, height or 0) for sha256, width, height in act.session.execute(wanted)}
    return [sides.get(line.sha256, (0, 0)) for line in lines]


def fitting(sides: list[tuple[int, int]], size: int) -> list[Fact]:
    """How pictures of these widths and heights become squares of `size`."""
    wide = sum(width > height for width, height in sides)
    tall = sum(height > width for width, height in sides)
    larger = sum(max(one) > size for one in sides)
    smaller = sum(0 < max(one) < size for one in sides)
    unknown = sum(max(one) == 0 for one in sides)
    found = [
        Fact("cropped", 0, "a picture is fitted whole into a square; there are no buckets by aspect"),
        Fact("wide, fitted", wide, "empty ground is put above and below"),
        Fact("tall, fitted", tall, "empty ground is put to the left and the right"),
        Fact("made smaller", larger, f"to {size} pixels along the longer side"),
        Fact("made larger", smaller, f"to {size} pixels: they gain no detail, a smaller size learns faster"),
        Fact("of unknown size", unknown, "nothing was written down when they were collected"),
    ]
    return [one for one in found if one.count or one.what == "cropped"]


def dropped(version: FrozenVersion, material: Any) -> list[Fact]:
    """Pictures that the run never learns from, and why."""
    nought = int((material.weights == 0).sum()) if np.ptp(material.weights) else 0
    found = [
        Fact("held out", len(material.held_out), "measured on, never learnt from"),
        Fact("erased", version.gap, "erased since the version was frozen"),
        Fact("never drawn", nought, "their weight is 0"),
    ]
    return [one for one in found if one.count]


def told(material: Any, options: Any) -> list[Fact]:
    """What becomes of the captions of pictures that are learnt from."""
    if getattr(options, "words", "") == "none":
        return [Fact("captions left out", len(material.train), "words is none")]
    forms = [variants(material.lines[row]) for row in material.train]
    bare = sum(not one[0] for one in forms)
    found = [Fact("without a caption", bare, "no name and no style is known")] if bare else []
    parts = getattr(options, "caption_parts", "whole")
    if parts != "whole":
        count = max(1, sum(len(one) for one in forms))
        short = sum(len(text) < len(one[0]) for one in forms for text in one) / count
        long = sum(len(text) > len(one[0]) for one in forms for text in one) / count
        why = f"{short:.0%} of the times a part is left out, {long:.0%} up to three tags are added"
        why += "; the parts come in any order" if parts == "shuffled" else "; no part is shuffled"
        found.append(Fact("captions in parts", len(forms), why))
    else:
        found.append(Fact("captions whole", len(forms), "name and style; no part is left out or shuffled"))
    laid = float(getattr(options, "grounds", 0.0))
    if laid:
        from sfumato.data.captions import GROUNDS

        why = f"{laid:.0%} of those that show what is behind them, each time on another of {len(GROUNDS)} named colours"
        found.append(Fact("on a ground", round(laid * options.samples), why))
    share = float(getattr(options, "drop_words", 0.0))
    if share:
        found.append(Fact("captions hidden", round(share * options.samples), f"{share:.0%} of all, for guidance"))
    return found


def mirrored(material: Any, options: Any, *, words: bool) -> list[Fact]:
    """Which pictures may be mirrored."""
    count = len(material.train)
    if not words:
        return [Fact("may be mirrored", count, "words do not matter to this recipe")]
    if not getattr(options, "flip", False):
        return [Fact("may be mirrored", 0, "flip is off")]
    may = int(material.flip_ok[material.train].sum())
    kept = Fact("never mirrored", count - may, "their captions, or people, say that a side matters")
    return [Fact("may be mirrored", may, "each time by chance, one in two"), *([kept] if kept.count else [])]


def weighted(weights: np.ndarray) -> list[Fact]:
    """How often pictures are drawn beside each other."""
    if not np.ptp(weights):
        return [Fact("drawn alike", len(weights), "each once in every epoch, in another order")]
    share = weights / weights.sum()
    alike = round(float(1 / (share**2).sum()))
    why = (
        f"drawn by weights from {weights.min():g} to {weights.max():g}, with repeats; as if there were {alike:,} "
        "that are drawn alike (Kish)"
    )
    return [Fact("drawn by weight", len(weights), why)]


def memory_of(module: Any, options: Any, material: Any) -> dict[str, int]:
    """Bytes that a run would hold, by what holds them: all but the kept results exactly, those by a step on two.

    `results` is what the backward pass needs of the forward one, for the part of a batch that is computed at once.
    """
    from torch import Tensor
    from torch.autograd.graph import saved_tensors_hooks

    from sfumato.training.loop import Learner, take_step
    from sfumato.training.machine import Machine

    here = memory_used()
    learner = Learner.fresh(module, options.model_copy(update={"accumulate": 1}), Machine(fused_attention=True))
    own = {weight.data_ptr() for weight in learner.net.parameters()}
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in own:
            saved[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    whole = module.batch(options, material, 0)
    given = {name: values[:TRIED].clone() for name, values in whole.items()}  # a view would count as all of it
    with saved_tensors_hooks(note, lambda tensor: tensor):
        take_step(learner, given)
    at_once = -(-options.batch // getattr(options, "accumulate", 1))
    return {
        "program and pictures": here,
        "captions": material.words.nbytes + material.words_on.nbytes,
        "weights, averages and optimisers": sum(one.nbytes for one in learner.state().values()),
        "gradients": sum(weight.nbytes for weight in learner.net.parameters()),
        "results": sum(saved.values()) * at_once // min(TRIED, len(next(iter(given.values())))),
    }


def fed(module: Any, options: Any, material: Any) -> list[Fed]:
    """The first pictures of a run, made of the very tensors that its loop would feed."""
    notes: dict[str, np.ndarray] = {}
    tensors = material.tensors

    def noted(rows: np.ndarray, captions: np.ndarray, references: np.ndarray, flips: np.ndarray) -> Any:
        notes.update(captions=captions, flips=flips, references=references)
        return tensors(rows, captions, references, flips)

    material.tensors = noted
    texts = texts_of(material)
    found: list[Fed] = []
    for position in range(0, min(options.samples, SHOWN), options.batch):
        given = module.batch(options, material, position)
        rows = material.order(options.seed, position, options.batch)
        for place, row in enumerate(rows[: SHOWN - len(found)]):
            pictures = {
                said: as_png(given[name][place].numpy())
                for name, said in SEEN_AS.items()
                if name in given and not (name == "reference" and given["reference_on"][place] == 0)
            }
            on = given["words_on"][place] if "words_on" in given else None
            caption = texts[notes["captions"][place]] if notes else ""
            flipped = bool(notes["flips"][place]) if notes else False
            heard = on is not None and bool(on.any())
            found.append(Fed(material.lines[row].name, caption if heard else "", flipped, pictures))
    del material.tensors
    return found


def texts_of(material: Any) -> list[str]:
    """The captions that rows of `material.words` stand for."""
    texts: dict[int, str] = {}
    for line, rows in zip(material.lines, material.captions, strict=True):
        texts.update(zip((int(row) for row in rows), variants(line), strict=True))
    return [texts[row] for row in range(len(texts))]


def as_png(picture: np.ndarray) -> str:
    """A premultiplied tensor (4, S, S) in [-1, 1] on white, as PNG in base64."""
    values = (picture.transpose(1, 2, 0) + 1) * 127.5
    white = (values[..., :3] + 255 - values[..., 3:]).round().clip(0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(white).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()
