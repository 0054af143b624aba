"""A trace in words: a calm tree, the neighbours, the answer with its evidence, and how to make more."""

import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sfumato.checkpoints.averages import average_in_words
from sfumato.compliance.answer import Answer, name_of
from sfumato.compliance.chain import Step
from sfumato.compliance.neighbours import Neighbour
from sfumato.data.freeze import SPLITS

if TYPE_CHECKING:
    from sfumato.compliance.trace import Trace

WIDTH = 100
SOURCES = 12  # shown of one version
SILENT = ("sha256", "checkpoint", "height", "mime", "concepts")
BARE = ("licence", "author", "style", "url", "architecture", "sampler", "reason", "detail")
SAID: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "n": lambda value, facts: _counted(value, "picture"),
    "steps": lambda value, facts: _counted(value, "step"),
    "samples_seen": lambda value, facts: f"{_counted(value, 'picture')} seen",
    "splits": lambda value, facts: ", ".join(
        f"{value[split]:,} {SPLITS.get(split, split)}" for split in sorted(value, key=[*SPLITS, *value].index)
    ),
    "licences": lambda value, facts: ", ".join(
        f"{count:,} {spdx}" for spdx, count in sorted(value.items(), key=lambda one: -one[1])
    ),
    "width": lambda value, facts: f"{value} × {facts.get('height')} pixels",
    "ema": lambda value, facts: average_in_words(value),
    "background": lambda value, facts: f"on {value}" if value != "transparent" else "on no ground",
}


def _counted(value: Any, what: str) -> str:
    return f"{value:,} {what}{'' if value == 1 else 's'}" if isinstance(value, int) else f"{value} {what}s"


def in_words(trace: "Trace", width: int = WIDTH) -> str:
    """The whole trace as plain text of at most `width` characters a line."""
    parts = ["What is it made from?", "\n".join(_tree(trace.chain, width))]
    if trace.below is not None:
        parts += ["What was made from it?", "\n".join(_tree(trace.below, width))]
    if trace.leaned_on is not None:
        parts.append(_wrapped(f"It leaned on {_told(trace.leaned_on)}.", width))
    if trace.nearest:
        parts.append("\n".join(_nearest(trace, width)))
    if trace.answer is not None:
        parts += ["May I use it?", _answer(trace.answer, width)]
    elif trace.standing is None:
        parts.append(_wrapped("“May I use it?” is answered for one picture: sfumato trace PICTURE", width))
    if trace.again:
        parts += ["Ten more in another style:" if " style'" in trace.again else "Ten more:", f"  {trace.again}"]
    return "\n".join([parts[0], *_spaced(parts[1:])])


def _spaced(parts: list[str]) -> Iterator[str]:
    """The parts with an empty line before each, but none between a heading and what it heads."""
    heading = True
    for part in parts:
        if not heading:
            yield ""
        yield part
        heading = part.endswith(("?", ":")) and "\n" not in part


def _tree(step: Step, width: int) -> Iterator[str]:
    yield from _lines(_line(step), "", "", width)
    yield from _branches(step, "", width)


def _branches(step: Step, before: str, width: int) -> Iterator[str]:
    below = _few(step.steps)
    for place, one in enumerate(below):
        last = place == len(below) - 1
        rest = before + ("   " if last else "│  ")
        yield from _lines(_line(one), before + ("└─ " if last else "├─ "), rest, width)
        yield from _branches(one, rest, width)


def _few(steps: tuple[Step, ...]) -> list[Step]:
    sources = [one for one in steps if one.role == "from"]
    if len(sources) <= SOURCES:
        return list(steps)
    left = sources[SOURCES:]
    pictures = sum(int(one.facts.get("n") or 0) for one in left)
    more = Step("and", f"{len(left):,} more sources with {pictures:,} pictures; --json lists them")
    return [*sources[:SOURCES], more, *(one for one in steps if one.role != "from")]


def _lines(text: str, first: str, rest: str, width: int) -> list[str]:
    return _wrap(text, width, first, rest + "  ") or [first]


def _line(step: Step) -> str:
    head = f"{step.role}: {step.title}" if step.role else step.title
    short = f"{step.ref.partition('/')[0]} …{step.ref[-6:]}" if "/" in step.ref else ""
    short = short.replace("_", " ")
    return " · ".join(filter(None, [head, *_facts(step.facts), short]))


def _facts(facts: dict[str, Any]) -> Iterator[str]:
    """Facts as a person would say them; what is not known is left out."""
    for name, value in facts.items():
        if value in ("", None, {}, []) or name in SILENT:
            continue
        if name in SAID:
            yield SAID[name](value, facts)
        elif name in BARE:
            yield str(value)
        else:
            yield f"{name.replace('_', ' ')} {value}"


def _nearest(trace: "Trace", width: int) -> Iterator[str]:
    below = trace.nearest[0].copy_below or 0.0
    yield f"Nearest training pictures to {trace.compared} (a copy would be below {below:.2f}):"
    for one in trace.nearest:
        copied = "  a near copy" if one.is_copied else ""
        yield from _lines(f"{one.distance:.2f}  {name_of(one)}{copied}", "  ", "    ", width)


def _told(one: Neighbour) -> str:
    apart = "" if one.distance is None else f", at a distance of {one.distance:.2f}"
    return f"the training picture {name_of(one)}{apart}"


def _answer(answer: Answer, width: int) -> str:
    """The paragraph, then what each of its clauses rests on."""
    said = [_wrapped(answer.text, width), "", "Evidence:"]
    for clause in [*answer.conditions, *answer.clauses]:
        said += _lines(f"{clause.topic}: {clause.evidence}", "  ", "  ", width)
    return "\n".join(said[:3] + list(dict.fromkeys(said[3:])))


def _wrapped(text: str, width: int) -> str:
    return "\n".join(_wrap(text, width))


def _wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Lines of text in which names of packages stay whole."""
    return textwrap.wrap(
        text, max(width, 40), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
