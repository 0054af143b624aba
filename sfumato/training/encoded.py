"""What a run on somebody else's model learns from: latents and encoded captions, computed once and then kept.

Each picture's latents lie in a file named by its hash, below one for codec, size and fit; each caption's states in one
named by its text, below one for the text encoders. So an interrupted run encodes nothing twice, versions share
what they have in common, and what is erased leaves the cache.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sfumato.checkpoints.derived import TEXT, Weights, chain_of, folder_of
from sfumato.data.pictures import open_picture
from sfumato.data.versions import FrozenVersion, ItemLine
from sfumato.store.files import draft, finish
from sfumato.training.ahead import texts_of
from sfumato.training.borrowed import library
from sfumato.training.buckets import Batches, Fit, Place, batches_of, draw, fit_of, fitted
from sfumato.training.feeding import counted
from sfumato.training.material import Material
from sfumato.training.material import load_material as load_plain

LEAST = 128  # pixels that an SVG is drawn at
COPIES = 64  # pixels of the small copies that drawings are compared with
LONGEST = 300  # tokens of a caption, for a text encoder that reads as many
WORDLESS = ""
Loading = Generator[tuple[int, int, str], None, Any]


@dataclass
class Encoded(Material):
    """Latents and encoded captions beside the lines of a version; `pictures` are small copies."""

    latents: list[np.ndarray] = field(default_factory=list)  # each (as it is or mirrored, mean or std, C, H, W)
    states: dict[str, np.ndarray] = field(default_factory=dict)  # by rows of captions: words, and what of them is there
    places: list[Place] = field(default_factory=list)  # of each picture in the shape that the network sees
    nothing: int = 0  # the row of no words
    kept_share: Tensor = field(default_factory=lambda: torch.ones(1))  # (T): a of each time, the share of the picture
    folder: Path = Path()
    codec: Any = None
    fit: Fit | None = None
    conditioned: bool = False  # whether the network is told of resolution and aspect ratio

    @cached_property
    def batches(self) -> Batches:
        """The order of batches of one bucket each."""
        return batches_of(self, self.places)

    def order(self, seed: int, position: int, count: int) -> np.ndarray:
        """Rows of the batch at a position; where all pictures have one shape, in the order of every other run."""
        if len(self.batches.groups) == 1:
            return super().order(seed, position, count)
        return self.batches.rows(seed, position, count)

    @property
    def fitted(self) -> dict[str, Any]:
        """How pictures were fitted, for a run's record."""
        name = self.fit.name if self.fit else "whole"
        return fitted(name, self.places, self.train)

    def shape(self, rows: np.ndarray) -> tuple[int, int, int, int]:
        """Shape of the latents of these rows, all of one bucket."""
        channels, height, width = self.latents[rows[0]].shape[2:]
        return len(rows), channels, height, width

    def latents_of(self, rows: np.ndarray, flips: np.ndarray, spread: Tensor) -> Tensor:
        """Scaled latents (B, C, H, W) of rows of one bucket, `spread` deviations from their mean."""
        kept = np.stack([self.latents[row][int(flip)] for row, flip in zip(rows, flips, strict=True)])
        mean, deviation = (torch.from_numpy(kept[:, one]).float() for one in (0, 1))
        settings = self.codec.config
        found: Tensor = mean + deviation * spread - float(getattr(settings, "shift_factor", None) or 0.0)
        return found * float(settings.scaling_factor)

    def told(self, rows: np.ndarray, captions: np.ndarray) -> dict[str, Tensor]:
        """What the network is told of pictures and captions, as tensors of B rows."""
        found = {name: torch.from_numpy(values[captions].astype(np.float32)) for name, values in self.states.items()}
        laid = [self.places[row] for row in rows]
        if "pooled" in found:  # Stable Diffusion XL: height and width as collected, where it was cut, and as it is
            sizes = [(*one.side[::-1], *one.corner, *one.shape) for one in laid]
            found["ids"] = torch.tensor(sizes, dtype=torch.float32)
        if self.conditioned:  # PixArt: height and width, and the one over the other
            found["resolution"] = torch.tensor([one.shape for one in laid], dtype=torch.float32)
            found["aspect_ratio"] = found["resolution"][:, :1] / found["resolution"][:, 1:]
        return found

    def said(self, caption: int, base: dict[str, Any]) -> dict[str, Any]:
        """One caption, and no words, as arguments of the pipeline."""
        one, none = ({name: torch.from_numpy(values[row : row + 1].astype(np.float32))
                      for name, values in self.states.items()} for row in (caption, self.nothing))  # fmt: skip
        found: dict[str, Any] = {"prompt_embeds": one["words"], "negative_prompt_embeds": none["words"]}
        if "pooled" in one:
            found |= {"pooled_prompt_embeds": one["pooled"], "negative_pooled_prompt_embeds": none["pooled"]}
        if "words_on" in one:
            found |= {"prompt": None, "negative_prompt": None, "prompt_attention_mask": one["words_on"],
                      "negative_prompt_attention_mask": none["words_on"], "use_resolution_binning": False,
                      "clean_caption": False}  # fmt: skip
        return found

    def pipeline(self, library: Any, net: nn.Module, base: dict[str, Any]) -> Any:
        """The folder's own pipeline with its codec, its scheduler and this network, without text encoders."""
        schedule = dict(base["schedule"])
        steps = getattr(library, schedule["_class_name"]).from_config(schedule)
        parts: dict[str, Any] = {"text_encoder": None, "tokenizer": None, "vae": self.codec, "scheduler": steps}
        parts[base["part"]] = net
        if base["pipeline"] == "StableDiffusionPipeline":
            parts |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        if base["pipeline"] == "StableDiffusionXLPipeline":
            parts |= {"text_encoder_2": None, "tokenizer_2": None, "add_watermarker": False}
        pipe = getattr(library, base["pipeline"])(**parts)
        pipe.set_progress_bar_config(disable=True)
        return pipe


