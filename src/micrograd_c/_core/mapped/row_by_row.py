"""vmap row by row, for functions with ops that only Python can compute. Correct, and slow."""

from micrograd_c._core.bulk.functional import sumprod
from micrograd_c._core.mapped.outputs import transpose
from micrograd_c._core.mapped.reading import read_weights
from micrograd_c._core.mapped.refusals import (
    OPERATORS,
    refuse_arithmetic,
    refuse_order,
    refuse_truth,
    refuse_use_as_number,
)
from micrograd_c._core.value import tracing
from micrograd_c._core.value.value import Value

__all__ = ["Rowwise", "computes_by_itself", "run"]


class Rowwise:
    """What a Batch is, of Values computed one by one."""

    def __init__(self, values):
        self.values = values

    @property
    def keeps_graph(self):
        """As of a Batch, but True even if there are no parameters in the graph."""
        return any(value._prev for value in self.values)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, key):
        return self.tolist()[key]

    def __iter__(self):
        return iter(self.tolist())

    def __repr__(self):
        return f"Rowwise({self.tolist()!r})"

    def __array__(self, dtype=None, copy=None):
        import numpy as np  # who calls this has it
        return np.array(self.tolist(), dtype=dtype or float)

    def tolist(self):
        """All numbers, as a list of floats."""
        return [float(value.data) for value in self.values]

    def sum(self, weights=None):
        """As of a Batch."""
        if weights is None:
            return sum(self.values, Value(0.0))
        return sumprod(self.values, read_weights(weights, len(self.values)).flat(), Value(0.0))

    def mean(self, weights=None):
        """As of a Batch."""
        if not self.values:
            raise ZeroDivisionError("the mean of no rows")
        return self.sum(weights) * (1.0 / len(self.values))

    def __lt__(self, other):
        return refuse_order(self, other)

    __le__ = __gt__ = __ge__ = __lt__

    def __neg__(self):
        return refuse_arithmetic(self, None)

    __abs__ = __neg__

    def __float__(self):
        refuse_use_as_number(self)

    __int__ = __float__

    def __bool__(self):
        refuse_truth(self)


for operator in OPERATORS:
    setattr(Rowwise, operator, lambda self, other: refuse_arithmetic(self, other))


def run(fn, given, rows):
    """The function's result, with a Rowwise for each Value."""
    return transpose([fn(*[one.row(k) for one in given]) for k in range(rows)], Rowwise)


def computes_by_itself(fn, given):
    """Whether all that reads data of Values in `fn` makes a Value of its own: Value(data, children, op).

    Runs the first row. An op of one's own reads the data of its operands; what else does would be frozen.
    """
    if not next(iter(one.rows for one in given if one.rows is not None)):
        return False
    try:
        readers, makers = tracing.watch(lambda: fn(*[one.row(0) for one in given]))
    except MemoryError:
        raise
    except Exception:   # it fails without a trace, too: then the trace's error says more
        return False
    return bool(readers) and readers <= makers
