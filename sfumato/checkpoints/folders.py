"""Folders of diffusers: what one is, told from its JSON and headers alone, and all of it in one file and back.

Only what a pipeline of a known class needs is taken: JSON, vocabularies and safetensors. Pickles and code are neither
opened nor copied, and a part whose weights come as nothing else is refused.
"""

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfumato.checkpoints.foreign import recognise
from sfumato.checkpoints.header import Header, described_of
from sfumato.errors import Damaged, InvalidInput, NotFound, Unsupported
from sfumato.store import Store
from sfumato.store.files import draft

INDEX = "model_index.json"
ARCHITECTURE = "diffusers"  # what the header of such a file says
DENOISERS = {
    "StableDiffusionPipeline": "unet", "StableDiffusionXLPipeline": "unet", "PixArtAlphaPipeline": "transformer",
    "PixArtSigmaPipeline": "transformer",
}  # fmt: skip
LIBRARIES = {"diffusers", "transformers", "stable_diffusion"}  # the last is a module of diffusers
NETWORKS = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "safety_checker", "image_encoder")
WEIGHTS = re.compile(r"(diffusion_pytorch_model|model)(-\d{5}-of-\d{5})?\.safetensors")
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*\.(json|txt|model)|spiece\.model")
PLACE = re.compile(r"([a-z0-9_]+/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")
LONGEST_JSON = 30_000_000  # a tokenizer's vocabulary
CONFIG = "config.json"
OF_ITSELF = 0.4  # gigabytes that torch and diffusers take before there are weights


@dataclass(frozen=True)
class Folder:
    """A folder of diffusers, and what it takes to draw with it."""

    pipeline: str
    size: int  # side of a picture in pixels
    cells: int  # places that the denoiser works on
    files: dict[str, Path]
    parameters: int
    denoiser: int  # parameters of it alone

    @property
    def memory_gb(self) -> float:
        """For one picture: all weights in float32, a quarter more for what is computed, and diffusers itself."""
        return OF_ITSELF + 1.25 * 4 * self.parameters / 1e9

    @property
    def step_flops(self) -> float:
        """Operations of one guided step, roughly: two calls of two a weight and place; a U-Net has most of its
        weights where there are few places, so an eighth of that (0.8 of 7 tera in Stable Diffusion 1.5)."""
        share = 1 / 8 if DENOISERS[self.pipeline] == "unet" else 1
        return 2 * 2 * self.denoiser * self.cells * share

    def facts(self) -> dict[str, Any]:
        """What a checkpoint's header says of it."""
        return {"pipeline": self.pipeline, "size": self.size, "parameters": self.parameters,
                "memory_gb": round(self.memory_gb, 2), "step_gflops": round(self.step_flops / 1e9, 1)}  # fmt: skip


def look_into(folder: Path) -> Folder:
    """Say what a folder is from its JSON files and the headers of its weights; nothing of it is loaded or run.

    Raises NotFound, Unsupported for classes that are not drawn with, InvalidInput for weights that come as pickles
    alone, for code and for absurd headers, and Damaged for a file that does not hold what it says.
    """
    index = _read(folder / INDEX)
    pipeline = index.get("_class_name")
    if pipeline not in DENOISERS:
        raise Unsupported(
            f"{folder.name} is a {pipeline}, which is not drawn with here.", hint=f"These are: {', '.join(DENOISERS)}."
        )
    parts = {name: given for name, given in index.items() if isinstance(given, list) and any(given)}
    for name, given in parts.items():
        if len(given) != 2 or given[0] not in LIBRARIES or not re.fullmatch(r"[a-z0-9_]+", name):
            raise InvalidInput(
                f"The part '{name}' of {folder.name} is {'.'.join(map(str, given))}: code from outside of diffusers.",
                hint="Code that comes with a model is not run here.",
            )
    files = {INDEX: folder / INDEX}
    counted: dict[str, int] = {}
    for name in sorted(parts):
        found = _part(folder / name, needs_weights=name in NETWORKS)
        files |= {f"{name}/{path.name}": path for path in found}
        counted[name] = sum(recognise(path).parameters for path in found if path.suffix == ".safetensors")
    denoiser = DENOISERS[pipeline]
    size, cells = _sizes(folder, denoiser)
    return Folder(pipeline, size, cells, files, sum(counted.values()), counted.get(denoiser, 0))


