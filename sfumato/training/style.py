"""A style pack: from 20 to 200 icons of one's own to a model that draws what the set still lacks.

The icons become a dataset under a style's name. Beside them stand the pictures of that style of the base model
which looks most like them: the base is taught to turn the one into the other, a pair for every thing that both
show (retrieval as in RDM, Blattmann et al. 2022, arXiv 2204.11824), and they are what it leans on for
things that the icons do not show. They keep a small share of what is learnt, so that what the base knew stays.
"""

import contextlib
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from sfumato.actions import Workspace
from sfumato.actions.registry import require
from sfumato.checkpoints.card import Card
from sfumato.checkpoints.models import DEFAULT, ModelView, find_model
from sfumato.data.collect import NAME, collect, list_datasets
from sfumato.data.editing import set_weights
from sfumato.data.found import Found, Later
from sfumato.data.freeze import freeze
from sfumato.data.narrowing import Where
from sfumato.data.pictures import SUFFIXES, Unusable, kind_of, open_picture, to_premultiplied
from sfumato.data.places import LARGEST
from sfumato.data.sources import folder as folders
from sfumato.data.versions import open_version
from sfumato.errors import Conflict, InvalidInput
from sfumato.features.look import describe
from sfumato.jobs import JobView
from sfumato.store.files import write_whole
from sfumato.training import runs

LEAST, MOST = 20, 200
PAIRS = 10  # things that the base should know as well, below which it can hardly learn the way from style to style
KEPT_SHARE = 0.15  # of what is learnt, to keep what the base knew
OPAQUE = 250  # alpha above which a whole picture has no ground to be seen through
How = Literal["full", "lora"]
LEARNING: dict[str, dict[str, Any]] = {
    "full": {"recipe": "flow", "lr": 1e-3, "samples": 4_800},
    "lora": {"recipe": "lora", "lr": 3e-3, "samples": 4_800, "rank": 16, "alpha": 16.0},
}
Wait = Callable[[JobView], JobView]


@dataclass(frozen=True)
class Icon:
    """One icon: its bytes, its name, and what else is known of it."""

    data: bytes
    name: str
    tags: list[str]
    licence: str
    author: str


@dataclass(frozen=True)
class Checked:
    """What was found of the icons before anything is learnt from them."""

    n: int
    unusable: dict[str, int]  # reason -> how many were left out
    twins: int
    small: int  # below the side at which the model draws
    opaque: int
    known: int  # things that the base has seen as well
    nearest: str  # the base's style that looks most like them
    warnings: list[str]


@dataclass(frozen=True)
class Style:
    """A style pack that was made."""

    name: str
    model: str
    data: str
    checked: Checked
    job: JobView


def check_style(workspace: Workspace, *, source: str | Path, base: str = DEFAULT) -> Checked:
    """Look at icons before anything is learnt from them: how many, how large, on what ground, named how."""
    icons, unusable, twins = _read(workspace, source, licence="NOASSERTION", author="")
    return _check(workspace, find_model(workspace, base), icons, unusable, twins)[0]


def make_style(
    workspace: Workspace, *, source: str | Path, name: str, wait: Wait, licence: str = "NOASSERTION",
    author: str = "", base: str = DEFAULT, how: How = "full", options: dict[str, Any] | None = None,
) -> Style:  # fmt: skip
    """Teach a model the style of 20 to 200 icons, from a folder or from NAME@VERSION; `wait` waits for a job.

    Dataset, style, run and model are called `name`. Raises InvalidInput naming what is wrong with the icons, and
    Conflict where the name is taken. Names come from captions, else from the files' names.
    """
    require(workspace, "training.write")
    if not NAME.fullmatch(name):
        raise InvalidInput(f"'{name}' cannot be a style's name.", hint=runs.LETTERS)
    if how not in LEARNING:
        raise InvalidInput(f"A style is learnt by full or lora, not '{how}'.")
    model = find_model(workspace, base)
    card = model.card()
    if name in card.summary.get("styles", {}):
        raise Conflict(f"'{base}' has a style '{name}' already.", hint="Take another name.")
    stage = workspace.path / "cache" / "styles" / name
    if not stage.exists() and name in {one.name for one in list_datasets(workspace, archived=True)}:
        raise Conflict(f"There is a dataset '{name}' already.", hint="Take another name.")
    icons, unusable, twins = _read(workspace, source, licence=licence, author=author)
    checked, beside = _check(workspace, model, icons, unusable, twins)
    staged = _stage(stage, name, icons, card, beside)
    wait(collect(workspace, source="folder", into=name, options={"path": str(staged), "label": f"style {name}"}))
    share = KEPT_SHARE / (1 - KEPT_SHARE) * len(icons) / max(len(beside), 1)
    with contextlib.suppress(Conflict):  # asked again: they have it already
        set_weights(workspace, name=name, where=Where(style=checked.nearest), weight=round(min(share, 1.0), 5),
                    reason="They keep what the base knew.")  # fmt: skip
    version = freeze(workspace, name=name)
    job = runs.train(
        workspace, recipe_name=LEARNING[how]["recipe"], data=version.label, name=name, parent=base,
        options=learning(model, how) | (options or {}),
    )  # fmt: skip
    return Style(name, name, version.label, checked, wait(job))


