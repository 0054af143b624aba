"""What a model knows of a sentence, said before it draws: words it has seen, words it has not, the nearest."""

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from sfumato.checkpoints.card import Card
from sfumato.checkpoints.header import Header
from sfumato.data.captions import GROUNDS, STYLE_WORDS, style_words

ICONS = "emoji-"  # what the names of the datasets that we collect ourselves begin with: icons alone
LIMITS = "Not this model: photographs, likenesses of persons, lettering."
SMALL_WORDS = {
    "a", "an", "and", "at", "by", "drawn", "emoji", "for", "from", "icon", "image", "in", "its", "like", "of", "on",
    "picture", "some", "style", "that", "the", "to", "with",
}  # fmt: skip
FAR = 0.45
WORDS_EXPLAINED = 6  # each costs a look at the text encoder; the model reads about 20 words
WORD = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")
IRREGULAR = {
    "children": "child", "feet": "foot", "geese": "goose", "men": "man", "mice": "mouse", "people": "person",
    "teeth": "tooth", "women": "woman",
}  # fmt: skip
GROUND = re.compile(rf"\s*\bon an? ({'|'.join(sorted(GROUNDS, key=len, reverse=True))}) ground\b")
ENDINGS = (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("es", ""), ("s", ""))


@dataclass(frozen=True)
class Understood:
    """A sentence as the model takes it; it is kept with the request."""

    subject: str
    style: str
    caption: str
    nearest_name: str
    likeness: float
    seen: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, list[str]] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)
    unknown_style: str = ""
    ground: str = ""  # the plain ground that is asked for, of a model that was taught some
    limits: str = ""  # what the model cannot draw at all, where that is known
    undisclosed: str = ""  # what is said instead, where nobody knows what the model learnt from

    @property
    def text(self) -> str:
        """What is said to a person before drawing, a few lines."""
        if self.undisclosed:
            return self.undisclosed
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.seen:
            counted = [f"{word} ({n:,} picture{'' if n == 1 else 's'})" for word, n in self.seen.items()]
            yield f"It has seen {listed(counted)}."
        for word, near in list(self.unseen.items())[:WORDS_EXPLAINED]:
            yield f"It has never seen '{word}'" + (f"; near it lie {listed(near)}." if near else ".")
        yield from self.besides()

    def besides(self) -> Iterator[str]:
        """What is said besides single words: what it leans on, in which style, and what it cannot draw."""
        if self.undisclosed:
            yield from self.undisclosed.splitlines()
            return
        if self.likeness < FAR:
            yield f"Nothing it learnt from is close; the nearest is '{self.nearest_name}'."
        elif self.nearest_name.lower() != (_off_ground(self.subject) if self.ground else self.subject):
            yield f"It leans on pictures of '{self.nearest_name}'."
        if self.ground:
            yield f"It was taught plain grounds, {self.ground} among them."
        named = {style: f"{style_words(style)} ({made_by})" for style, made_by in self.styles.items()}
        if self.unknown_style:
            yield f"It knows no {self.unknown_style} style, but {listed(named.values())}."
        elif self.style:
            yield f"In the style {named[self.style]}."
        elif named:
            yield f"No style is named, so any may come: {listed(named.values())}."
        if self.limits:
            yield self.limits


def listed(words: Collection[str]) -> str:
    """Words in a row: "red, green and blue"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def undisclosed(prompt: str, options: Mapping[str, Any]) -> Understood:
    """A sentence for a model whose pictures nobody knows; it is said what drawing takes, from its header's options."""
    if "step_gflops" not in options:
        says = "It takes no words: it draws from noise alone, whatever the sentence says."
        return Understood(prompt, "", prompt, "", 0.0, undisclosed=says)
    who = "The maker of the model that it goes on from" if options.get("goes_on") else "Its maker"
    says = (
        f"{who} has not disclosed the training data, so nothing can be said of these words.\n"
        f"A picture of {options['size']} × {options['size']} takes about {options['memory_gb']:,.1f} GB of memory and "
        f"{options['step_gflops']:,.3g} thousand million operations a step."
    )
    return Understood(prompt, "", prompt, "", 0.0, undisclosed=says)


