"""A map of a dataset: its pictures in two dimensions, those that look alike near each other."""

import hashlib
import io
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from sfumato.actions import Act, Workspace, action, query
from sfumato.data.collect import find_dataset
from sfumato.data.features_of import EDITION, unit, watch_features
from sfumato.data.records import KEPT, Item
from sfumato.errors import Conflict
from sfumato.jobs import JobContext, JobView, Progress, enqueue
from sfumato.store.files import write_whole

FEWEST = 4  # pictures, below which a map shows nothing
COMPONENTS = 50  # that neighbours are looked for among
SEED = 0


@dataclass(frozen=True)
class MapView:
    """Where pictures lie on a dataset's map, each value between 0 and 1; `missing` came since it was drawn."""

    way: str
    ids: list[str]
    x: list[float]
    y: list[float]
    missing: int


@action("data.map", needs="dataset.write", doors=("api", "cli"))
def draw_map(act: Act, *, name: str) -> JobView:
    """Ask for the map of a dataset: pictures that look alike lie near each other."""
    dataset = find_dataset(act.session, name)
    act.says(f"asked for the map of {name}", subject=dataset.ref)
    return enqueue(act, kind="data.map", spec={"dataset": name, "dataset_id": dataset.id}, key=f"data.map:{dataset.id}")


def work(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Look at what is new, then lay all kept pictures out; nothing is done twice for the same pictures."""
    workspace, name = ctx.workspace, spec["dataset"]
    with workspace.read() as session:
        kept = select(Item.sha256).where(Item.dataset_id == spec["dataset_id"], Item.state == KEPT).distinct()
        sha256s = sorted(session.scalars(kept))
    if len(sha256s) < FEWEST:
        raise Conflict(f"'{name}' has {len(sha256s)} different pictures, too few for a map.", hint="Collect more.")
    way = way_here()
    key = hashlib.sha256("\n".join([EDITION, way, *sha256s]).encode()).hexdigest()
    told = {"dataset": name, "n": len(sha256s), "way": way, "key": key}
    there = _read(workspace, spec["dataset_id"])
    if there is not None and str(there["key"]) == key:
        yield Progress(len(sha256s), len(sha256s), "pictures", "the map is there already")
        return told
    features = yield from watch_features(workspace, sha256s)
    seen = np.linalg.norm(features, axis=1) > 0
    yield Progress(len(sha256s), len(sha256s), "pictures", f"laying out by {way}")
    places = lay_out(features[seen], way)
    out = io.BytesIO()
    hashes = np.array(sha256s)[seen]
    np.savez(out, key=np.array(key), way=np.array(way), sha256=hashes, places=places)
    write_whole(_path(workspace, spec["dataset_id"]), out.getvalue())
    return told | {"n": len(hashes)}


def way_here() -> str:
    """How pictures are laid out in this installation: t-SNE where openTSNE is installed, else principal components."""
    from importlib.util import find_spec

    return "t-SNE" if find_spec("openTSNE") else "principal components"


def lay_out(features: np.ndarray, way: str) -> np.ndarray:
    """Places (n, 2) float32 between 0 and 1 of features (n, D)."""
    centred = unit(features) - unit(features).mean(0)
    values, vectors = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    order = np.argsort(-values)[:COMPONENTS]
    components = centred @ vectors[:, order].astype(np.float32)
    places = components[:, :2]
    if way == "t-SNE" and len(features) > 10:
        from openTSNE import TSNE

        perplexity = min(30.0, (len(features) - 1) / 3)
        places = np.asarray(TSNE(perplexity=perplexity, n_jobs=1, random_state=SEED).fit(components))
    low, high = places.min(0), places.max(0)
    return ((places - low) / np.where(high > low, high - low, 1)).astype(np.float32)


@query("data.points", doors=("api", "cli"))
def show_map(act: Act, *, name: str) -> MapView:
    """Where a dataset's kept pictures lie on its map; raises Conflict where none was drawn yet."""
    dataset = find_dataset(act.session, name)
    drawn = _read(act.workspace, dataset.id)
    if drawn is None:
        raise Conflict(f"'{name}' has no map yet.", hint=f"Run: sfumato data map {name}")
    places = dict(zip(drawn["sha256"].tolist(), drawn["places"].round(5).tolist(), strict=True))
    kept = select(Item.id, Item.sha256).where(Item.dataset_id == dataset.id, Item.state == KEPT).order_by(Item.id)
    rows = act.session.execute(kept).all()
    shown = [(item_id, *places[sha256]) for item_id, sha256 in rows if sha256 in places]
    ids, x, y = ([row[column] for row in shown] for column in range(3))
    return MapView(str(drawn["way"]), ids, x, y, len(rows) - len(shown))


def _path(workspace: Workspace, dataset_id: str) -> Any:
    return workspace.path / "cache" / "maps" / f"map-{dataset_id}.npz"


def _read(workspace: Workspace, dataset_id: str) -> dict[str, np.ndarray] | None:
    try:
        with np.load(_path(workspace, dataset_id)) as drawn:
            return dict(drawn)
    except FileNotFoundError:
        return None
