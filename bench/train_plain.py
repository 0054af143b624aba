"""The peer of the training benchmark: what a competent person writes first in plain PyTorch.

The same network and loss in float32, put together as the text-to-image examples of the usual libraries are: a
Dataset that opens each PNG file with PIL and resizes it, a DataLoader with its default settings, captions that
the frozen text encoder reads in each step, padded to its length, `scaled_dot_product_attention`, the recipe's
own optimisers as torch has them, gradients clipped, and two running averages, parameter by parameter. Threads,
allocator and waiting are what PyTorch and the system take by default. `--prepared`
gives it files that have the network's size already and captions that were encoded beforehand; `--folder` says nothing
to the network, and opens the small files of a folder alone, as the other peers do.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pictures import arguments, export_pngs, load
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from untold import STEPS, as_pixels, in_parts, leg_arguments, nothing, parameters, play
from untold import endless as endless_untold

from sfumato.actions import Workspace
from sfumato.data.captions import variants
from sfumato.features.encoders import minilm
from sfumato.models.noise import rising_times
from sfumato.models.samplers import dpmpp_2m
from sfumato.training.material import Material
from sfumato.training.recipes import flow

LENGTHS = (0.999, 0.9995)  # of the two running averages
NAMES = ("x", "reference", "reference_on", "words", "words_on", "texts")


class Icons(Dataset[tuple[Tensor | str, ...]]):
    """Pictures with one of their captions, and beside them a picture to lean on, opened anew each time.

    Captions are texts and the encoder's rows of them; the loop reads the texts unless all was prepared.
    """

    def __init__(self, paths: list[Path], material: Material, options: flow.Options) -> None:
        self.paths, self.material, self.options = paths, material, options

    def __len__(self) -> int:
        return len(self.material.train)

    def __getitem__(self, place: int) -> tuple[Tensor | str, ...]:
        material, row = self.material, int(self.material.train[place])
        choice = int(torch.randint(material.captions.shape[1], ()))
        caption, text = material.captions[row, choice], variants(material.lines[row])[choice]
        said = float(torch.rand(())) >= self.options.drop_words
        flip = bool(material.flip_ok[row]) and float(torch.rand(())) < 0.5
        beside = self.beside(row)
        picture = self.open(row, flip)
        return (
            picture,
            self.open(beside, flip) if beside >= 0 else torch.zeros_like(picture),
            torch.tensor(float(beside >= 0)),
            torch.from_numpy(material.words[caption].astype(np.float32)),
            torch.from_numpy(material.words_on[caption].astype(np.float32) * said),
            text if said else "",
        )

    def open(self, row: int, flip: bool) -> Tensor:
        """A picture (4, S, S) in [-1, 1], its colours under their alpha."""
        with Image.open(self.paths[row]) as opened:
            values = np.asarray(self.fitted(opened.convert("RGBA")), np.float32) / 127.5 - 1
        return torch.from_numpy(np.ascontiguousarray((values[:, ::-1] if flip else values).transpose(2, 0, 1)))

    def fitted(self, picture: Image.Image) -> Image.Image:
        """A picture at the network's size; one that has it is as it should be."""
        size = self.options.size
        if picture.size == (size, size):
            return picture
        return picture.convert("RGBa").resize((size, size), Image.Resampling.BICUBIC)

    def beside(self, row: int) -> int:
        """The picture to lean on, by the recipe's shares; -1 for none."""
        choice, pick, pick_style = torch.rand(3).tolist()
        line, found = self.material.lines[row], -1
        if choice < self.options.same_concept:
            found = self.material.shelf.other_style(line.concept, line.style, pick)
        if found < 0 and choice < self.options.same_concept + self.options.near_concept:
            found = self.material.shelf.neighbour(line.concept, pick, pick_style)
        return found


def endless(paths: list[Path], material: Material, options: flow.Options) -> Iterator[dict[str, Any]]:
    """Batches without end, by name, from a DataLoader with its defaults."""
    loader = DataLoader(Icons(paths, material, options), batch_size=options.batch, shuffle=True, drop_last=True)
    while True:
        for batch in loader:
            yield dict(zip(NAMES, batch, strict=True))


def with_words(given: dict[str, Any]) -> dict[str, Any]:
    """Let the frozen encoder read a batch's captions; an empty one says nothing."""
    words, there = minilm.encode_tokens(list(given["texts"]))
    said = np.array([[text != ""] for text in given["texts"]])
    return given | {"words": torch.from_numpy(words), "words_on": torch.from_numpy((there & said).astype(np.float32))}


