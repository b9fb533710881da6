"""Where the gates of a circuit stand in a picture: in columns from left to right, each after its operands."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from micrograd_c._core.explained.circuit import Circuit, Node

__all__ = ["COLUMN", "ROW", "Layout"]

COLUMN, ROW = 190, 84
ROUNDS = 4      # of moving each column towards its neighbours


class Layout:
    """For each node, by its place in the circuit, the middle of its gate. `width` and `height` are the picture's."""

    def __init__(self, circuit: Circuit) -> None:
        nodes = circuit.nodes
        columns = columns_of(nodes)
        rows = rows_of(nodes, columns)
        top = min(rows, default=0.0)
        self.at = [(COLUMN * column + 80.0, ROW * (row - top) + 60.0) for column, row in zip(columns, rows)]
        self.width = max(x for x, _ in self.at) + COLUMN - 20
        self.height = max(y for _, y in self.at) + 60


def columns_of(nodes: list[Node]) -> list[int]:
    """A gate's is right of its operands; what has no operands is left of the first gate that uses it."""
    columns: list[int] = []
    first_use = [0] * len(nodes)
    for node in nodes:
        columns.append(1 + max((columns[place] for place in node.operands), default=-1))
    for node in reversed(nodes):
        for place in node.operands:
            first_use[place] = min(first_use[place] or columns[node.place], columns[node.place])
    return [column if node.operands else max(0, first_use[node.place] - 1) for node, column in zip(nodes, columns)]


def rows_of(nodes: list[Node], columns: list[int]) -> list[float]:
    """So that wires are short and no two nodes of a column are nearer than one row."""
    rows = [0.0] * len(nodes)
    neighbours: list[list[int]] = [[] for _ in nodes]
    for node in nodes:
        for place in node.operands:
            neighbours[node.place].append(place)
            neighbours[place].append(node.place)
    for k, place in enumerate(in_reading_order(nodes)):
        rows[place] = float(k)
    in_column: dict[int, list[int]] = {}
    for place, column in enumerate(columns):
        in_column.setdefault(column, []).append(place)
    for _ in range(ROUNDS):
        for column in sorted(in_column):
            places = in_column[column]
            wanted = {place: mean([rows[other] for other in neighbours[place]], rows[place]) for place in places}
            places.sort(key=lambda place, wanted=wanted: (wanted[place], place))     # type: ignore[misc]
            spread(places, wanted, rows)
    return rows


def in_reading_order(nodes: list[Node]) -> list[int]:
    """Depth first from the root, operands in their order, each before what uses it."""
    order: list[int] = []
    seen = set()
    todo = [(len(nodes) - 1, False)]
    while todo:
        place, is_done = todo.pop()
        if is_done:
            order.append(place)
        elif place not in seen:
            seen.add(place)
            todo.append((place, True))
            todo += [(operand, False) for operand in reversed(nodes[place].operands)]
    return order


def mean(numbers: list[float], default: float) -> float:
    return sum(numbers) / len(numbers) if numbers else default


def spread(places: list[int], wanted: dict[int, float], rows: list[float]) -> None:
    """Rows at least 1 apart, in this order, around what is wanted."""
    taken = float("-inf")
    for place in places:
        rows[place] = taken = max(wanted[place], taken + 1)
    shift = sum(rows[place] - wanted[place] for place in places) / len(places)
    for place in places:
        rows[place] -= shift