def _part(folder: Path, *, needs_weights: bool) -> list[Path]:
    """The files of one part that are taken."""
    if not folder.is_dir():
        raise NotFound(f"The folder says that it has a part '{folder.name}', which is not there.")
    there = sorted(path for path in folder.iterdir() if path.is_file())
    weights = [path for path in there if WEIGHTS.fullmatch(path.name)]
    if needs_weights and not weights:
        others = ", ".join(path.name for path in there if path.suffix in (".bin", ".ckpt", ".pt", ".safetensors"))
        raise InvalidInput(
            f"The part '{folder.name}' has no plain safetensors, but {others or 'no weights at all'}.",
            hint="A pickle can run anything, so none is opened: save_pretrained(FOLDER) writes safetensors.",
        )
    plain = [path for path in there if PLAIN.fullmatch(path.name) or path.name.endswith(".safetensors.index.json")]
    for path in plain:
        if path.stat().st_size > LONGEST_JSON:
            raise InvalidInput(f"{folder.name}/{path.name} has {path.stat().st_size:,} bytes, which is absurd.")
    return plain + weights


def _sizes(folder: Path, denoiser: str) -> tuple[int, int]:
    """Side of a picture in pixels, and how many places the denoiser works on."""
    try:
        of_net, of_codec = _read(folder / denoiser / CONFIG), _read(folder / "vae" / CONFIG)
        side = int(of_net["sample_size"])
        levels = of_codec.get("block_out_channels") or of_codec.get("decoder_block_out_channels") or [0]
        size, cells = side * 2 ** (len(levels) - 1), (side // int(of_net.get("patch_size") or 1)) ** 2
        if not 8 <= size <= 4096 or cells < 1:
            raise ValueError(f"pictures of {size} pixels")
    except (KeyError, TypeError, ValueError) as problem:
        raise Damaged(f"The settings of {folder.name} cannot be read: {problem}.") from problem
    return size, cells


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NotFound(f"There is no {path.name} in {path.parent}.", hint="A folder of diffusers has one.")
    try:
        if path.stat().st_size > LONGEST_JSON:
            raise ValueError("it is too long")
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("it holds no fields")
    except (ValueError, RecursionError) as problem:
        raise Damaged(f"{path} cannot be read: {problem}.") from problem
    return found


def keep_folder(store: Store, files: dict[str, Path], header: Header) -> str:
    """Keep these files as the entries of one safetensors file with `header`, and return its hash; they stay."""
    entries: dict[str, Any] = {"__metadata__": {"sfumato": header.model_dump_json()}}
    place = 0
    for name, path in sorted(files.items()):
        size = path.stat().st_size
        entries[name] = {"dtype": "U8", "shape": [size], "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with draft(store.root / "incoming") as target:
        target.write(len(text).to_bytes(8, "little") + text)
        for _, path in sorted(files.items()):
            with path.open("rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)
        if target.tell() != 8 + len(text) + place:
            raise Damaged("A file of the folder was changed while it was read.", hint="Try again.")
        target.flush()
        os.fsync(target.fileno())
        return store.put_file(Path(target.name))


def unpack(path: Path, target: Path, *, index: str = INDEX) -> Path:
    """Write the files that `keep_folder` kept into the folder `target`, whole or not at all, unless they are there.

    Raises Damaged where `index` is not among them.
    """
    entries = {name: one for name, one in described_of(path).items() if name != "__metadata__"}
    if index not in entries or not all(PLACE.fullmatch(name) for name in entries):
        raise Damaged(f"{path.name} does not hold a model with {index}.")
    if _is_whole(target, entries):
        return target
    shutil.rmtree(target, ignore_errors=True)  # a cache may have been cleared in part
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=target.parent, prefix=".draft-"))
    try:
        with path.open("rb") as source:
            start = 8 + int.from_bytes(source.read(8), "little")
            for name, one in entries.items():
                first, last = one["data_offsets"]
                source.seek(start + first)
                (made / name).parent.mkdir(exist_ok=True)
                with (made / name).open("wb") as copy:
                    for begin in range(first, last, 1 << 20):
                        copy.write(source.read(min(1 << 20, last - begin)))
        try:
            made.rename(target)
        except OSError:  # another process was faster
            if not _is_whole(target, entries):
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _is_whole(target: Path, entries: dict[str, Any]) -> bool:
    """Whether all files are in the folder, each as long as it should be."""
    lengths = {name: one["data_offsets"][1] - one["data_offsets"][0] for name, one in entries.items()}
    return all((target / name).is_file() and (target / name).stat().st_size == n for name, n in lengths.items())