def untold(folder: Path, batch: int) -> Iterator[dict[str, Any]]:
    """Batches without end of a folder's pictures, of which nothing is said."""
    for x in endless_untold(folder, batch):
        words, words_on, reference, reference_on = nothing(x)
        yield {"x": x, "words": words, "words_on": words_on, "reference": reference, "reference_on": reference_on}


@torch.no_grad()
def draw(net: torch.nn.Module, size: int, count: int) -> np.ndarray:
    """Pictures of nothing in particular, by the recipe's solver in STEPS calls, (count, S, S, 4) uint8."""
    times = rising_times(STEPS)

    def some(few: int) -> np.ndarray:
        z = torch.randn(few, 4, size, size)
        *_, drawn = dpmpp_2m.sample(lambda z, t: net(z, torch.full((few,), t), *nothing(z)).float(), z, times)
        return as_pixels(drawn)

    return in_parts(count, some)


def with_noise(given: dict[str, Any], options: flow.Options) -> dict[str, Any]:
    """Add times and noise to a batch."""
    given["t"] = torch.sigmoid(torch.randn(len(given["x"])) * options.time_std + options.time_mean)
    given["noise"] = torch.randn_like(given["x"])
    return given


def chosen(net: torch.nn.Module, options: flow.Options) -> list[torch.optim.Optimizer]:
    """The recipe's optimisers as torch has them: Muon for the blocks' matrices, AdamW for the rest or for all."""
    muon = [
        weight
        for name, weight in net.named_parameters()
        if options.optimizer == "muon" and name.startswith("blocks") and weight.ndim == 2
    ]
    rest = [weight for weight in net.parameters() if all(weight is not one for one in muon)]
    found: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, options.lr, (0.9, 0.95), weight_decay=0.0)]
    if muon:
        found.append(torch.optim.Muon(muon, options.lr, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"))
    return found


class Plain:
    """The loop's state."""

    def __init__(self, options: flow.Options, batches: Iterator[dict[str, Any]], *, prepared: bool) -> None:
        torch.manual_seed(options.seed)
        self.options, self.batches, self.prepared = options, batches, prepared
        self.net = flow.build(options)
        self.net.fused_attention = True  # type: ignore[assignment]
        self.averages = [{name: one.detach().clone() for name, one in self.net.named_parameters()} for _ in LENGTHS]
        self.optimizers = chosen(self.net, options)

    def step(self) -> float:
        """One step, from opening the pictures to the running average."""
        given = next(self.batches)
        given = with_noise(given if self.prepared else with_words(given), self.options)
        t = given["t"][:, None, None, None]
        z = t * given["x"] + (1 - t) * given["noise"]
        drawn = self.net(z, given["t"], given["words"], given["words_on"], given["reference"], given["reference_on"])
        loss = (((drawn - given["x"]) ** 2).mean((1, 2, 3)) / (1 - given["t"]).clamp(min=0.05) ** 2).mean()
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.options.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        with torch.no_grad():
            for kept, average in zip(LENGTHS, self.averages, strict=True):
                for name, weight in self.net.named_parameters():
                    average[name].mul_(kept).add_(weight, alpha=1 - kept)
        return loss.item()

    def draw(self, count: int) -> dict[str, np.ndarray]:
        """Pictures by the weights as they are, and by their shorter average."""
        found = {"live": draw(self.net, self.options.size, count)}
        with torch.no_grad():
            for name, weight in self.net.named_parameters():
                weight.copy_(self.averages[0][name])
        return found | {"average": draw(self.net, self.options.size, count)}


def main() -> None:
    """Take turns, or run a leg."""
    parser = leg_arguments(arguments())
    parser.add_argument("--prepared", action="store_true", help="small files, and captions encoded beforehand")
    parser.add_argument("--folder", type=Path, help="say nothing, and open this folder's files alone")
    given: argparse.Namespace = parser.parse_args()
    options = flow.Options.model_validate_json(given.options)
    began = time.process_time()
    if given.folder:
        plain = Plain(options, untold(given.folder, options.batch), prepared=True)
    else:
        with Workspace.open(given.workspace) as workspace:
            material = load(workspace, given.data, options.size)
            paths = export_pngs(workspace, given.data, options.size if given.prepared else None)
        plain = Plain(options, endless(paths, material, options), prepared=given.prepared)
    about = {"batch": options.batch, "parameters": parameters(plain.net), "threads": torch.get_num_threads(),
             "torch": torch.__version__, "lr": options.lr}  # fmt: skip
    play(plain, about, given, began)


if __name__ == "__main__":
    main()
