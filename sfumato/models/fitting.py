"""Putting given weights into a network, all of them or none."""

from collections.abc import Mapping

import torch
from torch import Tensor

from sfumato.errors import InvalidInput


def put_into(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Copy weights by name into a network's; raises InvalidInput, and copies nothing, where names or shapes differ."""
    apart = [name for name in own.keys() | given.keys()
             if name not in own or name not in given or own[name].shape != given[name].shape]  # fmt: skip
    if apart:
        raise InvalidInput(
            f"The parent's weights do not fit this network at '{min(apart)}'.",
            hint="Give the same options as the parent's.",
        )
    with torch.no_grad():
        for name, weight in own.items():
            weight.copy_(given[name])
