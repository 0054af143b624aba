"""Tiny random models of the true classes, as diffusers writes them: Stable Diffusion, its XL, and PixArt."""

from pathlib import Path
from typing import Any

SIDE = 32  # pixels of what they draw
WORDS = ["[PAD]", "[UNK]", "<s>", "</s>", "a", "red", "green", "disc", "square", "drop", "plain", "style"]


def make(kind: str, folder: Path, **schedule: Any) -> Path:
    """Write a model of a kind (`sd`, `xl` or `art`) into a folder; `schedule` changes its scheduler's settings."""
    import diffusers
    import torch

    torch.manual_seed(0)
    pipe = {"sd": _sd, "xl": _xl, "art": _art}[kind](diffusers, schedule)
    for one in pipe.components.values():
        if isinstance(one, torch.nn.Module):
            for name, weight in one.named_parameters():
                if kind == "art" and "scale_shift_table" in name:
                    torch.nn.init.normal_(weight, std=0.5)
    pipe.save_pretrained(folder)
    return folder


def _tokens() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel({one: place for place, one in enumerate(WORDS)}, "[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    special = [("<s>", 2), ("</s>", 3)]
    inner.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=special)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, model_max_length=16, pad_token="[PAD]", unk_token="[UNK]", eos_token="</s>"
    )


def _clip() -> Any:
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=37, num_attention_heads=4, num_hidden_layers=2,
        max_position_embeddings=16, projection_dim=32, bos_token_id=2, eos_token_id=3, pad_token_id=0,
    )  # fmt: skip


def _codec(diffusers: Any) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(16, 32), down_block_types=("DownEncoderBlock2D",) * 2, norm_num_groups=8,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip


def _unet(diffusers: Any, **told: Any) -> Any:
    return diffusers.UNet2DConditionModel(
        sample_size=SIDE // 2, layers_per_block=1, block_out_channels=(16, 32), norm_num_groups=8,
        attention_head_dim=8, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **told,
    )  # fmt: skip


def _sd(diffusers: Any, schedule: dict[str, Any]) -> Any:
    from transformers import CLIPTextModel

    return diffusers.StableDiffusionPipeline(
        vae=_codec(diffusers), text_encoder=CLIPTextModel(_clip()), tokenizer=_tokens(), safety_checker=None,
        scheduler=diffusers.DDIMScheduler(clip_sample=False, **schedule), feature_extractor=None,
        requires_safety_checker=False, unet=_unet(diffusers, cross_attention_dim=32),
    )  # fmt: skip


def _xl(diffusers: Any, schedule: dict[str, Any]) -> Any:
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    unet = _unet(
        diffusers, cross_attention_dim=64, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=80,
    )  # fmt: skip
    return diffusers.StableDiffusionXLPipeline(
        vae=_codec(diffusers), text_encoder=CLIPTextModel(_clip()), tokenizer=_tokens(), tokenizer_2=_tokens(),
        text_encoder_2=CLIPTextModelWithProjection(_clip()), unet=unet, add_watermarker=False,
        scheduler=diffusers.EulerDiscreteScheduler(**schedule),
    )  # fmt: skip


def _art(diffusers: Any, schedule: dict[str, Any]) -> Any:
    import transformers

    text = transformers.T5Config(vocab_size=len(WORDS), d_model=32, d_ff=37, d_kv=8, num_layers=2, num_heads=4)
    return diffusers.PixArtSigmaPipeline(
        vae=_codec(diffusers), text_encoder=transformers.T5EncoderModel(text), tokenizer=_tokens(),
        scheduler=diffusers.DPMSolverMultistepScheduler(**schedule),
        transformer=diffusers.PixArtTransformer2DModel(
            num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=8, num_layers=2,
            sample_size=SIDE // 2, cross_attention_dim=32, caption_channels=32, use_additional_conditions=False,
        ),
    )  # fmt: skip
