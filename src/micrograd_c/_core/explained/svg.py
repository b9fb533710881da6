"""The circuit as an SVG picture: gates, wires, a value above each wire and a gradient below."""

from __future__ import annotations

import html

from micrograd_c._core.explained.drawing import Layout
from micrograd_c._core.explained.text import Texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from micrograd_c._core.explained.circuit import Circuit, Node

    _Translate = Callable[[str], str]

__all__ = ["STYLE", "as_svg", "picture"]

HALF = 19           # of a gate's height
WIRE = 112          # from a gate's middle to where its wires part
INSIDE, ABOVE = 5, 16       # how many letters there is room for in a leaf, and above a node
TITLE = "The circuit of {name}: values above the wires, gradients below"
STYLE = """\
.circuit { font: 14px system-ui, sans-serif; background: #fff; }
.circuit text { text-anchor: middle; fill: #222; }
.circuit .name, .circuit .value, .circuit .grad { paint-order: stroke; stroke: #fff; stroke-width: 3px; }
.circuit .wire { fill: none; stroke: #777; stroke-width: 1.5; }
.circuit .gate { fill: #fff; stroke: #222; stroke-width: 1.5; }
.circuit .leaf { fill: #eef3fa; stroke: #222; }
.circuit .constant, .circuit .left-out { fill: #f4f4f4; stroke: #999; stroke-dasharray: 3 2; }
.circuit .op { font-size: 13px; }
.circuit .name { font-style: italic; }
.circuit .value { fill: #0b6b2e; font-weight: 600; }
.circuit .grad { fill: #b3141c; font-weight: 600; }
"""


def as_svg(circuit: Circuit, translate: _Translate, digits: int) -> str:
    """A file of its own, with all values and gradients."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + picture(circuit, translate, digits, STYLE)


def picture(circuit: Circuit, translate: _Translate, digits: int, style: str = "") -> str:
    """The svg element. Its parts have the places of nodes in `data-node`, for scripts."""
    texts = Texts(circuit, translate, digits)
    layout = Layout(circuit)
    title = escaped(translate(TITLE).format(name=circuit.root.name))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="circuit" role="img" aria-label="{title}" '
        f'width="{layout.width:.0f}" height="{layout.height + 24:.0f}" '
        f'viewBox="0 0 {layout.width:.0f} {layout.height + 24:.0f}">',
        f"<title>{title}</title>",
    ]
    if style:
        lines.append(f"<style>{style}</style>")
    for node in circuit.nodes:
        lines += [wire(layout.at[place], layout.at[node.place], slot, len(node.operands))
                  for slot, place in enumerate(node.operands)]
    for node in circuit.nodes:
        lines += drawn(node, texts, *layout.at[node.place])
    if circuit.is_cut():
        summary = escaped(texts.summary().strip())
        lines.append(f'<text x="{layout.width / 2:.0f}" y="{layout.height + 12:.0f}">{summary}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def wire(start: tuple[float, float], end: tuple[float, float], slot: int, slots: int) -> str:
    """From where an operand's wires part to the gate's left side; of two operands the first comes in above."""
    x1, y1 = start[0] + WIRE, start[1]
    x2, y2 = end[0] - HALF, end[1] + (slot - (slots - 1) / 2) * min(12, 2 * HALF / slots)
    bend = max(24.0, abs(x2 - x1) / 3)
    return (f'<path class="wire" d="M{x1:.1f} {y1:.1f} C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} '
            f'{x2:.1f} {y2:.1f}"/>')


def drawn(node: Node, texts: Texts, x: float, y: float) -> list[str]:
    """The node, its name, its wire, and two numbers."""
    name, kind = texts.name(node), node.kind.replace(" ", "-")
    lines = [f'<g data-node="{node.place}" data-kind="{kind}">', f"<title>{escaped(texts.symbolic(node))}</title>"
             if node.kind == "gate" else f"<title>{escaped(name)}</title>"]
    if node is not texts.circuit.root or node.kind != "constant":
        lines.append(f'<path class="wire" d="M{x:.1f} {y:.1f} H{x + WIRE:.1f}"/>')
    if node.kind == "gate":
        lines.append(box(x, y, len(node.op) * 8, "gate"))
        lines.append(f'<text class="op" x="{x:.1f}" y="{y + 5:.1f}">{escaped(node.op)}</text>')
    else:
        lines.append(box(x, y, 0, kind))
    if node.kind == "gate" or len(name) > INSIDE:
        lines.append(f'<text class="name" x="{x:.1f}" y="{y - HALF - 6:.1f}">{escaped(shortened(name))}</text>')
    else:
        lines.append(f'<text class="name" x="{x:.1f}" y="{y + 5:.1f}">{escaped(name)}</text>')
    if node.kind != "constant":
        middle = x + (HALF + WIRE) / 2 + max(0, len(node.op) * 4 - HALF)
        lines.append(f'<text class="value" x="{middle:.1f}" y="{y - 5:.1f}">{texts.number(node.data)}</text>')
        grad = "" if node.kind == "left out" else texts.number(node.grad)
        lines.append(f'<text class="grad" x="{middle:.1f}" y="{y + 17:.1f}">{grad}</text>')
    return [*lines, "</g>"]


def box(x: float, y: float, width: int, kind: str) -> str:
    half = max(HALF, width / 2 + 4)
    radius = HALF if kind == "gate" else 6
    return (f'<rect class="{kind}" x="{x - half:.1f}" y="{y - HALF:.1f}" width="{2 * half:.1f}" height="{2 * HALF}" '
            f'rx="{radius}"/>')


def shortened(name: str) -> str:
    """The end of it, which tells names in lists and models apart."""
    return name if len(name) <= ABOVE else "…" + name[1 - ABOVE:]


def escaped(text: str) -> str:
    """As XML, which has no control characters."""
    return html.escape("".join(character if character.isprintable() else " " for character in text))
