"""Running averages of weights whose length grows with the run (Karras et al. 2023, arXiv 2312.02696, section 3)."""

import numpy as np
import torch
from torch import Tensor, nn


def exponent(relative_length: float) -> float:
    """The power of the averaging profile whose standard deviation is this share of the run (equation 6)."""
    roots = np.roots([1.0, 7.0, 16.0 - relative_length**-2, 12.0 - relative_length**-2])
    return float(max(root.real for root in roots if abs(root.imag) < 1e-9))


class Average:
    """A copy of a network's weights that follows them ever more slowly."""

    def __init__(self, net: nn.Module, relative_length: float) -> None:
        self.power = exponent(relative_length)
        self.weights = {name: weight.detach().clone() for name, weight in net.named_parameters()}

    def update(self, net: nn.Module, step: int) -> None:
        """Move towards the weights after `step` steps, by 1 - (1 - 1/step)^(power + 1) (equation 2)."""
        share = 1 - (1 - 1 / max(step, 1)) ** (self.power + 1)
        with torch.no_grad():
            live: list[Tensor] = [weight.detach() for _, weight in net.named_parameters()]
            torch._foreach_lerp_(list(self.weights.values()), live, share)
