"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685): two small matrices beside a model's large ones.

An adapter's checkpoint holds for each module `NAME.lora_A.weight` (rank, in) and `NAME.lora_B.weight` (out, rank).
Its header names the parent whose weights it belongs to, rank, alpha and modules. For drawing it is merged:
W + alpha / rank · B A (equation 3). Two layouts of other programs are read and written:

| layout | files | keys of a module |
|---|---|---|
| PEFT | `adapter_config.json`, `adapter_model.safetensors` | `base_model.model.NAME.lora_A.weight`, `….lora_B.weight` |
| kohya | one `.safetensors` | `lora_unet_NAME.lora_down.weight`, `….lora_up.weight`, `….alpha`; dots are underscores |
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.checkpoints.header import Header, read_header, read_shapes, read_tensors, write_checkpoint
from sfumato.errors import Damaged, InvalidInput, NotFound
from sfumato.store.files import write_whole

PEFT, KOHYA = "base_model.model.", "lora_unet_"
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
A, B = ".lora_A.weight", ".lora_B.weight"
DOWN, UP, ALPHA = ".lora_down.weight", ".lora_up.weight", ".alpha"
LONGEST_CONFIG = 1_000_000


@dataclass(frozen=True, eq=False)
class Adapter:
    """The matrices of an adapter by Sfumato's names, all of one rank and alpha."""

    tensors: dict[str, np.ndarray]
    rank: int
    alpha: float

    @property
    def modules(self) -> list[str]:
        """Names of the modules that it changes, sorted."""
        return sorted(name.removesuffix(A) for name in self.tensors if name.endswith(A))

    def facts(self) -> dict[str, Any]:
        """What a checkpoint's header says of it."""
        return {"rank": self.rank, "alpha": self.alpha, "modules": self.modules}


def read_whole(path: Path) -> dict[str, np.ndarray]:
    """All weights of a checkpoint as float32; an adapter's are merged into those of its parent, which lies beside it.

    Raises NotFound where the parent's weights are not in the store, and Damaged where the two do not fit.
    """
    header, tensors = read_header(path), read_tensors(path)
    if not header.adapter:
        return tensors
    base = path.parents[1] / header.parent[:2] / header.parent
    if not header.parent or not base.is_file():
        raise NotFound(
            f"The weights {header.parent[:12]}, which this adapter belongs to, are not in this workspace.",
            hint="Bring the file back from a backup.",
        )
    return merge(read_whole(base), Adapter(tensors, int(header.adapter["rank"]), float(header.adapter["alpha"])))


def merge(base: dict[str, np.ndarray], adapter: Adapter) -> dict[str, np.ndarray]:
    """The base's weights with the adapter's change of each module added; raises Damaged where they do not fit."""
    merged = dict(base)
    for name in adapter.modules:
        down, up = adapter.tensors[name + A], adapter.tensors.get(name + B)
        weight = base.get(f"{name}.weight")
        if weight is None or up is None or weight.shape != (up.shape[0], down.shape[1]) or up.shape[1] != len(down):
            raise Damaged(f"The adapter does not fit its parent at '{name}'.")
        merged[f"{name}.weight"] = (weight + np.float32(adapter.alpha / adapter.rank) * (up @ down)).astype(np.float32)
    return merged


def write_peft(folder: Path, adapter: Adapter, header: Header) -> Path:
    """Write an adapter as a folder in PEFT's layout; returns the file of weights."""
    config = {
        "peft_type": "LORA", "base_model_name_or_path": header.parent, "r": adapter.rank,
        "lora_alpha": adapter.alpha, "target_modules": adapter.modules, "lora_dropout": 0.0, "bias": "none",
        "fan_in_fan_out": False, "inference_mode": True, "task_type": None,
    }  # fmt: skip
    path = folder / WEIGHTS
    write_checkpoint(path, {PEFT + name: one for name, one in adapter.tensors.items()}, header, said={"format": "pt"})
    write_whole(folder / CONFIG, json.dumps(config, indent=2).encode())
    return path


