"""The steps of a scan that stay a loop in a trace: few of them are recorded, for all.

Knows nested structures and loops of a trace. Knows nothing of sequences: it is told what each step gets.

Design
------
The first steps of a scan are called as they are, until what is carried has become Values. Then the function is called
with what stands for the carry and for what a step gets, and the loop is recorded. If steps are short, some make up one
of the loop's: what steps carry on, and what they add to gradients, costs time by itself.

The function gets Values there, and floats where a loop written out may have them. So whatever could notice is left to
the loop written out: ints, arrays, texts, Values with attributes, what is no Value in a result, a function that raises.
"""

from __future__ import annotations

from micrograd_c._core.mapped import rolling  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.tape import pausing  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.transforms.calling import are_many_wanted
from micrograd_c._core.transforms.structure import leaves, rebuild, transform
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Rolling"]

FEW = 4             # steps of a loop, at least
MOST_FIRST = 4      # steps after which what is carried, and what a step gives, may have become Values
NODES = 256         # of a loop's step, unless a single one of the scan has more
MOST_TOGETHER = 32  # steps of the scan in one of the loop
LEAST = 256                 # nodes of a loop: fewer may as well be written out
LEAST_OF_MANY = 10_000      # if each of many derivatives would have loops of its own, which share nothing


class Rolling:
    """What is known of a scan, on the way through its first steps."""

    def __init__(self, fn: Callable[[Any, Any], Any], steps: int) -> None:
        self.fn, self.steps = fn, steps
        self.is_open = rolling.is_rolling() and not pausing.is_paused()
        self.top = rolling.top() if self.is_open else 0
        self.least = max(LEAST, rolling.least(), LEAST_OF_MANY if are_many_wanted() else 0)
        self.size = 1           # nodes that the last step has left
        self.together = 0       # how many make up one of the loop's, once it is known

    def may_begin(self, left: int, carry: Any, y: Any) -> bool:
        """Whether the steps that are left may be a loop; `carry` and `y` are those of the step before."""
        if not self.is_open:
            return False
        if not self.together:
            self.size, self.top = max(1, rolling.top() - self.top), rolling.top()
            starts = leaves(carry, "the carry")
            if starts and rolling.are_plain(starts + leaves(y, "what a step gives")):
                self.together = max(1, min(MOST_TOGETHER, NODES // self.size, left // FEW))
            self.is_open = self.together > 0 or self.steps - left < MOST_FIRST
        self.is_open = self.is_open and left >= FEW * self.together and left * self.size >= self.least
        return self.is_open and self.together > 0 and left % self.together == 0

    def rest(self, carry: Any, given: list[Any], y: Any) -> tuple[Any, list[Any]] | None:
        """What is carried at last, and what each step gives; `given` is what each gets, and `y` what one gave before.

        None if the loop has to be written out. If that shows when the function has been called, WrittenOut: what it has
        done besides cannot be undone.
        """
        self.is_open = False
        several = self.together
        starts, gets = leaves(carry, "the carry"), columns(given, several)
        if gets is None or not rolling.are_plain(starts):
            return None
        first = rolling.top()
        here = [rolling.leaf() for _ in (*starts, *gets[0])]
        stepped = self.stepped(
            rebuild(carry, here[:len(starts)]), rebuild(given[:several], here[len(starts):]), carry, y)
        if stepped is None:
            raise rolling.WrittenOut
        outs = leaves(stepped, "what steps give")
        # what is kept may be read by the next step, or be counted
        if not rolling.are_plain(outs) or rolling.is_kept(first, here, outs):
            raise rolling.WrittenOut
        found = rolling.record_loop(starts, gets, here, outs, first)
        if found is None:
            raise rolling.WrittenOut
        ys = stepped[1]
        ends, by_step = found
        return rebuild(carry, ends), [one for several_ys in by_step for one in rebuild(ys, several_ys)]

    def stepped(self, carried: Any, xs: list[Any], carry: Any, y: Any) -> list[Any] | None:
        """What the steps carry on and give, if that is like what is carried and given.

        None if not, or if one raises: written out, it may raise nothing, or at another step.
        """
        ys: list[Any] = []
        try:
            for x in xs:
                carried, gave = self.fn(carried, x)
                if not is_like(carried, carry) or not is_like(gave, y):
                    return None
                ys.append(gave)
        except Exception:
            return None
        # in lists and tuples of our own: who has kept those has kept the Values in them
        return [transform(one, lambda leaf: leaf, "what steps give") for one in (carried, ys)]


def columns(given: list[Any], together: int) -> list[list[Value]] | None:
    """The Values that each step of the loop gets, if all get the same structure of floats and plain Values."""
    first = given[0]
    if type(first) is list and all(type(one) is list and len(one) == len(first) for one in given):
        values = [leaf for one in given for leaf in one]        # at once, if these are no lists
    else:
        values = given
    if not rolling.are_plain(values):
        shape, values = structure_of(first), []
        for one in given:
            if structure_of(one) != shape:
                return None
            values += [Value(leaf) if isinstance(leaf, float) else leaf for leaf in leaves(one, "xs")]
        if not rolling.are_plain(values):
            return None
    width = len(values) // (len(given) // together)
    return [values[k * width:(k + 1) * width] for k in range(len(given) // together)]


def is_like(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(structure_of(one) == structure_of(other))


def structure_of(tree: Any) -> Any:
    return transform(tree, lambda leaf: type(leaf) if isinstance(leaf, Value) else 0, "a step")
