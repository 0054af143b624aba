"""Drawing many sentences at once: as `create` draws one sentence many times, so that measuring is no slower."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from sfumato.checkpoints.card import Card
from sfumato.errors import Cancelled
from sfumato.features.encoders import minilm
from sfumato.generation.drawing import Drawn, Network, Plan, Told, references, to_straight, walk


def draw_batch(
    network: Network, card: Card, plans: Sequence[Plan], stop: Callable[[], bool] = lambda: False
) -> Iterator[list[Drawn] | float]:
    """Yield the share done after every step, then one drawing for each plan, all in one batch.

    Plans have one seed each; their sentences differ, their sampler, steps and guidance do not. Raises Cancelled
    within a step.
    """
    usual = replace(plans[0], seeds=[plan.seeds[0] for plan in plans])
    leaned = [references(card, plan.understood, plan.seeds)[0] for plan in plans]
    beside = np.stack([card.picture(row) for row in leaned]).transpose(0, 3, 1, 2)  # (B, 4, S, S)
    words, there = minilm.encode_tokens([plan.understood.caption for plan in plans])
    longest = max(1, int(there.any(0).sum()))  # the rest is padding for all of them
    told = Told(
        words[:, :longest],
        there[:, :longest].astype(np.float32),
        np.ascontiguousarray(beside, np.float32) / 127.5 - 1,
        np.ones(len(plans), np.float32),
    )
    last = np.empty(0)
    for step, last in enumerate(walk(network, usual, told), 1):  # noqa: B007
        if stop():
            raise Cancelled("The evaluation was stopped.", hint="What was drawn is kept; ask again to go on.")
        yield step / usual.steps
    yield [Drawn(place, usual.seeds[place], picture, leaned[place]) for place, picture in enumerate(to_straight(last))]
