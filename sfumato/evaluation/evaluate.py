"""Evaluating a model: asking for it, and what was measured so far."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from sfumato.actions import Act, Workspace, action, query
from sfumato.checkpoints.models import DEFAULT, ModelView, find_model
from sfumato.data.collect import read_options
from sfumato.errors import InvalidInput
from sfumato.evaluation.records import Measurement
from sfumato.jobs import JobView, enqueue

GROUPS = {"train": "seen pairs", "heldout_pair": "held-out pairs", "heldout_concept": "held-out concepts"}


class EvaluateOptions(BaseModel):
    """What may be asked of an evaluation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    per_group: int = Field(200, ge=1, le=5000, description="drawings in each group")
    seed: int = Field(0, ge=0, lt=2**31, description="decides which prompts are drawn, and from which noise")
    engine: Literal["auto", "onnx_local", "torch_local"] = Field("auto", description="what draws")


@dataclass(frozen=True)
class MeasurementView:
    """One measured number with its interval."""

    id: str
    subject: str
    metric: str
    group: str
    value: float
    low: float
    high: float
    n: int
    made_at: datetime
    details: dict[str, Any]


def evaluate(workspace: Workspace, *, model: str = DEFAULT, options: dict[str, Any] | None = None) -> JobView:
    """Ask for a model to be measured; raises NotFound for an unknown model or one without a training card."""
    plan: EvaluateOptions = read_options(EvaluateOptions, options or {})
    found = find_model(workspace, model)
    card = found.card()
    if not any(item["split"] in GROUPS and item["name"] for item in card.items):
        raise InvalidInput(
            f"The data of '{model}' has no captions, so there is nothing to ask it for.",
            hint="Train on pictures with captions.",
        )
    return _ask(workspace, plan=plan, model=found, card_sha256=card.sha256)


@action("evaluation.evaluate", needs="evaluation.write")
def _ask(act: Act, *, plan: EvaluateOptions, model: ModelView, card_sha256: str) -> JobView:
    """Measure a model on what it has seen and on what was held out."""
    spec = {"model": model.name, "sha256": model.sha256, "card": card_sha256, **plan.model_dump()}
    act.says(f"asked to measure {model.name} on {plan.per_group} drawings a group", subject=model.ref)
    return enqueue(act, kind="evaluation.evaluate", spec=spec, key=f"evaluation.evaluate:{hash_of(spec)}")


def hash_of(spec: dict[str, Any]) -> str:
    """The SHA-256 of canonical JSON."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()


@query("evaluation.measurements", doors=("api", "library"))
def list_measurements(
    act: Act, *, model: str = DEFAULT, after: str | None = None, limit: int = 1_000
) -> list[MeasurementView]:
    """All that was ever measured of a model's present weights, the newest first.

    `after` is the id of the last one seen.
    """
    found = find_model(act.workspace, model)
    wanted = select(Measurement).where(Measurement.subject == found.ref).order_by(Measurement.id.desc()).limit(limit)
    if after:
        wanted = wanted.where(Measurement.id < after)
    return [_view(row) for row in act.session.scalars(wanted)]


def measured_of(session: Session, which: Any) -> list[Measurement]:
    """Measurements that meet a condition, the newest first."""
    return list(session.scalars(select(Measurement).where(which).order_by(Measurement.id.desc())))


def _view(row: Measurement) -> MeasurementView:
    return MeasurementView(**{name: getattr(row, name) for name in MeasurementView.__dataclass_fields__})
