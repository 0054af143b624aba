"""Captions put together from their parts, and what may be mirrored without making them wrong."""

import re
from typing import Protocol

STYLE_WORDS = {
    "fluent-flat": "fluent flat",
    "fluent-3d": "fluent 3d",
    "noto": "noto",
    "noto-v1": "noto v1",
    "fxemoji": "firefox",
}
GROUNDS = {  # red, green and blue of 255, by the name that a caption gives a plain ground
    "white": (250, 250, 250), "black": (12, 12, 12), "grey": (128, 128, 128), "brown": (121, 78, 46),
    "red": (214, 40, 40), "orange": (243, 140, 40), "yellow": (247, 214, 60), "green": (56, 152, 72),
    "light blue": (150, 206, 240), "blue": (38, 90, 200), "purple": (126, 62, 168), "pink": (244, 154, 192),
}  # fmt: skip
WHOLE = ("name", "style")
PARTS = (WHOLE, WHOLE, ("name",), ("name", "tags", "style"))  # of the captions that a picture is learnt by
ONE_SIDED = re.compile(
    r"\b(left|right|clockwise|counterclockwise|letters?|digits?|numbers?|arrows?|flags?|hands?|thumbs?|clock|o.clock|"
    r"finger|fist|palm|text|abc|calendar|writing|backhand|wheelchair|walking|running|facing)\b",
    re.IGNORECASE,
)


class Captioned(Protocol):
    """Anything with the parts of a caption."""

    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> list[str]: ...
    @property
    def style(self) -> str: ...


def style_words(style: str) -> str:
    """How a person says a style's name."""
    return STYLE_WORDS.get(style, style.replace("-", " "))


def compose(line: Captioned, parts: tuple[str, ...] = WHOLE) -> str:
    """A caption from some of its parts: "red apple, noto style"."""
    said = []
    for part in parts:
        if part == "name" and line.name:
            said.append(line.name)
        elif part == "tags":
            said += [tag for tag in line.tags if tag != line.name][:3]
        elif part == "style" and line.style:
            said.append(f"{style_words(line.style)} style")
    return ", ".join(said)


def variants(line: Captioned) -> list[str]:
    """Four captions of one picture, the first being the whole one, so that short prompts work as well."""
    return [compose(line, parts) for parts in PARTS]


def may_flip(*texts: str) -> bool:
    """Whether a picture so described stays true when mirrored."""
    return not any(ONE_SIDED.search(text) or re.search(r"\d", text) for text in texts)
