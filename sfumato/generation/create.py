"""Creating: from options to a job, and from a job to published pictures."""

import secrets
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sfumato.actions import Act, Workspace, action
from sfumato.checkpoints.models import DEFAULT, ModelView, find_model
from sfumato.data.collect import read_options
from sfumato.db import link, new_id
from sfumato.errors import InvalidInput
from sfumato.generation.drawing import SAMPLERS
from sfumato.generation.knowledge import Understood, understand
from sfumato.generation.publish import HEX
from sfumato.generation.records import Request
from sfumato.jobs import JobView, enqueue

LONGEST = 2_000


class CreateOptions(BaseModel):
    """What may be asked of a drawing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    n: int = Field(4, ge=1, le=64, description="number of pictures")
    seed: int | None = Field(None, ge=0, lt=2**62, description="of the first picture; the next ones count on")
    model: str = Field(DEFAULT, description="name of the model")
    sampler: str = Field("dpmpp_2m", description="how steps are taken: dpmpp_2m, heun or euler")
    steps: int = Field(12, ge=1, le=100, description="steps from noise to picture")
    guidance: float = Field(2.0, ge=0, le=20, description="how strongly the words count")
    background: str = Field("white", description="white, transparent, or a colour such as #ffcc00")
    upscale: Literal[1, 2, 4, 8] = Field(4, description="how much larger than drawn, by Lanczos resampling")
    private: bool = Field(False, description="leave the prompt out of the file")
    engine: Literal["auto", "onnx_local", "torch_local"] = Field("auto", description="what draws")

    @field_validator("guidance", mode="before")
    @classmethod
    def _whole_numbers_too(cls, value: Any) -> Any:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Asked(BaseModel):
    """A request that was written down: its job, and what the model makes of the sentence."""

    request_id: str
    seed: int
    said: str
    job: Any


def create(
    workspace: Workspace, *, prompt: str, out: str | Path | None = None, options: dict[str, Any] | None = None
) -> Asked:
    """Ask for pictures of a sentence; raises InvalidInput naming what cannot be, NotFound for a model."""
    plan: CreateOptions = read_options(CreateOptions, options or {})
    text = check_prompt(prompt)
    if plan.background not in ("white", "transparent") and not HEX.fullmatch(plan.background):
        raise InvalidInput(
            f"The background cannot be '{plan.background}'.", hint="Use white, transparent, or a colour like #ffcc00."
        )
    SAMPLERS.get(plan.sampler)
    model = find_model(workspace, plan.model)
    understood = understand(text, model.card())
    if plan.seed is None:
        plan = plan.model_copy(update={"seed": secrets.randbelow(2**31)})
    folder = Path(out).expanduser().absolute() if out else workspace.path / "pictures"
    return _ask(workspace, prompt=text, plan=plan, model=model, understood=understood, folder=folder)


def check_prompt(prompt: str) -> str:
    """The prompt without needless space; raises InvalidInput when it says nothing or too much."""
    text = " ".join(prompt.split())
    if not text:
        raise InvalidInput("The prompt is empty.", hint='Say what to draw, such as "a red apple, noto style".')
    if len(text) > LONGEST:
        raise InvalidInput(
            f"The prompt has {len(text):,} characters; at most {LONGEST:,} are taken.",
            hint="The model reads about 20 words, so a short sentence loses nothing.",
        )
    return text


@action("image.create", needs="image.create")
def _ask(
    act: Act, *, prompt: str, plan: CreateOptions, model: ModelView, understood: Understood, folder: Path
) -> Asked:
    """Create pictures from a sentence."""
    row = Request(
        id=new_id(), made_by=act.actor.id, prompt=prompt, private=plan.private, n=plan.n, seed=plan.seed,
        sampler=plan.sampler, steps=plan.steps, guidance=plan.guidance, background=plan.background,
        upscale=plan.upscale, engine=plan.engine, model=model.name, checkpoint_sha256=model.sha256,
        understood=vars(understood),
    )  # fmt: skip
    act.session.add(row)
    link(act.session, row.ref, model.ref, "drawn by")
    act.says(f"asked {model.name} for {plan.n} pictures", subject=row.ref)
    spec = {"request": row.id, "folder": str(folder)}
    job: JobView = enqueue(act, kind="generation.create", spec=spec, key=f"generation.create:{row.id}", lane="quick")
    return Asked(request_id=row.id, seed=row.seed, said=understood.text, job=job)
