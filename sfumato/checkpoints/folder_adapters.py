"""Adapters of folders of diffusers as other programs write and read them.

| layout | keys of a module of the denoiser |
|---|---|
| diffusers | `unet.NAME.lora_A.weight`, `….lora_B.weight`; older ones `….lora.down.weight`, `….to_q_lora.down.weight` |
| PEFT | `base_model.model.NAME.lora_A.weight`, `….lora_B.weight`, and `adapter_config.json` beside them |
| kohya | `lora_unet_NAME.lora_down.weight`, `….lora_up.weight`, `….alpha`; dots are underscores |

kohya's adapters of Stable Diffusion XL call blocks as its first code did: `input_blocks`, `middle_block`,
`output_blocks`. Those of text encoders begin with `text_encoder.`, `text_encoder_2.`, `lora_te_`, `lora_te1_` or
`lora_te2_`. Kept are matrices with alpha / rank multiplied into B, so that each module may have a rank of its own.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from sfumato.checkpoints.adapters import ALPHA, CONFIG, DOWN, PEFT, UP, WEIGHTS, A, Adapter, B
from sfumato.checkpoints.derived import TEXT, denoiser_of, folder_under, read_entry, read_inner_shapes, split
from sfumato.checkpoints.header import Header, read_tensors, write_checkpoint
from sfumato.errors import InvalidInput
from sfumato.store.files import write_whole

Shapes = Mapping[str, tuple[int, ...]]
ENDINGS = {
    A: A, B: B, ".lora_A.default.weight": A, ".lora_B.default.weight": B, DOWN: A, UP: B, ".lora.down.weight": A,
    ".lora.up.weight": B, ALPHA: ALPHA,
}  # fmt: skip
OTHERS = {"dora_scale": "DoRA", "lora_magnitude_vector": "DoRA", ".hada_": "LoHa", ".lokr_": "LoKr",
          ".lora_mid.": "LoCon with a middle matrix", ".bias": "LoRA with biases"}  # fmt: skip
OLDER = re.compile(r"\.processor\.to_(q|k|v|out)_lora\.(down|up)\.weight$")
KOHYA_TEXT = {"lora_te_": "text_encoder", "lora_te1_": "text_encoder", "lora_te2_": "text_encoder_2"}
DIFFUSERS = "pytorch_lora_weights.safetensors"  # what diffusers' load_lora_weights looks for in a folder


def modules_of(path: Path, denoiser: str) -> dict[str, tuple[int, ...]]:
    """Names of what a model's folder could have adapters of, and shapes of their weights; of text encoders by part."""
    found: dict[str, tuple[int, ...]] = {}
    for part, shapes in read_inner_shapes(folder_under(path)).items():
        if part == denoiser or part in TEXT:
            before = "" if part == denoiser else f"{part}."
            for name, shape in shapes.items():
                if name.endswith(".weight") and len(shape) in (2, 4):
                    found[before + name.removesuffix(".weight")] = shape
    return found


def read_folder_adapter(source: Path, path: Path, header: Header) -> Adapter:
    """Read an adapter of any of the layouts for the model at `path`, a folder of diffusers or what goes on from one.

    Raises InvalidInput for another kind of adapter, and, naming the first, for keys and shapes that do not fit.
    """
    denoiser = denoiser_of(header)
    modules, packed = modules_of(path, denoiser), folder_under(path)
    layers = read_entry(packed, f"{denoiser}/config.json").get("layers_per_block", 2)
    found, alphas = _gathered(source, _names(modules, denoiser, layers if isinstance(layers, int) else 2))
    tensors: dict[str, np.ndarray] = {}
    ranks = set()
    for name, pair in found.items():
        if pair.keys() != {A, B}:
            raise InvalidInput(f"The adapter has one of two matrices at '{name}'.", hint="Fetch or copy it again.")
        down, up = (one.reshape(len(one), -1) for one in (pair[A], pair[B]))
        shape, rank = modules[name], len(down)
        if up.shape != (shape[0], rank) or down.shape[1] * shape[0] != int(np.prod(shape)):
            raise InvalidInput(
                f"The adapter's '{name}' is for {up.shape[0]} × {down.shape[1]}; the model's is "
                f"{' × '.join(map(str, shape))}.",
                hint="It belongs to another model: name its own base.",
            )
        tensors[name + A] = down
        tensors[name + B] = up * np.float32(alphas.get(name, float(rank)) / rank)
        ranks.add(rank)
    if not ranks:
        raise InvalidInput(f"{source.name} holds no adapter.", hint="It has matrices such as NAME.lora_A.weight.")
    return Adapter(tensors, max(ranks), float(max(ranks)))


