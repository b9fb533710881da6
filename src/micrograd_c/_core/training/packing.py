"""Nested dicts and lists as JSON, in which floats are told by shape only and lie in an array of their own.

    {"w": [[0.5, 1.0], [2.0, 4.0]], "names": ["a"]}     is
    {"w": {"float64[]": [2, 2]}, "names": ["a"]}        and 0.5, 1.0, 2.0, 4.0
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator
    from typing import Any

__all__ = ["pack", "unpack"]

FLOATS = "float64[]"


def pack(tree: Any, numbers: array[float], name: str, singles: bool = False) -> Any:
    """What to write as JSON. Appends the floats of lists, and single ones if asked, to numbers.

    Raises TypeError for what is neither a dict by texts, a list, a tuple, text, a number, a bool nor None. Tuples
    become lists.
    """
    if isinstance(tree, dict):
        for key in tree:
            if not isinstance(key, str):
                raise TypeError(f"{name} has the key {key!r}: keys must be texts to be saved")
        return {key: pack(part, numbers, f"{name}[{key!r}]", singles) for key, part in tree.items()}
    shape = shape_of(tree) if singles or isinstance(tree, (list, tuple)) else None
    if shape is not None:
        extend(tree, numbers)
        return {FLOATS: shape}
    if isinstance(tree, (list, tuple)):
        return [pack(part, numbers, f"{name}[{i}]", singles) for i, part in enumerate(tree)]
    if tree is None or isinstance(tree, (str, bool, int, float)):
        return tree
    kind = type(tree)
    full = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    raise TypeError(f"{name} is a {full}: dicts, lists, texts, numbers, bools and None can be saved")


def unpack(tree: Any, numbers: Iterator[float]) -> Any:
    """The nested dicts and lists again, by what pack returned and the numbers in their order."""
    if isinstance(tree, dict):
        if tree.keys() == {FLOATS}:
            return of_shape(tree[FLOATS], numbers)
        return {key: unpack(part, numbers) for key, part in tree.items()}
    if isinstance(tree, list):
        return [unpack(part, numbers) for part in tree]
    return tree


def shape_of(tree: Any) -> list[int] | None:
    """Of a float, or of lists of floats that are all as long as their neighbours; else None."""
    if type(tree) is float:
        return []
    if not isinstance(tree, (list, tuple)) or not tree:
        return None
    shapes = [shape_of(part) for part in tree]
    if shapes[0] is None or any(shape != shapes[0] for shape in shapes):
        return None
    return [len(tree), *shapes[0]]


def extend(tree: Any, numbers: array[float]) -> None:
    if isinstance(tree, float):
        numbers.append(tree)
        return
    for part in tree:
        extend(part, numbers)


def of_shape(shape: list[int], numbers: Iterator[float]) -> Any:
    if not shape:
        return next(numbers)
    return [of_shape(shape[1:], numbers) for _ in range(shape[0])]
