"""What every page looks like: the templates' environment, icons by name, and the list of components."""

import re
from collections.abc import Callable, Hashable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from sfumato.data.records import CONSENTS
from sfumato.trust.licences import CLASSES
from sfumato.web.assets import FOLDER, SHEETS, static
from sfumato.web.words import FILTERS

TEMPLATES = Path(__file__).parent / "templates"
COMPONENTS = (
    "ask", "card", "chart", "comments", "dialog", "empty", "form", "gallery", "menu", "number", "person", "progress",
    "same", "sentence", "status", "table", "tile", "toast", "trace",
)  # fmt: skip
THEMES = ("light", "dark")  # anything else follows the system
GALLERY_KEYS = [
    ("← → ↑ ↓", "move"), ("Enter", "open"), ("Space", "select"), ("1 – 5", "rate"), ("a", "approve"), ("r", "reject"),
    ("c", "compare"),
]  # fmt: skip
ON_THE_BAR = ("home", "create", "models", "asks")  # desks shown on a phone; the rest are under "More"
CUT = "\x1e"  # between the parts of the frame; no text that people write holds it as it is
MOST = 256  # frames that are kept
PIECES = 512  # pieces of pages that are kept
_surroundings: dict[tuple[Any, ...], list[Markup]] = {}
_pieces: dict[tuple[Hashable, ...], Markup] = {}
_around: dict[tuple[Hashable, ...], tuple[bytes, bytes, bytes]] = {}


class Named(Protocol):
    """What the desks of the rail have, as far as letters are given to them."""

    name: str


@cache
def icon_names() -> frozenset[str]:
    """Return the names of the icons that ship."""
    return frozenset(re.findall(r'<symbol id="([^"]+)"', (FOLDER / "icons/sprite.svg").read_text(encoding="utf-8")))


@lru_cache(maxsize=1024)
def icon(name: str, label: str = "") -> Markup:
    """Draw an icon: silent beside a word, named for screen readers where it stands alone."""
    if name not in icon_names():
        raise KeyError(f"There is no icon {name}: add it to ICONS in sfumato/web/vendored.py.")
    says = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    use = Markup('<use href="{}#{}"/>').format(static("icons/sprite.svg"), name)
    return Markup('<svg class="icon" {}>{}</svg>').format(says, use)


def letters(desks: list[Named]) -> dict[str, str]:
    """Give each desk the letter that goes there after `g`: the first of its name that is still free."""
    given: dict[str, str] = {}
    for desk in desks:
        free = (letter for letter in desk.name.lower() if letter.isalpha() and letter not in given.values())
        given[desk.name] = next(free, "")
    return given


def lines(text: str) -> Markup:
    """Keep the line ends of what a person wrote, and nothing else of its form."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


def csrf_field(token: str) -> Markup:
    """The field by which a form shows that it comes from a page of ours; templates call it as `csrf()`."""
    return Markup(f'<input type="hidden" name="csrf" value="{escape(token)}">')


def kept(name: str, *said_by: Hashable, caller: Callable[[], Markup]) -> Markup:
    """A piece of a page, drawn once for each of what it is `said_by`: all that it says has to be among that.

    Templates write {% call kept("name", …) %} around it; the name is of that place alone.
    """
    key = (name, *said_by)
    found = _pieces.get(key)
    if found is None:
        if len(_pieces) >= PIECES:
            _pieces.clear()
        found = _pieces[key] = caller()
    return found


@pass_context
def surroundings(context: Context) -> list[Markup]:
    """The parts of the frame around a page, kept as long as nothing that they say has changed."""
    said = [context.get(name) for name in ("me", "running", "waits", "notices", "page", "theme", "rail")]
    try:
        key = (*said, tuple(context["desks"]), context["csrf"]())
        hash(key)
    except TypeError:  # something that can be changed, which only the page of components and tests bring
        return _drawn(context)
    found = _surroundings.get(key)
    if found is None:
        if len(_surroundings) >= MOST:
            _surroundings.clear()
        found = _surroundings[key] = _drawn(context)
    return found


def kept_around(key: tuple[Hashable, ...], draw: Callable[[], str]) -> tuple[bytes, bytes, bytes]:
    """What stands before, between and after the two places of a page that are not kept, which it marks by CUT."""
    found = _around.get(key)
    if found is None:
        if len(_around) >= MOST:
            _around.clear()
        start, middle, *end = draw().encode().split(CUT.encode())  # a page with nothing inside has no second place
        found = _around[key] = start, middle, end[0] if end else b""
    return found


def _drawn(context: Context) -> list[Markup]:
    template = context.environment.get_template("components/around.html")
    return [Markup(part) for part in template.render({**context.get_all(), "cut": CUT}).split(CUT)]


@cache
def make_environment() -> Environment:
    """Make the environment that all pages are written in: everything is escaped, an unknown name is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False, cache_size=-1,
    )  # fmt: skip
    environment.filters.update(FILTERS, lines=lines)
    shared: dict[str, Any] = {
        "icon": icon, "static": static, "surroundings": surroundings, "kept": kept, "sheets": SHEETS,
        "letters": letters, "on_the_bar": ON_THE_BAR, "spdx": tuple(CLASSES),
        "consents": CONSENTS,
    }  # fmt: skip
    environment.globals.update(shared)
    return environment
