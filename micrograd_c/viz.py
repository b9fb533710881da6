"""Pictures of graphs, as micrograd's notebook draws them. The pictures of training are those of plotting.

Knows Values by what they show: `_prev`, `_op`, `data`, `grad` and `label`. Asks the compiled side only for what these
cannot tell: in which order Values were recorded, and how many there are if they are too many to look at.
"""

from __future__ import annotations

import re
from collections import deque

from micrograd_c._core.value.copying import count_ops, in_order
from micrograd_c._listing import lister
from micrograd_c.engine import Value
from micrograd_c.plotting import plot_boundary, plot_losses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

__all__ = ["nodes_and_edges", "trace", "draw_dot", "to_dot", "plot_boundary", "plot_losses"]
__dir__ = lister(__all__)

NAMED_OPS = 10      # how many of the graph's ops the message on a cut picture names
ESCAPES = {     # & begins an entity; control characters end a label or make an SVG invalid
    **dict.fromkeys(range(32), " "), ord("\n"): r"\n", ord("&"): "&amp;",
    **{ord(character): "\\" + character for character in '\\"{}|<>'},
}


def nodes_and_edges(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]:
    """The set of root and all Values it was computed from, and the set of their edges (operand, result).

    >>> a, b = Value(2.0), Value(-3.0)
    >>> c = a * b
    >>> nodes, edges = nodes_and_edges(c)
    >>> nodes == {a, b, c}, edges == {(a, c), (b, c)}
    (True, True)

    Raises TypeError if root is not a Value.
    """
    check_value(root)
    nodes, edges = {root}, set()
    todo = [root]
    while todo:
        value = todo.pop()
        for operand in value._prev:
            edges.add((operand, value))
            if operand not in nodes:
                nodes.add(operand)
                todo.append(operand)
    return nodes, edges


trace = nodes_and_edges     # as it is called in micrograd's notebook; nothing is traced, as vmap traces


def draw_dot(root: Value, format: str = "svg", rankdir: Literal["LR", "TB"] = "LR", limit: int | None = 500) -> Any:
    """The graph below root as a graphviz.Digraph, which a notebook shows and `render` writes to a file.

    Each Value is a box with its label, if it has one, data and grad; the op that computed it is beside it. rankdir is
    'LR', from left to right, or 'TB', from top to bottom. Of a graph of more than `limit` Values only the nearest to
    root are drawn, under a message that says so; None draws all. graphviz draws with the program `dot`, which does not
    come with it: see graphviz.org.

    Raises TypeError if root is not a Value, ValueError for another rankdir, a format that graphviz does not know or a
    limit below 1, and ImportError if the package graphviz is not installed.
    """
    statements = picture(root, rankdir, limit)
    try:
        from graphviz import Digraph
    except ModuleNotFoundError as error:
        if error.name != "graphviz":
            raise
        raise ImportError(
            "draw_dot needs the package graphviz, which is not installed: pip install 'micrograd_c[viz]'; "
            "to_dot gives the picture as text without it",
            name="graphviz",
        ) from None
    return Digraph(format=format, graph_attr={"rankdir": rankdir}, body=statements)


def to_dot(root: Value, rankdir: Literal["LR", "TB"] = "LR", limit: int | None = 500) -> str:
    """What draw_dot draws, as text in the language DOT. Needs nothing installed; the same program gives the same text.

    >>> a, b = Value(2.0), Value(-3.0)
    >>> a.label = 'a'
    >>> print(to_dot(a * b))        # doctest: +NORMALIZE_WHITESPACE
    digraph {
        graph [rankdir=LR]
        n0 [label="{ a | data 2.0000 | grad 0.0000 }" shape=record]
        n1 [label="{ data -3.0000 | grad 0.0000 }" shape=record]
        n2 [label="{ data -6.0000 | grad 0.0000 }" shape=record]
        n2_op [label="*"]
        n2_op -> n2
        n0 -> n2_op
        n1 -> n2_op
    }

    Raises TypeError if root is not a Value, and ValueError for another rankdir than 'LR' or 'TB' or a limit below 1.
    """
    return f"digraph {{\n\tgraph [rankdir={rankdir}]\n{''.join(picture(root, rankdir, limit))}}}\n"


def picture(root: Value, rankdir: str, limit: int | None) -> list[str]:
    """The statements of the picture in DOT, a list of lines."""
    check_value(root)
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"rankdir must be 'LR' (left to right) or 'TB' (top to bottom), not {rankdir!r}")
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, or None to draw all Values, not {limit!r}")
    names = {value: f"n{k}" for k, value in enumerate(in_order(nearest(root, limit)))}
    statements = []
    cut = False
    for value, name in names.items():
        statements.append(f'{name} [label="{{ {" | ".join(fields(value))} }}" shape=record]')
        target = name
        if value._op:
            target = f"{name}_op"
            statements.append(f'{target} [label="{escape(value._op)}"]')
            statements.append(f"{target} -> {name}")
        operands = in_order(value._prev)
        drawn = [names[operand] for operand in operands if operand in names]
        statements += [f"{operand} -> {target}" for operand in drawn]
        if len(drawn) < len(operands):
            cut = True
            statements.append(f'{name}_more [label="..." shape=box style=dashed]')
            statements.append(f"{name}_more -> {target} [style=dashed]")
    if cut:
        statements.append(f'label="{escape(summary(root, len(names)))}"')
        statements.append("labelloc=t")
    return [f"\t{statement}\n" for statement in statements]


def check_value(root: object) -> None:
    if not isinstance(root, Value):
        raise TypeError(
            f"the root of a graph must be a Value, not of type {type(root).__name__}; for several outputs take the sum"
        )


def nearest(root: Value, limit: int | None) -> Iterable[Value]:
    """Root and what it was computed from, breadth first, at most `limit` Values."""
    found = {root}
    todo = deque(found)
    while todo:
        for operand in in_order(todo.popleft()._prev):
            if len(found) == limit:
                return found
            if operand not in found:
                found.add(operand)
                todo.append(operand)
    return found


def fields(value: Value) -> list[str]:
    """The texts in a Value's box."""
    label = getattr(value, "label", None)
    # a record loses a space before another and, in some versions, before a letter that is not ASCII
    text = "" if label is None else re.sub(r" (?=[^!-~])", "&#32;", escape(label))
    grad = "None" if value.grad is None else f"{value.grad:.4f}"
    return [*([text] if text else []), f"data {value.data:.4f}", f"grad {grad}"]


def escape(text: object) -> str:
    """Any text as part of a quoted DOT string that is shown as it is, in a record or elsewhere."""
    return str(text).translate(ESCAPES)


def summary(root: Value, drawn: int) -> str:
    """How much there is, how much of it is in the picture, and how to see the rest."""
    counts = count_ops(root)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    ops = [f"{count:,} {op or 'without op'}" for op, count in ordered[:NAMED_OPS]]
    if len(ordered) > NAMED_OPS:
        ops.append(f"{sum(count for _, count in ordered[NAMED_OPS:]):,} of other ops")
    total = sum(counts.values())
    return f"{drawn:,} of {total:,} Values, those nearest to the root; limit=None draws all.\n{', '.join(ops)}"
