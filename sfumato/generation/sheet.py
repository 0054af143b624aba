"""A sheet: many things drawn in one style by one model, each asked for, published and judged as any other picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sfumato.actions import Workspace
from sfumato.checkpoints.card import Card
from sfumato.checkpoints.models import find_model
from sfumato.data.captions import style_words
from sfumato.errors import InvalidInput
from sfumato.generation.create import Asked, Created, CreateOptions, create, created, writable_folder
from sfumato.generation.metadata import Facts
from sfumato.generation.publish import place, published_bytes
from sfumato.jobs import JobView
from sfumato.store.files import write_whole

MOST = 200
COLUMNS, GAP = 8, 12  # pictures in a row, and pixels between them
GROUND = (255, 255, 255)


@dataclass(frozen=True)
class Sheet:
    """A sheet that was drawn: its file, its style, and the pictures on it, by name."""

    path: Path
    model: str
    style: str
    pictures: dict[str, str]  # name -> file


def lacking(card: Card, style: str) -> list[str]:
    """Names that a card's other styles show and this one does not, in an order that mixes them."""
    there = {item["name"].lower() for item in card.items if item["style"] == style}
    learnt = {item["name"] for item in card.items if item["split"] == "train" and item["name"]}
    names = sorted(name for name in learnt if name.lower() not in there)
    return [names[place] for place in np.random.default_rng(0).permutation(len(names))]


def draw_sheet(
    workspace: Workspace, *, model: str, wait: Callable[[JobView], JobView], style: str = "",
    names: Sequence[str] = (), n: int = 24, seed: int = 1, out: str | Path | None = None, upscale: int = 4,
) -> Sheet:  # fmt: skip
    """Draw what a style lacks, or these names, all from one noise, and lay the pictures on one sheet.

    Without a style it is the one that is called as the model. Every picture is a request of its own, is signed, and
    waits for review; `wait` waits for its job. Raises InvalidInput for a style that the model does not know.
    """
    found = find_model(workspace, model)
    card = found.card()
    styles = sorted(card.summary.get("styles", {}))
    style = style or found.name.removesuffix("-long")
    if style not in styles:
        raise InvalidInput(f"The model '{model}' has no style '{style}'.", hint=f"It has: {', '.join(styles)}.")
    chosen = list(dict.fromkeys(names)) or lacking(card, style)[:n]
    if not 1 <= len(chosen) <= MOST:
        raise InvalidInput(f"A sheet takes 1 to {MOST} names, not {len(chosen)}.", hint="Name what to draw.")
    folder = writable_folder(Path(out).expanduser().absolute() if out else workspace.path / "pictures" / found.name)
    made: dict[str, tuple[Asked, Created]] = {}
    for name in chosen:
        wanted = create(
            workspace, prompt=f"{name}, {style_words(style)} style", out=folder,
            options={"n": 1, "seed": seed, "model": model, "upscale": upscale},
        )  # fmt: skip
        made[name] = wanted, created(wanted, wait(wanted.job))
    files = {name: one.pictures[0].path for name, (_, one) in made.items()}
    sheet = laid_out([np.asarray(Image.open(path).convert("RGB")) for path in files.values()])
    usual, first = CreateOptions(), made[chosen[0]][0]
    facts = Facts(
        request_id=first.request_id, image_id="", prompt=f"{style_words(style)} style: {', '.join(chosen)}", seed=seed,
        sampler=usual.sampler, steps=usual.steps, guidance=usual.guidance, width=sheet.shape[1], height=sheet.shape[0],
        model=found.name, checkpoint_sha256=found.sha256, data_hash=str(found.header.data.get("content_hash", "")),
        background="white", made_at=first.job.asked_at.isoformat(timespec="seconds"),
    )  # fmt: skip
    draft = folder / f".draft-sheet-{first.request_id}"
    write_whole(draft, published_bytes(workspace, sheet, facts))
    try:
        path = place(draft, f"sheet-{style}", first=f"sheet-{style}.png")
    finally:
        draft.unlink(missing_ok=True)
    return Sheet(path, found.name, style, {name: str(one) for name, one in files.items()})


def laid_out(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures (H, W, 3) of one size in rows of eight on white, (H', W', 4) uint8."""
    high, wide = pictures[0].shape[:2]
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (high + GAP) + GAP, columns * (wide + GAP) + GAP, 4), 255, np.uint8)
    sheet[..., :3] = GROUND
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        top, left = GAP + row * (high + GAP), GAP + column * (wide + GAP)
        sheet[top : top + high, left : left + wide, :3] = picture
    return sheet
