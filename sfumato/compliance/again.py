"""The command for ten more: the same subject in another style, on fresh seeds."""

import shlex
from typing import Protocol

from sfumato.checkpoints.models import DEFAULT
from sfumato.compliance.chain import Weights
from sfumato.data.captions import STYLE_WORDS, style_words

COUNT = 10


class Asked(Protocol):
    """What is known of how a picture was asked for."""

    @property
    def prompt(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def style(self) -> str: ...
    @property
    def seed(self) -> int | None: ...
    @property
    def n(self) -> int: ...


def ten_more(asked: Asked, weights: Weights | None) -> str:
    """The command that draws ten more in another style; safe to paste, whatever a file says that its prompt was."""
    if weights is None:
        return ""
    other = next((style for style in styles_of(weights) if style != asked.style), "")
    subject = asked.subject or asked.prompt or "YOUR WORDS"
    prompt = f"{subject}, {style_words(other)} style" if other else subject
    seed = f" --seed {asked.seed + asked.n}" if asked.seed is not None else ""
    model = f" --model {shlex.quote(weights.name)}" if weights.name != DEFAULT else ""
    return f"sfumato create {shlex.quote(prompt)} -n {COUNT}{seed}{model}"


def styles_of(weights: Weights) -> list[str]:
    """The styles that weights learnt from, as their header names them."""
    found = [style for style in (weights.header.get("data") or {}).get("styles", {}) if style]
    return [style for style in [*STYLE_WORDS, *sorted(set(found) - set(STYLE_WORDS))] if style in found]
