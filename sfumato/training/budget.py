"""One dial: so much time, and size, network, batch and samples follow from the data and from what this machine can do.

What was chosen is plain options, so that the run is repeated from them alone; what a person gave is never changed.
"""

import re
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from sfumato.actions import Act, query
from sfumato.checkpoints.models import ModelView, named
from sfumato.data.collect import read_options
from sfumato.data.freeze import find_version
from sfumato.data.records import Item
from sfumato.data.versions import FrozenVersion, open_version_by_id
from sfumato.errors import InvalidInput
from sfumato.training.hardware import cores, has_bf16, processor
from sfumato.training.runs import recipe

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SHORTEST, LONGEST = 10.0, 30 * 86400.0
SIZES = ((180.0, 16), (7200.0, 32), (28800.0, 48), (LONGEST, 64))  # up to so many seconds, at most so many pixels
RUNGS = (1 / 3, 2 / 3, 1.0, 4 / 3, 5 / 3)  # of the recipe's own width and depth
EPOCHS, LEAST = 12, 8_000  # times that each picture, and pictures that in all, should be seen by a larger network
LOOKS, MOST_LOOKS = 0.15, 8  # of the steps' time for held-out losses and previews, and how many at most
SOME_LOOKS = 16  # times what a look costs from which on a run looks four times at least: a quarter of its time
SHARE, FIXED = 0.8, 8.0  # of the time that is left for steps, once reading and trying have taken their seconds
NETWORK = ("architecture", "size", "patch", "width", "depth")  # what a run has of the model that it begins with
PROBE = 0.1  # share of the budget that trying may take
FEW, MANY = 600, 40_000  # steps below which the batch is halved, and above which it is doubled


@dataclass(frozen=True)
class Choice:
    """One option, what it was set to, and why."""

    option: str
    value: Any
    why: str


@dataclass(frozen=True)
class Chosen:
    """What a budget comes to: options, each with its reason, and what is expected of them."""

    options: dict[str, Any]
    choices: list[Choice] = field(default_factory=list)
    images_per_second: float = 0.0
    seconds: float = 0.0
    says: str = ""


def seconds_of(text: str) -> float:
    """A time as people write it ("30m", "1h30m", "90s") in seconds; raises InvalidInput."""
    found = re.findall(r"(\d+(?:\.\d+)?)\s*([smhd])", text.lower())
    if not found or re.sub(r"(\d+(?:\.\d+)?)\s*([smhd])", "", text.lower()).strip():
        raise InvalidInput(f"'{text}' is no time.", hint="Write 90s, 30m, 1h30m or 2h.")
    seconds = sum(float(count) * UNITS[unit] for count, unit in found)
    if not SHORTEST <= seconds <= LONGEST:
        raise InvalidInput(f"A budget of {text} is out of bounds.", hint="Give from ten seconds to thirty days.")
    return seconds


@query("training.choose", needs="training.write")
def choose(
    act: Act, *, recipe_name: str, data: str, budget: str, options: dict[str, Any] | None = None, parent: str = ""
) -> Chosen:  # fmt: skip
    """Choose a run's options for a time such as "30m" on this machine, trying networks for some seconds.

    Options that are given stay as they are, and a run that begins with the model `parent` has its network. Raises
    what planning a run with them would raise.
    """
    seconds = seconds_of(budget)
    module, given = recipe(recipe_name), dict(options or {})
    if hasattr(module, "of_parent"):
        raise InvalidInput(
            "A budget chooses a network, and this run has its parent's.",
            hint="Give --samples and --size; --dry-run says how long they take.",
        )
    network = _network_of(named(act, parent), module) if parent else {}
    read_options(module.Options, network | given)
    version = open_version_by_id(act.workspace, find_version(act.workspace, label=data).id)
    dial = _Dial(module, given, seconds, {name: one for name, one in network.items() if name not in given}, parent)
    dial.settle_size(_sides(act, version))
    dial.settle_network(version)
    return dial.chosen()


def _network_of(model: ModelView, module: Any) -> dict[str, Any]:
    """The options of a recipe that make the network of a model, as far as its header says them."""
    header = model.header
    there = {"architecture": header.architecture, **header.options, **header.recipe_options}
    return {name: there[name] for name in NETWORK if name in module.Options.model_fields and name in there}


