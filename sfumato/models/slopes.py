"""The gradient of a penalty on a network's slopes, for networks of convolutions and leaky ReLUs, in four passes.

Score and penalty of a picture are s D(x) and g/2 |D'(x)|^2. Where D bends only at nought, its slope a at each layer is
constant around x, and so the weights' gradient of both together is that of the score along one straight line: of the
network whose ReLUs are held as x left them, at u = s x + g D'(x), with every bias s times itself. A layer's part of it
is its slope a, found on the way to D'(x), times its input on u's way. That is a pass for the scores, one for the
slopes, one along u and one for the weights, where differentiating the slope (Huang et al. 2024, arXiv 2501.05441,
section 2, and Mescheder et al. 2018, arXiv 1801.04406, equation 9) takes six; the result is the same within rounding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

Network = Callable[[Tensor], Tensor]
CONVOLUTIONS = (torch.conv2d, F.conv2d)


@dataclass
class Layer:
    """One convolution of a walk: its weights, how it is laid out, and the score's slope at what it gave."""

    weight: Tensor  # (O, I / groups, K, K)
    bias: Tensor | None  # (O)
    layout: tuple[Any, ...]  # stride, padding, dilation, groups
    slope: Tensor = field(default_factory=lambda: torch.empty(0))  # (B, O, H, W)


@dataclass
class Walk:
    """What the scores' pass leaves for the one along u: layers and what ReLUs were given, in their order."""

    layers: list[Layer] = field(default_factory=list)
    bent: list[Tensor] = field(default_factory=list)


class Writing(TorchFunctionMode):
    """Writes down a network's layers while it is walked with gradients on."""

    def __init__(self) -> None:
        super().__init__()
        self.walk = Walk()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func in CONVOLUTIONS:
            layer = Layer(args[1], args[2], tuple(args[3:7]))
            self.walk.layers.append(layer)
            out.register_hook(lambda slope: setattr(layer, "slope", slope))
        elif func is F.leaky_relu:
            self.walk.bent.append(args[0].detach())
        return out


class Along(TorchFunctionMode):
    """Walks a network along u with its ReLUs held, and gathers the gradient of each convolution's weights."""

    def __init__(self, walk: Walk, share: Tensor) -> None:
        super().__init__()
        self.layers, self.bent, self.share = iter(walk.layers), iter(walk.bent), share  # (B, 1, 1, 1)
        self.found: dict[int, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in CONVOLUTIONS:
            return self._convolution(args[0])
        if func is F.leaky_relu:
            return _held(next(self.bent), *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _convolution(self, u: Tensor) -> Tensor:
        layer = next(self.layers)
        stride, padding, dilation, groups = layer.layout
        told = (layer.slope, u, layer.weight, None, stride, padding, dilation, False, (0, 0), groups)
        self._add(layer.weight, torch.ops.aten.convolution_backward(*told, (False, True, False))[1])
        out = torch.conv2d(u, layer.weight, None, *layer.layout)
        if layer.bias is None:
            return out
        self._add(layer.bias, (layer.slope.sum((2, 3)) * self.share[:, :, 0, 0]).sum(0))
        return out.add_(self.share * layer.bias[:, None, None])

    def _add(self, weight: Tensor, gradient: Tensor) -> None:
        held = self.found.get(id(weight))
        self.found[id(weight)] = gradient if held is None else held + gradient


def _held(bent: Tensor, u: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """A leaky ReLU of u that is held as `bent` left it."""
    held: Tensor = torch.ops.aten.leaky_relu_backward(u, bent, negative_slope, False)
    return held


def steep(
    look: Network, tell: Network, seen: Tensor, balance: Callable[[Tensor], Tensor], gamma: Tensor,
    weights: Sequence[Tensor],
) -> Tensor:  # fmt: skip
    """Each pair's loss of its scores plus its penalty, (P), which can be differentiated by the weights once.

    D is `tell(look(x))` with scores (B) of pictures `seen` (B, C, H, W): `look` made of convolutions, leaky ReLUs and
    what is linear without weights, and `tell` linear in what it is given. `balance` makes losses (P) of scores (B), and
    the picture at b belongs to pair b mod P, as does the penalty gamma / 2 |D'(x)|^2, with gamma (P). `weights` are all
    that D has. All of it is computed in their number format, also under autocast: half as many bits hold no slopes.
    """
    with torch.autocast("cpu", enabled=False):
        found: Tensor = _Steep.apply(look, tell, seen.to(weights[0].dtype), balance, gamma, *weights)
    return found


class _Steep(torch.autograd.Function):
    """The loss forward; back, the pass along u."""

    @staticmethod
    def forward(
        ctx: Any, look: Network, tell: Network, seen: Tensor, balance: Callable[[Tensor], Tensor], gamma: Tensor,
        *weights: Tensor,
    ) -> Tensor:  # fmt: skip
        x = seen.detach().requires_grad_()
        with torch.enable_grad():
            with Writing() as writing:
                features = look(x)
            scores = tell(features)
            (slope,) = torch.autograd.grad(scores.sum(), x)
            ctx.scores = scores.detach().requires_grad_()
            loss = balance(ctx.scores)
        ctx.look, ctx.tell, ctx.walk, ctx.balanced = look, tell, writing.walk, loss
        ctx.save_for_backward(x.detach(), slope, gamma, *weights)
        steepness = slope.square().sum((1, 2, 3)).view(-1, len(loss)).sum(0)
        return loss.detach() + gamma / 2 * steepness

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> Any:
        x, slope, gamma, *weights = ctx.saved_tensors
        (share,) = torch.autograd.grad(ctx.balanced, ctx.scores, given)
        pairs = len(x) // len(given)
        steepness = (gamma * given).repeat(pairs)[:, None, None, None]
        share = share[:, None, None, None]
        with torch.no_grad(), Along(ctx.walk, share) as along:
            features = ctx.look(share * x + steepness * slope)
        with torch.enable_grad():
            told = torch.autograd.grad(ctx.tell(features.requires_grad_()).sum(), weights, allow_unused=True)
        gradients = [along.found.get(id(weight), last) for weight, last in zip(weights, told, strict=True)]
        return None, None, None, None, None, *gradients
