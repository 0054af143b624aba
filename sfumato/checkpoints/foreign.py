"""What somebody else's weights are, told from a safetensors header alone: nothing of them is loaded or run."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from sfumato.checkpoints.header import described_of
from sfumato.errors import Damaged, InvalidInput

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
         "U8": 1, "BOOL": 1}  # fmt: skip
PICKLES = {".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle"}
UNET = "model.diffusion_model."
CROSS = UNET + "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"  # (channels, width of the text)
WIDTHS = {768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "Stable Diffusion XL"}
REFINER = 1280
ADAPTERS = (".lora_down.weight", ".lora_A.weight", ".lora_A.default.weight", ".lora.down.weight", "_lora.down.weight")
PARTS = {  # a key that only weights of this kind have
    "double_blocks.0.img_attn.qkv.weight": "Flux",
    "adaln_single.linear.weight": "PixArt",
    "joint_blocks.0.x_block.attn.qkv.weight": "Stable Diffusion 3",
    "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": "a U-Net of diffusers",
    "decoder.conv_in.weight": "an autoencoder",
}


@dataclass(frozen=True)
class Foreign:
    """Weights that Sfumato did not write: what they are, and what it takes to hold them."""

    kind: str  # "Stable Diffusion XL", ..., "an adapter", or "weights of a kind that is not known here"
    tensors: int
    parameters: int
    bytes: int  # of the weights as they lie in the file
    float32_bytes: int  # in memory at full precision

    @property
    def words(self) -> str:
        """In a sentence's words: "Stable Diffusion XL, 2,567 million weights; 5.1 GB, 10.3 GB at full precision"."""
        return (
            f"{self.kind}, {self.parameters / 1e6:,.1f} million weights; {self.bytes / 1e9:,.2f} GB to load, "
            f"{self.float32_bytes / 1e9:,.2f} GB at full precision"
        )


def recognise(path: Path) -> Foreign:
    """Say what a `.safetensors` file holds, from its names and shapes.

    Raises InvalidInput for a pickle or for what is no safetensors file, NotFound, and Damaged where a tensor's
    shape and its place in the file disagree.
    """
    if path.suffix.lower() in PICKLES:
        raise InvalidInput(
            f"{path.name} is a pickle by its name: opening it could run anything, so it is not opened.",
            hint="Ask for the weights as safetensors.",
        )
    described = {name: entry for name, entry in described_of(path).items() if name != "__metadata__"}
    shapes: dict[str, tuple[int, ...]] = {}
    taken = 0
    for name, entry in described.items():
        shape, size = _measured(path, name, entry)
        shapes[name] = shape
        taken += size
    parameters = sum(prod(shape) for shape in shapes.values())
    return Foreign(kind_of(shapes), len(shapes), parameters, taken, 4 * parameters)


def _measured(path: Path, name: str, entry: dict[str, Any]) -> tuple[tuple[int, ...], int]:
    """A tensor's shape and its bytes; raises Damaged where they disagree."""
    try:
        shape = tuple(int(side) for side in entry["shape"])
        first, last = (int(one) for one in entry["data_offsets"])
        if min(shape, default=0) < 0 or first < 0 or last - first != prod(shape) * BYTES[entry["dtype"]]:
            raise ValueError("shape and place disagree")
    except (KeyError, TypeError, ValueError, OverflowError) as problem:
        raise Damaged(f"{path.name} does not hold what it says at '{name}'.") from problem
    return shape, last - first


def kind_of(shapes: dict[str, tuple[int, ...]]) -> str:
    """Which family weights belong to, by names and shapes of their tensors."""
    if any(name.endswith(ADAPTERS) for name in shapes):
        return "an adapter"
    width = shapes.get(CROSS, ())[-1:]
    if width:
        return WIDTHS.get(width[0], "Stable Diffusion XL's refiner" if width[0] == REFINER else "a Stable Diffusion")
    for key, kind in PARTS.items():
        if key in shapes or f"{UNET}{key}" in shapes:
            return kind
    return "weights of a kind that is not known here"
