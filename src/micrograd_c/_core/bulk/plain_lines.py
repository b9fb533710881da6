"""The plain spellings of what layers and vector record in one go.

They run where a user's code may have a say: a subclass of Value, a replaced operator. They are Python, not compiled,
because they must do what a user's own lines would do, and Cython's `0.0 * -1` is 0.0. Knows Value only.
"""

from __future__ import annotations

import functools
import sys

from micrograd_c._core.value import selecting, tracing
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def sumprod(ws: list[Any], xs: list[Any], start: Any) -> Any:
    """start + ws[0] * xs[0] + ..."""
    return sum((w * x for w, x in zip(ws, xs)), start)


def softmax(xs: list[Any]) -> list[Value]:
    """e^x / sum of all e^x."""
    exps = exps_below(xs, highest(xs))
    total = sum(exps)
    return [e / total for e in exps]


def log_softmax(xs: list[Any]) -> list[Value]:
    """log(e^x / sum of all e^x)."""
    top = highest(xs)
    shifted = [x - top for x in xs]
    exps = [x.exp() for x in shifted]
    total: Any = sum(exps)
    logarithm = total.log()
    return [x - logarithm for x in shifted]


def logsumexp(xs: list[Any], log_of_zero: Callable[[Value], Value]) -> Value:
    """The logarithm of the sum of all e^x. log_of_zero takes the place of log, which refuses 0."""
    top = nearest_finite(highest(xs))
    total: Any = sum(exps_below(xs, top))
    logarithm = total.log() if tracing.is_tracing() or total.data != 0 else log_of_zero(total)
    return logarithm + top


def cross_entropy(logits: list[Any], target: int) -> Value:
    """-log(softmax(logits)[target])."""
    top = highest(logits)
    total: Any = sum(exps_below(logits, top))
    return total.log() - (logits[target] - top)


def mean(xs: list[Any]) -> Any:
    """The sum divided by the number of xs."""
    return sum(xs) / len(xs)


def exps_below(xs: list[Any], top: Any) -> list[Value]:
    """e^(x - top), which does not overflow."""
    return [(x - top).exp() for x in xs]


def highest(xs: list[Any]) -> Any:
    """The largest data; while a function is traced, a Value for it."""
    if tracing.is_tracing():
        return selecting.stop_gradient(functools.reduce(selecting.maximum, xs))
    return max(x.data for x in xs)


def nearest_finite(top: Any) -> Any:
    """Infinity minus infinity is NaN; minus the largest float it stays infinite."""
    largest = sys.float_info.max
    if tracing.is_tracing():
        return selecting.maximum(selecting.minimum(top, largest), -largest)
    return max(min(top, largest), -largest)     # leaves NaN as it is


def as_values(xs: list[Any]) -> list[Value]:
    """The list with each number as a Value with that data."""
    return [x if isinstance(x, Value) else Value(x) for x in xs]
