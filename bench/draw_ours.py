"""Our side of the drawing benchmark: a sentence and seeds to pixels by one engine, as `sfumato create` draws."""

import argparse
import itertools
import math
from pathlib import Path

from turns import repeat, serve

from sfumato.catalog import Catalog
from sfumato.checkpoints.card import open_card
from sfumato.checkpoints.header import read_header, read_tensors
from sfumato.generation.create import CreateOptions
from sfumato.generation.drawing import Plan, draw
from sfumato.generation.knowledge import understand

SENTENCE = "a red apple, noto style"


def main() -> None:
    """Draw by turns until there are no more; each drawing has seeds of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--card", type=Path, required=True)
    given = parser.parse_args()
    network = Catalog("sfumato.generation.engines", ("load",)).get(given.engine).load(given.model)
    card = open_card(given.card)
    usual = CreateOptions()
    understood = understand(SENTENCE, card)
    numbers = itertools.count()

    def picture(n: int) -> None:
        seeds = [1000 * next(numbers) + place for place in range(n)]
        for _ in draw(network, card, Plan(understood, seeds, usual.sampler, usual.steps, usual.guidance)):
            pass

    about = {
        "options": read_header(given.model).options, "steps": usual.steps, "guidance": usual.guidance,
        "parameters": sum(math.prod(values.shape) for values in read_tensors(given.model).values()),
    }  # fmt: skip
    serve(about, lambda asked: repeat(lambda: picture(asked["n"]), asked))


if __name__ == "__main__":
    main()
