"""What a notebook shows of a module: a table of its parts and how many parameters they have. Knows parameters only."""

from __future__ import annotations

from html import escape

from micrograd_c._core.modules.parameters import parts, unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from micrograd_c._core.modules.parameters import _HasParameters

__all__ = ["summary"]

WIDEST = 60     # characters of a part's repr


def summary(module: _HasParameters) -> str:
    """The table as HTML.

    >>> from micrograd_c.nn import Layer
    >>> print(summary(Layer(2, 1)))     # doctest: +NORMALIZE_WHITESPACE
    <table><caption>Layer: 3 parameters</caption>
    <tr><th>part</th><th></th><th>parameters</th></tr>
    <tr><td>neurons.0</td><td>ReLUNeuron(2)</td><td>3</td></tr>
    </table>
    """
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(shortened(repr(part)))}</td><td>{count(part):,}</td></tr>\n"
        for name, part in modules_of(module, "")
    )
    heading = "<tr><th>part</th><th></th><th>parameters</th></tr>\n" if rows else ""
    caption = f"{escape(type(module).__name__)}: {count(module):,} parameters"
    return f"<table><caption>{caption}</caption>\n{heading}{rows}</table>"


def modules_of(thing: Any, name: str, above: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(name, module) for the modules a module holds, in lists and dicts as well, but not those within them."""
    inside = (*above, id(thing))
    for key, part in parts(thing):
        path = f"{name}.{key}" if name else str(key)
        if hasattr(part, "parameters"):
            yield path, part
        elif isinstance(part, (dict, list, tuple)) and id(part) not in inside:
            yield from modules_of(part, path, inside)


def count(module: _HasParameters) -> int:
    return len(unique(module.parameters()))


def shortened(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."