def learning(model: ModelView, how: How) -> dict[str, Any]:
    """The options of a run that teaches a style to a model: its own network, and short steps."""
    shape: dict[str, Any] = {
        key: model.header.options[key] for key in ("size", "patch", "width", "depth") if key in model.header.options
    }
    samples = int(LEARNING[how]["samples"])
    chosen = {key: value for key, value in LEARNING[how].items() if key != "recipe"}
    return {
        **shape, "architecture": model.header.architecture, **chosen, "optimizer": "adamw", "same_concept": 0.85,
        "near_concept": 0.1, "time_mean": -0.8, "time_std": 1.0, "warmup": 0.05, "checkpoint_every": samples,
        "preview_every": samples,
    }  # fmt: skip


def _read(
    workspace: Workspace, source: str | Path, *, licence: str, author: str
) -> tuple[list[Icon], Counter[str], int]:
    """Icons of a folder or a frozen version, what was left out by reason, and how many came twice."""
    path = Path(source).expanduser()
    unusable: Counter[str] = Counter()
    found: list[Icon] = []
    if path.is_dir():
        for one in folders.read(folders.Options(path=str(path), licence=licence, author=author), workspace.path):
            read = one.fetch() if isinstance(one, Later) else one
            if isinstance(read, Found):
                name = read.name or name_of(read.key)
                found.append(Icon(read.data, name, read.tags, read.licence, read.author))
            else:
                unusable[read.reason] += 1
    else:
        version = open_version(workspace, str(source))
        for line in version.items:
            found.append(Icon(version.read_bytes(line), line.name, line.tags, line.licence, line.author))
    whole = {icon.data: icon for icon in reversed(found)}
    kept = list(reversed(whole.values()))
    return kept, unusable, len(found) - len(kept)


def name_of(key: str) -> str:
    """What a file is called after: "icons/red-apple_128@2x.png" is "red apple"."""
    stem = re.sub(r"@\dx$", "", Path(key).stem)
    said = re.sub(r"([a-z])([A-Z])", r"\1 \2", stem)
    words = [word for word in re.split(r"[\W_]+", said) if word and not re.fullmatch(r"\d+(px|x\d+)?", word)]
    return " ".join(words).lower()


def _check(
    workspace: Workspace, model: ModelView, icons: list[Icon], unusable: Counter[str], twins: int
) -> tuple[Checked, list[int]]:
    """What is found of the icons, and the rows of the base's card that will stand beside them."""
    size, card = int(model.header.options["size"]), model.card()
    pictures, good, small, opaque = [], [], 0, 0
    for icon in icons:
        try:
            if len(icon.data) > LARGEST:
                raise Unusable("too large", f"{len(icon.data):,} bytes")
            opened = open_picture(icon.data, workspace.settings.max_pixels)
        except Unusable as problem:
            unusable[problem.reason] += 1
            continue
        pixels = to_premultiplied(opened, size)
        small += min(opened.size) < size
        opaque += bool(pixels[..., 3].min() > OPAQUE)
        pictures.append(pixels)
        good.append(icon)
    icons[:] = good
    _refuse(icons, unusable)
    nearest, known = _nearest(card, np.stack(pictures), [icon.name.lower() for icon in icons])
    beside = [row for row, item in enumerate(card.items) if item["split"] == "train" and item["style"] == nearest]
    n, left = len(icons), sum(unusable.values())
    told = {
        f"{opaque} of {n} icons have no transparent ground, so the style will have none either.": opaque > n / 5,
        f"{small} of {n} icons are smaller than {size} × {size} pixels.": small > 0,
        f"Only {known} of their things are known to {model.name} in that style; {PAIRS} would teach it.": known < PAIRS,
        f"{left} files were left out: {', '.join(unusable)}.": left > 0,
    }
    warnings = [said for said, holds in told.items() if holds]
    return Checked(len(icons), dict(unusable), twins, small, opaque, known, nearest, warnings), beside


