"""Derivatives of a graph that is there already."""

from __future__ import annotations

from micrograd_c._core.tape import pausing  # type: ignore[attr-defined]  # compiled, without a stub
from micrograd_c._core.transforms import derivatives, plain_sweeps  # type: ignore[attr-defined]  # compiled
from micrograd_c._core.transforms.structure import as_value, described
from micrograd_c._core.value import tracing
from micrograd_c._core.value.selecting import stop_gradient
from micrograd_c._core.value.value import Value

__all__ = ["gradients"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal, overload

if TYPE_CHECKING:
    @overload
    def gradients(
        output: Value, inputs: Value | Iterable[Value], create_graph: Literal[False] = False,
    ) -> list[float]: ...
    @overload
    def gradients(output: Value, inputs: Value | Iterable[Value], create_graph: Literal[True]) -> list[Value]: ...

def gradients(
    output: Value, inputs: Value | Iterable[Value], create_graph: bool = False,
) -> list[float] | list[Value]:
    """The derivatives of a Value with respect to others that it was computed from, as a list. No `grad` changes.

    They are floats; with create_graph Values, which are computed from the graph as any others, and can be
    differentiated again. Where nothing leads from an input to the output, the derivative is 0.0.

    >>> from micrograd_c.engine import Value
    >>> x, y = Value(2.0), Value(5.0)
    >>> z = x ** 3 * y
    >>> gradients(z, [x, y])
    [60.0, 8.0]
    >>> (of_x,) = gradients(z, [x], create_graph=True)
    >>> gradients(of_x, [x, y])
    [60.0, 12.0]

    Raises what backward() does; TypeError, with create_graph, where an op of a user's own has a `_backward`; and
    NotImplementedError where a mapped function was called before one that is being traced.
    """
    if not isinstance(output, Value):
        raise TypeError(f"gradients wants a Value to differentiate, not {described(output)}")
    given = [inputs] if isinstance(inputs, Value) else list(inputs)
    for one in given:
        if not isinstance(one, Value):
            raise TypeError(f"gradients wants Values to differentiate with respect to, not {described(one)}")
        tracing.check_usable(one)
    tracing.check_usable(output)
    if not create_graph and not tracing.is_tracing():
        (row,) = plain_sweeps.numbers([output], given)
        return row  # type: ignore[no-any-return]
    (found,) = pausing.recording(lambda: derivatives.reverse([output], [[(0, 1.0)]], given))
    values = [as_value(one) for one in found]
    return values if create_graph else [stop_gradient(one) for one in values]    # a trace has no numbers yet