def _gathered(source: Path, names: Mapping[str, str]) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, float]]:
    """Matrices and alphas by module, from a file or a folder of PEFT or diffusers."""
    file, alpha = _file_of(source)
    found: dict[str, dict[str, np.ndarray]] = {}
    alphas: dict[str, float] = {}
    for key, values in read_tensors(file).items():
        if kind := next((said for mark, said in OTHERS.items() if mark in key), ""):
            hint = "Only plain LoRA is read."
            raise InvalidInput(f"{source.name} is another kind of adapter than plain LoRA: {kind}.", hint=hint)
        ending = next((one for one in ENDINGS if _plain(key).endswith(one)), "")
        name = names.get(_plain(key).removesuffix(ending)) if ending else None
        if name is None:
            raise InvalidInput(
                f"The adapter has '{key}', which the model has no place for.",
                hint="It belongs to another model: name its own base.",
            )
        if ENDINGS[ending] == ALPHA:
            alphas[name] = float(values.reshape(-1)[0])
        else:
            found.setdefault(name, {})[ENDINGS[ending]] = values
    return found, alphas if alpha is None else {name: alpha for name in found}


def _file_of(source: Path) -> tuple[Path, float | None]:
    """The file of weights, and the alpha that PEFT's settings beside it say."""
    if not source.is_dir() and not (source.name == WEIGHTS and source.with_name(CONFIG).is_file()):
        return source, None
    folder = source if source.is_dir() else source.parent
    if not (folder / CONFIG).is_file():
        return folder / DIFFUSERS, None
    try:
        config = json.loads((folder / CONFIG).read_text())
        if config["peft_type"] != "LORA" or config.get("use_dora") or config.get("use_rslora"):
            raise InvalidInput(f"{folder.name} is another kind of adapter than plain LoRA, which is not read.")
        if config.get("alpha_pattern"):
            raise InvalidInput(f"{folder.name} has an alpha for each module, which is not read.")
        return folder / WEIGHTS, float(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise InvalidInput(f"{folder / CONFIG} cannot be read: {problem}.") from problem


def _plain(key: str) -> str:
    """A key of older attention processors as today's are called."""
    return OLDER.sub(lambda one: f".to_{'out.0' if one[1] == 'out' else one[1]}.lora.{one[2]}.weight", key)


def _names(modules: Iterable[str], denoiser: str, layers: int) -> dict[str, str]:
    """Every way in which other programs call a module, without ending."""
    found: dict[str, str] = {}
    for name in modules:
        part, inner = split(name, denoiser)
        found |= {f"{part}.{inner}": name, f"{part}.{PEFT}{inner}": name}
        if part == denoiser:
            flat = inner.replace(".", "_")
            found |= {PEFT + inner: name, f"lora_unet_{flat}": name, f"lora_{denoiser}_{flat}": name}
            if denoiser == "unet" and (older := older_name(inner, layers)):
                found[f"lora_unet_{older.replace('.', '_')}"] = name
        else:
            inners = {inner, f"text_model.{inner.removeprefix('text_model.')}"}
            flats = [before for before, of in KOHYA_TEXT.items() if of == part]
            found |= {before + one.replace(".", "_"): name for before in flats for one in inners}
            found |= {f"{part}.{one}": name for one in inners}
    return found


def older_name(name: str, layers: int) -> str:
    """What the first code of Stable Diffusion calls a module of diffusers' U-Net with so many layers a block."""
    said = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)", name)
    middle = re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)", name)
    if middle:
        place = 1 if middle[1] == "attentions" else 2 * int(middle[2])
        return f"middle_block.{place}.{_within(middle[3])}"
    if said is None:
        return TOP.get(name, "")
    way, block, kind, place, rest = said[1], int(said[2]), said[3], int(said[4]), said[5]
    if way == "down":
        number = 1 + block * (layers + 1) + (layers if kind == "downsamplers" else place)
        inside = {"resnets": "0", "attentions": "1", "downsamplers": "0"}[kind]
        return f"input_blocks.{number}.{inside}.{'op' if kind == 'downsamplers' else _within(rest)}"
    number = block * (layers + 1) + (layers if kind == "upsamplers" else place)
    inside = {"resnets": "0", "attentions": "1", "upsamplers": "2"}[kind]  # every level that grows has attention in XL
    return f"output_blocks.{number}.{inside}.{_within(rest)}"


