"""scan: a loop that carries something from step to step, as jax.lax.scan has it.

Knows nested arguments. The loop is Python's: what a step costs is up to the function, which may be a compiled one. In a
trace it stays a loop where it can, see rolled_scan.py.
"""

from __future__ import annotations

from micrograd_c._core.mapped.nested import DEEPEST, too_deep
from micrograd_c._core.transforms.rolled_scan import Rolling
from micrograd_c._core.transforms.structure import shown, transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["scan"]


def scan(
    fn: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any = None, length: int | None = None, *,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Call `carry, y = fn(carry, x)` for each x in xs, and return the last carry, and all y.

    xs is a list or an array, whose first axis is the steps; or a tuple, named tuple or dict of these, like x then.
    Without xs, x is None, and `length` says how many steps there are. The ys come likewise: a list with what each
    step gave; and where that is a tuple, named tuple or dict, one of lists. With `reverse` the last step is made first,
    and ys are in the order of xs.

    The carry must stay alike: numbers or Values, in the same lists, tuples and dicts.

    In a function given to vmap or jit it stays a loop: the function is called a few times, with Values in the place of
    numbers, however many steps there are. Where that could be noticed, as with ints, the loop is written out.

    >>> from micrograd_c import Value, jit
    >>> w = Value(0.5)
    >>> step = jit(lambda h, x: ((h * w + x).tanh(), h * 2.0))      # compiled once, however long the sequence
    >>> last, doubled = scan(step, 0.0, [1.0, -1.0, 0.5])
    >>> round(last.data, 6), [round(y.data, 6) for y in doubled]
    (0.221006, [0.0, 1.523188, -1.101146])
    >>> last.backward()
    >>> round(w.grad, 6)
    -0.271276

    Raises ValueError for sequences of different lengths, and TypeError for what is no sequence, for a function that
    does not return a pair, and for a carry that changes.
    """
    count = number_of_steps(xs, length)
    shape = shape_of(carry)
    found: list[Any] = [None] * count
    order = list(reversed(range(count)) if reverse else range(count))
    rolling = Rolling(fn, count)
    for place, k in enumerate(order):
        carry, found[k] = step(fn, carry, at(xs, k), shape, k)
        if rolling.may_begin(count - place - 1, carry, found[k]):
            rest = order[place + 1:]
            rolled = rolling.rest(carry, [at(xs, one) for one in rest], found[k])
            if rolled is not None:
                carry, ys = rolled
                for one, y in zip(rest, ys):
                    found[one] = y
                break
    return carry, gathered(found)


def step(fn: Callable[[Any, Any], Any], carry: Any, x: Any, shape: Any, k: int) -> tuple[Any, Any]:
    """What step k carries on, and what it gives."""
    pair = fn(carry, x)
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:       # of a mapped function it is a list
        raise TypeError(f"scan wants a function that returns a pair (carry, y), not {shown(pair)}")
    carried, y = pair
    if shape_of(carried) != shape:
        raise TypeError(
            f"the carry must stay alike from step to step: it was {shape}, and step {k} has made it "
            f"{shape_of(carried)}")
    return carried, y


def number_of_steps(xs: Any, length: int | None) -> int:
    if length is not None and (isinstance(length, bool) or not hasattr(length, "__index__") or length < 0):
        raise TypeError(f"length must be a whole number from 0 on, not {length!r}")
    lengths = {"length": length} if length is not None else {}
    for name, one in sequences(xs, "xs", 0):
        if isinstance(one, (str, bytes)) or not hasattr(one, "__len__") or not hasattr(one, "__getitem__"):
            raise TypeError(f"{name} must be a list or an array, whose first axis is the steps, not {shown(one)}")
        lengths[name] = len(one)
    if not lengths:
        raise TypeError("scan without xs must be told how many steps there are: length=10")
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in lengths.items())
        raise ValueError(f"scan wants as many steps of each: {told}")
    return int(next(iter(lengths.values())))


def sequences(xs: Any, name: str, depth: int) -> list[tuple[str, Any]]:
    if depth > DEEPEST:
        raise too_deep("xs")
    if xs is None:
        return []
    parts = xs.items() if isinstance(xs, dict) else enumerate(xs) if isinstance(xs, tuple) else None
    if parts is None:
        return [(name, xs)]
    return [one for key, part in parts for one in sequences(part, f"{name}[{key!r}]", depth + 1)]


def at(xs: Any, k: int) -> Any:
    """That of step k."""
    if xs is None:
        return None
    if isinstance(xs, dict):
        return {key: at(one, k) for key, one in xs.items()}
    if isinstance(xs, tuple):
        parts = [at(one, k) for one in xs]
        return xs._make(parts) if hasattr(xs, "_make") else tuple(parts)
    return xs[k]


def gathered(found: list[Any]) -> Any:
    """What steps gave, as one."""
    first = found[0] if found else []
    if first is None and all(one is None for one in found):
        return None
    if isinstance(first, dict) and all(isinstance(one, dict) and one.keys() == first.keys() for one in found):
        return {key: gathered([one[key] for one in found]) for key in first}
    if isinstance(first, tuple) and all(isinstance(one, tuple) and len(one) == len(first) for one in found):
        parts = [gathered(list(column)) for column in zip(*found)]
        return first._make(parts) if hasattr(first, "_make") else tuple(parts)
    return found


class Leaf:
    """What stands for a number or Value where only lists, tuples and dicts count."""

    def __repr__(self) -> str:
        return "*"


LEAF = Leaf()


def shape_of(tree: Any) -> Any:
    return transform(tree, lambda leaf: LEAF, "the carry")
