"""A function called to be differentiated: its arguments as Values, what it returned, and whether that stays in a graph.

Inside of another transform, or of a function that vmap runs, derivatives are Values, as they may be differentiated
again; elsewhere they are floats. In the place of the arguments that it is differentiated with respect to, the function
gets Values of its own: at the top leaves, with the numbers of the arguments; inside, Values computed from these.
"""

from __future__ import annotations

import operator
from _thread import _local

from micrograd_c._core.mapped import row_by_row
from micrograd_c._core.tape import pausing  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.transforms import derivatives, own_values  # type: ignore[attr-defined]  # compiled, without stubs
from micrograd_c._core.transforms.structure import (
    as_number,
    as_output,
    as_value,
    described,
    is_number,
    leaves,
    transform,
)
from micrograd_c._core.value import tracing
from micrograd_c._core.value.selecting import stop_gradient
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    _Way = list[tuple[int, Any]]

__all__ = ["Call", "are_many_wanted", "check_argnums", "check_callable", "is_inside", "to_floats"]


class Level(_local):
    """How many functions this thread is in that are being differentiated."""

    depth = 0
    of_many = 0     # and how many of them have derivatives in many ways


level = Level()


def are_many_wanted() -> bool:
    """Whether a function is being called that is differentiated in many ways."""
    return level.of_many > 0


def is_inside() -> bool:
    """Whether results are part of a graph that is differentiated or traced."""
    return level.depth > 0 or tracing.is_tracing() or row_by_row.is_running()


def check_callable(fn: Any, transform_name: str) -> None:
    if not callable(fn):
        raise TypeError(f"{transform_name} wants a function, not {described(fn)}")


def check_argnums(argnums: Any, name: str = "argnums") -> int | tuple[int, ...]:
    """An int, or a tuple of ints that differ."""
    try:
        if isinstance(argnums, (tuple, list)):
            places = tuple([operator.index(one) for one in argnums])
            if not places or len(set(places)) < len(places):
                raise ValueError(f"{name} must name one argument or more, each once, not {argnums!r}")
            return places
        return operator.index(argnums)
    except TypeError:
        raise TypeError(
            f"{name} must be the place of an argument, an int, or a tuple of those, not {argnums!r}") from None


class Call:
    """One call of the function. It returned the `outputs`, and is differentiated with respect to the `inputs`."""

    def __init__(
        self, fn: Callable[..., Any], arguments: Sequence[Any], keywords: dict[str, Any],
        argnums: int | tuple[int, ...], has_aux: bool, of_many: bool = False,
    ) -> None:
        self.name = getattr(fn, "__qualname__", None) or repr(fn)
        self.inside = is_inside()
        self.paused = pausing.is_paused()
        self.inputs: list[Value] = []
        self.aux: Any = None
        given = list(arguments)
        places = argnums if isinstance(argnums, tuple) else (argnums,)
        pausing.recording(lambda: self.take_all(given, places))
        parts = [given[place] for place in places]
        self.structure = tuple(parts) if isinstance(argnums, tuple) else parts[0]

        level.depth += 1
        level.of_many += of_many
        try:
            result = pausing.recording(lambda: fn(*given, **keywords))
        finally:
            level.depth -= 1
            level.of_many -= of_many
        if has_aux:
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise TypeError(f"with has_aux=True {self.name} must return a pair, the result and what goes with it, "
                                f"not {described(result)}")
            result, self.aux = result
        self.result = result
        name = f"what {self.name} returns"
        outputs = own_values.as_outputs(result) if type(result) is list else None
        self.outputs = [as_output(leaf, name) for leaf in leaves(result, name)] if outputs is None else outputs
        if result is None:
            raise TypeError(f"{self.name} returns None: does it have a `return`?")

    def take_all(self, given: list[Any], places: tuple[int, ...]) -> None:
        for place in places:
            if not -len(given) <= place < len(given):
                raise ValueError(
                    f"argnums names argument {place}, and {self.name} is given {len(given)} by position: count from 0, "
                    "and give what it is differentiated with respect to without its name")
            given[place] = self.take(given[place], f"argument {place} of {self.name}")

    def take(self, argument: Any, name: str) -> Any:
        """The argument with Values in the place of its numbers, which become inputs."""
        if type(argument) is list:
            values = own_values.as_inputs(argument, self.inside)
            if values is not None:
                self.inputs += values
                return values

        def as_input(leaf: Any) -> Value:
            if type(leaf) is float:
                value = Value(leaf)
            elif isinstance(leaf, Value):
                tracing.check_usable(leaf)
                value = own_values.alias(leaf) if self.inside else own_values.twin(leaf)
            elif is_number(leaf):
                value = Value(as_number(leaf))
            else:
                raise TypeError(f"{name} must be a number, a Value, or nested lists, tuples and dicts of those, not "
                                f"{described(leaf)}")
            self.inputs.append(value)
            return value
        return transform(argument, as_input, name)

    def check_scalar(self, transform_name: str) -> None:
        if not isinstance(self.result, Value) and not is_number(self.result):
            raise TypeError(f"{transform_name} wants a function that returns one Value, not {described(self.result)}: "
                            "use jacrev or jacfwd for one that returns several")

    def values(self) -> Any:
        """What the function returned: Values inside, numbers at the top."""
        return self.result if self.inside else to_floats(self.result)

    def handed_on(self) -> Any:
        return self.aux if self.inside else to_floats(self.aux)

    def with_aux(self, result: Any, has_aux: bool) -> Any:
        return (result, self.handed_on()) if has_aux else result

    def reverse(self, roots: list[Value], ways: list[_Way]) -> list[list[Value]]:
        """Derivatives with respect to the inputs as Values, for each way one list."""
        found = pausing.recording(lambda: derivatives.reverse(roots, ways, self.inputs))
        if self.paused:
            return [[self.as_value(one) for one in row] for row in found]
        return [[one if type(one) is Value else as_value(one) for one in row] for row in found]

    def forward(self, roots: list[Value], ways: list[_Way], is_symmetric: bool = False) -> list[list[Any]]:
        """What the roots change by, for each way one list: as Values inside, at the top as numbers."""
        found = pausing.recording(lambda: derivatives.forward(
            roots, ways, self.inputs, is_symmetric, not self.inside))
        if not self.inside:
            return [[0.0 if one is None else one for one in row] for row in found]
        return [[self.as_value(one) for one in row] for row in found]

    def as_value(self, found: Any) -> Value:
        value = as_value(found)
        return stop_gradient(value) if value is found and self.paused and self.inside else value


def to_floats(tree: Any) -> Any:
    """The same structure, with the numbers of Values. Anything else stays as it is."""
    if type(tree) is list:
        floats = own_values.as_floats(tree)
        if floats is not None:
            return floats
    return transform(tree, lambda leaf: float(leaf.data) if isinstance(leaf, Value) else leaf, "a result")
