"""Full fine-tuning of somebody else's model: all weights of the denoiser in a folder of diffusers learn.

Codec, text encoders and scheduler stay the folder's. Its file holds the denoiser's weights in float32; the folder has
to stay in the workspace.
"""

from typing import Any

from pydantic import Field

from sfumato.training import denoising
from sfumato.training.denoising import batch, build, choices, held_out, losses, of_parent, phases, preview
from sfumato.training.encoded import COPIES, load_material, weights_of
from sfumato.training.weighing import Weighed, refuse, weigh

__all__ = ["Options", "batch", "build", "check", "choices", "describe", "held_out", "load_material", "losses",
           "of_parent", "phases", "preview", "weigh", "weights_of"]  # fmt: skip

NEEDS_PARENT = True
TRIED = False  # a step takes too long to try all ways of taking it
HALF = False  # what is learnt may be smaller than what bfloat16 tells apart
CARD = COPIES  # pixels of pictures in the training card


class Options(denoising.Options):
    """What is chosen for a run; the network is the parent's."""

    lr: float = Field(1e-5, gt=0, le=1, description="highest learning rate")


def check(options: Options, weighed: Weighed | None = None) -> None:
    """Raise InvalidInput where there is no memory for all weights to learn."""
    refuse(options, int(options.base["parameters"][options.base["part"]]), weighed)


def describe(options: Options) -> dict[str, Any]:
    """What a checkpoint's header says of the network, and which part of its folder the file holds."""
    return {**denoising.describe(options), "parts": [options.base["part"]]}