class Tensors(Mapping[str, Tensor]):
    """Weights by name as tensors, each read when it is asked for."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def __getitem__(self, name: str) -> Tensor:
        return torch.from_numpy(np.array(self._weights[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


def weights_of(parent: Path) -> Tensors:
    """The weights of a model's denoiser, with all that it and its ancestors changed of it."""
    folder = folder_of(parent)
    part = "unet" if (folder / "unet").is_dir() else "transformer"
    return Tensors(Weights(*sorted((folder / part).glob("*.safetensors"))))


def load_material(version: FrozenVersion, options: Any, parent: Path, cache: Path) -> Loading:
    """Encode what is not encoded yet, yielding (done, total, what is done); returns the Encoded.

    The text encoders leave memory before the codec comes, and both before the denoiser is built.
    """
    peer, folder, base = library(), folder_of(parent), options.base
    steps = load_plain(version, min(options.size, COPIES), cache, with_words=False)
    plain: Material = yield from counted(steps, "reading the pictures")
    chain = chain_of(parent)
    packed = chain[-1][0]
    touched = [file for file, header in chain if any(one.startswith(TEXT) for one in header.adapter.get("modules", []))]
    texts = [*texts_of(plain), WORDLESS]
    place = cache / "captions" / (touched[0] if touched else packed).name
    states = yield from _encode_captions(texts, base, folder, place)
    codec = getattr(peer, _class_of(folder)).from_pretrained(
        folder / "vae", torch_dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    codec.eval().requires_grad_(False)
    fit = fit_of(options)
    place = cache / "latents" / f"{packed.name}-{options.size}{fit.key}"
    latents, places = yield from _encode_pictures(version, plain, options, (codec, fit), place)
    schedule = peer.DDPMScheduler.from_config(base["schedule"])
    told = base["network"].get("use_additional_conditions")
    conditioned = base["part"] == "transformer" and (base["network"]["sample_size"] == 128 if told is None else told)
    return Encoded(
        **{name: one for name, one in vars(plain).items()}, latents=latents, states=states, places=places, fit=fit,
        nothing=len(texts) - 1, kept_share=schedule.alphas_cumprod.float(), folder=folder, codec=codec,
        conditioned=bool(conditioned),
    )  # fmt: skip


def _class_of(folder: Path) -> str:
    return str(json.loads((folder / "vae" / "config.json").read_text())["_class_name"])


def _encode_captions(texts: list[str], base: dict[str, Any], folder: Path, place: Path) -> Loading:
    """States of every caption, by name, padded to the longest: words (C, T, D), words_on (C, T), pooled (C, P)."""
    places = [place / f"{hashlib.sha256(text.encode()).hexdigest()}.npz" for text in texts]
    if not all(path.exists() for path in places):
        encode = _encoder(base, folder)
        for done, (text, path) in enumerate(zip(texts, places, strict=True)):
            if not path.exists():
                _keep(path, encode(text))
            yield done + 1, len(texts), "encoding captions"
    found = [dict(np.load(path)) for path in places]
    longest = max(len(one["words"]) for one in found)
    for one in found:
        for name in {"words", "words_on"} & one.keys():
            one[name] = np.pad(one[name], [(0, longest - len(one[name]))] + [(0, 0)] * (one[name].ndim - 1))
    states = {name: np.stack([one[name] for one in found]) for name in found[0]}
    if base["pipeline"] == "StableDiffusionXLPipeline" and base["zeros"]:  # as the pipeline says nothing
        states["words"][-1], states["pooled"][-1] = 0, 0
    return states


def _encoder(base: dict[str, Any], folder: Path) -> Callable[[str], dict[str, np.ndarray]]:
    """A function from a caption to its states, by the pipeline's own way with its text encoders alone in memory."""
    left_out: dict[str, Any] = {base["part"]: None, "vae": None}
    if base["pipeline"] == "StableDiffusionPipeline":
        left_out |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    pipe = getattr(library(), base["pipeline"]).from_pretrained(
        folder, torch_dtype=torch.float32, use_safetensors=True, local_files_only=True, **left_out
    )

    def encode(text: str) -> dict[str, np.ndarray]:
        with torch.no_grad():
            if base["part"] == "transformer":
                most = min(LONGEST, pipe.tokenizer.model_max_length)
                words, there, *_ = pipe.encode_prompt(
                    text, do_classifier_free_guidance=False, device="cpu", max_sequence_length=most, clean_caption=False
                )
                said = max(1, int(there[0].sum()))  # what is padding is masked, so that it may be left out
                return {"words": _half(words[0, :said]), "words_on": _half(there[0, :said])}
            if base["pipeline"] == "StableDiffusionXLPipeline":
                words, _, pooled, _ = pipe.encode_prompt(text, device="cpu", do_classifier_free_guidance=False)
                return {"words": _half(words[0]), "pooled": _half(pooled[0])}
            words, _ = pipe.encode_prompt(
                text, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False
            )
            return {"words": _half(words[0])}

    return encode


def _encode_pictures(
    version: FrozenVersion, plain: Material, options: Any, how: tuple[Any, Fit], place: Path
) -> Loading:
    """Latents (2, 2, C, H, W) of all pictures and the places of them, one picture at a time by codec and fit."""
    codec, fit = how
    found, places = [], []
    for row, line in enumerate(plain.lines):
        both = bool(options.flip and plain.flip_ok[row])
        path = place / f"{line.sha256}.npz"
        kept = dict(np.load(path)) if path.exists() else {}
        if len(kept.get("latents", ())) < 1 + both:
            kept = _encode_picture(version, line, fit, codec, both=both)
            _keep(path, kept)
            yield row + 1, len(plain.lines), "encoding pictures"
        latents = kept["latents"]
        found.append(latents if len(latents) == 2 else np.repeat(latents, 2, 0))  # the second is never asked for
        places.append(fit.place(*map(int, kept["side"])))
    return found, places


def _encode_picture(version: FrozenVersion, line: ItemLine, fit: Fit, codec: Any, *, both: bool) -> dict[str, Any]:
    most = version.workspace.settings.max_pixels
    opened = open_picture(version.read_bytes(line), most, svg_size=max(*fit.shapes[0], LEAST))
    side = np.array(opened.size, np.int64)
    picture = draw(opened, fit.place(*opened.size)).astype(np.float32)
    white = (picture[..., :3] + 255 - picture[..., 3:]).transpose(2, 0, 1) / 127.5 - 1
    ways = [white, white[:, :, ::-1]] if both else [white]
    latents = []
    for one in ways:
        with torch.no_grad():
            told = codec.encode(torch.from_numpy(np.ascontiguousarray(one))[None])
        if hasattr(told, "latent_dist"):
            latents.append(torch.stack([told.latent_dist.mean[0], told.latent_dist.std[0]]))
        else:  # a codec that knows no deviation
            latents.append(torch.stack([told.latents[0], torch.zeros_like(told.latents[0])]))
    return {"latents": _half(torch.stack(latents)), "side": side}


def _half(values: Tensor) -> np.ndarray:
    return np.nan_to_num(values.float().numpy().clip(-65504, 65504)).astype(np.float16)


def _keep(path: Path, arrays: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft(path.parent) as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
        finish(stream, path)
