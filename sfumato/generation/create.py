"""Creating: from options to a request and its job, and what came of it."""

import errno
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sfumato.actions import Act, Workspace, action
from sfumato.checkpoints.elsewhere import engine_of
from sfumato.checkpoints.folders import ARCHITECTURE as FOLDER
from sfumato.checkpoints.models import DEFAULT, ModelView, find_model
from sfumato.data.collect import read_options
from sfumato.db import link, new_id
from sfumato.errors import InvalidInput, NoSpace
from sfumato.generation.drawing import ONE_CALL, SAMPLERS
from sfumato.generation.jobs import load_ahead
from sfumato.generation.knowledge import Understood, taught_grounds, understand, undisclosed
from sfumato.generation.publish import check_background
from sfumato.generation.records import Request
from sfumato.jobs import JobView, enqueue

LONGEST = 2_000
ITS_OWN = "its own scheduler"  # instead of a sampler's name, for a folder of diffusers


class CreateOptions(BaseModel):
    """What may be asked of a drawing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    n: int = Field(4, ge=1, le=64, description="number of pictures")
    seed: int | None = Field(None, ge=0, lt=2**62, description="of the first picture; the next ones count on")
    model: str = Field(DEFAULT, description="name of the model")
    sampler: str = Field("dpmpp_2m", description="how steps are taken: dpmpp_2m, heun or euler")
    steps: int = Field(12, ge=1, le=100, description="steps from noise to picture")
    guidance: float = Field(4.0, ge=0, le=20, description="how strongly the words count; 1 as learnt, 0 not at all")
    background: str = Field("white", description="white, transparent, or a colour such as #ffcc00")
    upscale: Literal[1, 2, 4, 8] = Field(4, description="how many times larger than drawn; learned where it fits")
    private: bool = Field(False, description="leave the prompt out of the file and its name")
    engine: Literal["auto", "onnx_local", "torch_local"] = Field("auto", description="what draws")

    @field_validator("guidance", mode="before")
    @classmethod
    def _whole_numbers_too(cls, value: Any) -> Any:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@dataclass(frozen=True)
class Asked:
    """A request that was written down: its job, and what the model makes of the sentence."""

    request_id: str
    seed: int
    model: str
    understood: Understood
    job: JobView

    @property
    def said(self) -> str:
        """What is said to a person before drawing."""
        return self.understood.text


@dataclass(frozen=True)
class CreatedPicture:
    """One picture that came of a request."""

    id: str
    seed: int
    path: Path


@dataclass(frozen=True)
class Created:
    """What came of a request."""

    request_id: str
    seed: int
    model: str
    said: str
    pictures: list[CreatedPicture]


def create(
    workspace: Workspace,
    *,
    prompt: str,
    out: str | Path | None = None,
    options: dict[str, Any] | None = None,
    nearby: bool = False,
) -> Asked:
    """Ask for pictures of a sentence; raises InvalidInput naming what cannot be, NotFound for a model or sampler.

    Who will draw `nearby`, in this process, has the network loaded while the sentence is looked at.
    """
    plan: CreateOptions = read_options(CreateOptions, options or {})
    text = check_prompt(prompt)
    check_background(plan.background)
    model = find_model(workspace, plan.model)
    if "size" not in model.header.options:
        raise InvalidInput(
            f"The model '{plan.model}' has a network that Sfumato does not know: it draws only where it was made.",
            hint="Name another model.",
        )
    if model.header.architecture == FOLDER:
        plan = for_folder(plan, model.name)
    elif "latent" in model.header.options:
        plan = for_one_call(plan, model.name, elsewhere=bool(engine_of(model.header)))
    else:
        SAMPLERS.get(plan.sampler)
    elsewhere = engine_of(model.header)
    if not elsewhere and "text_width" not in model.header.options:
        raise InvalidInput(
            f"The model '{plan.model}' makes pictures larger; it draws none from words.", hint="Name another model."
        )
    if elsewhere:
        nearby, understood = False, undisclosed(text, model.header.options)
    if nearby:
        load_ahead(plan.engine, model)
    if not elsewhere:
        understood = understand(text, model.card(), grounds=taught_grounds(model.header))
    if plan.seed is None:
        plan = plan.model_copy(update={"seed": secrets.randbelow(2**31)})
    folder = writable_folder(Path(out).expanduser().absolute() if out else workspace.path / "pictures")
    return _ask(workspace, prompt=text, plan=plan, model=model, understood=understood, folder=folder)


def for_folder(plan: CreateOptions, name: str) -> CreateOptions:
    """The plan for a folder of diffusers, whose own scheduler takes the steps; what is large already stays so.

    Raises InvalidInput where another sampler or engine was asked for.
    """
    usual = CreateOptions()
    if plan.sampler not in (usual.sampler, ITS_OWN) or plan.engine != usual.engine:
        raise InvalidInput(
            f"The model '{name}' is drawn with by diffusers, and by its own scheduler.",
            hint="Leave out --sampler and --engine.",
        )
    upscale = 1 if plan.upscale == usual.upscale else plan.upscale
    return plan.model_copy(update={"sampler": ITS_OWN, "upscale": upscale})


def for_one_call(plan: CreateOptions, name: str, *, elsewhere: bool = False) -> CreateOptions:
    """The plan for a model that draws in one call; raises InvalidInput for what such a model cannot take.

    Where nothing else than usual was asked for, the record says what really happens: one step, no guidance. One that is
    drawn with `elsewhere` is not enlarged unless that is asked for.
    """
    usual = CreateOptions()
    taken = {"sampler": (usual.sampler, ONE_CALL), "steps": (usual.steps, 1), "guidance": (usual.guidance, 0.0, 1.0)}
    refused = [option for option, values in taken.items() if getattr(plan, option) not in values]
    if refused:
        raise InvalidInput(
            f"The model '{name}' draws in one call: it has no {' and no '.join(refused)} to choose.",
            hint="Leave that out; guidance 0, which says nothing to the network, is the only choice.",
        )
    if elsewhere and plan.engine != usual.engine:
        raise InvalidInput(f"The model '{name}' is drawn with by TensorFlow.", hint="Leave out --engine.")
    said = 0.0 if plan.guidance == 0 or elsewhere else 1.0
    upscale = 1 if elsewhere and plan.upscale == usual.upscale else plan.upscale
    return plan.model_copy(update={"sampler": ONE_CALL, "steps": 1, "guidance": said, "upscale": upscale})


def created(asked: Asked, job: JobView) -> Created:
    """What came of a request whose job is done."""
    made = (job.result or {}).get("pictures", [])
    pictures = [CreatedPicture(one["id"], one["seed"], Path(one["path"])) for one in made]
    return Created(asked.request_id, asked.seed, asked.model, asked.said, pictures)


def check_prompt(prompt: str) -> str:
    """The prompt without needless space and what cannot be printed; InvalidInput when it says nothing or too much."""
    text = " ".join("".join(one if one.isprintable() else " " for one in prompt).split())
    if not text:
        raise InvalidInput("The prompt is empty.", hint='Say what to draw, such as "a red apple, noto style".')
    if len(text) > LONGEST:
        raise InvalidInput(
            f"The prompt has {len(text):,} characters; at most {LONGEST:,} are taken.",
            hint="The model reads about 20 words, so a short sentence loses nothing.",
        )
    return text


def writable_folder(folder: Path) -> Path:
    """The folder, made if need be and found to take files; raises InvalidInput in words."""
    blocked = next((one for one in (folder, *folder.parents) if one.exists() and not one.is_dir()), None)
    if blocked is not None:
        raise InvalidInput(f"{blocked} is a file, not a folder.", hint="Name a folder for the pictures.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"The disk of {folder} is full.", hint="Free some room, or name another.") from problem
        raise InvalidInput(
            f"{folder} cannot be written: {problem.strerror}.", hint="Name a folder that you may write."
        ) from problem
    return folder


@action("image.create", needs="image.create")
def _ask(
    act: Act, *, prompt: str, plan: CreateOptions, model: ModelView, understood: Understood, folder: Path
) -> Asked:
    """Create pictures from a sentence."""
    assert plan.seed is not None
    row = Request(
        id=new_id(), made_by=act.actor.id, prompt=prompt, private=plan.private, n=plan.n, seed=plan.seed,
        private_to=act.actor.id if plan.private else "",
        sampler=plan.sampler, steps=plan.steps, guidance=plan.guidance, background=plan.background,
        upscale=plan.upscale, engine=plan.engine, model=model.name, checkpoint_sha256=model.sha256,
        understood=vars(understood),
    )  # fmt: skip
    act.session.add(row)
    link(act.session, row.ref, model.ref, "drawn by")
    act.says(f"asked {model.name} for {plan.n} pictures", subject=row.ref, private=plan.private)
    spec = {"request": row.id, "folder": str(folder)}
    key = f"generation.create:{row.id}"
    job = enqueue(act, kind="generation.create", spec=spec, key=key, lane="quick", private=plan.private)
    return Asked(row.id, row.seed, model.name, understood, job)