def write_kohya(path: Path, adapter: Adapter, header: Header) -> Path:
    """Write an adapter as one file in kohya's layout."""
    tensors = {}
    for name in adapter.modules:
        flat = KOHYA + name.replace(".", "_")
        tensors[flat + DOWN], tensors[flat + UP] = adapter.tensors[name + A], adapter.tensors[name + B]
        tensors[flat + ALPHA] = np.array(adapter.alpha, np.float32)
    told = {"ss_network_module": "networks.lora", "ss_network_dim": str(adapter.rank),
            "ss_network_alpha": str(adapter.alpha), "format": "pt"}  # fmt: skip
    write_checkpoint(path, tensors, header, said=told)
    return path


def read_adapter(path: Path, weights: Iterable[str]) -> Adapter:
    """Read an adapter of either layout for a network with these names of weights.

    Raises InvalidInput for what is neither, for modules that the network lacks, and for ranks that differ.
    """
    if path.is_dir():
        config = _config(path / CONFIG)
        return _peft(read_tensors(path / WEIGHTS), weights, float(config.get("lora_alpha", 0)))
    shapes = read_shapes(path)
    if any(name.startswith(KOHYA) for name in shapes):
        return _kohya(read_tensors(path), weights)
    if any(name.startswith(PEFT) for name in shapes) and path.with_name(CONFIG).exists():
        return read_adapter(path.parent, weights)
    raise InvalidInput(
        f"{path.name} is no adapter that can be read.", hint=f"PEFT's folder has {CONFIG}; kohya's file has {KOHYA}…"
    )


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NotFound(f"There is no {path.name} in {path.parent}.", hint="An adapter in PEFT's layout has one.")
    try:
        if path.stat().st_size > LONGEST_CONFIG:
            raise ValueError("it is too long")
        config = json.loads(path.read_text())
        if config["peft_type"] != "LORA" or config.get("use_dora") or config.get("use_rslora"):
            raise InvalidInput(f"{path} describes another kind of adapter than plain LoRA, which is not read.")
        float(config["lora_alpha"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise InvalidInput(f"{path} cannot be read: {problem}.") from problem
    return dict(config)


def _peft(found: dict[str, np.ndarray], weights: Iterable[str], alpha: float) -> Adapter:
    tensors = {name.removeprefix(PEFT): values for name, values in found.items()}
    return _checked(tensors, {name.removesuffix(".weight") for name in weights}, {alpha})


def _kohya(found: dict[str, np.ndarray], weights: Iterable[str]) -> Adapter:
    modules = {name.removesuffix(".weight") for name in weights if name.endswith(".weight")}
    flat = {KOHYA + name.replace(".", "_"): name for name in modules}
    tensors, alphas = {}, set()
    for key, values in found.items():
        ending = next((end for end in (DOWN, UP, ALPHA) if key.endswith(end)), "")
        name = flat.get(key.removesuffix(ending))
        if not ending or name is None:
            raise InvalidInput(f"The adapter has '{key}', which the model has no place for.", hint="Name its own base.")
        if ending == ALPHA:
            alphas.add(float(values.reshape(-1)[0]) if values.size else 0.0)
        else:
            tensors[name + (A if ending == DOWN else B)] = values
    return _checked(tensors, modules, alphas)


def _checked(tensors: dict[str, np.ndarray], modules: set[str], alphas: set[float]) -> Adapter:
    ranks = set()
    for name, values in tensors.items():
        ending = next((end for end in (A, B) if name.endswith(end)), "")
        if not ending or name.removesuffix(ending) not in modules:
            raise InvalidInput(
                f"The adapter has '{name}', which the model has no place for.", hint="Name its own base."
            )
        if values.ndim != 2 or name.removesuffix(ending) + (B if ending == A else A) not in tensors:
            raise InvalidInput(f"The adapter's '{name}' is not one of two matrices.")
        ranks.add(values.shape[0 if ending == A else 1])
    alphas = alphas or {float(rank) for rank in ranks}  # kohya's rule where no alpha is told
    if len(ranks) != 1 or len(alphas) != 1 or 0 in ranks:
        raise InvalidInput(f"The adapter has ranks {sorted(ranks)} and alphas {sorted(alphas)}; one of each is read.")
    return Adapter(tensors, ranks.pop(), alphas.pop())
