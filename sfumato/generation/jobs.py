"""What a worker does for the generation room."""

import contextlib
import io
import re
import threading
from collections.abc import Generator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture
from sqlalchemy import select

from sfumato.actions import Workspace
from sfumato.catalog import Catalog
from sfumato.checkpoints.card import Card
from sfumato.checkpoints.elsewhere import engine_of
from sfumato.checkpoints.models import ModelView, find_model
from sfumato.db import link, new_id
from sfumato.errors import Conflict, SfumatoError, Unsupported
from sfumato.generation.drawing import Drawn, Network, Plan, draw
from sfumato.generation.engines.onnx_local import graph_path
from sfumato.generation.enlarging import enlarge
from sfumato.generation.knowledge import Understood
from sfumato.generation.metadata import Facts
from sfumato.generation.previews import Unfinished
from sfumato.generation.publish import PublishedView, place_again, publish
from sfumato.generation.records import Image, Published, Request
from sfumato.jobs import JobContext, Progress, job

ENGINES = Catalog("sfumato.generation.engines", ("load",))
STEM = 40  # characters of a prompt in a file's name
_loading = threading.Lock()


@lru_cache(maxsize=2)
def _network(engine: str, path: Path, sha256: str) -> Network:
    """A loaded network; a worker keeps it for the next request, unless the file has changed by then."""
    network: Network = ENGINES.get(engine).load(path)
    return network


def load_network(engine: str, model: ModelView) -> Network:
    """Load a model into an engine, once; raises Unsupported where the engine's library is not installed."""
    try:
        with _loading:
            return _network(engine, model.path, model.sha256)
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
        raise Unsupported(
            f"The model '{model.name}' needs torch to be drawn here, which is not installed.",
            hint="pip install 'sfumato[train]'",
        ) from missing


def load_ahead(wanted: str, model: ModelView) -> None:
    """Begin to load a model that will be needed soon, while this process does something else.

    The process waits for it before it ends, since a library that is torn down while it loads aborts.
    """

    def load() -> None:
        with contextlib.suppress(SfumatoError):  # the job itself will say what is wrong
            load_network(choose_engine(wanted, model), model)

    threading.Thread(target=load).start()


def choose_engine(wanted: str, model: ModelView) -> str:
    """The engine for a model: the one asked for, else onnxruntime where it has a graph, else torch."""
    if elsewhere := engine_of(model.header):
        return elsewhere
    if wanted != "auto":
        return wanted
    has_graph = graph_path(model.header.architecture, model.header.options).exists()
    return "onnx_local" if has_graph else "torch_local"


@job("generation.create", needs="image.create")
def create(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Draw what a request asks for, keep each picture as drawn, then publish it."""
    workspace, folder = ctx.workspace, Path(spec["folder"])
    with workspace.read() as session:
        request = session.scalars(select(Request).where(Request.id == spec["request"])).one()
        session.expunge(request)
    done = _already(workspace, request, folder)
    model = find_model(workspace, request.model, sha256=request.checkpoint_sha256)
    if model.sha256 != request.checkpoint_sha256:
        raise Conflict(f"The model '{request.model}' was changed since this was asked.", hint="Ask again.")
    yield Progress(len(done), request.n, "pictures", "loading the model")
    network = load_network(choose_engine(request.engine, model), model)
    card = None if engine_of(model.header) else model.card()
    missing = [place for place in range(request.n) if place not in done]
    plan = Plan(
        Understood(**request.understood), [request.seed + place for place in missing], request.sampler,
        request.steps, request.guidance,
    )  # fmt: skip
    before, unfinished = len(done), Unfinished(missing)
    for thing in draw(network, card, plan, ctx.cancelled, unfinished.watch):
        if isinstance(thing, Drawn):
            drawn = replace(thing, place=missing[thing.place])
            done[drawn.place] = _keep(ctx, request, drawn, card, model, folder)
            yield Progress(len(done), request.n, "pictures", "signing")
        else:
            so_far = round(before + thing * len(missing), 2)
            yield Progress(so_far, request.n, "pictures", "drawing", {"previews": unfinished.previews()})
    pictures = [done[place] for place in sorted(done)]
    return {
        "request": request.id,
        "pictures": [{"path": str(one.path), "seed": one.seed, "id": one.image_id} for one in pictures],
    }


@job("generation.export_model", needs="training.write")
def export_model(ctx: JobContext, spec: dict[str, Any]) -> Generator[Progress, None, dict[str, Any]]:
    """Write a model for other programs, and compare what they will draw where that can be done."""
    from sfumato.generation.carrying import carry  # torch is imported only by a worker that has such a job

    model = find_model(ctx.workspace, spec["model"], sha256=spec["sha256"])
    yield Progress(0, 1, "models", f"writing {spec['form']}")
    told = carry(model, spec["form"], Path(spec["target"]))
    yield Progress(1, 1, "models", "done")
    return {"model": model.name, "form": spec["form"], **told}


def _already(workspace: Workspace, request: Request, folder: Path) -> dict[int, PublishedView]:
    """What an attempt before this one had published already."""
    theirs = Image.request_id == request.id
    with workspace.read() as session:
        rows = session.execute(select(Image, Published).join(Published, Published.image_id == Image.id).where(theirs))
        found = {
            image.place: PublishedView(out.id, image.id, folder / out.file_name, out.sha256, image.seed)
            for image, out in rows
        }
    return {place: place_again(workspace, view) for place, view in found.items()}


def _keep(
    ctx: JobContext, request: Request, drawn: Drawn, card: Card | None, model: ModelView, folder: Path
) -> PublishedView:
    """Keep the pixels as drawn, write their row, then let the picture out into the folder."""
    out = io.BytesIO()
    Picture.fromarray(drawn.picture).save(out, "PNG")
    sha256 = ctx.workspace.store.put(out.getvalue())
    with ctx.write() as session:
        row = session.scalar(select(Image).where(Image.request_id == request.id, Image.place == drawn.place))
        if row is None:
            height, width = drawn.picture.shape[:2]
            row = Image(
                id=new_id(), made_by=ctx.actor.id, request_id=request.id, place=drawn.place, seed=drawn.seed,
                sha256=sha256, width=width, height=height, private_to=request.private_to,
                reference=None if drawn.reference is None or card is None
                else {"row": drawn.reference, **card.items[drawn.reference]},
            )  # fmt: skip
            session.add(row)
            session.flush()
            link(session, row.ref, f"request/{request.id}", "asked by")
    if row.sha256 != sha256:  # an attempt before this one had kept it, equal but for rounding
        drawn = replace(drawn, picture=np.asarray(Picture.open(io.BytesIO(ctx.workspace.store.get(row.sha256)))))
    large = enlarge(drawn.picture, request.upscale)
    facts = Facts(
        request_id=request.id, image_id=row.id, prompt="" if request.private else request.prompt, seed=drawn.seed,
        sampler=request.sampler, steps=request.steps, guidance=request.guidance, width=large.picture.shape[1],
        height=large.picture.shape[0], enlarged_by=large.by, model=model.name, checkpoint_sha256=model.sha256,
        data_hash=str(model.header.data.get("content_hash", "")), background=request.background,
        made_at=row.made_at.isoformat(timespec="seconds"),
    )  # fmt: skip
    return publish(ctx.workspace, large.picture, facts, folder, f"{file_stem(facts.prompt)}-{drawn.seed}", ctx.hold)


def file_stem(prompt: str) -> str:
    """What a picture's file is called after: its prompt in plain letters, or "picture"."""
    return re.sub(r"[^a-z0-9]+", "-", prompt.lower())[:STEM].strip("-") or "picture"
