"""What a worker does for the generation room."""

import io
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image as Picture
from sqlalchemy import select

from sfumato.actions import Workspace
from sfumato.catalog import Catalog
from sfumato.checkpoints.models import ModelView, find_model
from sfumato.db import link, new_id
from sfumato.errors import Conflict
from sfumato.generation.drawing import Drawn, Network, Plan, draw
from sfumato.generation.engines.onnx_local import graph_path
from sfumato.generation.enlarging import enlarge
from sfumato.generation.knowledge import Understood
from sfumato.generation.metadata import Facts
from sfumato.generation.publish import PublishedView, publish
from sfumato.generation.records import Image, Published, Request
from sfumato.jobs import JobContext, Progress, job

ENGINES = Catalog("sfumato.generation.engines", ("load",))


@lru_cache(maxsize=2)
def _network(engine: str, path: Path) -> Network:
    network: Network = ENGINES.get(engine).load(path)
    return network


def choose_engine(wanted: str, model: ModelView) -> str:
    """The engine for a model: the one asked for, else onnxruntime where it has a graph, else torch."""
    if wanted != "auto":
        return wanted
    has_graph = graph_path(model.header.architecture, model.header.options).exists()
    return "onnx_local" if has_graph else "torch_local"


@job("generation.create", lane="quick", needs="image.create")
def create(ctx: JobContext, spec: dict[str, Any]) -> Iterator[Progress]:
    """Draw what a request asks for, keep each picture as drawn, then publish it."""
    workspace = ctx.workspace
    with workspace.db.read() as session:
        request = session.scalars(select(Request).where(Request.id == spec["request"])).one()
        session.expunge(request)
    done = _already(workspace, request, Path(spec["folder"]))
    model = find_model(workspace, request.model)
    if model.sha256 != request.checkpoint_sha256:
        raise Conflict(f"The model '{request.model}' was changed since this was asked.", hint="Ask again.")
    yield Progress(0, request.n, "pictures", "loading the model")
    network = _network(choose_engine(request.engine, model), model.path)
    seeds = [request.seed + place for place in range(request.n)]
    understood = Understood(**request.understood)
    plan = Plan(understood, seeds, request.sampler, request.steps, request.guidance)
    card = model.card()
    for thing in draw(network, card, plan, ctx.cancelled):
        if not isinstance(thing, Drawn):
            yield Progress(round(thing * request.n, 2), request.n, "pictures", "drawing")
            continue
        if thing.place not in done:
            leaned = {"row": thing.reference, **card.items[thing.reference]}
            done[thing.place] = _keep(ctx, request, thing, leaned, model, Path(spec["folder"]))
        yield Progress(len(done), request.n, "pictures", "publishing")
    pictures = [done[place] for place in sorted(done)]
    return {
        "request": request.id,
        "pictures": [{"path": str(one.path), "seed": one.seed, "id": one.image_id} for one in pictures],
    }


def _already(workspace: Workspace, request: Request, folder: Path) -> dict[int, PublishedView]:
    """What an attempt before this one had published already."""
    with workspace.db.read() as session:
        rows = session.execute(
            select(Image, Published).join(Published, Published.image_id == Image.id).where(Image.request_id == request.id)
        )
        return {
            image.place: PublishedView(out.id, image.id, folder / out.file_name, out.sha256, image.seed)
            for image, out in rows
        }


def _keep(
    ctx: JobContext, request: Request, drawn: Drawn, leaned: dict[str, Any], model: ModelView, folder: Path
) -> PublishedView:
    """Keep the pixels as drawn, write their row, then let the picture out."""
    out = io.BytesIO()
    Picture.fromarray(drawn.picture).save(out, "PNG")
    sha256 = ctx.workspace.store.put(out.getvalue())
    with ctx.write() as session:
        row = session.scalar(select(Image).where(Image.request_id == request.id, Image.place == drawn.place))
        if row is None:
            height, width = drawn.picture.shape[:2]
            row = Image(
                id=new_id(), made_by=ctx.actor.id, request_id=request.id, place=drawn.place, seed=drawn.seed,
                sha256=sha256, width=width, height=height, reference=leaned,
            )  # fmt: skip
            session.add(row)
            link(session, row.ref, f"request/{request.id}", "asked by")
    large = enlarge(drawn.picture, request.upscale)
    facts = Facts(
        request_id=request.id, image_id=row.id, prompt="" if request.private else request.prompt, seed=drawn.seed,
        sampler=request.sampler, steps=request.steps, guidance=request.guidance, width=large.shape[1],
        height=large.shape[0], model=model.name, checkpoint_sha256=model.sha256,
        data_hash=str(model.header.data.get("content_hash", "")), background=request.background,
        made_at=row.made_at.isoformat(timespec="seconds"),
    )  # fmt: skip
    subject = "picture" if request.private else request.prompt
    stem = re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-")[:40] or "picture"
    return publish(ctx.workspace, large, facts, folder, f"{stem}-{drawn.seed}")