def _refuse(icons: list[Icon], unusable: Counter[str]) -> None:
    """Raise InvalidInput where there are too few or too many icons, or their names say nothing."""
    if not LEAST <= len(icons) <= MOST:
        left = f" ({sum(unusable.values())} more cannot be used: {', '.join(unusable)})" if unusable else ""
        raise InvalidInput(
            f"There are {len(icons)} icons{left}; a style takes {LEAST} to {MOST}.",
            hint="Pick fewer." if len(icons) > MOST else "Add some, or prompt with the nearest style instead.",
        )
    unnamed = sum(not re.search(r"[^\W\d_]{2}", icon.name) for icon in icons)
    if unnamed:
        raise InvalidInput(
            f"{unnamed} icons have no name.",
            hint="Call the files after what they show (red-apple.png), or put captions beside them.",
        )


def _nearest(card: Card, pictures: np.ndarray, names: list[str]) -> tuple[str, int]:
    """The base's style nearest to the icons, and how many of their things the base has seen in it.

    Where both show the same thing the pair is compared; else how the icons look on the whole is.
    """
    looks = describe(pictures, card.basis)  # (N, 64)
    rows: dict[str, dict[str, int]] = {}
    for row, item in enumerate(card.items):
        if item["split"] == "train" and item["style"]:
            rows.setdefault(item["style"], {})[item["name"].lower()] = row
    if not rows:
        raise InvalidInput(
            "The base model has no styles to lean on.", hint="Take the model that ships: --base " + DEFAULT
        )
    apart: dict[str, float] = {}
    for style, own in rows.items():
        pairs = [(place, own[name]) for place, name in enumerate(names) if name in own]
        if len(pairs) >= PAIRS:
            gaps = [np.linalg.norm(looks[place] - card.features[row]) for place, row in pairs]
        else:
            gaps = [np.linalg.norm(looks.mean(0) - card.features[list(own.values())].mean(0)) + 10.0]
        apart[style] = float(np.mean(gaps))
    wide = {style: gap for style, gap in apart.items() if len(rows[style]) >= max(map(len, rows.values())) / 2}
    best = min(wide, key=lambda style: (wide[style], style))  # a style that shows little has little to lean on
    return best, sum(name in rows[best] for name in names)


def _stage(folder: Path, style: str, icons: list[Icon], card: Card, beside: list[int]) -> Path:
    """Lay icons and the base's pictures into one folder, with a line for each that says what is known of it."""
    shutil.rmtree(folder, ignore_errors=True)  # of another try
    lines: list[dict[str, Any]] = []
    for place, icon in enumerate(icons):
        name = f"icon-{place:04d}{_ending(icon.data)}"
        write_whole(folder / name, icon.data)
        lines.append({"file_name": name, "text": icon.name, "tags": icon.tags, "style": style,
                      "licence": icon.licence, "author": icon.author})  # fmt: skip
    for row in beside:
        item, name = card.items[row], f"base-{row:05d}.png"
        out = io.BytesIO()
        Image.fromarray(straight(card.picture(row)), "RGBA").save(out, "PNG")
        write_whole(folder / name, out.getvalue())
        said = {key: item[key] for key in ("tags", "style", "category", "concept", "licence", "author", "url")}
        lines.append({"file_name": name, "text": item["name"], **said})
    write_whole(folder / "metadata.jsonl", "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode())
    return folder


def _ending(data: bytes) -> str:
    kind = kind_of(data)
    return next(ending for ending, own in SUFFIXES.items() if own == kind)


def straight(picture: np.ndarray) -> np.ndarray:
    """Premultiplied (S, S, 4) uint8 with straight colours."""
    values = picture.astype(np.float32)
    colour = values[..., :3] * 255 / values[..., 3:].clip(1)
    return np.concatenate([colour.clip(0, 255), values[..., 3:]], -1).round().astype(np.uint8)


def in_words(checked: Checked) -> str:
    """What was found of the icons, in lines."""
    head = f"{checked.n} icons; nearest to the style {checked.nearest}, which has {checked.known} of their things."
    twins = [f"{checked.twins} came twice and count once."] if checked.twins else []
    return "\n".join([head, *twins, *checked.warnings])


def as_facts(style: Style) -> dict[str, Any]:
    """A style pack as plain values."""
    return {"name": style.name, "model": style.model, "data": style.data, "checked": asdict(style.checked)}