def understand(prompt: str, card: Card, *, grounds: bool = False) -> Understood:
    """Take a sentence apart into subject, ground and style, and count what the model has seen of it.

    `grounds` says that the model was taught to lay things on plain grounds.
    """
    from sfumato.features.encoders import minilm

    styles, words = styles_of(card), word_counts(card)
    style, subject, unknown_style = split_style(prompt, list(styles), words)
    laid = GROUND.search(subject) if grounds else None
    thing = _off_ground(subject) if laid else subject
    seen: dict[str, int] = {}
    unseen: dict[str, list[str]] = {}  # with the nearest known words
    for word in dict.fromkeys(WORD.findall(thing)):
        if word in SMALL_WORDS:
            continue
        known = next((form for form in forms(word) if form in words), "")
        if known:
            seen[word] = words[known]
        else:
            unseen[word] = difflib.get_close_matches(word, list(words), n=1, cutoff=0.8) if len(word) > 4 else []
    embedding = minilm.encode([thing or prompt])[0]
    likeness = card.name_embeddings @ embedding
    best = int(likeness.argmax())
    for word, near in list(unseen.items())[:WORDS_EXPLAINED]:
        meaning = card.name_embeddings @ minilm.encode([word])[0]
        near += [card.names[row] for row in np.argsort(-meaning)[: 2 - len(near)]]
    caption = f"{subject}, {style_words(style)} style" if style else subject
    nearest = card.names[best]
    return Understood(
        subject, style, caption, nearest, round(float(likeness[best]), 3), seen, unseen, styles, unknown_style,
        laid[1] if laid else "", LIMITS if str(card.summary.get("dataset", "")).startswith(ICONS) else "",
    )  # fmt: skip


def taught_grounds(header: Header) -> bool:
    """Whether a model was taught to lay things on plain grounds that their captions name."""
    return bool(header.recipe_options.get("grounds"))


def _off_ground(subject: str) -> str:
    """A subject without the ground that it is asked for on."""
    return _subject(GROUND.sub("", subject))


def forms(word: str) -> Iterator[str]:
    """The word itself, what it may be the plural of, and its own plural."""
    yield word
    if word in IRREGULAR:
        yield IRREGULAR[word]
    for ending, singular in ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1 and not word.endswith("ss"):
            yield word.removesuffix(ending) + singular
    yield word + "s"


def split_style(prompt: str, styles: Collection[str], words: Collection[str] = ()) -> tuple[str, str, str]:
    """Split a prompt into (style, subject, unknown style), all in lower case and "" where there is none.

    A style may stand anywhere with the word "style" ("in noto style", "a noto-style apple"), and without
    it at either end ("red apple, fluent 3d"), unless it is also one of the model's `words` ("a firefox").
    """
    text = " ".join(prompt.lower().split())
    spoken = {said: style for style in styles for said in {style_words(style), style, style.replace("-", " ")}}
    for said in sorted(spoken, key=len, reverse=True):
        name = re.escape(said).replace(r"\ ", r"[\s-]?")
        patterns = [
            rf"(?:,\s*)?(?:\bin\s+)?(?:\bthe\s+)?\b{name}[\s-]style\b",
            rf"(?:,\s*|\bin\s+)(?:the\s+)?{name}\s*$",
        ]
        if said not in words:
            patterns += [rf"\b{name}\s*$", rf"^{name}\b"]
        for pattern in patterns:
            found = re.search(pattern, text)
            subject = _subject(f"{text[: found.start()]} {text[found.end() :]}") if found else ""
            if subject:
                return spoken[said], subject, ""
    other = re.search(r"(?:,\s*(?:in\s+)?|\bin\s+)(?:the\s+|an?\s+)?([\w'-]+(?:\s[\w'-]+)?)[\s-]style\s*$", text)
    subject = _subject(text[: other.start()]) if other else ""
    return ("", subject, other[1]) if other and subject else ("", _subject(text), "")


def _subject(text: str) -> str:
    """A prompt's subject without needless commas, spaces and articles."""
    text = re.sub(r"\s*,(?:\s*,)+", ",", " ".join(text.split()).replace(" ,", ","))
    return re.sub(r"^(a|an|the|some)(\s+|$)", "", text.strip(" ,.;:!")).strip(" ,.;:!")


@lru_cache(maxsize=4)
def word_counts(card: Card) -> Counter[str]:
    """How many training pictures have each word in their name or tags."""
    counts: Counter[str] = Counter()
    for item in card.items:
        if item["split"] == "train":
            counts.update(set(WORD.findall(" ".join([item["name"], *item["tags"]]).lower())))
    return counts


@lru_cache(maxsize=4)
def styles_of(card: Card) -> dict[str, str]:
    """The styles of a card with who made them and under which licence."""
    found: dict[str, str] = {}
    for source in card.summary["sources"]:
        if source["style"]:
            author = source["author"].split(";")[0] or "author not known"
            found[source["style"]] = f"{author}, {source['licence']}"
    return {style: found[style] for style in [*STYLE_WORDS, *sorted(set(found) - set(STYLE_WORDS))] if style in found}
