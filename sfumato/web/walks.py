"""A trace as a graph: from the steps of the record to cards in columns, sources left, what came of it right."""

from dataclasses import dataclass, field, replace

from sfumato.compliance.chain import Step
from sfumato.web.graphs import Edge, Graph, Node, lay_out
from sfumato.web.places import place_of
from sfumato.web.words import number

HEADINGS = {
    "from": "Sources", "collected from": "Sources", "learnt from": "Dataset version", "trained by": "Run",
    "drawn by": "Model", "asked by": "Request", "grown from": "Grown from", "frozen from": "Dataset",
}  # fmt: skip
MOST = 12  # cards of one kind above a record
TOLD = {
    "samples_seen": "pictures seen", "seed": "seed", "model": "model", "n": "pictures", "status": "", "reason": "",
    "background": "background",
}  # fmt: skip


@dataclass
class _Cards:
    """Cards found so far, each once, with the column that it wants."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], Edge] = field(default_factory=dict)
    headings: dict[int, str] = field(default_factory=dict)


def graph_of(chain: Step, below: Step | None, *, picture: str = "", title: str = "") -> Graph:
    """The graph of a record's trace; `picture` is the address of what shows the record itself."""
    cards = _Cards()
    deepest = _depth(chain)
    here = _up(cards, replace(chain, title=title or chain.title), deepest, here=True, picture=picture)
    cards.headings[deepest] = "This record" if not picture else "Picture"
    for one in below.steps if below else ():
        _down(cards, one, here, deepest + 1)
    top = max(node.column for node in cards.nodes.values())
    return lay_out(
        list(cards.nodes.values()), cards.edges.values(), [cards.headings.get(column, "") for column in range(top + 1)]
    )  # fmt: skip


def _depth(step: Step) -> int:
    return 1 + max((_depth(one) for one in step.steps), default=-1)


def _up(cards: _Cards, step: Step, column: int, *, here: bool = False, picture: str = "") -> str:
    key = step.ref or f"{step.evidence}:{step.title}"
    if key not in cards.nodes:
        href = place_of(step.ref) if step.ref and step.evidence and not here else ""
        cards.nodes[key] = Node(key, column, step.title, says(step), href, picture, strong=True, here=here)
    for one in step.steps[:MOST]:
        parent = _up(cards, one, column - 1)
        cards.headings.setdefault(column - 1, HEADINGS.get(one.role, one.role.capitalize()))
        cards.edges[parent, key] = Edge(parent, key, strong=True)
    if len(step.steps) > MOST:
        rest = f"{key}:more"
        cards.nodes[rest] = Node(rest, column - 1, f"{len(step.steps) - MOST:,} more", "")
        cards.edges[rest, key] = Edge(rest, key)
    return key


def _down(cards: _Cards, step: Step, parent: str, column: int) -> None:
    key = step.ref or f"{parent}:{step.title}"
    if key not in cards.nodes:
        href = place_of(step.ref) if step.ref else ""
        cards.nodes[key] = Node(key, column, step.title, says(step), href)
        cards.headings.setdefault(column, "What came of it")
    cards.edges[parent, key] = Edge(parent, key)
    for one in step.steps:
        _down(cards, one, key, column + 1)


def says(step: Step) -> str:
    """The one thing that a card says besides its title."""
    if step.facts.get("licence"):
        count = step.facts.get("n") or step.facts.get("pictures")
        licence = str(step.facts["licence"])
        return f"{number(count)} pictures, {licence}" if isinstance(count, int) else licence
    for name, word in TOLD.items():
        value = step.facts.get(name)
        if value not in (None, "", {}, []):
            counted = isinstance(value, int) and name != "seed"
            return f"{number(value)} {word}" if counted else f"{word} {value}".strip()
    return step.role
