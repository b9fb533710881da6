"""vmap row by row, for functions with ops that only Python can compute. Correct, and slow."""

from __future__ import annotations

import operator
from _thread import _local
from array import array

from micrograd_c._core.bulk.functional import mean  # type: ignore[attr-defined]
from micrograd_c._core.bulk.linear import sumprod
from micrograd_c._core.mapped import columns, gathering, linking  # type: ignore[attr-defined]  # compiled, without stubs
from micrograd_c._core.mapped.batch import Batch
from micrograd_c._core.mapped.nested import nested
from micrograd_c._core.mapped.reading import read_weights
from micrograd_c._core.mapped.refusals import (
    refuse_arithmetic,
    refuse_order,
    refuse_truth,
    refuse_use_as_number,
)
from micrograd_c._core.value import tracing
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, NoReturn

    from micrograd_c._core.mapped.arguments import Group

__all__ = ["Rowwise", "computes_by_itself", "deviation", "is_running", "run"]


class Running(_local):
    """How many runs this thread is in."""

    depth = 0


running = Running()


def is_running() -> bool:
    """Whether this thread is computing rows, so that what a function makes of its arguments is part of a graph."""
    return running.depth > 0


class Rowwise:
    """What stands in for a Batch if its Values are computed one by one."""

    def __init__(self, values: list[Value], shape: tuple[int, ...] | None = None) -> None:
        self.values = values        # of more axes, in order
        self.shape = (len(values),) if shape is None else shape

    @property
    def keeps_graph(self) -> bool:
        """As for a Batch, but True even if there are no parameters in the graph."""
        return any(value._prev for value in self.values)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        return self.tolist()[key]

    def __iter__(self) -> Iterator[float]:
        return iter(self.tolist())

    def __repr__(self) -> str:
        return f"Rowwise({self.tolist()!r})"

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        import numpy as np  # whoever calls this has it
        return np.array(self.tolist(), dtype=dtype or float)

    @property
    def numbers(self) -> list[float]:
        """All of them, in order."""
        return [float(value.data) for value in self.values]

    @property
    def buffer(self) -> Any:
        """The same as a buffer."""
        if 0 in self.shape:
            return columns.empty(self.shape)
        return memoryview(array("d", self.numbers)).cast("B").cast("d", self.shape)

    def tolist(self) -> list[Any]:
        """All numbers, as a list of floats; of more axes, as nested lists."""
        return nested(self.shape, iter(self.numbers).__next__)  # type: ignore[no-any-return]

    def as_batch(self, axis: int = 0) -> Batch:
        """A Batch, whose gradients go on to the Values. Its rows are along that axis."""
        return gathering.batch_of(self.values, self.shape, axis)  # type: ignore[no-any-return]

    def sum(self, weights: Iterable[float] | None = None) -> Value:
        """As for a Batch."""
        if weights is None:
            return sum(self.values, Value(0.0))
        if isinstance(weights, (Batch, Rowwise)) and weights.shape == self.shape:
            return sumprod(self.values, weights.values if isinstance(weights, Rowwise) else linking.values_of(weights),
                           Value(0.0))
        return sumprod(self.values, read_weights(weights, self.shape).flat(), Value(0.0))

    def mean(self, weights: Iterable[float] | None = None) -> Value:
        """As for a Batch."""
        if not self.values:
            raise ZeroDivisionError("the mean of no rows")
        return self.sum(weights) * (1.0 / len(self.values))

    def min(self) -> Value:
        """As for a Batch."""
        return self.extreme(min)

    def max(self) -> Value:
        """As for a Batch."""
        return self.extreme(max)

    def extreme(self, choose: Callable[[list[float]], float]) -> Value:
        numbers = self.numbers
        if not numbers:
            raise ValueError(f"the {choose.__name__} of no rows")
        unknown = [x for x in numbers if x != x]
        best = unknown[0] if unknown else choose(numbers)
        chosen = [v for v, x in zip(self.values, numbers) if x == best or (unknown and x != x)]
        return Value(best, tuple(chosen), tuple([1.0 / len(chosen)] * len(chosen)))

    def std(self, ddof: float = 0) -> Value:
        """As for a Batch."""
        return deviation(self.values, ddof)

    def __lt__(self, other: Any) -> Any:
        return refuse_order(self, other)

    __le__ = __gt__ = __ge__ = __lt__

    def __add__(self, other: Any) -> Any:
        return refuse_arithmetic(self, other)

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __add__
    __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __add__

    def __neg__(self) -> Any:
        return refuse_arithmetic(self, None)

    __abs__ = __neg__

    def __float__(self) -> NoReturn:
        refuse_use_as_number(self)

    __int__ = __float__

    def __bool__(self) -> NoReturn:
        refuse_truth(self)


def deviation(values: list[Value], ddof: float) -> Value:
    """The standard deviation of some Values."""
    if len(values) <= ddof:
        raise ZeroDivisionError(f"the standard deviation of {len(values)} rows, with ddof {ddof}")
    middle = mean(values)
    return (sum([(v - middle) ** 2 for v in values], Value(0.0)) * (1.0 / (len(values) - ddof))).sqrt()


def run(fn: Callable[..., Any], given: Group) -> list[Any]:
    """The function's result for each row."""
    running.depth += 1
    try:
        return [given.call(fn, operator.methodcaller("row", k)) for k in range(given.rows)]
    finally:
        running.depth -= 1


def computes_by_itself(fn: Callable[..., Any], given: Group) -> bool:
    """As `only_own_ops_read`, for the first row."""
    return bool(given.rows) and only_own_ops_read(lambda: given.call(fn, operator.methodcaller("first")))


def only_own_ops_read(action: Callable[[], Any]) -> bool:
    """Whether all code in action() that reads data of Values makes a Value of its own: Value(data, children, op).

    A user's own op reads the data of its operands; any other use of that data would be frozen.
    """
    try:
        readers, makers = tracing.watch(action)
    except MemoryError:
        raise
    except Exception:   # it fails without a trace, too: then the trace's error says more
        return False
    return bool(readers) and readers <= makers