TOP = {
    "conv_in": "input_blocks.0.0", "conv_out": "out.2", "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
WITHIN = {
    "conv1": "in_layers.2", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}  # fmt: skip


def _within(rest: str) -> str:
    return WITHIN.get(rest, rest)


def write_peft_of_folder(target: Path, adapter: Adapter, header: Header, shapes: Shapes) -> Path:
    """Write an adapter for PEFT and, for a U-Net, for diffusers' `load_lora_weights` too; returns PEFT's weights.

    alpha / rank is multiplied into B, so that both read it alike, whatever alpha they take it to have.
    """
    denoiser, matrices = denoiser_of(header), _for_others(adapter, shapes)
    own = {name: one for name, one in matrices.items() if split(name, denoiser)[0] == denoiser}
    ranks = {name.removesuffix(A): len(one) for name, one in own.items() if name.endswith(A)}
    config = {
        "peft_type": "LORA", "base_model_name_or_path": header.parent, "r": adapter.rank, "lora_alpha": adapter.rank,
        "target_modules": sorted(ranks), "lora_dropout": 0.0, "bias": "none", "fan_in_fan_out": False,
        "inference_mode": True, "task_type": None,
        "rank_pattern": {name: rank for name, rank in ranks.items() if rank != adapter.rank},
        "alpha_pattern": {name: rank for name, rank in ranks.items() if rank != adapter.rank},
    }  # fmt: skip
    path = target / WEIGHTS
    write_checkpoint(path, {PEFT + name: one for name, one in own.items()}, header, said={"format": "pt"})
    write_whole(target / CONFIG, json.dumps(config, indent=2).encode())
    if denoiser == "unet":
        named = {".".join(split(name, denoiser)): one for name, one in matrices.items()}
        write_checkpoint(target / DIFFUSERS, named, header, said={"format": "pt"})
    return path


def write_kohya_of_folder(path: Path, adapter: Adapter, header: Header, shapes: Shapes) -> Path:
    """Write an adapter as one file in kohya's layout, with diffusers' names of blocks."""
    denoiser, tensors = denoiser_of(header), dict[str, np.ndarray]()
    two = any(name.startswith("text_encoder_2.") for name in shapes)
    before = {denoiser: "lora_unet_", "text_encoder": "lora_te1_" if two else "lora_te_", "text_encoder_2": "lora_te2_"}
    for name, matrix in _for_others(adapter, shapes).items():
        module = name.removesuffix(A).removesuffix(B)
        part, inner = split(module, denoiser)
        if part != denoiser:
            inner = f"text_model.{inner.removeprefix('text_model.')}"
        flat = before[part] + inner.replace(".", "_")
        if name.endswith(A):
            tensors[flat + DOWN], tensors[flat + ALPHA] = matrix, np.array(adapter.rank, np.float32)
        else:  # one alpha for all, since not all readers know one for each module
            tensors[flat + UP] = matrix * np.float32(matrix.shape[1] / adapter.rank)
    told = {"ss_network_module": "networks.lora", "ss_network_dim": str(adapter.rank),
            "ss_network_alpha": str(adapter.rank), "format": "pt"}  # fmt: skip
    write_checkpoint(path, tensors, header, said=told)
    return path


def _for_others(adapter: Adapter, shapes: Shapes) -> dict[str, np.ndarray]:
    """Matrices with alpha / rank in B, those of convolutions with four sides again."""
    scale, found = np.float32(adapter.alpha / adapter.rank), dict[str, np.ndarray]()
    for name in adapter.modules:
        down, up, shape = adapter.tensors[name + A], adapter.tensors[name + B] * scale, shapes[name]
        if len(shape) == 4:
            down, up = down.reshape(len(down), *shape[1:]), up.reshape(*up.shape, 1, 1)
        found[name + A], found[name + B] = down, up
    return found
