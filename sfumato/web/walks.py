"""A trace as a graph: from the steps of the record to cards in columns, sources left, what came of it right."""

from dataclasses import dataclass, field, replace

from sfumato.compliance.chain import Step
from sfumato.web.graphs import Edge, Graph, Node, lay_out
from sfumato.web.places import place_of
from sfumato.web.words import number

COLUMNS = ("Sources", "Dataset", "Dataset version", "Run", "Model", "Request", "Picture")
BY_ROLE = {
    "from": 0, "collected from": 0, "frozen from": 1, "learnt from": 2, "trained by": 3, "drawn by": 4,
    "grown from": 4, "goes on from": 4, "asked by": 5,
}  # fmt: skip
BY_KIND = {
    "dataset": 1, "item": 1, "dataset_version": 2, "run": 3, "checkpoint": 4, "model": 4, "request": 5, "image": 6,
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
    """The graph of a record's trace; `picture` is the address of what shows the record itself.

    What is of one kind stands in one column, and what has no record of its own is one card wherever it is met.
    """
    cards = _Cards()
    column = BY_KIND.get(chain.ref.partition("/")[0], len(COLUMNS) - 1)
    here = _up(cards, replace(chain, title=title or chain.title), column, here=True, picture=picture)
    cards.headings[column] = "Picture" if picture else "This record"
    for one in below.steps if below else ():
        _down(cards, one, here, column + 1)
    top = max(node.column for node in cards.nodes.values())
    return lay_out(
        list(cards.nodes.values()), cards.edges.values(), [cards.headings.get(place, "") for place in range(top + 1)]
    )  # fmt: skip


def _up(cards: _Cards, step: Step, column: int, *, here: bool = False, picture: str = "") -> str:
    key = step.ref or f"{step.role}:{step.title}:{step.facts.get('version', '')}"
    if key not in cards.nodes:
        href = place_of(step.ref) if step.ref and step.evidence and not here else ""
        cards.nodes[key] = Node(key, column, step.title, says(step), href, picture, strong=True, here=here)
    for one in step.steps[:MOST]:
        known = one.role in BY_ROLE
        before = min(BY_ROLE[one.role], column) if known else max(column - 1, 0)
        cards.headings.setdefault(before, COLUMNS[before] if known else one.role.capitalize())
        parent = _up(cards, one, before)
        cards.edges[parent, key] = Edge(parent, key, strong=True)
    if len(step.steps) > MOST:
        rest = f"{key}:more"
        cards.nodes[rest] = Node(rest, max(column - 1, 0), f"{len(step.steps) - MOST:,} more", "")
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
