"""Where the cards of a trace stand: columns from sources to release, and the lines between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROW, HEAD = 14, 28
ROOMY_COLUMNS = 5  # with more of them cards stand closer, so that a usual window shows the whole from its sources on


@dataclass(frozen=True)
class Size:
    """How wide and high a card is, and how far apart columns stand."""

    wide: int
    high: int
    gap: int


ROOMY, CLOSE = Size(184, 60, 56), Size(128, 76, 20)


@dataclass(frozen=True)
class Node:
    """A record in a trace. `strong` is on the path of what is traced, `here` is what is traced."""

    id: str
    column: int
    title: str
    say: str = ""
    href: str = ""
    picture: str = ""
    strong: bool = False
    here: bool = False


@dataclass(frozen=True)
class Edge:
    """What was made of what; the first is the parent."""

    parent: str
    child: str
    strong: bool = False


@dataclass(frozen=True)
class Placed:
    """A node with its corner, and what it was made from."""

    node: Node
    x: int
    y: int
    parents: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """An edge as a path."""

    path: str
    strong: bool


@dataclass(frozen=True)
class Graph:
    """A trace ready to be drawn, with the columns for those who read it as a list."""

    width: int
    height: int
    nodes: list[Placed]
    edges: list[Drawn]
    columns: list[tuple[str, int, list[Placed]]]
    size: Size = ROOMY


def lay_out(nodes: Sequence[Node], edges: Iterable[Edge], headings: Sequence[str] = ()) -> Graph:
    """Place nodes in their columns, each near what it was made from, and draw the lines."""
    edges = list(edges)
    known = {node.id: node for node in nodes}
    parents: dict[str, list[str]] = {node.id: [] for node in nodes}
    for edge in edges:
        if edge.parent in known and edge.child in known:
            parents[edge.child].append(edge.parent)
    columns = sorted({node.column for node in nodes})
    rows = _rows(nodes, parents, columns)
    size = ROOMY if len(columns) <= ROOMY_COLUMNS else CLOSE
    apart, step = size.wide + size.gap, size.high + ROW
    longest = max((len(ids) for ids in rows.values()), default=0)
    tall = max(longest * step - ROW, 0)
    placed: dict[str, Placed] = {}
    for place, column in enumerate(columns):
        start = HEAD + (tall - (len(rows[column]) * step - ROW)) // 2
        for row, one in enumerate(rows[column]):
            above = tuple(known[parent] for parent in parents[one])
            placed[one] = Placed(known[one], place * apart, start + row * step, above)
    drawn = [
        Drawn(_curve(placed[edge.parent], placed[edge.child], size), edge.strong)
        for edge in sorted(edges, key=lambda edge: edge.strong)
        if edge.parent in known and edge.child in known
    ]
    named = [
        (
            headings[column] if column < len(headings) else "",
            place * apart,
            [placed[one] for one in rows[column]],
        )
        for place, column in enumerate(columns)
    ]
    width = max(len(columns) * apart - size.gap, 0)
    ordered = [placed[one] for column in columns for one in rows[column]]
    return Graph(width, tall + HEAD + 4, ordered, drawn, named, size)


def _rows(nodes: Sequence[Node], parents: dict[str, list[str]], columns: list[int]) -> dict[int, list[str]]:
    """The order within each column: by the middle of what a record was made from, else as given."""
    rows: dict[int, list[str]] = {}
    heights: dict[str, float] = {}
    for column in columns:
        ids = [node.id for node in nodes if node.column == column]
        given = {one: place for place, one in enumerate(ids)}

        def middle(one: str, given: dict[str, int] = given) -> tuple[float, int]:
            above = [heights[parent] for parent in parents[one] if parent in heights]
            return (sum(above) / len(above) if above else given[one], given[one])

        rows[column] = sorted(ids, key=middle)
        heights.update({one: place - (len(ids) - 1) / 2 for place, one in enumerate(rows[column])})
    return rows


def _curve(start: Placed, end: Placed, size: Size) -> str:
    """A soft line from the right side of one card to the left side of another."""
    middle, out = size.high // 2, size.gap // 2
    x1, y1, x2, y2 = start.x + size.wide, start.y + middle, end.x, end.y + middle
    if x2 <= x1:  # in one column, or backwards: around the right
        return f"M{x1} {y1}C{x1 + out} {y1} {x2 + size.wide + out} {y2} {x2 + size.wide} {y2}"
    bend = (x2 - x1) // 2
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
