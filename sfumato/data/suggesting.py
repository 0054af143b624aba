"""Making suggestions of captions: from the file, its folder, what looks alike, and what ImageNet would call it."""

import re
from collections import Counter
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from sqlalchemy import select, update

from sfumato.data.features_of import unit, watch_features
from sfumato.data.narrowing import Where, narrow
from sfumato.data.records import KEPT, Item
from sfumato.data.suggest import COLUMN
from sfumato.features.labels import labels
from sfumato.jobs import JobContext, Progress

BATCH = 200
NEIGHBOURS = 5
NEAR = 0.75  # cosine of a neighbour whose caption says something of this picture
SURE = 0.35  # likelihood of a name of ImageNet
OTHERS = 4  # suggestions that are kept beside the first
DULL = re.compile(
    r"^(img|dsc|dscn|pxl|image|images|photo|photos|picture|pictures|screenshot|untitled|data|dataset|train|test|val|"
    r"copy|new|final|raw|jpe?g|png|webp|svg|\d+|[0-9a-f]{8,})$",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True)
class Suggestion:
    """A caption that somebody may accept, who suggests it, from what, and how sure that is, 0 to 1."""

    text: str
    by: str
    source: str
    sure: float


def work(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Suggest for every picture that is meant, and keep the best first; what was accepted stays."""
    by, where = spec["by"], Where.model_validate(spec["where"])
    with ctx.workspace.read() as session:
        kept = select(Item.id, Item.sha256, Item.key, Item.name, Item.evidence, Item.suggested).order_by(Item.id)
        rows = list(session.execute(narrow(kept, spec["dataset_id"], Where(state=KEPT))))
        meant = set(session.scalars(narrow(select(Item.id), spec["dataset_id"], where)))
    wanted = [place for place, row in enumerate(rows) if row.id in meant and (spec["with_caption"] or not row.name)]
    found: dict[int, list[Suggestion]] = {place: [] for place in wanted}
    if "file" in by:
        for place in wanted:
            found[place] += from_file(rows[place].evidence or {})
    if "folder" in by:
        for place in wanted:
            found[place] += from_folder(rows[place].key)
    if wanted and {"neighbours", "labels"} & set(by):
        features = yield from watch_features(ctx.workspace, [row.sha256 for row in rows])
        if "neighbours" in by:
            captions = [row.name for row in rows]
            for place, said in from_neighbours(unit(features), captions, wanted):
                found[place].append(said)
                yield Progress(place, len(rows), "pictures", "asking neighbours")
        if "labels" in by:
            for place, said in from_labels(features, wanted):
                found[place].append(said)
    counts: Counter[str] = Counter()
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        with ctx.write() as session:
            for place in part:
                best = _best(found[place], rows[place].name)
                if best is None:
                    continue
                counts[best["by"]] += 1
                same = update(Item).where(Item.id == rows[place].id, Item.name == rows[place].name)
                session.execute(same.values(suggested={**(rows[place].suggested or {}), COLUMN: best}))
        yield Progress(start + len(part), len(wanted), "pictures", "suggesting captions")
    n = sum(counts.values())
    return {"dataset": spec["dataset"], "n": n, "of": len(wanted), "by": dict(counts)}


def _best(said: list[Suggestion], caption: str) -> dict[str, Any] | None:
    """What is written beside a picture: the first suggestion that is not its caption, and the others."""
    other = [one for one in said if one.text.lower() != caption.strip().lower()]
    if not other:
        return None
    return asdict(other[0]) | {"others": [asdict(one) for one in other[1 : 1 + OTHERS]]}


def from_file(evidence: dict[str, Any]) -> list[Suggestion]:
    """What a file says of itself in words: caption or title, else its keywords."""
    found = []
    for name in ("caption", "title", "keywords"):
        told = evidence.get(name) or {}
        value = told.get("value", "")
        text = ", ".join(map(str, value[:8])) if isinstance(value, list) else str(value)
        text = " ".join(text.split())[:400]
        if text and not DULL.match(text):
            where = f"{name} in its {told.get('found', 'file')}"
            found.append(Suggestion(text, "file", where, 0.9 if name != "keywords" else 0.6))
    return found


def from_folder(key: str) -> list[Suggestion]:
    """Words of the file's name, and of its folder where the name says nothing."""
    path = PurePosixPath(key)
    for part, what, sure in ((path.stem, "the file's name", 0.5), (path.parent.name, "the folder's name", 0.4)):
        words = [word for word in WORD.findall(part.replace("_", " ")) if not DULL.match(word)]
        if any(len(word) > 2 and word.isalpha() for word in words):
            return [Suggestion(" ".join(words).lower(), "folder", what, sure)]
    return []


def from_neighbours(
    features: np.ndarray, captions: list[str], wanted: list[int]
) -> Generator[tuple[int, Suggestion], None, None]:
    """For each picture the caption of its nearest that has one, if it is near enough; more agree, the surer."""
    captioned = np.array([place for place, caption in enumerate(captions) if caption.strip()], int)
    if not len(captioned):
        return
    for place in wanted:
        cosines = features[captioned] @ features[place]
        order = [row for row in np.argsort(-cosines)[: NEIGHBOURS + 1] if captioned[row] != place][:NEIGHBOURS]
        if not order or cosines[order[0]] < NEAR:
            continue
        near = [captions[captioned[row]].strip() for row in order if cosines[row] >= NEAR]
        text, n = Counter(near).most_common(1)[0]
        text = text if n > 1 else near[0]
        sure = float(cosines[order[0]]) * (0.5 + 0.5 * near.count(text) / NEIGHBOURS)
        source = f"{near.count(text)} of {len(near)} pictures that look like it"
        yield place, Suggestion(text, "neighbours", source, round(min(sure, 1), 3))


def from_labels(features: np.ndarray, wanted: list[int]) -> Generator[tuple[int, Suggestion], None, None]:
    """For each picture the name that ImageNet has for it, where that is likely enough."""
    for start in range(0, len(wanted), BATCH):
        part = [place for place in wanted[start : start + BATCH] if features[place].any()]
        if not part:
            continue
        for place, [(name, likely)] in zip(part, labels(features[part], most=1), strict=True):
            if likely >= SURE:
                yield place, Suggestion(name, "labels", "ImageNet's names", round(likely, 3))
