"""The peer of the drawing benchmark: a diffusers pipeline of a stock class, at equal size, steps and parameters.

Random weights, float32, the classes' default settings and loops: guidance on every step, PIL pictures out. The
text encoder is left out on their side; embeddings of twenty tokens of 384 numbers are given.

`pixart`: PixArtSigmaPipeline with as many tokens as our network has patches, over the smallest AutoencoderTiny.
`if`: IFPipeline, the stock pipeline that draws pixels, with a U-Net.
"""

import argparse
import itertools
from collections.abc import Callable
from typing import Any

import diffusers
import torch
from turns import repeat, serve

TOKENS, TEXT_WIDTH = 20, 384
STEPS, GUIDANCE = 12, 4.0
Draw = Callable[[int], Any]


def count(net: torch.nn.Module) -> int:
    """Parameters of a network."""
    return sum(weight.numel() for weight in net.parameters())


def nearest(build: Callable[..., torch.nn.Module], choices: list[tuple[int, ...]], parameters: int) -> tuple[int, ...]:
    """The choice whose network comes nearest to so many parameters."""
    with torch.device("meta"):
        return min(choices, key=lambda choice: abs(count(build(*choice)) - parameters))


def pixart(size: int, patch: int, parameters: int) -> tuple[torch.nn.Module, Draw]:
    """A PixArt-Sigma transformer and what draws n pictures with it."""

    def build(head: int, layers: int) -> torch.nn.Module:
        return diffusers.PixArtTransformer2DModel(
            num_attention_heads=3, attention_head_dim=head, in_channels=4, out_channels=8, num_layers=layers,
            cross_attention_dim=3 * head, sample_size=size, patch_size=patch, caption_channels=TEXT_WIDTH,
            use_additional_conditions=False,
        )  # fmt: skip

    choices = list(itertools.product(range(48, 161, 4), (5, 6, 8, 10, 12)))
    net = build(*nearest(build, choices, parameters)).eval()
    codec = diffusers.AutoencoderTiny(
        encoder_block_out_channels=(32,), decoder_block_out_channels=(32,), num_encoder_blocks=(1,),
        num_decoder_blocks=(1,),
    ).eval()  # fmt: skip
    scheduler = diffusers.DPMSolverMultistepScheduler()
    pipe = diffusers.PixArtSigmaPipeline(
        tokenizer=None, text_encoder=None, vae=codec, transformer=net, scheduler=scheduler
    )
    pipe.set_progress_bar_config(disable=True)

    def draw(n: int) -> Any:
        said, there = torch.randn(n, TOKENS, TEXT_WIDTH), torch.ones(n, TOKENS)
        return pipe(
            prompt=None, negative_prompt=None, prompt_embeds=said, prompt_attention_mask=there,
            negative_prompt_embeds=torch.zeros_like(said), negative_prompt_attention_mask=there,
            num_inference_steps=STEPS, guidance_scale=GUIDANCE, height=size, width=size,
            use_resolution_binning=False,
        ).images  # fmt: skip

    return net, draw


def pixel_unet(size: int, patch: int, parameters: int) -> tuple[torch.nn.Module, Draw]:
    """A DeepFloyd-IF U-Net and what draws n pictures with it; there are no patches."""

    def build(width: int, layers: int) -> torch.nn.Module:
        return diffusers.UNet2DConditionModel(
            sample_size=size, in_channels=3, out_channels=6, layers_per_block=layers,
            block_out_channels=(width, 2 * width, 3 * width),
            down_block_types=("ResnetDownsampleBlock2D", *["SimpleCrossAttnDownBlock2D"] * 2),
            up_block_types=(*["SimpleCrossAttnUpBlock2D"] * 2, "ResnetUpsampleBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn", cross_attention_dim=3 * width, encoder_hid_dim=TEXT_WIDTH,
            attention_head_dim=width, norm_num_groups=8, resnet_time_scale_shift="scale_shift", act_fn="gelu",
        )  # fmt: skip

    choices = list(itertools.product(range(16, 161, 8), (1, 2, 3)))
    net = build(*nearest(build, choices, parameters)).eval()
    pipe = diffusers.IFPipeline(
        tokenizer=None, text_encoder=None, unet=net, safety_checker=None, feature_extractor=None, watermarker=None,
        scheduler=diffusers.DDPMScheduler(variance_type="learned_range"), requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)

    def draw(n: int) -> Any:
        said = torch.randn(n, TOKENS, TEXT_WIDTH)
        return pipe(
            prompt_embeds=said, negative_prompt_embeds=torch.zeros_like(said), num_inference_steps=STEPS,
            guidance_scale=GUIDANCE, height=size, width=size,
        ).images  # fmt: skip

    return net, draw


SHAPES = {"pixart": pixart, "if": pixel_unet}


def main() -> None:
    """Draw by turns until there are no more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=SHAPES)
    for name in ("size", "patch", "parameters"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    torch.manual_seed(0)
    net, draw = SHAPES[given.shape](given.size, given.patch, given.parameters)
    about = {
        "parameters": count(net), "threads": torch.get_num_threads(), "class": type(net).__name__,
        "torch": torch.__version__, "diffusers": diffusers.__version__,
    }  # fmt: skip
    serve(about, lambda asked: repeat(lambda: draw(asked["n"]), asked))


if __name__ == "__main__":
    main()
