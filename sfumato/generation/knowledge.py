"""What a model knows of a sentence, said before it draws: words it has seen, words it has not, the nearest."""

import difflib
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from sfumato.checkpoints.card import Card
from sfumato.data.captions import STYLE_WORDS, style_words

LIMITS = "Photographs, likenesses of persons, lettering: not this model."
SMALL_WORDS = {"a", "an", "the", "of", "in", "on", "with", "and", "style", "at", "to", "for", "by", "picture", "icon"}
FAR = 0.45


@dataclass(frozen=True)
class Understood:
    """A sentence as the model takes it."""

    subject: str
    style: str
    caption: str
    nearest_name: str
    likeness: float
    seen: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, list[str]] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What is said to a person before drawing."""
        said = []
        if self.seen:
            said.append("Knows: " + ", ".join(f"{word} ({n:,} pictures)" for word, n in self.seen.items()) + ".")
        for word, near in self.unseen.items():
            hint = f"; it knows {', '.join(near)}" if near else ""
            said.append(f"Has never seen '{word}'{hint}.")
        if self.style:
            said.append(f"Style: {style_words(self.style)} ({self.styles[self.style]}).")
        else:
            names = ", ".join(style_words(style) for style in self.styles)
            said.append(f"No style named, so any of them may come out. There is: {names}.")
        if self.likeness < FAR:
            said.append(f"Nothing it learnt from is close; the nearest is '{self.nearest_name}'.")
        elif self.nearest_name != self.subject:
            said.append(f"It will lean on pictures of '{self.nearest_name}'.")
        return " ".join([*said, LIMITS])


def understand(prompt: str, card: Card) -> Understood:
    """Take a sentence apart into subject and style, and count what the model has seen of it."""
    from sfumato.features.encoders import minilm

    styles = styles_of(card)
    style, subject = split_style(prompt, list(styles))
    words = word_counts(card)
    seen: dict[str, int] = {}
    unseen: dict[str, list[str]] = {}
    for word in re.findall(r"[a-z][a-z'-]*", subject):
        if word in SMALL_WORDS:
            continue
        known = next((form for form in (word, word.rstrip("s"), word + "s") if form in words), "")
        if known:
            seen[word] = words[known]
        else:
            unseen[word] = difflib.get_close_matches(word, list(words), n=3, cutoff=0.75)
    embedding = minilm.encode([subject or prompt])[0]
    likeness = card.name_embeddings @ embedding
    best = int(likeness.argmax())
    for word, near in unseen.items():
        if not near:
            meaning = card.name_embeddings @ minilm.encode([word])[0]
            near += [card.names[row] for row in np.argsort(-meaning)[:2]]
    caption = f"{subject}, {style_words(style)} style" if style else subject
    return Understood(
        subject, style, caption, card.names[best], round(float(likeness[best]), 3), seen, unseen, styles
    )


def split_style(prompt: str, styles: list[str]) -> tuple[str, str]:
    """The style that a prompt names ("" if none), and the rest in lower case: "a red apple, noto style"."""
    text = " ".join(prompt.lower().split())
    spoken = {words: style for style in styles for words in {style_words(style), style, style.replace("-", " ")}}
    for words in sorted(spoken, key=len, reverse=True):
        pattern = rf",?\s*\b(?:in\s+)?(?:the\s+)?{re.escape(words)}(?:\s+style|-style)?\b"
        found = re.search(pattern + r"\s*$", text) or re.search(rf",?\s*\b(?:in\s+)?{re.escape(words)}\s+style\b", text)
        if found:
            return spoken[words], _subject(text[: found.start()] + text[found.end() :])
    return "", _subject(text)


def _subject(text: str) -> str:
    return re.sub(r"^(a|an|the)\s+", "", text.strip(" ,.")).strip(" ,.")


@lru_cache(maxsize=4)
def word_counts(card: Card) -> Counter[str]:
    """How many training pictures have each word in their name or tags."""
    counts: Counter[str] = Counter()
    for item in card.items:
        if item["split"] == "train":
            counts.update(set(re.findall(r"[a-z][a-z'-]*", " ".join([item["name"], *item["tags"]]).lower())))
    return counts


@lru_cache(maxsize=4)
def styles_of(card: Card) -> dict[str, str]:
    """The styles of a card with who made them and under which licence."""
    found: dict[str, str] = {}
    for source in card.summary["sources"]:
        if source["style"]:
            found[source["style"]] = f"{source['author'].split(';')[0]}, {source['licence']}"
    return {style: found[style] for style in [*STYLE_WORDS, *sorted(found)] if style in found}
