"""The same program on 1 to N ranks, each with its share of the data: `mpiexec -n 2 python train.py`, over mpi4py.

    from micrograd_c import distributed

    distributed.broadcast_parameters(model)             # all begin alike
    for batch in batches:                               # the same on all ranks
        mine = distributed.shard(batch)
        loss = mean_loss(model, mine)
        optimizer.zero_grad()
        loss.backward()
        distributed.average_gradients(model, weight=len(mine))
        optimizer.step()

All ranks make the same calls in the same order. With one rank nothing is sent and nothing changes. mpi4py and an MPI
library come with `pip install 'micrograd_c[mpi]'`; without them each function raises an ImportError that says so.

A rank that raises or exits while others wait for it ends the whole job. One that does so before it has imported this
module, or mpi4py, is not noticed by every mpiexec: import it early. docs/scaling.md says what several ranks cost.
"""

from __future__ import annotations

import math
from array import array

from micrograd_c._core.bulk.flat import flat
from micrograd_c._core.bulk.vectors import weigh  # type: ignore[import-not-found]  # compiled, without a stub
from micrograd_c._core.training.agreement import check_agreement, parameters_of
from micrograd_c._core.training.ranks import in_use, join
from micrograd_c._listing import lister

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeVar

    from micrograd_c.engine import Value
    from micrograd_c.nn import Module

    _Rows = TypeVar("_Rows", bound="Sequence[object]")

__all__ = ["average_gradients", "broadcast_parameters", "rank", "shard", "size"]
__dir__ = lister(__all__)

in_use()        # a rank of several must be known to the others before anything can go wrong in it

_agreed: set[int] = set()       # the sizes of models that all ranks have found to be of one shape


def rank() -> int:
    """Which of the processes this is, from 0.

    >>> rank()
    0
    """
    return join().rank


def size() -> int:
    """How many processes there are.

    >>> size()
    1
    """
    return join().size


def shard(data: _Rows) -> _Rows:
    """This rank's share of the rows of a list, an array, or anything else that can be sliced.

    The rows of a share are neighbours, and the sizes of shares differ by 1 at most.

    Raises ValueError if there are fewer rows than ranks.

    >>> shard([10, 20, 30])
    [10, 20, 30]
    """
    ranks, rows = join(), len(data)
    if rows < ranks.size:
        raise ValueError(f"{rows} rows are too few for {ranks.size} ranks: each wants at least one")
    return data[rows * ranks.rank // ranks.size : rows * (ranks.rank + 1) // ranks.size]  # type: ignore[return-value]


def broadcast_parameters(model: Module | Iterable[Value], root: int = 0) -> None:
    """Give the parameters of all ranks' models, or the Values of their lists, the data that they have on rank `root`.

    Raises ValueError, on all ranks, if their models differ in shape, and names the first parameter that differs.

    >>> from micrograd_c.nn import MLP
    >>> broadcast_parameters(MLP(2, [1]))
    """
    ranks = join()
    if not 0 <= root < ranks.size:
        raise ValueError(f"there is no rank {root}; there are {ranks.size}")
    if ranks.size > 1:
        vector = flat(parameters_of(model))
        check_agreement(ranks, model, len(vector), "broadcast_parameters")
        _agreed.add(len(vector))
        ranks.send_from(root, vector, "broadcast_parameters")
        vector.copy_()


def average_gradients(
    model: Module | Iterable[Value], weight: float = 1, numbers: Iterable[float] = ()
) -> list[float]:
    """Set each parameter's gradient to the mean of all ranks' gradients, weighted by `weight`.

    If each rank has the mean loss of its rows, their count as weight gives the gradient of the mean over all rows.
    Other numbers, such as the loss, are averaged in the same Allreduce, and returned.
    A gradient of None counts as 0.0.

    >>> from micrograd_c.engine import Value
    >>> w = Value(3.0)
    >>> loss = w * w
    >>> loss.backward()
    >>> average_gradients([w], weight=32, numbers=[loss.data])
    [9.0]
    >>> w.grad
    6.0

    Raises ValueError if the weights are negative or all 0, and, on all ranks, if their models differ in shape.
    """
    ranks, others = join(), array("d", numbers)
    if not 0 <= weight < math.inf:
        raise ValueError(f"weight must be how much this rank counts, a finite number from 0 on, not {weight!r}")
    if ranks.size == 1:
        return list(others)
    vector = flat(parameters_of(model), "grad")
    if len(vector) not in _agreed:
        check_agreement(ranks, model, len(vector), "average_gradients of another model")
        _agreed.add(len(vector))
    count = len(vector) + len(others)
    # the second tells of a rank that has changed its model since they agreed, and sends more or fewer numbers
    sums = array("d", [1.0, count]) + vector + others
    weigh(sums, weight, 1.0)
    ranks.add(sums, "average_gradients")
    total = sums[0]
    if abs(sums[1] - total * count) > 1e-9 * abs(sums[1]):
        raise ValueError(f"rank {ranks.rank} averages {count} numbers, and other ranks more or fewer")
    if not total:
        raise ValueError("the weights of all ranks are 0: nobody has rows")
    weigh(sums, 1.0, total)
    vector.copy_(sums[2 : 2 + len(vector)])
    return list(sums[2 + len(vector) :])