def _sides(act: Act, version: FrozenVersion) -> int:
    """The middle of the pictures' larger sides, as they were collected; 0 where nobody knows."""
    wanted = {line.sha256 for line in version.lines[:2_000]}
    rows = act.session.execute(select(Item.sha256, Item.width, Item.height).limit(20_000))
    sides = [max(width or 0, height or 0) for sha256, width, height in rows if sha256 in wanted]
    return int(statistics.median(sides)) if sides else 0


class _Dial:
    """The options as they are found one after another, each with its reason."""

    def __init__(
        self, module: Any, given: dict[str, Any], seconds: float, network: dict[str, Any], parent: str
    ) -> None:
        self.module, self.given, self.seconds = module, network | given, seconds
        self.known = {name: one.default for name, one in module.Options.model_fields.items()}
        self.says = module.Options.model_json_schema()["properties"]
        self.options = dict(self.given)
        self.rows = [Choice(name, value, f"that of {parent}, with which it begins") for name, value in network.items()]
        self.rows += [Choice(name, value, "as you gave it") for name, value in given.items()]
        self.speed = 0.0

    def set(self, name: str, value: Any, why: str) -> None:
        """Set an option that the recipe has and that nobody gave."""
        if name in self.known and name not in self.given:
            self.options[name] = value
            self.rows.append(Choice(name, value, why))

    def settle_size(self, side: int) -> None:
        """Choose the pictures' size by the time and by how large they are."""
        if self.known.get("size", 1_000) > 64:
            return  # a recipe whose size is not the drawing's
        most = next(size for limit, size in SIZES if self.seconds <= limit)
        why = f"at most {most} pixels are learnt well in this time"
        if side and side < most:
            most = max((size for _, size in SIZES if size <= side), default=16)
            why = f"the pictures are {side} pixels large in the middle"
        self.set("size", most, why)
        size = self.options.get("size", most)
        if size % 8 == 0 and size // 8 >= 2:
            self.set("patch", size // 8, "64 patches of a picture, whatever its size")

    def settle_network(self, version: FrozenVersion) -> None:
        """Try networks from the smallest up, and take the largest that still sees enough pictures in the time."""
        n = sum(line.split == "train" for line in version.lines)
        self.set("batch", min(32, max(2, n)), "the usual" if n >= 32 else f"no more than the {n:,} pictures")
        need = max(EPOCHS * n, LEAST)
        start, steps = time.monotonic(), max(self.seconds * SHARE - FIXED, self.seconds * 0.3)
        given = _material(version, self.options.get("size", self.known.get("size", 32)), self.module)
        best: tuple[dict[str, int], float] | None = None
        for shape in self._rungs():
            speed = _speed(self.module, {**self.options, **shape}, given)
            if best is not None and speed * steps < need:
                break
            best = (shape, speed)
            if time.monotonic() - start > self.seconds * PROBE:
                break
        if best is None:
            raise InvalidInput("None of the networks fits these options.", hint="Give fewer options.")
        shape, self.speed = best
        enough = self.speed * steps >= need
        why = (
            f"the largest that still sees {need:,} pictures: {self.speed:,.0f} a second were tried"
            if enough else f"the smallest: {self.speed:,.0f} pictures a second are too few for a larger one"
        )  # fmt: skip
        for name, value in shape.items():
            self.set(name, value, why)
        self._settle_samples(steps, n)

    def _rungs(self) -> list[dict[str, int]]:
        """Widths and depths to try, the smallest first; one alone where both are given or the recipe has none."""
        found: list[dict[str, int]] = []
        for rung in RUNGS:
            shape = {}
            for name in ("width", "depth"):
                if name in self.known and name not in self.given:
                    of = self.says[name].get("multipleOf", 1)
                    shape[name] = max(of, round(self.known[name] * rung / of) * of)
            if shape not in found:
                found.append(shape)
        return found

    def _settle_samples(self, steps: float, n: int) -> None:
        batch = int(self.options.get("batch", self.known["batch"]))
        samples = int(self.speed * steps)
        if "batch" not in self.given:
            while batch > 4 and samples / batch < FEW:
                batch //= 2
            while samples / batch > MANY and batch < n:
                batch *= 2
        looks, cost = self._looks(samples)
        samples = max(batch, (samples - looks * cost) // batch * batch)
        self.set(
            "samples", samples, f"what fits, {looks} held-out losses and previews of about {cost} pictures taken off"
        )
        samples = int(self.options.get("samples", samples))
        if batch != self.options.get("batch", batch):
            self.rows = [row for row in self.rows if row.option != "batch"]
            self.set("batch", batch, f"so that there are about {samples // batch:,} steps")
        every = max(batch, samples // looks // batch * batch)
        self.set("checkpoint_every", every, f"{looks} checkpoints")
        self.set("preview_every", every, f"{looks} previews")

    def _looks(self, samples: int) -> tuple[int, int]:
        """How often the run may look at itself, and what one look costs, as pictures learnt from.

        A look is four levels of noise on the held-out pictures and some four hundred passes for the preview; a pass
        forward is a third of a step.
        """
        held_out = int(self.options.get("held_out", self.known.get("held_out", 0)))
        cost = (4 * held_out + 400) // 3
        if "held_out" in self.known and "held_out" not in self.given and held_out > 32 and cost * MOST_LOOKS > samples:
            self.set("held_out", 32, "fewer, since looking at them takes time from a short run")
            cost = (4 * 32 + 400) // 3
        fewest = 4 if samples >= SOME_LOOKS * cost else 2
        return min(MOST_LOOKS, max(fewest, int(LOOKS * samples / cost))), cost

    def chosen(self) -> Chosen:
        """What was chosen, checked as a run would be, and what is expected of it."""
        options = read_options(self.module.Options, self.options)
        seconds = options.samples / max(self.speed, 1e-9)
        on = f"{processor()} with {cores()} {'core' if cores() == 1 else 'cores'}"
        says = (
            f"On {on} this sees {options.samples:,} pictures, counted with repeats, "
            f"at about {self.speed:,.0f} a second."
        )
        return Chosen(self.options, self.rows, round(self.speed, 1), round(seconds, 1), says)


def _material(version: FrozenVersion, size: int, module: Any) -> Any:
    """Some pictures of the version with captions of chance, enough to time a step; nothing is encoded."""
    import numpy as np

    from sfumato.features.encoders import minilm
    from sfumato.features.retrieval import Shelf
    from sfumato.training.material import Material

    pictures, lines = version.decode(size)
    rows = np.array([row for row, line in enumerate(lines) if line.split == "train"][:256], np.int64)
    if len(rows) < 2:
        raise InvalidInput(f"{version.label} has {len(rows)} pictures to train on.", hint="Collect more, freeze again.")
    words = np.random.default_rng(0).standard_normal((2, minilm.LENGTH, minilm.DIM)).astype(np.float16)
    words_on = np.ones((2, minilm.LENGTH), bool)
    words_on[:, 12:] = False  # a caption of usual length
    whole = np.arange(len(rows))
    return Material(
        pictures=pictures[rows], lines=[lines[row] for row in rows], captions=np.zeros((len(rows), 1), np.int64),
        words=words, words_on=words_on, shelf=Shelf({}, {}), train=whole, held_out=whole,
        flip_ok=np.ones(len(rows), bool), weights=np.ones(len(rows)),
    )  # fmt: skip


def _speed(module: Any, options: dict[str, Any], material: Any) -> float:
    """Pictures a second of a network that is thrown away: the median of three steps after one that warms up."""
    from sfumato.training.loop import Learner, take_step
    from sfumato.training.machine import Machine

    known = read_options(module.Options, options)
    threads = cores()
    shards = threads if known.batch >= threads else 1
    learner = Learner.fresh(
        module, known, Machine(bf16=has_bf16(), fused_attention=False, threads=threads, shards=shards)
    )
    given = module.batch(known, material, 0)
    times = []
    for turn in range(4):
        start = time.perf_counter()
        take_step(learner, given)
        if turn:
            times.append(time.perf_counter() - start)
    return float(known.batch / statistics.median(times))
