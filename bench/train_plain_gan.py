"""The plain side of the GAN's comparison: R3GAN's losses in a loop of PyTorch alone, with the networks of the recipe.

In float32, with a `DataLoader` with its defaults over small files: the discriminator sees a batch of real and a batch
of drawn pictures, each with the slope at its pictures; then the generator is moved while the discriminator's weights
take no gradient. Adam, changed pictures and two running averages are the recipe's.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from train_plain import LENGTHS
from turns import repeat, serve
from untold import endless, parameters

from sfumato.training.augment import NUMBERS, both_sides
from sfumato.training.recipes import r3gan


class PlainGan:
    """The loop's state."""

    def __init__(self, options: r3gan.Options, folder: Path) -> None:
        torch.manual_seed(options.seed)
        self.options, self.batches = options, endless(folder, options.batch)
        self.pair = r3gan.build(options)
        self.drawer, self.judge = self.pair.get_submodule("generator"), self.pair.get_submodule("discriminator")
        self.movers = [torch.optim.Adam(net.parameters(), options.lr, (0.0, 0.9)) for net in (self.judge, self.drawer)]
        self.averages = [{name: one.detach().clone() for name, one in self.drawer.named_parameters()} for _ in LENGTHS]

    def draw(self) -> Tensor:
        """A batch of new pictures (B, 4, S, S)."""
        count = self.options.batch
        drawn: Tensor = self.drawer(torch.randn(count, self.options.latent), *nothing(count))
        return drawn

    def changed(self, x: Tensor) -> Tensor:
        """Pictures with a share of them changed."""
        return both_sides(x, torch.rand(len(x), NUMBERS), torch.full((len(x),), self.options.augment))

    def judged(self, x: Tensor) -> Tensor:
        """The discriminator's scores (B)."""
        scores: Tensor = self.judge(x, *nothing(len(x)))
        return scores

    def slope(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of pictures (B), and how steep they are there, squared (B)."""
        x = x.detach().requires_grad_()
        scores = self.judged(x)
        (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
        return scores, slope.square().sum((1, 2, 3))

    def step(self) -> float:
        """One step of both networks, from opening the pictures to the running average."""
        x = next(self.batches)
        with torch.no_grad():
            drawn = self.draw()
        of_real, steep_real = self.slope(self.changed(x))
        of_drawn, steep_drawn = self.slope(self.changed(drawn))
        penalty = self.options.gamma / 2 * (steep_real + steep_drawn)
        self.move(0, (F.softplus(of_drawn - of_real) + penalty).mean())
        self.judge.requires_grad_(False)
        with torch.no_grad():
            of_real = self.judged(self.changed(x))
        loss = F.softplus(of_real - self.judged(self.changed(self.draw()))).mean()
        self.move(1, loss)
        self.judge.requires_grad_(True)
        with torch.no_grad():
            for kept, average in zip(LENGTHS, self.averages, strict=True):
                for name, weight in self.drawer.named_parameters():
                    average[name].mul_(kept).add_(weight, alpha=1 - kept)
        return loss.item()

    def move(self, which: int, loss: Tensor) -> None:
        """Move one network's weights by its loss."""
        self.movers[which].zero_grad()
        loss.backward()
        self.movers[which].step()


def nothing(count: int) -> tuple[Tensor, Tensor]:
    """No words, and which of them are there."""
    return torch.zeros(count, 0, 384), torch.zeros(count, 0)


def main() -> None:
    """Take turns until there are no more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True, help="PNG files of the network's size")
    parser.add_argument("--options", default="{}", help="of the recipe, as JSON")
    given = parser.parse_args()
    options = r3gan.Options.model_validate_json(given.options).model_copy(update={"words": "none"})
    plain = PlainGan(options, given.folder)
    about = {"batch": options.batch, "parameters": parameters(plain.pair), "threads": torch.get_num_threads(),
             "torch": torch.__version__}  # fmt: skip
    serve(about, lambda asked: repeat(plain.step, asked))


if __name__ == "__main__":
    main()
