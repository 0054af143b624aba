"""Muon (Jordan et al. 2024), taking matrices of one shape together: the same values, in fewer and larger products."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

Move = list[tuple[dict[str, Any], list[Tensor]]]


class GroupedMuon(torch.optim.Muon):
    """torch's Muon, its state and options, with one batched Newton-Schulz iteration for all matrices of a shape.

    `shares` splits the matrices of each shape; `each`, used as the built-in map, may move the shares in threads.
    `precision` is the number format of the iteration: bfloat16 as torch has it, or float32 on a processor that has no
    products of bfloat16, where it is many times as fast.
    """

    shares = 1
    precision = torch.bfloat16
    each: Callable[[Callable[[Move], None], list[Move]], Iterable[None]] = staticmethod(map)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; raises nothing that torch's own would not."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        moves: list[Move] = [[] for _ in range(self.shares)]
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault(weight.shape, []).append(weight)
            for weights in alike.values():
                for share, move in enumerate(moves):
                    if weights[share :: self.shares]:
                        move.append((group, weights[share :: self.shares]))
        list(self.each(self._move, moves))
        return loss

    @torch.no_grad()
    def _move(self, move: Move) -> None:
        """Move a share of the matrices, those of one shape together."""
        for group, weights in move:
            self._turn(group, weights)

    def _turn(self, group: dict[str, Any], weights: list[Tensor]) -> None:
        """Move matrices of one shape by their orthogonalised momentum."""
        updates = []
        for weight in weights:
            assert weight.grad is not None
            state = self.state[weight]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(weight.grad)
            momentum = state["momentum_buffer"].lerp_(weight.grad, 1 - group["momentum"])
            updates.append(weight.grad.lerp(momentum, group["momentum"]) if group["nesterov"] else momentum)
        small = [update.to(self.precision) for update in updates]
        turned = orthogonalise(small, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rate = group["lr"] * adjustment(group["adjust_lr_fn"], weights[0].shape)
        for weight, update in zip(weights, turned, strict=True):
            weight.mul_(1 - group["lr"] * group["weight_decay"])
            weight.add_(update, alpha=-rate)


def orthogonalise(matrices: list[Tensor], coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """Nearly orthogonal matrices (N, R, C) of N matrices (R, C), by the quintic Newton-Schulz iteration."""
    a, b, c = coefficients
    tall = matrices[0].shape[0] > matrices[0].shape[1]
    x = torch.stack([matrix / matrix.norm().clamp(min=eps) for matrix in matrices])  # (N, R, C), norm at most 1
    x = x.mT if tall else x
    for _ in range(steps):
        gram = x @ x.mT
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return x.mT if tall else x


def adjustment(kind: str | None, shape: torch.Size) -> float:
    """What the learning rate is multiplied by for a matrix (R, C): Jordan's factor, or Moonshot's for AdamW's rates."""
    rows, columns = shape
    if kind == "match_rms_adamw":
        return float(0.2 * max(rows, columns) ** 0.5)
    return float(max(1.0, rows / columns) ** 0.5)
