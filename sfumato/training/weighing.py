"""What learning on somebody else's model takes, said before any of it is loaded: memory by what holds it, and time.

A step is walked through with tensors that have shapes and no values, so that what it keeps and how much it computes is
counted without its weights in memory. The time is that work over the speed of this machine, and rough.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sfumato.checkpoints.derived import TEXT
from sfumato.checkpoints.folders import OF_ITSELF
from sfumato.errors import InvalidInput
from sfumato.training.hardware import memory_free, memory_in_all
from sfumato.training.taking_in import speed

WORDS = {"unet": 77, "transformer": 60}  # tokens of a caption that is counted with
REACHED = 0.5  # share of the speed of products of large matrices that a step comes to
FLOAT, HALF = 4, 2  # bytes
CODEC_AT_WORK = 6  # planes of its finest level that the codec holds at once
STATES = 5  # gradient, two averages and two of AdamW, for each weight that learns


@dataclass(frozen=True)
class Weighed:
    """Bytes by what holds them, and seconds of a step and of all steps."""

    memory: dict[str, int]
    step_seconds: float
    seconds: float

    @property
    def in_all(self) -> int:
        """All memory that the run would take."""
        return sum(self.memory.values())


def weigh(module: Any, options: Any, pictures: int, captions: int) -> Weighed:
    """What a run of these options takes, for a version of so many pictures with so many captions.

    Raises Unsupported where diffusers is not installed.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode

    at_once = -(-options.batch // options.accumulate)
    with FakeTensorMode(allow_non_fake_inputs=True):
        net = module.build(options)
        given = example(options, at_once)
        kept = _kept(module, net, given)
        flops = _flops(module, net, {name: one[:1] for name, one in given.items()})
        learnt = sum(weight.numel() for weight in net.parameters())
    step = flops * options.batch / (speed() * 1e9 * REACHED)
    steps = -(-options.samples // options.batch)
    memory = _still(options, learnt, pictures, captions) | {"results": kept}
    words = FLOAT * sum(options.base["parameters"].get(part, 0) for part in TEXT)
    first = words + memory["program"] - sum(memory.values())
    if first > 0:  # captions are encoded before anything else is loaded
        memory["text encoders, at first, beyond that"] = first
    return Weighed(memory, float(f"{step:.3g}"), float(f"{step * steps:.3g}"))


def _still(options: Any, learnt: int, pictures: int, captions: int) -> dict[str, int]:
    """Bytes that do not depend on the step."""
    base, counted = options.base, options.base["parameters"]
    cells = (options.size // base["factor"]) ** 2 * int(base["network"]["in_channels"])
    words = WORDS[base["part"]] * _width(base["network"])
    return {
        "program": round(OF_ITSELF * 1e9),
        "weights": FLOAT * counted[base["part"]] + (FLOAT * learnt if learnt < counted[base["part"]] else 0),
        "codec": FLOAT * (counted.get("vae", 0) + CODEC_AT_WORK * options.size**2 * base["wide"]),
        "gradients, averages and optimiser": STATES * FLOAT * learnt,
        "latents and captions": HALF * (pictures * 2 * 2 * cells + captions * words),
    }


def refuse(options: Any, learns: int, weighed: Weighed | None = None) -> None:
    """Raise InvalidInput where memory is plainly not there, unless the options say to start all the same.

    Before a run is asked for, its weights, of which `learns` learn, are held against all memory of the machine; with
    what was `weighed`, all of it against what is free now.
    """
    if options.despite_memory:
        return
    part = options.base["part"]
    needed = weighed.in_all if weighed else FLOAT * (options.base["parameters"][part] + STATES * learns)
    there = memory_free() if weighed else memory_in_all()
    if there and needed > there:
        raise InvalidInput(
            f"Learning takes about {needed / 1e9:,.1f} GB of memory, and {there / 1e9:,.1f} GB "
            f"{'are free here' if weighed else 'is all that this machine has'}.",
            hint="A smaller size, --accumulate as large as the batch and --gradient-checkpointing take less, and lora "
            "takes less than full. --despite-memory starts it all the same. (train diffusers_lora, train full)",
        )  # fmt: skip


def example(options: Any, count: int) -> dict[str, Tensor]:
    """A batch of the shapes that a run would see, of nought."""
    base, network = options.base, options.base["network"]
    side = options.size // base["factor"]
    z = torch.zeros(count, int(network["in_channels"]), side, side)
    given = {
        "z": z, "t": torch.ones(count, dtype=torch.long), "target": torch.zeros_like(z),
        "words": torch.zeros(count, WORDS[base["part"]], _width(network)),
    }  # fmt: skip
    if network.get("addition_embed_type") == "text_time":
        pooled = int(network["projection_class_embeddings_input_dim"]) - 6 * int(network["addition_time_embed_dim"])
        given |= {"pooled": torch.zeros(count, pooled), "ids": torch.zeros(count, 6)}
    if base["part"] == "transformer":
        given |= {"words_on": torch.ones(count, WORDS["transformer"]), "resolution": torch.ones(count, 2),
                  "aspect_ratio": torch.ones(count, 1)}  # fmt: skip
    return given


def _width(network: Mapping[str, Any]) -> int:
    """Width of the states of a caption."""
    told = network.get("caption_channels") or network["cross_attention_dim"]
    return int(told[0] if isinstance(told, list) else told)


def _kept(module: Any, net: nn.Module, given: dict[str, Tensor]) -> int:
    """Bytes that the backward pass needs of the forward one, besides weights."""
    from torch.autograd.graph import saved_tensors_hooks

    own = {one.untyped_storage()._cdata for one in (*net.parameters(), *net.buffers())}
    saved: dict[int, int] = {}
    held: list[Tensor] = []

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            saved[storage._cdata] = storage.nbytes()
            held.append(tensor)  # so that no storage is counted twice under one place
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        module.losses(net, given)
    return sum(saved.values())


def _flops(module: Any, net: nn.Module, given: dict[str, Tensor]) -> int:
    """Multiplications and additions of one picture's step, there and back."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):  # a fused kernel is not counted
        loss = module.losses(net, given).sum()
        torch.autograd.grad(loss, list(net.parameters()), allow_unused=True)
    return int(counter.get_total_flops())
